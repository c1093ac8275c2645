"""What measurements mean: what is unfit is called so, whatever else is fine."""

import pytest

from backends.interface import Level, Service
from taskgraph.doctor import judging

HOSTS = {"a": "node1", "b": "node2"}


def raced(a, b, seen):
    """Return what is said of two races that both took at the same moments."""
    spans = [(0.0, 1.0), (2.0, 3.0)]
    told = {"a": {"won": a, "spans": spans}, "b": {"won": b, "spans": spans}}
    return judging.races(told, {"a": {"seen": seen}}, 2, HOSTS)


def test_one_winner_each_that_all_see_is_fine():
    found = raced([0], [1], ["a", "b"])
    assert found.level is Level.FINE
    assert "2 of them at the same moment" in found.measured
    assert "2 machines" in found.measured


@pytest.mark.parametrize(
    ("a", "b", "seen"),
    [
        ([0, 1], [1], ["a", "b"]),
        ([0], [], ["a", "b"]),
        ([0], [1], ["a", "a"]),
        ([0], [1], ["a", ""]),
    ],
    ids=["two winners", "no winner", "another is seen", "nothing is seen"],
)
def test_whatever_else_becomes_of_a_race_is_unfit(a, b, seen):
    assert raced(a, b, seen).level is Level.UNFIT


def test_who_fails_in_a_race_says_why():
    found = judging.races({"a": {"error": "no room"}}, {}, 1, HOSTS)
    assert (found.level, found.meaning) == (Level.UNFIT, "no room")


def test_who_runs_and_is_not_seen_looks_at_another_place():
    (found,) = judging.absent(["here", "node2"], [None, None], 0, 1)
    assert found.level is Level.UNFIT
    assert "2 run, 1 are seen" in found.measured


def test_who_did_not_come_to_meet_is_told():
    (found,) = judging.absent(["here"], [None], 2, 2)
    assert found.level is Level.WARNING
    assert found.measured == "1 of 2 came"


def test_news_that_do_not_come_in_time_are_a_warning():
    never = judging.hops({"a": {"took": []}}, far=True)
    late = judging.hops({"a": {"took": [9.0]}}, far=True)
    assert never.level is late.level is Level.WARNING
    assert judging.hops({"a": {"took": [0.1]}}, far=True).level is Level.FINE


def test_who_won_and_did_not_tell_in_time_is_no_reason_to_worry():
    told = {"a": {"won": [], "spans": [(0.0, 1.0)]}}
    found = judging.races(told, {"a": {"seen": ["slow"]}}, 1, HOSTS)
    assert found.level is Level.FINE
    assert judging.races(told, {"a": {"seen": ["a"]}}, 1, HOSTS).level is Level.UNFIT


@pytest.mark.parametrize(
    "told", [{"oldest": 3.0, "seen": 0}, {"oldest": 21, "seen": 1}]
)
def test_heartbeats_that_are_seen_late_ask_for_a_longer_lease(told):
    (found,) = judging.heartbeats(told)
    assert found.level is Level.WARNING
    assert found.advice.startswith("`--lease ")


def test_reading_that_was_not_measured_is_not_taken_for_free():
    alone, service = {"append": 0.01}, Service()
    told = {"a": {"appends": 10, "seconds": 1.0}}
    joined = {"a": {"segments": 10, "cpu": 0.001, "seconds": 0.002}}
    known = judging.costs(alone, told, joined, service, 0.02)
    assert (known.read, known.wait) == (pytest.approx(1e-4), pytest.approx(1e-4))
    for lacking in ({}, {"a": {"error": "no room"}}):
        assert judging.costs(alone, told, lacking, service, 0.02).read > 0


def test_clocks_that_differ_by_minutes_are_told_by_host():
    told = {"a": {"offset": 0.0, "exact": 0.0}, "b": {"offset": 3600.0, "exact": 0.0}}
    (found,) = judging.clocks(told, HOSTS)
    assert found.level is Level.WARNING
    assert "node2 is 3600.00 s behind the store's" in found.measured

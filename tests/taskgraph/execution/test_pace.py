"""How much is done at once, by what was measured and by how many there are."""

from collections import Counter

import pytest

from taskgraph.execution.pace import Pace


def pace(others=0, cost=0.001, latency=0.02):
    return Pace(latency, "anna", others=others, cost=cost)


def test_records_wait_half_a_second_whoever_is_there():
    for others in (0, 1, 50):
        assert pace(others).interval == 0.5
        assert not pace(others).due(0.1, 0.1)
        assert pace(others).due(0.1, 0.5)
        assert pace(others).due(0.0, float("inf"))


def test_intervals_follow_what_an_append_takes():
    slow = pace(3)
    for _ in range(30):
        slow.published(0.02)
    assert slow.interval == pytest.approx(1.0, rel=0.01)
    assert slow.worthwhile == pytest.approx(0.2, rel=0.01)
    for _ in range(30):
        slow.published(60.0)
    assert slow.interval == 3.0


@pytest.mark.parametrize("others", [1, 3, 15, 63, 255])
def test_where_many_share_a_core_they_append_so_seldom_that_it_stays_free(others):
    """Each appends twice in an interval; all together take a fifth of the cores."""
    for crowd in (1.0, (1 + others) / 8, (1 + others) / 2):
        shared = Pace(0.02, others=others, crowd=max(1.0, crowd), cost=0.001)
        taken = 2 * shared.crowd * (0.003 + others * 40e-6) / shared.interval
        assert taken <= 0.2 or shared.interval == 3.0
        assert shared.worthwhile <= 0.5
        assert shared.due(0.01, 0.02, wanted=True)  # who waits does not wait longer


def test_records_that_somebody_may_wait_for_go_out_soon():
    assert pace(1).due(0.01, 0.015, wanted=True)
    assert not pace(1).due(0.01, 0.005, wanted=True)
    assert not pace(0).due(0.01, 0.02, wanted=True)
    assert pace(1, cost=1.0).due(2.9, 0.2, wanted=True)


@pytest.mark.parametrize("others", [1, 3, 15, 63, 255])
def test_shares_leave_something_for_each_and_end_with_little(others):
    """All take in turn: nobody gets much more than the others, in few turns."""
    shared, left, turns = pace(others), 100 * (others + 1), 0
    shares = Counter()
    while left:
        took = min(left, shared.tasks(left))
        shares[turns % (others + 1)] += took
        left -= took
        turns += 1
    assert max(shares.values()) <= 130
    assert turns <= 12 * (others + 1)


def test_alone_one_takes_whatever_there_is_from_the_first_on():
    assert pace().tasks(10) > 10_000
    assert pace().skip(10_000, 0) == 0


def test_many_who_choose_at_once_choose_differently():
    names = [f"w{number}" for number in range(64)]
    chosen = [Pace(0.02, name, others=63).skip(10, 0) for name in names]
    assert len({place // 10 for place in chosen}) > 32
    assert max(chosen) <= 630


def test_who_fails_to_lock_looks_further_away():
    """Before the others are known, too: all that start together see nobody."""
    names = [f"w{number}" for number in range(200)]
    lone = {Pace(0.02, name).skip(1, 0) for name in names}
    again = {Pace(0.02, name).skip(1, 7) for name in names}
    assert lone == {0}
    assert len(again) > 60


def test_few_wake_at_each_append_and_many_let_news_come_together():
    assert pace(7).rest == pace(15).rest == 0.0
    assert 0.0 < pace(31).rest < pace(63).rest <= pace(1000).rest == 0.5

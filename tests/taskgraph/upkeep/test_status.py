"""What state each task is in."""

from array import array

import pytest

from taskgraph.upkeep.snapshot import Snapshot
from taskgraph.upkeep.status import STATES, Status, states_of, status_of


def graph(needs, *, names=None, missing=()):
    """Return a snapshot of tasks a, b, c ...; `needs` by letters, in order."""
    letters = list(needs)
    kinds = list(dict.fromkeys((names or {}).get(x, "f") for x in letters))
    return Snapshot(
        jugfile="/x.py",
        arguments=(),
        stamp=(1, 1, 1),
        time=0.0,
        missing=b"".join(key(x) for x in missing),
        names=kinds,
        functions=array("I", [kinds.index((names or {}).get(x, "f")) for x in letters]),
        keys=b"".join(key(x) for x in letters),
        counts=array("I", [len(needs[x]) for x in letters]),
        needs=array("I", [letters.index(y) for x in letters for y in needs[x]]),
    )


def key(letter):
    return letter.encode() * 20


def keys(letters):
    return {key(letter) for letter in letters}


CHAIN = {"a": "", "b": "a", "c": "b"}


@pytest.mark.parametrize(
    ("needs", "known", "failed", "held", "expected"),
    [
        (CHAIN, "", "", "", "ready waiting waiting"),
        (CHAIN, "a", "", "", "done ready waiting"),
        (CHAIN, "a", "", "b", "done running waiting"),
        (CHAIN, "a", "a", "", "failed blocked blocked"),
        (CHAIN, "abc", "", "", "done done done"),
        (CHAIN, "abc", "a", "", "failed done done"),
        (CHAIN, "c", "", "", "ready waiting done"),
        ({"a": "", "b": "", "c": "ab"}, "a", "a", "", "failed ready blocked"),
        ({"a": "", "b": "", "c": "ab"}, "a", "", "b", "done running waiting"),
    ],
)
def test_each_task_is_in_one_state(needs, known, failed, held, expected):
    found = states_of(graph(needs), keys(known), keys(failed), keys(held))

    assert [found[key(letter)] for letter in needs] == expected.split()


def test_counts_are_by_function():
    snapshot = graph(CHAIN, names={"a": "load", "b": "load", "c": "sum"})

    status = status_of(snapshot, keys("ab"), set(), set())

    assert status.counts["load"] == dict.fromkeys(STATES, 0) | {"done": 2}
    assert status.counts["sum"]["ready"] == 1
    assert (status.tasks, status.total("done")) == (3, 2)
    assert not status.finished


def test_all_done_is_finished():
    assert status_of(graph(CHAIN), keys("abc"), set(), set()).finished
    assert status_of(graph({}), set(), set(), set()).finished


def test_done_up_to_a_barrier_is_neither_finished_nor_hopeless():
    status = status_of(graph(CHAIN, missing="a"), keys("abc"), set(), set())

    assert not status.finished
    assert not status.hopeless


@pytest.mark.parametrize(
    ("missing", "hopeless"), [("", True), ("b", True), ("a", True), ("d", False)]
)
def test_waiting_is_hopeless_if_all_that_is_left_waits_for_a_failure(missing, hopeless):
    snapshot = graph({**CHAIN, "d": ""}, missing=missing)

    status = status_of(snapshot, keys("ad"), keys("a"), set())

    assert status.hopeless == hopeless


def test_waiting_is_not_hopeless_while_something_can_run():
    snapshot = graph({**CHAIN, "d": ""})

    assert not status_of(snapshot, keys("a"), keys("a"), set()).hopeless
    assert not Status({}).hopeless

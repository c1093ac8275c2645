"""The states of a graph kept up little by little are those that a whole look finds."""

from __future__ import annotations

from array import array

from hypothesis import given, strategies as st

from taskgraph.live.calls import CallTexts, Search
from taskgraph.live.tasks import Tasks
from taskgraph.upkeep.snapshot import Snapshot
from taskgraph.upkeep.status import states_of, status_of

NAMES = ("work.f", "work.g", "work.h")


def snapshot_of(needs: list[list[int]], functions: list[int]) -> Snapshot:
    keys = b"".join(place.to_bytes(20, "big") for place in range(len(needs)))
    return Snapshot(
        "work.py",
        (),
        (0, 0, 0),
        0.0,
        b"",
        NAMES,
        array("I", functions),
        keys,
        array("I", [len(each) for each in needs]),
        array("I", [need for each in needs for need in each]),
    )


def judged(snapshot: Snapshot) -> Tasks:
    tasks = Tasks(snapshot)
    tasks.judge((), (), ())
    return tasks


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 12))
    needs = [
        sorted(draw(st.sets(st.integers(0, place - 1), max_size=3))) if place else []
        for place in range(size)
    ]
    return snapshot_of(needs, [draw(st.integers(0, 2)) for _ in range(size)])


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["result", "failure", "hold", "let go", "forget"]),
        st.integers(0, 11),
    ),
    max_size=30,
)


@given(snapshot=graphs(), events=EVENTS)
def test_states_are_those_of_status_whatever_happens(snapshot, events):
    tasks, keys = judged(snapshot), snapshot.split()
    known, failures, held = set(), set(), set()
    for what, place in events:
        key = keys[place % len(keys)]
        results, failed, anew = [], [], False
        if what == "result" and (key not in known or key in failures):
            known.add(key)
            failures.discard(key)
            results.append(key)
        elif what == "failure" and key not in known:
            known.add(key)
            failures.add(key)
            failed.append(key)
        elif what == "hold" and key not in known:
            held.add(key)
        elif what == "forget":
            known.discard(key)
            failures.discard(key)
            anew = True
        held -= known
        if what == "let go":
            held.discard(key)
        if anew or not (tasks.ended(results, failed) and tasks.hold(held)):
            tasks.judge(known, failures, held)
        want = states_of(snapshot, known, failures, held)
        assert dict(zip(keys, names_of(tasks), strict=True)) == want
        counts = dict(zip(snapshot.names, tasks.counts, strict=True))
        status = status_of(snapshot, known, failures, held)
        assert {n: list(row.values()) for n, row in status.counts.items()} == counts


def names_of(tasks):
    from taskgraph.upkeep.status import STATES

    return [STATES[state] for state in tasks.states]


def test_keys_of_other_graphs_are_passed_over():
    tasks = judged(snapshot_of([[], [0]], [0, 1]))
    assert tasks.ended([b"x" * 20], [b"y" * 20])
    tasks.hold([b"x" * 20])
    assert names_of(tasks) == ["ready", "waiting"]


def test_functions_are_joined_by_how_many_results_they_need():
    tasks = judged(snapshot_of([[], [], [0, 1], [2]], [0, 0, 1, 1]))
    assert tasks.edges() == [(1, 0, 2), (1, 1, 1)]
    assert tasks.needs(2) == [0, 1]
    assert tasks.dependants(2) == [3]
    assert tasks.in_state(None, 1).tolist() == [2, 3]


def test_an_empty_graph_has_no_states():
    tasks = judged(snapshot_of([], []))
    assert tasks.totals()["done"] == 0
    assert tasks.edges() == []


def test_calls_of_which_nothing_is_kept_have_no_text_and_are_found_by_key():
    tasks = judged(snapshot_of([[], []], [0, 0]))
    assert CallTexts(tasks)[1] == ""
    search = Search(tasks, "00000000")
    while not search.finished:
        search.go_on()
    assert search.found == [0, 1]

"""A graph that grows is told piece by piece, and known as a whole."""

import sys
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, strategies as st

from taskgraph import Task, TaskGenerator, open_store, run
from taskgraph.execution.processes.known_graph import KnownGraph
from taskgraph.execution.processes.letters import Letters
from taskgraph.execution.processes.reading import digests_of
from taskgraph.tasks.frontier import Frontier
from taskgraph.tasks.graph import Graph
from taskgraph.upkeep import snapshot
from taskgraph.upkeep.growing import Growing, take

PATH = Path("no/such/job.py")


def tasks_of(needs):
    """Return tasks, each needing some before it, now and then one with a known key."""
    tasks = []
    for number, picked in enumerate(needs):
        args = [tasks[pick % number] for pick in picked] if number else []
        function = (len, max, sum)[len(picked)]
        tasks.append(Task(function, [number, *args] if args else number // 2))
    return tasks


NEEDS = st.lists(st.lists(st.integers(0, 99), max_size=2), min_size=1, max_size=30)
CUTS = st.lists(st.integers(0, 30), max_size=5)


def pieces(tasks, cuts):
    ends = sorted({min(cut, len(tasks)) for cut in cuts} | {len(tasks)})
    return [tasks[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def letters_of(tasks, cuts):
    """Return what a worker tells of tasks that it reads piece by piece."""
    graph, growing, letters = Graph(()), Growing(PATH), []
    for piece in pieces(tasks, cuts):
        graph.extend(piece)
        before = growing.size, growing.check
        missing = [graph.tasks[-1].key] if len(graph) else []
        more = [*map(snapshot.encode, growing.pieces(graph, missing, most=3))]
        letters.append((*before, more))
    return letters


def known_after(letters):
    known = KnownGraph()
    for letter in letters:
        known.learn(*letter)
    return known


def same(told, tasks):
    whole = take(Graph(tasks), PATH, missing=[Graph(tasks).tasks[-1].key])
    return replace(told, time=0.0) == replace(whole, time=0.0)


@given(NEEDS, CUTS)
def test_pieces_of_a_graph_make_the_whole(needs, cuts):
    tasks = tasks_of(needs)
    assert list(Graph(tasks)) == list(known_after(letters_of(tasks, cuts)).snapshot)
    assert same(known_after(letters_of(tasks, cuts)).snapshot, tasks)


@given(NEEDS, CUTS, CUTS, st.randoms(use_true_random=False))
def test_two_workers_tell_one_graph_in_pieces_of_their_own(needs, one, two, rng):
    tasks = tasks_of(needs)
    told = [letters_of(tasks, one), letters_of(tasks, two)]
    mixed = []
    while any(told):
        mixed.append(rng.choice([letters for letters in told if letters]).pop(0))
    known = known_after(mixed).snapshot
    assert list(known) == list(Graph(tasks))
    assert list(known.needs_of()) == list(take(Graph(tasks), PATH).needs_of())


def test_what_follows_on_other_tasks_is_not_taken_in():
    mine, others = tasks_of([[]] * 9), [Task(abs, n) for n in range(9)]
    known = known_after(letters_of(mine, [3])[:1])
    assert not known.learn(*letters_of(others, [3])[1])
    assert list(known.snapshot) == [task.key for task in Graph(mine[:3]).tasks]


@given(NEEDS, CUTS, st.randoms(use_true_random=False))
def test_a_frontier_that_grows_is_as_one_of_the_whole(needs, cuts, rng):
    tasks = tasks_of(needs)
    graph = Graph(())
    frontier = Frontier(graph)
    done, failed = set(), set()
    for piece in pieces(tasks, cuts):
        graph.extend(piece)
        frontier.grow(done, failed)
        for task in graph.tasks:
            ready = done.issuperset(need.key for need in task.needs)
            if ready and not {task.key} & (done | failed) and rng.random() < 0.6:
                (done if rng.random() < 0.8 else failed).add(task.key)
        frontier.fail(failed)
        frontier.finish(done)
    whole = Frontier(Graph(tasks), done, failed)
    assert frontier.finished == whole.finished
    assert frontier.waiting == whole.waiting
    assert frontier.blocked() == whole.blocked()
    assert frontier.exhausted() == whole.exhausted()


NAMED = st.lists(
    st.tuples(
        st.sampled_from("fgh"),
        st.one_of(st.binary(min_size=20, max_size=20), st.just(b"\xff" * 20)),
    ),
    max_size=20,
)


@given(NAMED, st.randoms(use_true_random=False))
def test_digests_tell_the_tasks_of_each_function_in_any_order(named, random):
    expected = {}
    for name, key in named:
        count, total = expected.get(name, (0, 0))
        total = (total + int.from_bytes(key[:8], sys.byteorder)) % (1 << 64)
        expected[name] = [count + 1, total]
    random.shuffle(named)
    letters = Letters()

    letters.send("digests", digests_of(named))

    assert dict(letters.received())["digests"] == expected


@given(NEEDS, NEEDS)
def test_a_graph_is_as_the_last_one_if_its_snapshots_say_the_same(one, other):
    last, graph = take(Graph(tasks_of(one)), PATH), Graph(tasks_of(other))

    assert Growing(PATH).is_as(last, graph) == last.says(take(graph, PATH))


def test_a_graph_is_not_as_the_last_one_if_anything_else_is_other():
    def call(x, hidden):
        return x

    def graph_of(hidden=1, **options):
        g = TaskGenerator(call, name="n", ignore=("hidden",), **options)
        return Graph([g(x, hidden) for x in range(3)])

    last = take(graph_of(), PATH, arguments=("a",), inputs={"f": (1, 2)})

    def is_as(graph, arguments=("a",), missing=(), inputs={"f": (1, 2)}):  # noqa: B006 - not changed
        return Growing(PATH, arguments).is_as(last, graph, missing, inputs)

    assert is_as(graph_of())
    assert not is_as(graph_of(hidden=2))  # it is in no key
    assert not is_as(graph_of(files=True))
    assert not is_as(graph_of(resources={"gpu": 1}))
    assert not is_as(graph_of(retries_on=OSError))
    assert not is_as(graph_of(), arguments=("b",))
    assert not is_as(graph_of(), missing=[last.keys[:20]])
    assert not is_as(graph_of(), inputs={})


def test_what_is_as_the_last_graph_is_known_without_its_pieces():
    tasks = tasks_of([[], [0], [0, 1]])
    known = KnownGraph()
    assert not known.learn(0, 0, None)  # there was none
    known.last = take(Graph(tasks), PATH)

    assert known.learn(0, 0, None)
    assert known.snapshot is known.last


def told(tasks, missing):
    (piece,) = Growing(PATH).pieces(Graph(tasks), [missing.key])
    return 0, crc32(b""), [snapshot.encode(piece)]


@pytest.mark.parametrize("later_first", [False, True])
def test_the_graph_of_the_later_barrier_counts_though_it_is_shorter(later_first):
    inner = tasks_of([[]] * 5)
    first, then, more = (Task(divmod, n, 7) for n in range(3))
    results = open_store("memory://")
    letters = [told([*inner, first], first), told([first, then], then)]
    known = KnownGraph()
    run(first, store=results)
    for letter in reversed(letters) if later_first else letters:
        known.learn(*letter, results)
    assert list(known.snapshot) == [first.key, then.key]
    known.learn(*told([*inner, first, then, more], more), results)
    assert len(known.snapshot) == len(Graph([*inner, first, then, more]))

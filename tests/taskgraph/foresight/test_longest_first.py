"""What takes longest to its end is begun first, by what records say."""

from random import Random

import pytest
from hypothesis import given, strategies as st

from backends.errors import BackendError
from taskgraph import TaskGenerator, open_store
from taskgraph.execution.choosing.choice import Choice
from taskgraph.execution.options import WorkerOptions
from taskgraph.foresight.learned import lengths
from taskgraph.resources import Resources
from taskgraph.results.batch import Batch
from taskgraph.tasks.frontier import Budget, Frontier
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Loaded
from taskgraph.tasks.longest_first import seconds_after
from taskgraph.tasks.recording import Recording, recorded_in


@TaskGenerator
def short(*args):
    return args


@TaskGenerator
def long(*args):
    return args


@TaskGenerator
def new(*args):
    return args


@TaskGenerator(resources="gpu=1")
def asking(*args):
    return args


KNOWN = {long.name: 9.0, short.name: 1.0}


def graph_of(make):
    with recorded_in(Recording()) as recording:
        make()
    return Graph(recording.tasks)


def many_then_a_chain():
    for number in range(5):
        short(number)
    short(long(0))


def order(graph, seconds, **others):
    frontier = Frontier(graph, seconds=lambda: seconds, **others)
    found = []
    while keys := frontier.take(
        lambda task: None, Budget(1, 0.0, (), fits=lambda asked: True)
    ):
        frontier.finish(keys)
        found += keys
    return [graph[key].generator for key in found]


def test_what_has_the_longest_way_in_time_comes_first():
    graph = graph_of(lambda: [short(short(short(0))), long(0)])
    assert order(graph, {}) == [short, short, short, long]
    assert order(graph, KNOWN) == [long, short, short, short]
    assert order(graph_of(many_then_a_chain), KNOWN)[:2] == [long, short]


def test_what_nobody_knows_comes_between_the_long_and_the_short():
    graph = graph_of(lambda: [short(0), new(0), long(0)])
    assert order(graph, KNOWN) == [long, new, short]


def test_ways_of_about_the_same_time_are_begun_as_they_are_written():
    graph = graph_of(lambda: [short(0), new(0), long(0), short(1)])
    alike = {long.name: 0.19, new.name: 0.15, short.name: 0.11}
    assert order(graph, alike) == order(graph, {}) == [short, new, long, short]


def test_what_asks_for_resources_still_comes_first_once_it_waits():
    graph = graph_of(lambda: [asking(0), long(0), short(0)])
    frontier = Frontier(
        graph, offered=Resources.of("gpu=1"), seconds=lambda: KNOWN | {asking.name: 0}
    )
    asked, first, last = graph
    assert frontier.take(lambda task: None, Budget(1, 0.0, ())) == [first]
    assert frontier.take(lambda task: None, Budget(1, 0.0, {first})) == [last]
    assert not frontier.take(lambda task: None, Budget(1, 0.0, {first, last}))
    frontier.put_back([first, last])
    has = Budget(1, 0.0, (), fits=lambda asked: True)
    assert frontier.take(lambda task: None, has) == [asked]


def test_workers_that_choose_at_once_still_choose_differently():
    graph = graph_of(lambda: [short(0), short(1), long(0), long(1)])
    frontier = Frontier(graph, seconds=lambda: KNOWN)
    _, _, first, second = graph
    assert frontier.take(lambda task: None, Budget(1, 0.0, (), skip=1)) == [second]
    assert frontier.take(lambda task: None, Budget(1, 0.0, {second})) == [first]


def test_tasks_of_a_growing_graph_are_ordered_among_themselves():
    graph = graph_of(many_then_a_chain)
    frontier = Frontier(graph, graph.keys(), seconds=lambda: KNOWN)
    assert frontier.done
    more = graph_of(lambda: [short(10), long(10)])
    graph.extend(more.tasks)
    frontier.grow((), ())
    taken = frontier.take(lambda task: None, Budget(1, 0.0, ()))
    assert [graph[key].generator for key in taken] == [long]


@given(st.integers(0, 1 << 32))
def test_the_way_to_the_end_is_that_of_most_time(seed):
    rng = Random(seed)
    with recorded_in(Recording()) as recording:
        for number in range(rng.randint(1, 15)):
            needs = rng.sample(recording.tasks, min(number, rng.randrange(4)))
            for place in range(rng.randint(1, 2)):
                rng.choice([short, long])(number, place, needs)
    tasks = Graph(recording.tasks).tasks

    def own(task):
        return KNOWN[task.generator.name]

    def way(task):
        following = [way(other) for other in tasks if task in other.needs]
        return own(task) + max(following, default=0.0)

    after = seconds_after(tasks, own)

    assert [own(task) + after.get(task.key, 0.0) for task in tasks] == [
        pytest.approx(way(task)) for task in tasks
    ]


def test_many_that_need_the_same_many_are_looked_at_once():
    asked = []
    with recorded_in(Recording()) as recording:
        needs = [short(number) for number in range(300)]
        for number in range(300):
            long(number, needs)

    def own(task):
        asked.append(task)
        return 1.0

    assert set(seconds_after(recording.tasks, own).values()) == {1.0}
    assert len(asked) == 300


def stored(graph, walls):
    """Return a store with results of tasks that took so long, all in one segment."""
    results, batch = open_store("memory://"), Batch()
    for task in graph.tasks:
        if wall := walls.get(task.generator.name):
            about = ("", 0.0, wall, wall, 0)
            batch.add(task.key, b"\xc1", (task.generator.name, ""), about)
    if batch.keys:
        body = batch.encode({})
        results.backend.publish(batch.keys, bytes(batch.rows), body, since=0)
    return results


@pytest.mark.parametrize(
    ("walls", "known"),
    [
        ({short: 0.2, long: 3.0}, True),
        ({short: 1e-6, long: 3.0}, True),
        ({short: 1e-6, long: 0.01}, False),
        ({short: 2.0, long: 3.0}, False),
        ({long: 3.0}, False),
        ({}, False),
    ],
)
def test_times_make_an_order_only_if_functions_differ_and_are_long(walls, known):
    graph = graph_of(many_then_a_chain)
    of_names = {generator.name: wall for generator, wall in walls.items()}
    found = lengths(stored(graph, of_names), graph)
    assert found == (pytest.approx(of_names) if known else {})


def test_few_segments_are_read_to_know_how_long_functions_take():
    graph = graph_of(lambda: [(short(i), long(i)) for i in range(100)])
    results = open_store("memory://")
    for task in graph.tasks:
        batch, wall = Batch(), KNOWN[task.generator.name]
        batch.add(
            task.key, b"\xc1", (task.generator.name, ""), ("", 0.0, wall, wall, 0)
        )
        body = batch.encode({})
        results.backend.publish(batch.keys, bytes(batch.rows), body, since=0)
    read = []
    segment = results.backend.segment
    results.backend.segment = lambda place: read.append(place) or segment(place)

    assert lengths(results, graph) == pytest.approx(KNOWN)
    assert len(read) == 2


def test_a_worker_begins_with_what_took_longest():
    graph = graph_of(lambda: [*map(short, range(5)), *map(long, range(3))])
    done = graph_of(lambda: [short(0), long(0)])
    loaded = Loaded(graph, {}, stored(done, KNOWN))
    frontier = Choice(WorkerOptions()).frontier(loaded)
    taken = frontier.take(lambda task: None, Budget(1, 0.0, ()))
    assert [graph[key].generator for key in taken] == [long]


def test_what_cannot_be_read_makes_no_order_and_ends_no_worker():
    graph = graph_of(many_then_a_chain)
    results = stored(graph_of(lambda: [short(0), long(0)]), KNOWN)

    def gone(place):
        raise BackendError(place)

    results.backend.segment = gone
    frontier = Choice(WorkerOptions()).frontier(Loaded(graph, {}, results))
    taken = frontier.take(lambda task: None, Budget(1, 0.0, ()))
    assert [graph[key].generator for key in taken] == [short]

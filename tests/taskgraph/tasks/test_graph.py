"""What is ready, in which order, and how much of it is taken."""

import pytest
from hypothesis import given, strategies as st

from taskgraph import TaskGenerator
from taskgraph.errors import UsageError
from taskgraph.tasks.frontier import Budget, Frontier
from taskgraph.tasks.graph import Graph, closure_of, heights_of, selector
from taskgraph.tasks.recording import Recording, recorded_in


@TaskGenerator
def f(*needs, label=0):
    return label


@TaskGenerator
def g(*needs, label=0):
    return label


def budget(tasks=1, seconds=1.0, held=(), **more):
    return Budget(tasks, seconds, held, **more)


def cheap(_):
    return 0.001


@st.composite
def graphs(draw):
    with recorded_in(Recording()) as recording:
        for label in range(draw(st.integers(1, 8))):
            earlier = recording.tasks
            needs = (
                draw(st.lists(st.sampled_from(earlier), max_size=3)) if earlier else []
            )
            for sibling in range(draw(st.integers(1, 3))):
                f(*needs, label=(label, sibling))
    return Graph(recording.tasks)


@given(graphs(), st.integers(1, 5), st.data())
def test_everything_is_taken_once_after_what_it_needs(graph, tasks, data):
    frontier = Frontier(graph)
    order = []
    while taken := frontier.take(
        cheap, budget(tasks, skip=data.draw(st.integers(0, 9)))
    ):
        assert len(taken) <= tasks
        assert frontier.open > 0
        for key in taken:
            assert all(need.key in order for need in graph[key].needs)
            order.append(key)
        news = data.draw(st.permutations(taken))
        frontier.finish(news)
    assert sorted(order) == sorted(graph)
    assert frontier.done
    assert frontier.open == 0


def test_a_call_that_is_written_down_twice_is_waited_for_once():
    with recorded_in(Recording()) as recording:
        one, again = f(label=1), f(label=1)
        last = f(one, again)
    frontier = Frontier(Graph(recording.tasks))
    assert one.key == again.key
    assert frontier.finish([one.key])
    assert frontier.take(cheap, budget(9)) == [last.key]


@given(graphs(), st.data())
def test_what_depends_on_a_failure_is_blocked_and_nothing_else(graph, data):
    failed = data.draw(st.sampled_from(list(graph)))
    frontier = Frontier(graph)
    while taken := frontier.take(cheap, budget(1)):
        if taken == [failed]:
            frontier.fail(taken)
        else:
            frontier.finish(taken)
    blocked = closure_of([failed], graph.dependants()) - {failed}
    assert frontier.blocked() == blocked
    assert set(graph) == blocked | {failed} | frontier.finished


@given(graphs(), st.data())
def test_what_others_finish_leaves_a_frontier_as_one_that_begins_then(graph, data):
    frontier, finished = Frontier(graph), set()
    while not frontier.done:
        keys = st.sampled_from(sorted(frontier.unfinished))
        news = data.draw(st.lists(keys, min_size=1, unique=True))
        frontier.finish(news)
        finished.update(news)
        anew = Frontier(graph, finished)
        assert (frontier.open, frontier.waiting) == (anew.open, anew.waiting)
        for key in frontier.unfinished:
            lacking = any(need.key not in finished for need in graph[key].needs)
            assert frontier.lacks(key) is anew.lacks(key) is lacking
    assert frontier.take(cheap, budget()) == []


@given(graphs())
def test_what_follows_a_task_does_not_depend_on_who_needs_the_same(graph):
    followers, heights = {}, dict.fromkeys(graph, 0)
    for task in reversed(graph.tasks):
        for need in task.needs:
            followers.setdefault(need.key, []).insert(0, task.key)
            heights[need.key] = max(heights[need.key], heights[task.key] + 1)
    assert graph.dependants() == followers
    assert heights_of(graph.tasks) == {k: h for k, h in heights.items() if h}


def test_tasks_that_need_the_same_share_what_they_need():
    with recorded_in(Recording()) as recording:
        shared = [f(label=label) for label in range(3)]
        for label in range(2):
            g(shared, label=label)
        g(shared[:2])
        g([*shared, shared[0]])
    one, two, fewer, twice = (task.needs for task in recording.tasks[3:])
    assert one is two
    assert one == twice == tuple(shared)
    assert fewer == tuple(shared[:2])


def test_a_chain_is_taken_in_one_go():
    with recorded_in(Recording()) as recording:
        task = f()
        for _ in range(9):
            task = f(task)
    graph = Graph(recording.tasks)
    assert Frontier(graph).take(cheap, budget(100)) == list(graph)


def test_no_more_is_taken_than_the_time_allows():
    with recorded_in(Recording()) as recording:
        for label in range(10):
            f(label=label)
    frontier = Frontier(Graph(recording.tasks))
    assert len(frontier.take(lambda _: 0.3, budget(100))) == 3


def test_a_task_of_unknown_length_is_taken_alone():
    with recorded_in(Recording()) as recording:
        for label in range(10):
            f(label=label)
    frontier = Frontier(Graph(recording.tasks))
    assert len(frontier.take(lambda _: None, budget(100))) == 1


def test_the_longest_way_goes_first():
    with recorded_in(Recording()) as recording:
        f(label=1)
        first = f(label=2)
        f(f(first))
    frontier = Frontier(Graph(recording.tasks))
    assert frontier.take(cheap, budget(1)) == [first.key]


def test_what_is_skipped_comes_first_the_next_time():
    with recorded_in(Recording()) as recording:
        tasks = [f(label=label) for label in range(6)]
    a, b, c, d, e, last = (task.key for task in tasks)
    frontier = Frontier(Graph(recording.tasks))
    assert frontier.take(cheap, budget(2, skip=3)) == [d, e]
    assert frontier.take(cheap, budget(9)) == [a, b, c, last]


def test_more_tasks_are_taken_if_they_are_too_short_to_be_worth_it():
    with recorded_in(Recording()) as recording:
        for label in range(50):
            f(label=label)
    frontier = Frontier(Graph(recording.tasks))
    assert len(frontier.take(lambda _: 0.25, budget(2, 9.0, least=2.5))) == 10
    assert len(frontier.take(lambda _: 0.25, budget(2, 1.0, least=2.5))) == 4
    assert len(frontier.take(lambda _: 0.25, budget(2, 9.0, least=0.25))) == 2


def test_what_others_hold_is_left_alone_and_not_forgotten():
    with recorded_in(Recording()) as recording:
        one, other = f(label=1), f(label=2)
    frontier = Frontier(Graph(recording.tasks))
    assert frontier.take(cheap, budget(5, held={one.key})) == [other.key]
    assert frontier.take(cheap, budget(5)) == [one.key]


def test_what_is_not_selected_is_never_taken():
    with recorded_in(Recording()) as recording:
        one = f()
        other = g(one)
        f(other)
    graph = Graph(recording.tasks)
    frontier = Frontier(graph, selected=lambda task: task.generator is f)
    assert frontier.take(cheap, budget(5)) == [one.key]
    frontier.finish([one.key])
    assert frontier.take(cheap, budget(5)) == []
    frontier.finish([other.key])
    assert len(frontier.take(cheap, budget(5))) == 1


def test_needs_that_were_written_down_elsewhere_are_in_the_graph():
    with recorded_in(Recording()):
        inner = f()
    with recorded_in(Recording()) as recording:
        outer = f(inner)
    assert list(Graph(recording.tasks)) == [inner.key, outer.key]


@pytest.mark.parametrize(
    ("names", "patterns", "yes", "no"),
    [
        (["f"], [], "jugfile.f", "jugfile.ff"),
        (["jugfile.f"], [], "jugfile.f", "other.f"),
        (["seg*"], [], "jugfile.segment", "jugfile.resegment"),
        ([], ["[0-9]$"], "jugfile.f2", "jugfile.f"),
        (["f"], ["^other"], "other.x", "jugfile.x"),
    ],
)
def test_selecting_by_name_and_pattern(names, patterns, yes, no):
    test = selector(names, patterns)
    assert test(yes)
    assert not test(no)


@pytest.mark.parametrize(("names", "patterns"), [([""], []), ([], [""]), ([], ["("])])
def test_selections_that_make_no_sense_are_refused(names, patterns):
    with pytest.raises(UsageError):
        selector(names, patterns)


@given(st.lists(st.lists(st.sampled_from("fgh"), max_size=6), max_size=4), st.data())
def test_runs_are_the_tasks_of_one_function_in_a_row(letters, data):
    called = {name: TaskGenerator(max, name=name) for name in "fgh"}
    names, graph = [], Graph(())
    with recorded_in(Recording()) as recording:
        for some in letters:  # as a jugfile does that stands at barriers
            graph.extend([called[name](len(names := [*names, name])) for name in some])
    start = data.draw(st.integers(0, len(names)))
    found = {
        place: generator.name
        for generator, places in graph.runs(start)
        for place in places
    }
    assert found == dict(enumerate(names[start:], start))
    back = [
        (place, generator.name)
        for generator, places in graph.runs(start, backwards=True)
        for place in places
    ]
    assert back == list(found.items())[::-1]
    assert len(recording.tasks) == len(names)


def test_runs_are_as_long_as_they_can_be():
    graph = Graph([f(1), f(2), g(3), f(4)])
    ran = [(generator.name[-1], len(places)) for generator, places in graph.runs()]
    assert ran == [("f", 2), ("g", 1), ("f", 1)]


def test_runs_of_many_tasks_are_found_wherever_they_end():
    with recorded_in(Recording()) as recording:
        for start in range(0, 100_000, 25_000):
            for number in range(start, start + 24_999):
                f(number)
            g(start)
    found = list(Graph(recording.tasks).runs())
    assert sum(len(places) for _, places in found) == 100_000
    assert [places[0] for generator, places in found if generator is g] == [
        24_999,
        49_999,
        74_999,
        99_999,
    ]

"""What of a graph is taken next, if tasks ask for resources."""

from random import Random

from hypothesis import given, strategies as st

from taskgraph import TaskGenerator
from taskgraph.resources import NOTHING, Resources
from taskgraph.tasks.frontier import Budget, Frontier
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in

OFFERED = Resources.of("gpu=2")
ASKS = [NOTHING, Resources.of("gpu=1"), Resources.of("gpu=2"), Resources.of("tpu=1")]


def make(label, *needs):
    return label


GENERATORS = [
    TaskGenerator(make, name=f"f{i}", resources=x) for i, x in enumerate(ASKS)
]


def graph_of(*plan):
    """Return a graph of calls: the place of what each asks for, and of its needs."""
    with recorded_in(Recording()) as recording:
        for label, (asked, needs) in enumerate(plan):
            GENERATORS[asked](label, *(recording.tasks[need] for need in needs))
    return Graph(recording.tasks)


def planned(rng):
    """Return any plan."""
    size = rng.randint(1, 14)
    return [
        (
            rng.randrange(len(ASKS)),
            sorted(rng.sample(range(place), min(place, rng.choice([0, 0, 1, 2])))),
        )
        for place in range(size)
    ]


def cheap(_):
    return 0.001


@given(st.integers(0, 1 << 32))
def test_what_can_be_had_is_taken_once_and_the_rest_is_out_of_reach(seed):
    rng = Random(seed)
    graph, most = graph_of(*planned(rng)), rng.randint(1, 5)
    frontier, order = Frontier(graph, offered=OFFERED), []
    refused = 0
    while refused < 4:  # a time without anything is followed by one of plenty
        free = bool(refused) or rng.random() < 0.5

        def fits(asked, free=free):
            return free and not asked.lacking(OFFERED)

        skip = rng.randint(0, 5)
        taken = frontier.take(cheap, Budget(most, 1.0, (), skip=skip, fits=fits))
        refused = 0 if taken else refused + 1
        asked = {graph[key].generator.resources for key in taken}
        assert len(asked) <= 1
        assert all(not each or fits(each) for each in asked)
        for key in taken:
            assert all(need.key in order for need in graph[key].needs)
            order.append(key)
        if rng.random() < 0.5:
            frontier.finish(taken)
        else:  # somebody else has them
            frontier.put_back(taken)
            del order[len(order) - len(taken) :]
            if rng.random() < 0.5:
                order += taken
                frontier.finish(taken)
    assert len(set(order)) == len(order)
    left = [graph[key] for key in graph if key not in order]
    ready = [x for x in left if all(need.key in order for need in x.needs)]
    assert {x.generator.resources for x in ready} <= {ASKS[3]}
    assert set(frontier.out_of_reach()) == {x.generator.resources for x in ready}


def test_what_asks_for_resources_goes_first_and_in_turn():
    graph = graph_of((0, ()), (1, ()), (1, ()), (2, ()), (2, ()))
    frontier = Frontier(graph, offered=OFFERED)
    frontier.put_back(frontier.take(cheap, Budget(9, 1.0, (), fits=lambda _: False)))
    turns = []
    for _ in range(4):
        (key,) = frontier.take(cheap, Budget(1, 1.0, (), fits=lambda _: True))
        frontier.finish([key])
        turns.append(str(graph[key].generator.resources))
    assert sorted(turns[:2]) == ["gpu=1", "gpu=2"]
    assert sorted(turns[2:]) == ["gpu=1", "gpu=2"]


def test_beside_a_task_that_holds_resources_only_its_like_are_taken():
    graph = graph_of((0, ()), (1, ()), (2, ()), (1, ()))
    frontier = Frontier(graph, offered=OFFERED)

    def fits(_):
        raise AssertionError("it holds something already")

    taken = frontier.take(cheap, Budget(9, 1.0, (), asked=ASKS[1], fits=fits))
    while more := frontier.take(cheap, Budget(9, 1.0, taken, asked=ASKS[1], fits=fits)):
        taken += more
    assert {graph[key].generator.resources for key in taken} <= {ASKS[1]}


def test_tasks_that_ask_for_nothing_do_not_wait_for_those_that_do():
    graph = graph_of(*[(3, ())] * 5, *[(0, ())] * 3)
    frontier = Frontier(graph)
    taken = frontier.take(cheap, Budget(9, 1.0, ()))
    assert {graph[key].name for key in taken} == {"f0"}
    assert len(taken) == 3
    assert frontier.out_of_reach() == []
    frontier.finish(taken)
    assert frontier.out_of_reach() == [ASKS[3]]
    assert frontier.ready == 0

"""A worker that has nothing to run forgets a graph without a search for garbage."""

import gc

from taskgraph import TaskGenerator
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.task import Task

one, many = TaskGenerator(abs), TaskGenerator(sum)


def tasks_alive():
    return sum(issubclass(type(x), Task) for x in gc.get_objects())


def test_no_circle_of_tasks_is_left():
    gc.collect()
    before = tasks_alive()
    gc.disable()
    try:
        with recorded_in(Recording(whole=True)) as recording:
            numbers = [one(i) for i in range(20)]
            many(numbers)
            many(tuple(numbers))
        graph = Graph(recording.tasks)
        assert tasks_alive() == before + 22
        recording.let_go()
        del graph, numbers, recording
        assert tasks_alive() == before
    finally:
        gc.enable()

"""Compound tasks that stand alone, with what they write down by the code of now.

A compound that has a result is one task, and its function is not called. Results of
what it would write down may still be there, and are taken again when it has lost its
own: whoever looks for results by other code must look at these, too.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task


def looked_into(loaded: Loaded) -> Loaded:
    """Return the same with what compound tasks write down, as far as each one comes.

    Those with a result are called for it; what they depend on is not changed by that.
    """
    tasks = list(loaded.graph.tasks)
    left = deque(filter(stands_alone, tasks))
    if not left:
        return loaded
    found: dict[bytes, Task] = {}
    while left:
        for task in tasks_inside(left.popleft(), loaded.results):
            if task.key not in loaded.graph and task.key not in found:
                found[task.key] = task
                left.extend([task] if stands_alone(task) else [])
    return replace(loaded, graph=Graph([*tasks, *found.values()]))


def stands_alone(task: Task) -> bool:
    """Return whether a task is a compound's that was not looked into."""
    return getattr(task.f, "__taskgraph_compound__", None) == "whole"


def tasks_inside(
    task: Task, results: Results, run_at_once: Callable[..., Any] | None = None
) -> list[Task]:
    """Return the tasks that a compound writes down, as far as it comes.

    Parameters
    ----------
    task : Task
        A compound's, which stands alone.
    results : Results
        What is known at its barriers.
    run_at_once : callable, optional
        Runs one of its tasks here and now, if it asks for that.
    """
    recording: Recording[Task] = Recording(results, run_at_once, whole=True)
    with recorded_in(recording):
        try:
            task.f.__wrapped__(*task.args, **task.kwargs)  # type: ignore[attr-defined] # of a compound
        except Exception:  # noqa: BLE001 - whatever a script raises: its result is there
            return recording.tasks
    return recording.tasks

"""For how many more jobs there is something to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend
    from taskgraph.resources import Resources
    from taskgraph.tasks.jugfile import Loaded


class Ready(NamedTuple):
    """Tasks that jobs may run.

    Attributes
    ----------
    lacking : int
        How many are ready, less the workers that are there for them.
    useful : callable
        Returns whether who has these resources may run any of them.
    """

    lacking: int
    useful: Callable[[Resources], object]


def ready_tasks(loaded: Loaded) -> Ready:
    """Return how many tasks of a graph can be run, by whomever, and nobody runs."""
    from taskgraph.cli.words.keys import locked_keys
    from taskgraph.tasks.frontier import Frontier

    backend = loaded.results.backend
    backend.poll()
    held, _ = locked_keys(backend)
    known = backend.keys()
    frontier = Frontier(loaded.graph, known, backend.failures())
    ready = frontier.ready - len(held & frontier.unfinished)
    return Ready(ready - living_workers(backend), lambda _: True)


def living_workers(
    backend: Backend, useful: Callable[[Resources], object] = lambda _: True
) -> int:
    """Return how many workers are at a store, of those whose resources are of use."""
    from backends.liveness import seems_dead
    from taskgraph.execution.options import offered_by

    alive = [each for each in backend.members.all() if not seems_dead(each)]
    return sum(bool(useful(offered_by(each.identity))) for each in alive)

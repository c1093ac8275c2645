"""What else goes with results that are forgotten, and forgetting them.

A compound task that has a result stands alone: no graph has the tasks inside of it any
more. What it was made of is in its record, and so it can be named and forgotten still.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from taskgraph.results.lineage import made_of
from taskgraph.tasks.graph import closure_of
from taskgraph.upkeep.invalidation import forget, with_dependants
from taskgraph.upkeep.snapshot import load_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from backends.interface import Key
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.snapshot import Snapshot


def inside(results: Results, keys: Collection[Key]) -> dict[Key, str]:
    """Return the results that those of a graph were made of and that it has not.

    Parameters
    ----------
    results : Results
        Of the store, as of its last look.
    keys : collection of bytes
        Those of the graph.

    Returns
    -------
    dict
        By key, the function's name; without what stands in damaged records.
    """
    known = results.backend.keys()
    graph = set(keys)
    if known <= graph:
        return {}
    found: dict[Key, str] = {}
    seen: set[Key] = set()
    left = list(known & graph)
    while left:
        key = left.pop()
        where = results.backend.find(key)
        if where is None or key in seen:
            continue
        seen.add(key)
        with suppress(DamagedError):
            if key not in graph and (record := results.record(key)):
                found[key] = record.name
            places = results.inputs(key, where)
            left += [results.key_at(*place) for place in places]
    return found


def chosen_inside(
    results: Results, keys: Collection[Key], matches: Callable[[str], bool]
) -> list[Key]:
    """Return which of the results `inside` are of functions whose name matches."""
    return [key for key, name in inside(results, keys).items() if matches(name)]


def taken_along(
    results: Results, keys: Iterable[Key], graphs: Sequence[Snapshot]
) -> set[Key]:
    """Return keys with all that was made of them: by graphs, and by records.

    By records as far as no graph has the keys.
    """
    found = with_dependants(keys, graphs)
    known = {key for graph in graphs for key in graph.split()}
    apart = found - known
    return with_dependants(found | made_of(results, apart), graphs) if apart else found


def forget_tasks(loaded: Loaded, keys: Iterable[Key], reason: str) -> int:
    """Forget records of a graph's, and all that was made of them; return how many."""
    backend = loaded.results.backend
    graphs = load_all(backend)
    known = closure_of(keys, loaded.graph.dependants())
    chosen = taken_along(loaded.results, known, graphs)
    chosen |= closure_of(chosen, loaded.graph.dependants())
    position = forget(loaded.results, chosen, graphs, reason=reason)
    return 0 if position is None else len(backend.taken(position))

"""A jugfile loaded to find the results that other code has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import load_graph, load_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.code.changed_code import Change


def load_changes(
    backend: Backend, jugfile: Path, name: str | None
) -> tuple[Loaded, list[Change], tuple[str, ...]]:
    """Load a jugfile; return it, the results of other code of some functions, and argv.

    Parameters
    ----------
    backend : Backend
        The store that it ran with.
    jugfile : Path
        Where it is; it is given the arguments with which it last ran.
    name : str or None
        A function's name or a glob; all if it is None.

    Raises
    ------
    UsageError
        No function has that name.
    """
    from taskgraph.tasks.graph import selector
    from taskgraph.upkeep.code.changed_code import changes

    snapshot = load_snapshot(backend, jugfile)
    given = () if snapshot is None else snapshot.arguments
    loaded = load_graph(backend, jugfile, given)
    loaded.results.backend.poll()
    if name is None:
        return loaded, changes(loaded), given
    names = {generator.name for generator in loaded.graph.generators}
    require_names(names, [name], (), jugfile=jugfile, complete=not loaded.missing)
    return loaded, changes(loaded, selector([name])), given

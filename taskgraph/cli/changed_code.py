"""Which results other code has made: of a jugfile that is loaded, or at a run's end."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import load_graph, load_snapshot
from taskgraph.cli.sentences import note
from taskgraph.cli.words.run_options import is_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.code.changed_code import Change
    from taskgraph.upkeep.snapshot import Snapshot


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


def load_for_end() -> None:
    """Load what a run needs when it ends: somebody waits for it then."""
    for module in ("report", "upkeep.code.edited", "upkeep.inputs.named_files"):
        import_module(f"taskgraph.{module}")


def tell_at_end(
    results: Results,
    jugfile: Path,
    inputs: Iterable[str],
    take: Callable[[], Snapshot],
    began: float,
) -> None:
    """Tell at a run's end of results by other code, or of files that changed since.

    The files are those that an argument names by text; for the rest see `told_edited`.
    """
    if not is_first():
        return
    from taskgraph.upkeep.code.edited import told_edited
    from taskgraph.upkeep.inputs.named_files import kept_calls, told_named

    folder = os.getcwd()  # noqa: PTH109 - text
    known = take()
    for told in (
        told_named(kept_calls(known), results.backend, folder, known.writers),
        told_edited(results, jugfile, inputs, take, began),
    ):
        if told:
            note(told)

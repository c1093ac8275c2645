"""Which results other code has made: of a jugfile that is loaded, or at a run's end."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import load_graph, load_snapshot
from taskgraph.cli.sentences import note
from taskgraph.cli.words.run_options import is_first
from taskgraph.fingerprints.parts import recorded

if TYPE_CHECKING:
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


def tell_at_end(results: Results, jugfile: Path, told: Snapshot, began: float) -> None:
    """Tell at a run's end of results that are by other code, if files changed in it.

    A worker that reads the jugfile again, beyond a barrier or in the place of one that
    died, runs what stands there by then: the run's results are of two codes. Nothing
    is told if no file of the code was touched, or none of them says another thing.

    Parameters
    ----------
    results : Results
        The store, as of the last look.
    jugfile : Path
        Where it is.
    told : Snapshot
        The graph, with the files that the jugfile imported.
    began : float
        When the run did, in seconds since the epoch.
    """
    # Data that arguments name may be many files, and slow to look at.
    modules = (path for path in told.inputs if path.endswith(".py"))
    files = (str(jugfile), *modules)
    if not is_first() or not any(_touched(path, began) for path in files):
        return
    from taskgraph.upkeep.code.at_a_glance import changes_at_a_glance
    from taskgraph.upkeep.code.changed_code import told_of

    backend = results.backend
    if found := told_of(changes_at_a_glance(told, backend, jugfile), backend.url):
        note(f"files were changed during the run; {found}")
    elif mixed := _of_two_codes(results, told):
        note(
            f"files were changed during the run, and results of {mixed} are by more "
            "than one code: `tg execute` says which, and what to do about it"
        )


def _touched(path: str, since: float) -> bool:
    """Return whether a file was written, or put in its place, since some time."""
    try:
        return Path(path).stat().st_ctime >= since
    except (OSError, ValueError):  # gone, or an address: nobody can look at it
        return False


def _of_two_codes(results: Results, told: Snapshot) -> str:
    """Return the functions whose results say that more than one code made them.

    That shows what files do not tell at a glance, such as another constant.
    """
    names, codes = told.named(), defaultdict(set)
    for key, text in results.codes(told.split()):
        codes[names[key]].add(recorded(text)[0])
    return ", ".join(f"`{name}`" for name in sorted(codes) if len(codes[name]) > 1)

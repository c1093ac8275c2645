"""Results of more than one code, as files of the code changed while a run went on."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from taskgraph.fingerprints.parts import recorded
from taskgraph.upkeep.code.at_a_glance import changes_at_a_glance
from taskgraph.upkeep.code.changed_code import told_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot


def told_edited(
    results: Results,
    jugfile: Path,
    inputs: Iterable[str],
    take: Callable[[], Snapshot],
    began: float,
    *,
    from_python: bool = False,
) -> str:
    """Return what to tell at a run's end of results of other code; empty if of none.

    A worker that reads the jugfile again, beyond a barrier or in the place of one that
    died, runs what stands there by then: the run's results are of two codes. Nothing
    is told if no file of the code was touched, or none of them says another thing.

    Parameters
    ----------
    results : Results
        The store, as of the last look.
    jugfile : Path
        Where it is.
    inputs : iterable of str
        Files that it read; those of modules count.
    take : callable
        Returns its graph, which is looked at only if files changed.
    began : float
        When the run did, in seconds since the epoch.
    from_python : bool, optional
        Whether calls are named, and not commands.
    """
    # Data that arguments name may be many files, and slow to look at.
    files = (str(jugfile), *(path for path in inputs if path.endswith(".py")))
    if not any(_touched(path, began) for path in files):
        return ""
    told, backend = take(), results.backend
    changes = changes_at_a_glance(told, backend, jugfile)
    if found := told_of(changes, backend.url, from_python=from_python):
        return f"files were changed during the run; {found}"
    if not (mixed := _of_two_codes(results, told)):
        return ""
    which = "the next `run`" if from_python else "`tg execute`"
    return (
        f"files were changed during the run, and results of {mixed} are by more "
        f"than one code: {which} says which, and what to do about it"
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

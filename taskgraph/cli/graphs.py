"""The graph of a jugfile: as the store knows it, or loaded anew; how far it is."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from taskgraph.cli.printing import one_line
from taskgraph.cli.sentences import note, remember, runnable, store_alone
from taskgraph.cli.stores import together
from taskgraph.cli.words.jugfiles import is_pipeline, require_jugfile
from taskgraph.errors import JugfileError

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.snapshot import Snapshot
    from taskgraph.upkeep.status import Status


def find_snapshot(
    backend: Backend, jugfile: Path, arguments: Sequence[str] | None = None
) -> Snapshot:
    """Return the graph that a jugfile had when it was last loaded.

    Raises
    ------
    JugfileError
        It never ran with this store.
    """
    snapshot = load_snapshot(backend, jugfile, arguments)
    if snapshot is None:
        given = f" with {' '.join(arguments)}" if arguments else ""
        raise JugfileError(
            f"{jugfile} has not run{given} with the store {backend.url} yet; "
            "start it with `tg execute`"
        )
    return snapshot


def load_snapshot(
    backend: Backend, jugfile: Path, arguments: Sequence[str] | None = None
) -> Snapshot | None:
    """Return the graph that a jugfile had when it was last loaded; None if never.

    With any arguments, if none are given: with which is told. Of a store that no script
    has run with, and that is named alone, it is all that is recorded.
    """
    from taskgraph.upkeep.jugfile_store import is_default_store
    from taskgraph.upkeep.snapshot import load

    if store_alone():
        from taskgraph.results.results import Results
        from taskgraph.upkeep.recorded import recorded_tasks

        return recorded_tasks(Results(backend))
    snapshot = load(backend, jugfile, arguments or None)
    if snapshot is None and arguments:
        _note_functions(load(backend, jugfile), jugfile, arguments)
    if snapshot is not None:
        if snapshot.arguments and not (arguments or is_pipeline(str(jugfile))):
            words = one_line(" ".join(snapshot.arguments), 60)
            note(f"{jugfile} is shown as it last ran, with {words}")
        remember(snapshot.arguments)
        moved = snapshot.jugfile != str(jugfile.resolve())
        if moved and not is_default_store(backend, jugfile):
            note(f"{jugfile} is shown as it last ran as {snapshot.jugfile}")
    return snapshot


def _note_functions(
    ran: Snapshot | None, jugfile: Path, arguments: Sequence[str]
) -> None:
    """Tell which arguments of a script are probably meant as names of its functions."""
    from taskgraph.tasks.graph import selector

    names = () if ran is None else ran.names
    for word in arguments:
        if any(map(selector([word]), names)):
            note(
                f"{word} is a function of {jugfile}, and was taken as an argument of "
                f"the script; commands that choose functions take --name {word}"
            )


def require_script(jugfile: Path) -> None:
    """Refuse a pipeline where a script is needed.

    Raises
    ------
    JugfileError
        It has the name of one.
    """
    if is_pipeline(str(jugfile)):
        raise JugfileError(
            runnable(f"{jugfile} is a pipeline, no script; `tg execute` runs it")
        )


def load_graph(
    backend: Backend, jugfile: Path, arguments: Sequence[str] = ()
) -> Loaded:
    """Load a jugfile with the results of a store.

    What it prints goes to the standard error: the output is what the command says.
    """
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Jugfile

    require_script(jugfile)
    with redirect_stdout(sys.stderr):
        return Jugfile(jugfile, tuple(arguments)).load(Results(backend))


def snapshot_now(
    backend: Backend,
    jugfile: Path,
    arguments: Sequence[str] | None = None,
    *,
    keep: bool = False,
) -> Snapshot:
    """Return the graph that a jugfile has now: the stored one, or a new one.

    The jugfile is loaded only if it changed since; `keep` stores the new graph. Of a
    pipeline the stored graph is all that is known.

    Raises
    ------
    JugfileError
        The script cannot be loaded; a pipeline has not run, or has changed since.
    """
    from taskgraph.upkeep.growing import take
    from taskgraph.upkeep.snapshot import save

    require_jugfile(jugfile)
    snapshot = load_snapshot(backend, jugfile, arguments)
    if is_pipeline(str(jugfile)):
        snapshot = find_snapshot(backend, jugfile, arguments)
    if snapshot is not None and not snapshot.outdated(jugfile):
        return snapshot
    if snapshot is not None and is_pipeline(str(jugfile)):
        raise JugfileError(
            f"{jugfile} or one of its images has changed since its tasks were listed; "
            "`tg execute` lists them again"
        )
    given = tuple(arguments or (snapshot.arguments if snapshot is not None else ()))
    loaded = load_graph(backend, jugfile, given)
    taken = take(
        loaded.graph,
        jugfile,
        arguments=given,
        missing=loaded.missing,
        inputs=loaded.inputs,
    )
    if keep:
        save(taken, backend)
    return taken


def status_now(
    snapshot: Snapshot,
    backend: Backend,
    held: Container[bytes] = (),
    also: Sequence[str] = (),
) -> tuple[Status, str]:
    """Return how far a graph is, and what to tell of files that tasks wrote.

    A task whose files are gone or changed is not done, nor is what was made of them;
    one whose result a run would take from one of `also` is.
    """
    from taskgraph.upkeep.status import status_in, status_of

    if not (also or snapshot.writing):  # how results are kept need not be imported
        return status_in(snapshot, backend, held), ""
    results = together(backend, also, snapshot)
    known, failures, told = results.keys(), backend.failures(), ""
    if snapshot.writing:
        from taskgraph.upkeep.gone_files import gone_at_a_glance

        gone, told = gone_at_a_glance(results, snapshot.writers())
        known = known - gone if gone else known
    return status_of(snapshot, known, failures, held), told

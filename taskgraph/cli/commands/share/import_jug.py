"""`tg import-jug`: take over the results of a store of jug's."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_argument
from taskgraph.cli.copies import bar_of, tell_left_out
from taskgraph.cli.graphs import require_script
from taskgraph.cli.printing import counted, one_line, print_json, say, size_text
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import open_store_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from backends.interface import Backend
    from taskgraph.jugstores.adopting import Adopted
    from taskgraph.jugstores.opening import JugStore
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded

_SHOWN = 5


@click.command("import-jug")
@partial(jugfile_argument, of_jug=())
@click.argument("arguments", nargs=-1)
@click.option(
    "--jugdir",
    metavar="DIR",
    help="The store of jug's: a directory, or redis://host[:port] "
    "[default: the jugfile's name with .jugdata].",
)
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be adopted.")
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    jugdir: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take over the results that jug has of the tasks of JUGFILE.

    JUGFILE is the script with its imports changed, of the same name as before: the name
    is part of what jug knows results by. It is read, past its barriers as far as there
    are results; no task is run. What has a result in the store keeps it, and a result
    is only taken beside what it was made of. The store of jug's is read and stays as it
    is.

    Results of jug are pickles, which can run any code when they are read: import
    only what you trust. With --dry-run only what the jugfile itself asks for is read.
    One that would take more than half of this machine's memory is left out.

    \b
    Exit code: 0 all that jug has of these tasks is here, 1 something was left out.
    """  # noqa: D301 - click ends paragraphs with \b
    from taskgraph.jugstores.adopting import adopt
    from taskgraph.jugstores.looking import read_jugfile, written_down
    from taskgraph.jugstores.opening import open_jug_store
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Jugfile

    require_script(jugfile)
    name = jugdir or f"{jugfile.with_suffix('')}.jugdata"
    jug = open_jug_store(name)
    note(f"the results in {name} are pickles: reading one runs whatever it says")
    _warn_of_strangers(name)
    results = Results(_opened(jugfile, store, dry_run=dry_run))
    loaded, looking = read_jugfile(Jugfile(jugfile, arguments), results, jug)
    tasks = written_down(loaded, looking)
    with bar_of(len(tasks)) as told:
        adopted = adopt(tasks, looking, jugfile.parent, dry_run=dry_run, told=told)
    if not dry_run:
        _keep(loaded, (results, looking.own), jugfile, arguments)
    return _print(adopted, looking.own.backend, jug, dry_run=dry_run, as_json=as_json)


def _opened(jugfile: Path, store: str | None, *, dry_run: bool) -> Backend:
    """Open the store, which need not be there if nothing is written."""
    from backends.errors import NoStoreError
    from backends.opening import open_backend

    try:
        return open_store_of(jugfile, store, create=not dry_run)
    except NoStoreError:
        if not dry_run:
            raise
        return open_backend("memory://")


def _keep(
    loaded: Loaded,
    stores: tuple[Results, Results],
    jugfile: Path,
    arguments: Sequence[str],
) -> None:
    """Keep the graph, and which store the jugfile chose, so that `tg status` knows."""
    from dataclasses import replace

    from taskgraph.upkeep.jugfile_store import keep_choice
    from taskgraph.upkeep.kept_jugfile import keep_graph

    given, chosen = stores
    given.backend.make()
    keep_choice(given.backend, jugfile, chosen.backend)
    keep_graph(replace(loaded, results=chosen), jugfile, arguments)


def _warn_of_strangers(name: str) -> None:
    folder = Path(name)
    if folder.is_dir() and folder.stat().st_mode & 0o002:
        note(
            f"every user of this machine may write to {name}, and so run code as you: "
            "its results are pickles"
        )


def _print(
    adopted: Adopted, backend: Backend, jug: JugStore, *, dry_run: bool, as_json: bool
) -> int:
    """Tell what became of the results; return the exit code."""
    if as_json:
        print_json(_about(adopted, dry_run=dry_run))
    _tell(adopted, backend, jug)
    if not as_json:
        does = "would be adopted" if dry_run else "adopted"
        there = f", {adopted.there} there before" if adopted.there else ""
        size = "" if dry_run else f" ({size_text(adopted.size)})"
        amount = counted(adopted.copied, "result")
        say(f"{amount}{size} {does} from {jug.url}{there}")
    return 1 if adopted.left_out else 0


def _about(adopted: Adopted, *, dry_run: bool) -> dict[str, Any]:
    return {
        "adopted": adopted.copied,
        "size": adopted.size,
        "there": adopted.there,
        "absent": dict(adopted.absent),
        "unknown": dict(adopted.unknown),
        "reasons": adopted.reasons,
        "ambiguous": adopted.ambiguous,
        "writing": dict(adopted.writing),
        "failed": adopted.failed,
        "forgotten": adopted.forgotten,
        "elsewise": adopted.elsewise,
        "lacking": adopted.lacking,
        "locked": adopted.locked,
        "damaged": adopted.damaged,
        "strange": adopted.strange,
        "dry_run": dry_run,
    }


def _tell(adopted: Adopted, backend: Backend, jug: JugStore) -> None:
    tell_left_out(adopted, backend.url)
    if jug.told:
        note(jug.told)
    for group in adopted.ambiguous[:_SHOWN]:
        calls = " and ".join(map(one_line, group))
        note(f"left out: jug takes {calls} for one task, so its result may be either's")
    for function, why in list(adopted.reasons.items())[:_SHOWN]:
        amount = counted(adopted.unknown[function], "task")
        note(f"{amount} of {function} cannot be found there: {one_line(why, 300)}")
    if adopted.writing:
        note(
            f"{_by_function(adopted.writing)}: left out, as jug does not know how the "
            "files were that they wrote; `tg execute` writes them again"
        )
    if adopted.failed:
        note(f"{counted(adopted.failed, 'task')} failed here; `tg retry` forgets that")
    if adopted.forgotten:
        note(
            f"{counted(adopted.forgotten, 'result')} left out: invalidated here; "
            "`tg undo` takes that back"
        )
    _tell_absent(adopted)


def _tell_absent(adopted: Adopted) -> None:
    if adopted.absent:
        note(
            f"no result there: {_by_function(adopted.absent)}; `tg execute` runs these"
        )
    if not adopted.strange:
        return
    if adopted.blocks:
        note(
            "of `mapreduce` with a mapper jug keeps what blocks came to, reduced; here "
            "mappers have tasks of their own, beside whose results alone those of "
            "reducers are taken: so these are run again"
        )
    what = "is" if adopted.strange == 1 else "are"
    hint = ""
    if not (adopted.copied or adopted.there):
        hint = (
            ". None fits: the script must have the name that it had, and jug 2.7 have "
            "made them, with this version of numpy if such numbers are arguments"
        )
    amount = counted(adopted.strange, "result")
    note(f"{amount} there {what} of none of these tasks, and not taken{hint}")


def _by_function(counts: Counter[str]) -> str:
    shown = [f"{name} {count}" for name, count in counts.most_common(_SHOWN)]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more} more functions" if more else "")

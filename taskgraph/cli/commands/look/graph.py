"""`tg graph`: the graph as a drawing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import jugfile_argument
from taskgraph.cli.graphs import snapshot_now, status_now
from taskgraph.cli.printing import counted, say
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import open_store_of
from taskgraph.cli.value_files import require_no_input, write_file
from taskgraph.cli.words.jugfiles import require_jugfile
from taskgraph.cli.words.keys import locked_keys
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from backends.interface import Backend
    from taskgraph.drawing.graph_shape import GraphShape
    from taskgraph.upkeep.snapshot import Snapshot

_FORMATS = (".svg", ".dot", ".gv", ".mmd")


@click.command("graph")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Save it: .svg, .dot (Graphviz) or .mmd (Mermaid).",
)
@click.option("--tasks", is_flag=True, help="A box for each task, not each function.")
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    output: Path | None,
    *,
    tasks: bool,
) -> int:
    """Draw the graph of JUGFILE: its functions, how far they are, what needs what.

    Each function is a box with the counts of its tasks by state. What a barrier hides
    is a dashed box. The jugfile is read only if it has changed since it ran, or never
    ran. Without -o the notation of Graphviz is printed, as for `| dot -Tpdf`.
    """
    require_jugfile(jugfile)
    suffix = _format(output)
    backend = _store_of(jugfile, store)
    snapshot = snapshot_now(backend, jugfile, arguments or None)
    if output is not None:
        require_no_input(output, jugfile, snapshot)
    shape = _shape(snapshot, backend, tasks=tasks)
    if suffix == ".svg":
        _require_few(shape, tasks=tasks)
    text, what = _drawn(shape, suffix), "task" if tasks else "function"
    if output is None:
        say(text.rstrip("\n"))
    else:
        write_file(output, text.encode())
        note(f"saved {output}: {counted(len(shape.boxes), what)}")
    return 0


def _format(output: Path | None) -> str:
    suffix = ".dot" if output is None else output.suffix.lower()
    if suffix not in _FORMATS:
        raise UsageError(
            f"{output}: {suffix or 'no suffix'} is no format of graphs; choose one of "
            f"{' '.join(_FORMATS)}"
        )
    return suffix


def _store_of(jugfile: Path, store: str | None) -> Backend:
    """Return the store of a jugfile, an empty one in memory if it never ran."""
    from backends.errors import NoStoreError
    from backends.opening import open_backend

    try:
        return open_store_of(jugfile, store)
    except NoStoreError:
        return open_backend("memory://")


def _shape(snapshot: Snapshot, backend: Backend, *, tasks: bool) -> GraphShape:
    from taskgraph.drawing.graph_shape import by_function, by_task
    from taskgraph.upkeep.status import states_of

    held, _ = locked_keys(backend)
    if tasks:
        known, failures = backend.keys(), backend.failures()
        return by_task(snapshot, states_of(snapshot, known, failures, held))
    status, told = status_now(snapshot, backend, held)
    if told:
        note(told)
    return by_function(snapshot, status)


def _require_few(shape: GraphShape, *, tasks: bool) -> None:
    from taskgraph.drawing.svg import MOST_BOXES

    if len(shape.boxes) > MOST_BOXES:
        what = "tasks" if tasks else "functions"
        advice = "leave --tasks out, or " if tasks else ""
        raise UsageError(
            f"{len(shape.boxes):,} {what} are too many to see anything in a drawing "
            f"(at most {MOST_BOXES}); {advice}save as .dot for Graphviz"
        )


def _drawn(shape: GraphShape, suffix: str) -> str:
    if suffix == ".svg":
        from taskgraph.drawing.svg import svg

        return f"{svg(shape, ink='#1e1e1e', paper='#ffffff')}\n"
    from taskgraph.drawing.notations import dot, mermaid

    return mermaid(shape) if suffix == ".mmd" else dot(shape)

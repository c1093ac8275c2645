"""`tg report`: what ran, and what came of it, in one file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import jugfile_argument
from taskgraph.cli.graphs import find_snapshot, load_graph, status_now
from taskgraph.cli.printing import size_text
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import open_store_of
from taskgraph.cli.value_files import require_no_input, write_file
from taskgraph.cli.words.jugfiles import is_pipeline
from taskgraph.cli.words.keys import locked_keys
from taskgraph.errors import TaskgraphError, UsageError

if TYPE_CHECKING:
    from backends.interface import Backend
    from taskgraph.reporting.chosen import Shown
    from taskgraph.reporting.page import Report
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot


@click.command("report")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file [default: the jugfile's name with .html].",
)
@click.option(
    "--most",
    type=click.IntRange(0),
    default=6,
    show_default=True,
    help="How many results of each function are shown as pictures, tables, curves.",
)
@click.option(
    "--values",
    is_flag=True,
    help="Show results, too, that are read by pickle: only of stores that you trust.",
)
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    output: Path | None,
    *,
    most: int,
    values: bool,
) -> int:
    """Write what ran of JUGFILE, and what came of it, into one HTML file.

    It says what is done, when and where it ran, with which code and packages, how long
    functions took, why tasks failed, and shows the graph, and pictures, tables and
    curves among the results, as of the last run: nothing is run. It needs no other file
    and no network, and nothing in it is run by a browser. Plain results (arrays,
    numbers, text, what is made of them) are read without pickle; others only with
    --values.
    """
    path = output or jugfile.with_suffix(".html")
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{path}: a report is a page; give a name that ends in .html")
    backend = open_store_of(jugfile, store)
    snapshot = find_snapshot(backend, jugfile, arguments or None)
    require_no_input(path, jugfile, snapshot)
    from taskgraph.reporting.page import page

    report = _report(backend, jugfile, snapshot, most=most, values=values)
    data = page(report).encode()
    write_file(path, data)
    note(f"saved {path}: {size_text(len(data))}")
    return 0


def _report(
    backend: Backend, jugfile: Path, snapshot: Snapshot, *, most: int, values: bool
) -> Report:
    from taskgraph.drawing.graph_shape import by_function
    from taskgraph.reporting.facts import facts_of
    from taskgraph.reporting.page import Report
    from taskgraph.results.results import Results

    results = Results(backend, snapshot.folder)
    status, told = status_now(snapshot, backend, locked_keys(backend)[0])
    facts = facts_of(results, snapshot)
    notes = [told] if told else []
    if values:
        notes += _with_classes(backend, jugfile, snapshot)
    if facts.damaged:
        notes.append(f"{facts.damaged} parts of the store are damaged; see tg fsck")
    return Report(
        jugfile=str(jugfile),
        store=backend.url,
        arguments=snapshot.arguments,
        moment=time.time(),
        status=status,
        facts=facts,
        shape=by_function(snapshot, status),
        results=_shown(results, snapshot, most=most, values=values),
        told=[*notes, *_changes(backend, jugfile, snapshot)],
    )


def _with_classes(backend: Backend, jugfile: Path, snapshot: Snapshot) -> list[str]:
    """Load the jugfile, whose classes values may need; return what to tell."""
    if is_pipeline(str(jugfile)):
        return []
    try:
        load_graph(backend, jugfile, snapshot.arguments)
    except TaskgraphError as error:
        return [
            f"the jugfile could not be read, whose classes results may need: {error}"
        ]
    return []


def _shown(
    results: Results, snapshot: Snapshot, *, most: int, values: bool
) -> list[Shown]:
    from taskgraph.reporting.chosen import Chooser

    known, failures = results.backend.keys(), results.backend.failures()
    keys: dict[str, list[bytes]] = {name: [] for name in snapshot.names}
    for key, function in zip(snapshot, snapshot.functions, strict=True):
        if key in known and key not in failures:
            keys[snapshot.names[function]].append(key)
    chooser = Chooser(results, most=most, pickled=values)
    return [chooser.shown(name, some) for name, some in keys.items() if some]


def _changes(backend: Backend, jugfile: Path, snapshot: Snapshot) -> list[str]:
    from taskgraph.upkeep.code.at_a_glance import changes_at_a_glance
    from taskgraph.upkeep.code.changed_code import told_of

    told = told_of(changes_at_a_glance(snapshot, backend, jugfile), backend.url)
    edited = snapshot.edited(jugfile)
    more = [f"{jugfile} has changed since its tasks were listed"] if edited else []
    return [*([told] if told else []), *more]

"""`tg table`: the calls of a function as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backends.garbage import few_collections
from taskgraph.cli.arguments import also_option, json_option, jugfile_and_words
from taskgraph.cli.graphs import find_snapshot, load_graph
from taskgraph.cli.printing import counted, print_json, print_table
from taskgraph.cli.sentences import note, store_alone
from taskgraph.cli.stores import open_store_of, together
from taskgraph.cli.value_files import require_no_input
from taskgraph.cli.words.jugfiles import two_words_and_more
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from backends.interface import Backend
    from taskgraph.sweeps.tables import Table
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task


@click.command("table")
@jugfile_and_words("[JUGFILE] FUNCTION [-- ARGUMENTS]")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Save it: .csv, .parquet; for people .md, .html, or .tex for a paper.",
)
@click.option(
    "--columns",
    metavar="A,B",
    multiple=True,
    help="Only these columns, in this order; may be repeated.",
)
@click.option(
    "--where",
    metavar="CONDITION",
    default="",
    help="Only these rows: \"sigma > 1 and state == 'done'\".",
)
@click.option(
    "--sort", metavar="COLUMN", multiple=True, help="By this column; may be repeated."
)
@click.option("--descending", is_flag=True, help="The highest first.")
@also_option
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    output: Path | None,
    columns: tuple[str, ...],
    where: str,
    sort: tuple[str, ...],
    descending: bool,
    also: tuple[str, ...],
    as_json: bool,
) -> int:
    """Show the calls of FUNCTION in JUGFILE as a table: arguments, results, states.

    FUNCTION may also be a variable that is a list of tasks, or a sweep. The jugfile is
    read for that. A result that is a number or text stands in a column of the
    function's name; dicts, dataclasses, named tuples and short tuples have a column for
    each field, which is called result.NAME if there is an argument NAME; arrays are
    shown by type and shape. Without a result cells are empty, and `state` says why.
    Numbers have six digits on the screen and in .md, .html and .tex, and all of them in
    other files and JSON.

    \b
    A CONDITION has names of columns (in backticks if they are odd), numbers, 'texts',
    comparisons, in, and, or, not, is None, + - * /.

    \b
    Exit code: 0, 2 no such function or column, or what cannot be saved, 4 results are
    damaged: their rows say so.
    """  # noqa: D301 - click ends paragraphs with \b
    path, name, given = two_words_and_more(words, jugfile)
    if name is None:
        raise UsageError("say of which function: `tg status` shows the names")
    from taskgraph.sweeps.exporting import format_of
    from taskgraph.sweeps.tabulating import tabulate

    backend = open_store_of(path, store)
    _require_script_of(backend)
    snapshot = find_snapshot(backend, path, given)
    if output is not None:
        format_of(output)
        require_no_input(output, path, snapshot)
    loaded = load_graph(backend, path, snapshot.arguments)
    with few_collections():
        found = tabulate(
            _chosen(name, loaded),
            together(backend, also, snapshot),
            columns=[each for listed in columns for each in _names(listed)],
            where=where,
            sort=sort,
            descending=descending,
        )
        _show(found, output, as_json=as_json)
    return _told(loaded, found)


def _told(loaded: Loaded, found: Table) -> int:
    """Say what is not in a table; return the exit code."""
    if loaded.missing:
        note("the jugfile stops at a barrier: more rows may appear")
    if found.damaged:
        note(f"{counted(found.damaged, 'result')} damaged; see `tg fsck`")
    return 4 if found.damaged else 0


def _require_script_of(backend: Backend) -> None:
    """Refuse a store that no script ran with.

    Raises
    ------
    UsageError
        It is one: arguments of calls are read out of scripts.
    """
    if store_alone():
        raise UsageError(
            f"no script ran with {backend.url}, and the arguments of calls are read "
            "out of one; where the tasks were made, `taskgraph.table(tasks)` shows them"
        )


def _chosen(name: str, loaded: Loaded) -> list[Task]:
    """Return the tasks of a function, else those in a variable of the jugfile."""
    from taskgraph.sweeps.tabulating import tasks_named
    from taskgraph.tasks.task import Task

    try:
        return tasks_named(name, loaded.graph.tasks)
    except UsageError:
        held = loaded.space.get(name)
        held = [held] if isinstance(held, Task) else held
        held = list(held) if isinstance(held, Sequence) else []
        if held and all(isinstance(each, Task) for each in held):
            return held
        raise


def _names(listed: str) -> list[str]:
    """Return the names in a list with commas; a name with commas is given alone."""
    return [name.strip() for name in listed.split(",") if name.strip()]


def _show(found: Table, output: Path | None, *, as_json: bool) -> None:
    if output is not None:
        from taskgraph.sweeps.exporting import save

        save(found.columns, output)
        note(f"saved {output}: {counted(len(found), 'row')}")
    if as_json:
        print_json([{k: _json(v) for k, v in row.items()} for row in found])
    elif output is None:
        cells = map(_shown, found.columns.values())
        print_table(list(found.columns), list(zip(*cells, strict=True)))


def _shown(cells: list[Any]) -> list[Any]:
    """Return what a table on the screen has of a column: six digits of a number."""
    kinds = set(map(type, cells))
    if float in kinds:
        cells = [float(f"{c:.6g}") if type(c) is float else c for c in cells]
    return ["" if c is None else c for c in cells] if type(None) in kinds else cells


def _json(cell: Any) -> Any:
    """Return what JSON can say of a cell; NaN and infinity as text."""
    if isinstance(cell, float) and not abs(cell) < float("inf"):
        return str(cell)
    return cell if isinstance(cell, str | int | float | None) else str(cell)

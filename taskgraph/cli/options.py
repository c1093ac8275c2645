"""What several commands have in common: arguments, opening a store, tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from taskgraph.errors import JugfileError, UsageError

if TYPE_CHECKING:
    from backends.interface import Backend
    from taskgraph.snapshot import Snapshot

F = TypeVar("F", bound=Callable[..., Any])


def jugfile_argument(function: F) -> F:
    """Add the jugfile's path and the store's URL."""
    function = click.option(
        "--store",
        metavar="URL",
        envvar="TG_STORE",
        help="Where the results are: a directory or URL "
        "[default: the jugfile's name with .tgdata].",
    )(function)
    return click.argument(
        "jugfile",
        type=click.Path(path_type=Path),
        default="jugfile.py",
        envvar="TG_JUGFILE",
    )(function)


def json_option(function: F) -> F:
    """Add --json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON for other programs."
    )(function)


def select_options(function: F) -> F:
    """Add --name and --pattern."""
    function = click.option(
        "--pattern",
        multiple=True,
        metavar="REGEX",
        help="Only functions whose name matches somewhere; may be repeated.",
    )(function)
    return click.option(
        "--name",
        multiple=True,
        metavar="NAME",
        help="Only this function: name, module.name or glob; may be repeated.",
    )(function)


def store_url(jugfile: Path, store: str | None) -> str:
    """Return the URL of the store of a jugfile."""
    return store or str(jugfile.with_suffix(".tgdata"))


def open_store(jugfile: Path, store: str | None, *, create: bool = False) -> Backend:
    """Open the store of a jugfile and bring it up to date."""
    from backends.opening import open_backend

    backend = open_backend(store_url(jugfile, store), create=create)
    backend.poll()
    return backend


def find_snapshot(backend: Backend, jugfile: Path) -> Snapshot:
    """Return the graph that a jugfile had when it was last run.

    Raises
    ------
    JugfileError
        It never ran with this store.
    """
    from taskgraph.snapshot import load

    snapshot = load(backend, jugfile)
    if snapshot is None:
        raise JugfileError(
            f"{jugfile} has not run with the store {backend.url} yet; "
            f"start it with `tg execute {jugfile}`"
        )
    if snapshot.outdated():
        note(f"{jugfile} has changed since it last ran; `tg execute` takes that in")
    return snapshot


def note(sentence: str) -> None:
    """Tell the user something beside the result."""
    click.echo(f"tg: {sentence}", err=True)


def print_json(data: Any) -> None:
    """Print data for another program."""
    click.echo(json.dumps(data, indent=1, default=str))


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[Any]], *, total: Sequence[Any] = ()
) -> None:
    """Print rows under a header, numbers to the right; with colours on a terminal."""
    if sys.stdout.isatty():
        _print_rich(header, rows, total)
        return
    lines = [[str(cell) for cell in row] for row in (header, *rows, *([total] if total else []))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [all(_numeric(row[i]) for row in rows) for i in range(len(header))]
    for line in lines:
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def parse_key(text: str, backend: Backend) -> bytes:
    """Return the key that some hexadecimal digits begin.

    Raises
    ------
    UsageError
        No key or several keys begin with them.
    """
    digits = text.lower()
    found = [key for key in backend.keys() if key.hex().startswith(digits)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no result's key begins with {text!r}; `tg errors` shows some")
    raise UsageError(f"{len(found)} keys begin with {text!r}; give more digits")


def _numeric(cell: Any) -> bool:
    return isinstance(cell, int | float)


def _print_rich(
    header: Sequence[str], rows: Sequence[Sequence[Any]], total: Sequence[Any]
) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_footer=bool(total), header_style="bold", footer_style="bold")
    for place, title in enumerate(header):
        numeric = all(_numeric(row[place]) for row in rows)
        footer = str(total[place]) if total else ""
        table.add_column(title, footer, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*[str(cell) for cell in row])
    Console().print(table)

"""What commands print: tables, JSON, sizes and times for people."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING, Any

import click

from taskgraph.description import brief, without_long_numbers
from taskgraph.displays.numbers import (
    counted as counted,
    moment_text as moment_text,
    seconds_text as seconds_text,
    size_text as size_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_OBEYED = {
    letter: chr(letter).encode("unicode_escape").decode()
    for letter in (
        *(set(range(0x20)) - {0x09, 0x0A}),
        *range(0x7F, 0xA0),
        *(0x061C, 0x200E, 0x200F, 0x2028, 0x2029),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
}
"""What a terminal obeys instead of showing it, and what shows text in another order."""
_WIDEST = 90
_MOST_RICH = 1000
"""Rows of a table with colours: more would take minutes to lay out."""


def say(text: str = "", *, error: bool = False, bold: bool = False) -> None:
    """Print text, whoever wrote it: a terminal shows all of it and obeys nothing.

    Everything that a command prints goes through this function: messages, tracebacks,
    names and what tasks printed come out of stores that may be a stranger's.
    """
    click.secho(harmless(text), err=error, bold=bold or None)


def harmless(text: str) -> str:
    r"""Return text with what a terminal would obey spelled out; lines and tabs stay.

    Examples
    --------
    >>> harmless("a\tb\n\x1b[2J\u202e.")
    'a\tb\n\\x1b[2J\\u202e.'
    """
    return text.translate(_OBEYED)


def shows_views(stream: IO[str]) -> bool:
    """Return whether a stream is a terminal that lets what it shows be written anew."""
    dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return stream.isatty() and not dumb


def print_json(data: Any) -> None:
    """Print data for another program."""
    import json  # costs start-up time that tables need not spend

    try:
        text = json.dumps(data, indent=1, default=str)
    except ValueError:
        text = json.dumps(without_long_numbers(data), indent=1, default=str)
    say(text)


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[Any]], *, total: Sequence[Any] = ()
) -> None:
    """Print rows under a header, numbers to the right; with colours on a terminal.

    `total` goes beneath them, under a rule. Cells become short words of one line.
    """
    if sys.stdout.isatty() and len(rows) <= _MOST_RICH:
        _print_rich(header, rows, total)
        return
    listed = [header, *rows, *([total] if total else [])]
    lines = [[one_line(cell) for cell in row] for row in listed]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [_to_right(rows, total, place) for place in range(len(header))]
    form = "  ".join(
        f"{{:{'>' if to_right else '<'}{width}}}"
        for width, to_right in zip(widths, right, strict=True)
    )
    shown = [form.format(*line).rstrip() for line in lines]
    if total:
        shown.insert(-1, "-" * (sum(widths) + 2 * len(widths) - 2))
    say("\n".join(shown))


def one_line(what: Any, limit: int = _WIDEST) -> str:
    r"""Return text for a place where it must be short and of one line.

    Examples
    --------
    >>> one_line("a" * 9, limit=7), one_line("two\nlines"), one_line(3)
    ('aa...aa', 'two\\nlines', '3')
    """
    try:
        text = str(without_long_numbers(what))
    except RecursionError:  # it contains itself
        text = brief(what)
    if len(text) > limit:
        half = (limit - 3) // 2
        text = f"{text[:half]}...{text[-half:]}"
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _to_right(rows: Sequence[Sequence[Any]], total: Sequence[Any], place: int) -> bool:
    cells = [row[place] for row in rows] or [row[place] for row in (total,) if row]
    return all(isinstance(cell, int | float) or cell == "" for cell in cells)


def _print_rich(
    header: Sequence[str], rows: Sequence[Sequence[Any]], total: Sequence[Any]
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        box=None, show_footer=bool(total), header_style="bold", footer_style="bold"
    )
    for place, title in enumerate(header):
        footer = one_line(total[place]) if total else ""
        right = _to_right(rows, total, place)
        table.add_column(title, footer, justify="right" if right else "left")
    for row in rows:
        table.add_row(*[escape(one_line(cell)) for cell in row])
    Console().print(table)

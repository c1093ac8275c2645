"""What commands print: tables, JSON, sizes and times for people."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

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
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000
_WIDEST = 90
_MOST_RICH = 1000
"""Rows of a table with colours: more would take minutes to lay out."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


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


def print_json(data: Any) -> None:
    """Print data for another program."""
    import json  # costs start-up time that tables need not spend

    say(json.dumps(data, indent=1, default=str))


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
    text = str(what)
    if len(text) > limit:
        half = (limit - 3) // 2
        text = f"{text[:half]}...{text[-half:]}"
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def size_text(size: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> size_text(999), size_text(1_500_000)
    ('999 B', '1.5 MB')
    """
    for unit in _UNITS:
        if size < _THOUSAND or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _THOUSAND
    return ""


def seconds_text(seconds: float) -> str:
    """Return a length of time for people.

    Examples
    --------
    >>> seconds_text(0.25), seconds_text(90), seconds_text(90_000)
    ('0.25 s', '1 min 30 s', '1 d 1 h')
    """
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
    return f"{seconds // _DAY:.0f} d {seconds % _DAY // _HOUR:.0f} h"


def moment_text(moment: float) -> str:
    """Return a time (seconds since the epoch) in the local time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def counted(count: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "task"), counted(2, "task")
    ('1 task', '2 tasks')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


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

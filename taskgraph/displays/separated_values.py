"""Comma-separated values, in which a spreadsheet that opens them calculates nothing."""

from __future__ import annotations

import csv
from datetime import date, time
from typing import TYPE_CHECKING, Any

from taskgraph.description import too_long, without_long_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_END = "\r\n"
_CALCULATED = frozenset("=+-@\t\r")


def no_formula(cell: str) -> str:
    """Return a cell with a mark before what a spreadsheet takes for a formula.

    Examples
    --------
    >>> [no_formula(cell) for cell in ("=A1", "-2.5", "-2+A1", "@x", "a=b")]
    ["'=A1", '-2.5', "'-2+A1", "'@x", 'a=b']
    """
    if cell[:1] not in _CALCULATED:
        return cell
    try:
        complex(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    r"""Return rows as CSV, so that a carriage return in a cell ends no line.

    Examples
    --------
    >>> csv_text([["a", "b"], [1, "two\rlines"]])
    'a,b\n1,"two\rlines"\n'
    """
    file = _Lines()
    csv.writer(file, lineterminator=_END).writerows(rows)
    return "".join(file.lines)


class _Lines:
    """Takes lines as `csv` ends them: it quotes what is in its own line ends only."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(f"{line[: -len(_END)]}\n")


def csv_column(cells: Sequence[Any]) -> Sequence[Any]:
    """Return cells as `csv_text` takes them: times in ISO 8601, no formulas."""
    kinds = set(map(type, cells))
    if kinds <= {int, float, bool, type(None)} and not _some_too_long(cells, kinds):
        return cells
    return [no_formula(cell) if type(cell) is str else _text(cell) for cell in cells]


def _text(cell: Any) -> Any:
    if isinstance(cell, date | time):
        return cell.isoformat()
    return without_long_numbers(cell)


def _some_too_long(cells: Sequence[Any], kinds: set[type]) -> bool:
    return int in kinds and any(type(c) is int and too_long(c) for c in cells)

"""Rows in the order of their cells, whatever these are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def is_missing(value: Any) -> bool:
    """Return whether a cell has no value: None or NaN.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing(0), is_missing("")
    (True, True, False, False)
    """
    return value is None or (isinstance(value, float | complex) and value != value)


def in_order(
    rows: Iterable[int], cells: Sequence[Any], *, descending: bool = False
) -> list[int]:
    """Return rows in the order of their cells; what has no value comes last either way.

    Numbers come before text.

    Examples
    --------
    >>> in_order(range(4), ["b", None, 3, "a"])
    [2, 3, 0, 1]
    """
    there: list[int] = []
    rest: list[int] = []
    for row in rows:
        (rest if is_missing(cells[row]) else there).append(row)
    try:
        there.sort(key=cells.__getitem__, reverse=descending)
    except TypeError:  # of several kinds
        there.sort(key=lambda row: _rank(cells[row]), reverse=descending)
    return there + rest


def _rank(cell: Any) -> tuple[str, Any]:
    """Return what orders cells of several kinds: numbers, then others by kind."""
    if isinstance(cell, int | float):
        return "", cell
    return type(cell).__name__, cell if isinstance(cell, str) else str(cell)

"""What benchmarks find: rows, printed for people or, with ``--json``, for programs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of ours, and that of a peer for the same work if there is one."""

    case: str
    ours: float
    unit: str = "s"
    """What it is counted in; of so much a second (``/s``) more is better, else less."""
    peer: str = ""
    theirs: float | None = None
    goal: float | None = None
    """How much we want, at most (of a rate: at least)."""
    goal_ratio: float | None = None
    """How many times as good as the peer we want to be, at least."""
    yardstick: bool = False
    """Whether `peer` is none, but a bound to all, or ours in another way."""
    note: str = ""
    best_ratio: float | None = None
    """How many times as good as the peer the machine lets anybody be, as measured."""


def ratio(row: Row) -> float | None:
    """Return how many times as good as the peer's our figure is: below 1 it is worse.

    >>> ratio(Row("to sum", 2, "s", "numpy", 6))
    3.0
    >>> ratio(Row("to sum", 100, "MB/s", "numpy", 200))
    0.5
    """
    if row.theirs is None or not row.ours or not row.theirs:
        return None
    return row.ours / row.theirs if is_rate(row) else row.theirs / row.ours


def is_rate(row: Row) -> bool:
    """Return whether more is better: so much in a second."""
    return "/s" in row.unit


def holds(row: Row) -> bool | None:
    """Return whether a row reaches its goals; None if it has none.

    >>> holds(Row("to sum", 2, "s", "numpy", 6, goal_ratio=4))
    False
    """
    found = []
    if row.goal is not None:
        more, less = row.ours >= row.goal, row.ours <= row.goal
        found.append(more if is_rate(row) else less)
    times = ratio(row)
    if row.goal_ratio is not None and times is not None:
        found.append(times >= row.goal_ratio)
    return all(found) if found else None


def figure(value: float, unit: str = "") -> str:
    """Return a number with about three digits, and its unit.

    >>> figure(0.01234, "s CPU"), figure(12345.6, "B"), figure(7)
    ('12.3 ms CPU', '12,346 B', '7.00')
    """
    if unit in ("s", "s CPU") and abs(value) < 0.1:
        value, unit = 1e3 * value, f"m{unit}"
    if unit in ("files", "calls"):
        return f"{value:,.0f} {unit}"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    if 0 < size < 0.1:
        digits = 4
    return f"{value:,.{digits}f} {unit}".rstrip()


def goals(row: Row) -> str:
    """Return what is wanted of a row, in words.

    >>> goals(Row("to sum", 2, "s", "numpy", 6, goal=1.5, goal_ratio=0.5))
    'at most 1.50 s, at most 2.00x its time'
    """
    wanted = []
    if row.goal is not None:
        bound = "at least" if is_rate(row) else "at most"
        wanted.append(f"{bound} {figure(row.goal, row.unit)}")
    if row.goal_ratio is not None:
        times = row.goal_ratio
        less = times < 1 and not is_rate(row)
        bound = f"at most {1 / times:.2f}x its time" if less else ""
        wanted.append(bound or f"at least {times:.4g}x")
    return ", ".join(wanted)


def at_best(row: Row) -> str:
    """Return what the machine gives at best, and how much of it is reached.

    >>> at_best(Row("to sum", 2, "s", "one", 3, best_ratio=1.5625))
    '1.56x (96 %)'
    """
    times = ratio(row)
    if row.best_ratio is None or times is None:
        return ""
    return f"{row.best_ratio:.2f}x ({100 * times / row.best_ratio:.0f} %)"


def as_text(row: Row) -> str:
    """Return a row as a line for a terminal."""
    line = f"{row.case:58} {figure(row.ours, row.unit):>14}"
    if row.peer and row.theirs is not None:
        line += f"   {row.peer} {figure(row.theirs, row.unit)}"
    times = ratio(row)
    line += f"   {times:.2f}x" if times is not None else ""
    line += f" of {at_best(row)}" if row.best_ratio is not None else ""
    wanted = goals(row)
    if wanted:
        line += f"   wanted: {wanted}{' MISSED' if holds(row) is False else ''}"
    return f"{line}   ({row.note})" if row.note else line


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that all benchmarks have."""
    made = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    made.add_argument("--json", action="store_true", help="one row a line, in JSON")
    return made


def show(rows: Iterable[Row], given: argparse.Namespace) -> None:
    """Print each row as soon as it is known."""
    for row in rows:
        print(json.dumps(asdict(row)) if given.json else as_text(row), flush=True)

"""A `View` as lines for a terminal of some size; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.cli.costs import short_time_text, time_text
from taskgraph.cli.printing import counted, seconds_text
from taskgraph.cli.views.fitting import columns_of, fitted, padded
from taskgraph.displays.numbers import number_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from taskgraph.watching.view import ErrorRow, FunctionRow, View, WorkerRow

Line = tuple[str, str]
"""A line, and its style in the words of rich."""
_NARROW, _WIDE = 60, 100
_ERRORS = 3
_LEAST = 3
"""Lines that functions have at least, however many workers there are."""
_SHORT, _NAME = 12, 40
"""Columns that a name has at least, or the last numbers are left out, and at most."""
_GAP = "  "


class Layout:
    """Frames of a view, one after the other, in which things keep their places.

    Functions stand in the order of the graph. If there are more than fit, those of
    which tasks failed or run are shown before all others, then those that were shown
    before. Columns become wider, and never narrower while the terminal is as wide.

    Examples
    --------
    >>> from taskgraph.watching.view import FunctionRow, View, no_tasks
    >>> row = FunctionRow("work.count", no_tasks() | {"done": 3, "ready": 1}, rate=1.5)
    >>> view = View(0.0, row.counts, True, [row], rate=1.5)
    >>> for line, style in Layout().lines(view, 60, 10):
    ...     print(line)
    3 of 4 tasks done  1.5/s
    count  3/4  1.5/s
    """

    def __init__(self) -> None:
        self._shown: Collection[str] = ()
        self._width = 0
        self._columns: dict[tuple[str, int], int] = {}

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        """Return a run in at most so many lines of at most so many columns.

        The first one has the totals; functions, workers while work is left, and the
        last errors follow. What has no room is counted.
        """
        if width != self._width:
            self._width, self._columns = width, {}
        errors = [_error(row, width) for row in view.errors[:_ERRORS]]
        if len(view.errors) > _ERRORS:
            more = counted(len(view.errors) - _ERRORS, "other cause")
            errors.append((f"and {more}, see `tg errors`", "red"))
        at_work = () if view.over else view.workers  # a heartbeat tells what was, then
        room = max(1, height - 1 - len(errors))
        urgent = sum(row.urgent for row in view.functions)
        wanted = max(_LEAST, urgent + 1, room - len(at_work))
        functions = self._functions(view.functions, min(wanted, room - bool(at_work)))
        workers = self._workers(at_work, view.time, room - len(functions))
        every = [(_total(view, width), "bold"), *functions, *workers, *errors]
        return [(fitted(text, width), style) for text, style in every][:height]

    def _functions(self, rows: Sequence[FunctionRow], room: int) -> list[Line]:
        """Return a line for each function, as far as there is room."""
        chosen = shown_of(rows, max(1, room), self._shown)
        self._shown = {row.name for row in chosen}
        cells = [_cells(row, self._width) for row in chosen]
        texts = self._aligned("functions", cells, left=1)
        lines = list(zip(texts, map(_style, chosen), strict=True))
        if len(chosen) < len(rows):
            left = [row for row in rows if row.name not in self._shown]
            done = sum(row.total == row.counts["done"] for row in left)
            busy = sum(row.urgent for row in left)
            said = f", {busy} that run or failed" if busy else ""
            more = counted(len(left), "function")
            style = "red" if busy else ""
            lines.append((f"and {more} more, {done} done{said}", style))
        return lines

    def _workers(self, rows: Sequence[WorkerRow], now: float, room: int) -> list[Line]:
        if room <= 0:
            return []
        shown = rows if len(rows) <= room else rows[: room - 1]
        cells = [_who(row, self._width) for row in shown]
        starts = self._aligned("workers", cells, left=2)
        lines = []
        for row, start in zip(shown, starts, strict=True):
            does = _does(row, now, self._width - columns_of(start) - len(_GAP))
            lines.append((f"{start}{_GAP}{does}", "" if row.alive else "yellow"))
        left = rows[len(shown) :]
        if left:
            dead = sum(not row.alive for row in left)
            said = f", {dead} of them seem dead" if dead else ""
            more = counted(len(left), "worker")
            lines.append((f"and {more} more{said}, see `tg locks`", ""))
        return lines

    def _aligned(
        self, what: str, rows: Sequence[Sequence[str]], *, left: int
    ) -> list[str]:
        """Return cells as lines; the first so many columns are aligned to the left."""
        for row in rows:
            for place, cell in enumerate(row):
                column, size = (what, place), columns_of(cell)
                self._columns[column] = max(self._columns.get(column, 0), size)
        if not rows:
            return []
        first, *rest = [self._columns[what, place] for place in range(len(rows[0]))]
        while _taken(rest) > self._width - min(first, _SHORT):
            rest.pop()
        widths = [min(first, self._width - _taken(rest)), *rest]
        return [
            _GAP.join(
                padded(fitted(cell, width), width, right=place >= left)
                for place, (cell, width) in enumerate(zip(row, widths, strict=False))
                if width
            ).rstrip()
            for row in rows
        ]


def _taken(widths: Sequence[int]) -> int:
    """Return the columns that cells take, each with the gap before it."""
    return sum(len(_GAP) + width for width in widths if width)


def shown_of(
    rows: Sequence[FunctionRow], room: int, before: Collection[str] = ()
) -> list[FunctionRow]:
    """Return the functions that have lines of their own, in the order of the graph.

    Parameters
    ----------
    rows : sequence of FunctionRow
        All of them.
    room : int
        How many lines there are. If that is too few, one counts the others.
    before : collection of str
        Those that were shown a moment ago.
    """
    if len(rows) <= room:
        return list(rows)

    def rank(place: int) -> tuple[int, bool, int]:
        row = rows[place]
        return _rank(row), row.name not in before, place

    places = sorted(range(len(rows)), key=rank)[: max(0, room - 1)]
    return [rows[place] for place in sorted(places)]


def _rank(row: FunctionRow) -> int:
    counts = row.counts
    if counts["failed"]:
        return 0
    if counts["running"]:
        return 1
    return 2 if row.total > row.over else 3


def _total(view: View, width: int) -> str:
    """Return the totals in one line: the last parts are left out if it is narrow."""
    totals, narrow = view.totals, width < _NARROW
    more = "" if view.complete else "+"
    parts = [f"{totals['done']}/{view.tasks}{more} done"]
    if not narrow:
        parts = [f"{totals['done']} of {view.tasks}{more} tasks done"]
    names = ("failed", "running", "blocked")
    parts += [f"{totals[name]} {name}" for name in names if totals[name]]
    if view.rate:
        parts.append(f"{number_text(view.rate)}/s")
    if view.left is not None:
        whole = f"left: {time_text(view.left, view.sharing)}"
        fits = len(_GAP.join([*parts, whole])) <= width
        parts.append(whole if fits else f"left: {short_time_text(view.left)}")
    while len(parts) > 1 and len(_GAP.join(parts)) > width:
        parts.pop()
    return _GAP.join(parts)


def _cells(row: FunctionRow, width: int) -> list[str]:
    """Return what is shown of a function: less of it if there is no room."""
    counts = row.counts
    name = fitted(row.name.rpartition(".")[2], _NAME)
    cells = [name, f"{counts['done']}/{row.total}"]
    letters = [("failed", "failed"), ("running", "running")]
    if width >= _WIDE:
        letters += [("blocked", "blocked"), ("waiting", "waiting")]
    if width < _NARROW:
        letters = [("failed", "bad"), ("running", "run")]
    cells += [
        f"{counts[name]} {word}" if counts[name] else "" for name, word in letters
    ]
    cells.append(f"{number_text(row.rate)}/s" if row.rate else "")
    if width >= _WIDE:
        cells.append(f"{seconds_text(row.mean)} each" if row.mean else "")
    return cells


def _style(row: FunctionRow) -> str:
    if row.counts["failed"]:
        return "red"
    return "green" if row.over == row.total else ""


def _who(row: WorkerRow, width: int) -> list[str]:
    """Return who a worker is, and when it was heard of."""
    age = "never" if row.age is None else f"{seconds_text(max(1, int(row.age)))} ago"
    heard = f"heard {age}" if width >= _WIDE else age
    heard = heard if row.alive else f"dead? {age}"
    if width < _NARROW:
        return [str(row.pid), "", heard]
    return [fitted(row.host, _NAME // 2), str(row.pid), heard]


def _does(row: WorkerRow, now: float, width: int) -> str:
    """Return what a worker runs. Of many short tasks nobody knows which it is at."""
    if not row.tasks:
        return "waits"
    since = f", {seconds_text(max(1, int(now - row.since)))}" if row.since else ""
    if row.tasks > 1:
        since = f" and {row.tasks - 1} after it, in turn"
    return f"{fitted(row.call, max(8, width - len(since)))}{since}"


def _error(row: ErrorRow, width: int) -> Line:
    name = row.function.rpartition(".")[2]
    text = f"{row.count} of {name}: {row.error}: {row.message}".removesuffix(": ")
    return fitted(text.partition("\n")[0], width), "red"

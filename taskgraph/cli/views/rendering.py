"""A `View` as lines for a terminal of some size; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.cli.costs import time_text
from taskgraph.cli.printing import counted, one_line, seconds_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgraph.watching.view import ErrorRow, FunctionRow, View, WorkerRow

Line = tuple[str, str]
"""A line, and its style in the words of rich."""
_NARROW, _WIDE = 60, 100
_ERRORS = 3
_LEAST = 3
"""Lines that functions have at least, however many workers there are."""


def lines_of(view: View, width: int, height: int) -> list[Line]:
    """Return a run in at most so many lines of at most so many letters.

    The first one has the totals. Functions that run or fail come next, then the others
    as far as there is room, workers while work is left, and the last errors. What has
    no room is counted.

    Examples
    --------
    >>> from taskgraph.watching.view import FunctionRow, View, no_tasks
    >>> row = FunctionRow("work.count", no_tasks() | {"done": 3, "ready": 1}, rate=1.5)
    >>> view = View(0.0, row.counts, True, [row], rate=1.5)
    >>> for line, style in lines_of(view, 60, 10):
    ...     print(line)
    3 of 4 tasks done  1.5/s
    count  3/4  1.5/s
    """
    errors = [_error(row, width) for row in view.errors[:_ERRORS]]
    if len(view.errors) > _ERRORS:
        more = counted(len(view.errors) - _ERRORS, "other cause")
        errors.append((f"and {more}, see `tg errors`"[:width], "red"))
    at_work = () if view.over else view.workers  # a heartbeat tells what was, then
    room = max(1, height - 1 - len(errors))
    many = min(len(view.functions), max(_LEAST, room - len(at_work)))
    functions = _functions(view.functions, width, min(many, room))
    workers = _workers(at_work, view.time, width, room - len(functions))
    every = [(_total(view, width), "bold"), *functions, *workers, *errors]
    return [(_fitted(text, width), style) for text, style in every][:height]


def _fitted(text: str, width: int) -> str:
    """Return text as one line of so many letters, whatever is in it."""
    whole = one_line(text, max(len(text), width))
    return whole if len(whole) <= width else f"{whole[: max(0, width - 3)]}..."[:width]


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
        parts.append(f"{view.rate:.3g}/s")
    if view.left is not None:
        whole = f"about {time_text(view.left, view.sharing)} left"
        short = f"{seconds_text(view.left.expected)} left"
        fits = len("  ".join([*parts, whole])) <= width
        parts.append(whole if fits else short)
    while len(parts) > 1 and len("  ".join(parts)) > width:
        parts.pop()
    return "  ".join(parts)


def _functions(rows: Sequence[FunctionRow], width: int, room: int) -> list[Line]:
    """Return a line for each function, those at work first, as far as there is room."""
    shown = rows if len(rows) <= room else rows[: max(0, room - 1)]
    if not shown:
        return []
    columns = zip(*[_cells(row, width) for row in shown], strict=True)
    cells = list(zip(*filter(any, columns), strict=True))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    others = sum(widths[1:]) + 2 * (len(widths) - 1)
    widths[0] = min(widths[0], max(6, width - others))
    lines = [
        (
            "  ".join(
                one_line(cell, size).ljust(size)
                for cell, size in zip(row, widths, strict=True)
            ).rstrip(),
            _style(of),
        )
        for row, of in zip(cells, shown, strict=True)
    ]
    left = rows[len(shown) :]
    if left:
        done = sum(row.total == row.counts["done"] for row in left)
        lines.append((f"and {counted(len(left), 'function')} more, {done} done", "dim"))
    return lines


def _cells(row: FunctionRow, width: int) -> list[str]:
    """Return what is shown of a function: less of it if there is no room."""
    counts = row.counts
    cells = [one_line(row.name.rpartition(".")[2], 40), f"{counts['done']}/{row.total}"]
    letters = [("failed", "failed"), ("running", "running")]
    if width >= _WIDE:
        letters += [("blocked", "blocked"), ("waiting", "waiting")]
    if width < _NARROW:
        letters = [("failed", "bad"), ("running", "run")]
    cells += [
        f"{counts[name]} {word}" if counts[name] else "" for name, word in letters
    ]
    cells.append(f"{row.rate:.3g}/s" if row.rate else "")
    if width >= _WIDE:
        cells.append(f"{seconds_text(row.mean)} each" if row.mean else "")
    return cells


def _style(row: FunctionRow) -> str:
    if row.counts["failed"]:
        return "red"
    return "green" if row.over == row.total else ""


def _workers(
    rows: Sequence[WorkerRow], now: float, width: int, room: int
) -> list[Line]:
    if room <= 0:
        return []
    shown = rows if len(rows) <= room else rows[: room - 1]
    lines = [(_worker(row, now, width), "" if row.alive else "yellow") for row in shown]
    if len(shown) < len(rows):
        more = counted(len(rows) - len(shown), "worker")
        lines.append((f"and {more} more, see `tg locks`", "dim"))
    return lines


def _worker(row: WorkerRow, now: float, width: int) -> str:
    """Return who a worker is, when it was heard of, and what it runs."""
    who = str(row.pid) if width < _NARROW else f"{row.host} {row.pid}"
    age = "never" if row.age is None else f"{seconds_text(round(row.age, 1))} ago"
    heard = f"heard {age}" if width >= _WIDE else age
    if not row.alive:
        heard = f"dead? {age}"
    call = one_line(row.call or "waits", max(12, width))
    since = f", {seconds_text(round(max(0.0, now - row.since)))}" if row.since else ""
    more = f" and {row.tasks - 1} more" if row.tasks > 1 else ""
    begin = f"{who}  {heard}  "
    rest = max(8, width - len(begin) - len(since) - len(more))
    return f"{begin}{one_line(call, rest)}{more}{since}"


def _error(row: ErrorRow, width: int) -> Line:
    name = row.function.rpartition(".")[2]
    text = f"{row.count} of {name}: {row.error}: {row.message}".removesuffix(": ")
    first = text.splitlines()[0] if text else ""
    return one_line(first, width), "red"

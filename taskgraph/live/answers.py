"""What pages ask for besides the state: tasks, one task, failures, the graph.

Each is asked by somebody who has the lock of what is followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backends.errors import DamagedError
from taskgraph.drawing.layered import layered
from taskgraph.live.tasks import DONE, FAILED
from taskgraph.results.described import about_record
from taskgraph.upkeep.failure_groups import about_group, failure_of, grouped
from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from taskgraph.live.history import History
    from taskgraph.live.page import LivePage
    from taskgraph.live.tasks import Tasks
    from taskgraph.records import Record

_ROWS = 500
_LINKS = 200
_FAILURES = 2000
_SHOWN_TASKS = 50
_OUTPUT = 20_000
_BOX, _MARGIN = (190.0, 58.0), 12.0
"""Width and height of a function in the graph, as `graph.js` draws it."""


def tasks_answer(page: LivePage, query: Mapping[str, str]) -> dict[str, Any]:
    """Return some of the tasks that are asked for, and how many there are.

    Parameters
    ----------
    page : LivePage
        Of the jugfile.
    query : mapping
        ``function``, ``state``, ``text`` (part of a key or of arguments); ``sort`` (a
        column), ``down``; ``start``, ``count``.
    """
    tasks, history = page.graph()
    names = list(tasks.snapshot.names)
    function, state = query.get("function"), query.get("state")
    if (function and function not in names) or (state and state not in STATES):
        return {"total": 0, "rows": [], "looked_at": 1.0}
    chosen = tasks.in_state(
        STATES.index(state) if state else None,
        names.index(function) if function else None,
    )
    looked_at = 1.0
    if text := query.get("text", "").strip():
        search = page.search(text)
        found = np.asarray(search.found, np.int64)
        chosen = np.intersect1d(chosen, found, assume_unique=True)
        looked_at = search.looked_at / max(1, len(tasks))
    chosen = _sorted(tasks, history, chosen, query.get("sort", ""))
    if query.get("down"):
        chosen = chosen[::-1]
    start = max(0, int(query.get("start") or 0))
    count = min(_ROWS, max(0, int(query.get("count") or _ROWS)))
    some = chosen[start : start + count].tolist()
    return {
        "total": len(chosen),
        "rows": [row_of(page, tasks, history, place) for place in some],
        "looked_at": looked_at,
    }


def row_of(
    page: LivePage, tasks: Tasks, history: History, place: int
) -> dict[str, Any]:
    """Return a task as a row: key, function, state, arguments, times."""
    ended = tasks.states[place] in (DONE, FAILED)
    return {
        "key": tasks.keys[place].hex(),
        "function": tasks.snapshot.names[int(tasks.functions[place])],
        "state": STATES[tasks.states[place]],
        "arguments": page.texts(tasks)[place],
        "took": _known(history.took[place]) if ended else None,
        "ended": _known(history.ended[place]) if ended else None,
    }


def task_answer(page: LivePage, key: bytes) -> dict[str, Any]:
    """Return all that is known of a task but its value.

    Raises
    ------
    LookupError
        The jugfile has no such task.
    """
    tasks, history = page.graph()
    results = page.results()
    place = tasks.place.get(key)
    if place is None:
        raise LookupError("the jugfile has no such task, or has it no more")
    about = row_of(page, tasks, history, place)
    about["holder"] = results.backend.locked_by(key)
    asked = tasks.snapshot.asking.get(about["function"])
    about["resources"] = " or ".join(asked) if asked else None
    for what, places in (
        ("needs", tasks.needs(place)),
        ("needed_by", tasks.dependants(place)),
    ):
        about[f"{what}_count"] = len(places)
        about[what] = [_link(page, tasks, one) for one in places[:_LINKS]]
    record = results.record(key)
    about["record"] = None if record is None else _record(record)
    return about


def failures_answer(page: LivePage) -> dict[str, Any]:
    """Return the tasks that failed, those of equal causes together."""
    tasks, _ = page.graph()
    results = page.results()
    places = np.nonzero(np.frombuffer(tasks.states, np.uint8) == FAILED)[0].tolist()
    found, damaged = [], 0
    for place in places[:_FAILURES]:
        try:
            record = results.record(tasks.keys[place])
        except DamagedError:
            damaged += 1
            continue
        if record is not None and record.failure is not None:
            found.append((tasks.keys[place], record))
    return {
        "total": len(places),
        "damaged": damaged,
        "groups": [_group(group) for group in grouped(found)],
    }


def graph_answer(page: LivePage) -> dict[str, Any]:
    """Return boxes of functions, lines between them, and what a barrier hides.

    A line leads from what is needed to who needs it. The box of what is unknown has no
    name, and a line from each function that a barrier waits for.
    """
    tasks, _ = page.graph()
    snapshot = tasks.snapshot
    names: list[str | None] = list(snapshot.names)
    edges = [(need, user, count) for user, need, count in tasks.edges() if need != user]
    awaited = {
        int(tasks.functions[tasks.place[key]])
        for key in snapshot.awaited()
        if key in tasks.place
    }
    if not snapshot.complete:
        inner = {need for need, user, _ in edges if user in awaited}
        last = sorted(awaited - inner)
        edges += [(function, len(names), 0) for function in last]
        names.append(None)
    found = layered([_BOX] * len(names), [(need, user) for need, user, _ in edges])
    lines = [
        {
            "points": [(x + _MARGIN, y + _MARGIN) for x, y in points],
            "unknown": names[user] is None,
            "title": f"{count:,} results needed" if count else "a barrier waits for it",
        }
        for points, (_, user, count) in zip(found.lines, edges, strict=True)
    ]
    return {
        "size": (found.width + 2 * _MARGIN, found.height + 2 * _MARGIN),
        "boxes": [
            {"name": name, "x": x + _MARGIN, "y": y + _MARGIN}
            for name, (x, y) in zip(names, found.boxes, strict=True)
        ],
        "lines": lines,
        "complete": snapshot.complete,
    }


def _sorted(
    tasks: Tasks, history: History, chosen: NDArray[Any], by: str
) -> NDArray[Any]:
    """Return places in an order; what is not known of one comes first."""
    columns: dict[str, Any] = {
        "took": history.took,
        "ended": history.ended,
        "state": np.frombuffer(tasks.states, np.uint8),
        "function": tasks.functions,
    }
    if by not in columns:
        return chosen
    column = columns[by][chosen]
    if column.dtype.kind == "f":
        column = np.nan_to_num(column, nan=-np.inf)
    ordered: NDArray[Any] = chosen[np.argsort(column, kind="stable")]
    return ordered


def _known(number: float) -> float | None:
    return None if number != number else float(number)


def _link(page: LivePage, tasks: Tasks, place: int) -> dict[str, str]:
    return {
        "key": tasks.keys[place].hex(),
        "call": page.call(tasks, page.texts(tasks), place),
        "state": STATES[tasks.states[place]],
    }


def _record(record: Record) -> dict[str, Any]:
    about = about_record(record)
    about["code"] = record.code
    return _shortened(about)


def _group(group: list[tuple[bytes, Record]]) -> dict[str, Any]:
    return {
        **about_group(group),
        "tasks": [
            _shortened(
                {
                    "key": key.hex(),
                    "arguments": record.summary,
                    "message": failure_of(record).message,
                    "attempt": record.attempt,
                    "ended": record.end,
                    "host": str(record.context.get("host") or ""),
                    "output": record.output,
                }
            )
            for key, record in group[:_SHOWN_TASKS]
        ],
    }


def _shortened(about: dict[str, Any]) -> dict[str, Any]:
    """Return it with the end of a long output only."""
    output = about.get("output") or ""
    if len(output) > _OUTPUT:
        cut = len(output) - _OUTPUT
        about["output"] = f"({cut:,} letters before)\n{output[-_OUTPUT:]}"
    return about

"""Failures in groups: those of one function that were raised at one place."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from taskgraph.records import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgraph.records import Record

    Failed = tuple[bytes, Record]
    """The key and the record of a task that failed."""


def grouped(failed: Iterable[Failed]) -> list[list[Failed]]:
    """Return failures in groups of the same function and place; largest group first."""
    groups: dict[tuple[str, ...], list[Failed]] = defaultdict(list)
    for key, record in failed:
        failure = failure_of(record)
        place = failure.traceback
        if failure.message:
            place = place.replace(failure.message, "")
        groups[record.name, failure.cause, failure.error, place].append((key, record))
    for group in groups.values():
        group.sort(key=lambda pair: (pair[1].start, pair[0]))
    return sorted(groups.values(), key=len, reverse=True)


def failure_of(record: Record) -> Failure:
    """Return why a task failed; one without words if the record has none."""
    return record.failure or Failure("exception", "", "", "")


def about_group(group: list[Failed]) -> dict[str, Any]:
    """Return what the tasks of a group failed of, by its first, as plain data."""
    _, first = group[0]
    failure = failure_of(first)
    return {
        "function": first.name,
        "cause": failure.cause,
        "error": failure.error,
        "message": failure.message,
        "traceback": failure.traceback,
        "count": len(group),
    }

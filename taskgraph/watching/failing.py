"""Failures that have one cause, in a row for each; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.upkeep.failure_groups import failure_of, grouped
from taskgraph.watching.view import ErrorRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgraph.upkeep.failure_groups import Failed


def error_rows(failed: Iterable[Failed]) -> list[ErrorRow]:
    """Return a row for each group of failures, the newest cause first.

    So rows keep their places while more tasks fail of causes that are known.
    """
    rows, began = [], {}
    for group in grouped(failed):
        key, last = max(group, key=lambda pair: pair[1].end)
        failure = failure_of(last)
        began[key] = min(record.end for _, record in group)
        error = failure.error or failure.cause
        rows.append(
            ErrorRow(last.name, error, failure.message, len(group), last.end, key)
        )
    return sorted(rows, key=lambda row: -began[row.key])

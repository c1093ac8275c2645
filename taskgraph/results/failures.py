"""What is kept of an exception that ended a task."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from taskgraph.description import printable
from taskgraph.errors import TaskgraphError
from taskgraph.records import Failure

if TYPE_CHECKING:
    from collections.abc import Collection
    from traceback import FrameSummary

    from backends.interface import Backend, Key

_LONGEST_MESSAGE = 2000
_LONGEST_TRACEBACK = 1 << 16
_ENGINE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep  # noqa: PTH100, PTH120 - as tracebacks have it
"""What the names of all files of this package begin with."""


def failure_of(error: BaseException, cause: str = "exception") -> Failure:
    """Return what to keep of an exception; the engine's own frames are left out.

    Parameters
    ----------
    error : exception
        What was raised.
    cause : str
        What that means for the task; see `Failure`.
    """
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    refused = isinstance(error, TaskgraphError)  # if not, a fault of ours is told whole
    kept = _of_others(frames) if refused else _after_ours(frames) or frames
    lines = ["Traceback (most recent call last):\n"] if kept else []
    lines += traceback.StackSummary.from_list(kept).format()
    kind = type(error).__qualname__
    try:
        message = str(error)
        before = _of_cause(error)
        lines += traceback.format_exception_only(error) if kept or before else []
        lines += _of_group(error)
        if before:
            lines = [*before, "\nThis led to:\n\n", *lines]
    except Exception:  # noqa: BLE001 - somebody else's __str__
        message = "(its message cannot be shown)"
        lines.append(f"{kind}: {message}\n")
    shown = printable(message, _LONGEST_MESSAGE)
    return Failure(cause, kind, shown, printable("".join(lines), _LONGEST_TRACEBACK))


def _after_ours(frames: list[FrameSummary]) -> list[FrameSummary]:
    """Return the frames after the last one of the engine."""
    own = [n for n, frame in enumerate(frames) if frame.filename.startswith(_ENGINE)]
    return frames[own[-1] + 1 :] if own else frames


def _of_others(frames: list[FrameSummary]) -> list[FrameSummary]:
    """Return the frames after the last one of the engine, or else all but its own."""
    others = [frame for frame in frames if not frame.filename.startswith(_ENGINE)]
    return _after_ours(frames) or others


def _of_cause(error: BaseException) -> list[str]:
    """Return the traceback of what led to an exception.

    Of what led to a refusal of ours only the frames of others are told: the sentence
    of the refusal says what it was.
    """
    import traceback

    cause = error.__cause__
    if cause is None:
        return []
    if not isinstance(error, TaskgraphError):
        return traceback.format_exception(cause)
    kept = _of_others(list(traceback.extract_tb(cause.__traceback__)))
    if not kept:
        return []
    lines = ["Traceback (most recent call last):\n"]
    lines += traceback.StackSummary.from_list(kept).format()
    return [*lines, *traceback.format_exception_only(cause)]


def _of_group(error: BaseException) -> list[str]:
    """Return the tracebacks of the exceptions in a group; empty for any other one."""
    import traceback
    from textwrap import indent

    lines = []
    if isinstance(error, BaseExceptionGroup):
        for place, inner in enumerate(error.exceptions, start=1):
            text = "".join(traceback.format_exception(inner))
            lines.append(f"\nException {place} of {len(error.exceptions)}:\n\n")
            lines.append(indent(text, "    "))
    return lines


def discard_failures(
    backend: Backend, keys: Collection[Key], *, reason: str, before: int | None = None
) -> int | None:
    """Let failed tasks be run again; return where that was written, None if no-op.

    Which of them are failures still is decided in the state in which it is written: a
    result that came meanwhile stays, with all that was made of it.

    Parameters
    ----------
    backend : Backend
        Where their records are.
    keys : collection of bytes
        Of tasks that had failed.
    reason : str
        For `tg undo --list`.
    before : int, optional
        A token of the store: records after it stay. All go by default.
    """

    def still_failed() -> list[Key]:
        places = {key: backend.find(key) for key in keys}
        return [
            key
            for key, at in places.items()
            if at is not None
            and at.failure
            and (before is None or at.position < before)
        ]

    return backend.discard((), reason=reason, more=still_failed)

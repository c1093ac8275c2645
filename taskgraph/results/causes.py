"""Which failures are worth another try, by their causes."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgraph.records import Failure

Causes = tuple[str | type[BaseException], ...]
"""Exceptions, or their names; `timeout`, `killed`, `unstorable`, `exception`."""
KILLED = "killed"
_RAISED = ("exception", "unstorable")


def is_among(failure: Failure, causes: Causes) -> bool:
    """Return whether a failure has one of some causes.

    An exception counts if it, or a class that it extends, is named; of those that are
    not Python's own and given as text, only its own name is known.

    Examples
    --------
    >>> from taskgraph.records import Failure
    >>> reset = Failure("exception", "ConnectionResetError", "", "")
    >>> is_among(reset, (OSError,)), is_among(reset, ("ConnectionError", "timeout"))
    (True, True)
    >>> is_among(reset, (ValueError, "timeout"))
    False
    """
    return any(_has(failure, cause) for cause in causes)


def _has(failure: Failure, cause: str | type[BaseException]) -> bool:
    if cause == failure.cause:
        return True
    if failure.cause not in _RAISED:
        return False
    known = getattr(builtins, cause, None) if isinstance(cause, str) else cause
    if isinstance(known, type) and issubclass(known, BaseException):
        return failure.error in _names(known)
    return failure.error.rpartition(".")[2] == str(cause).rpartition(".")[2]


def _names(cause: type[BaseException]) -> Iterator[str]:
    """Yield what a class of exceptions is called, and all that extend it."""
    yield cause.__qualname__
    for kind in cause.__subclasses__():
        yield from _names(kind)


def named_causes(causes: Causes | None) -> tuple[str, ...]:
    """Return causes as text, classes with those that extend them; empty of None."""
    found: list[str] = []
    for one in causes or ():
        found += [one] if isinstance(one, str) else _names(one)
    return tuple(found)

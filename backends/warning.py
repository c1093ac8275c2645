"""Warnings, which stop nothing: into a log, or to whom a program wants them told."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TELL: ContextVar[Callable[[str], None] | None] = ContextVar("tell", default=None)


def warn(sentence: str, package: str) -> None:
    """Tell what went wrong; into the log of a package unless a program wants it.

    Examples
    --------
    >>> with warnings_told(print):
    ...     warn("the sky falls", "backends")
    the sky falls
    """
    tell = _TELL.get()
    if tell is not None:
        tell(sentence)
        return
    import logging  # costs start-up time that a healthy store need not spend

    logging.getLogger(package).warning("%s", sentence)


@contextmanager
def warnings_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Let a program tell its user what is warned of while the block runs."""
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)

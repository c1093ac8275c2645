"""Warnings, which stop nothing: into a log, or to whom a program wants them told."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


def _log(sentence: str) -> None:
    import logging  # costs start-up time that a healthy store need not spend

    logging.getLogger("backends").warning("%s", sentence)


_TELL: ContextVar[Callable[[str], None]] = ContextVar("tell", default=_log)


def warn(sentence: str) -> None:
    """Tell what went wrong; into the log unless a program wants it.

    Examples
    --------
    >>> with warnings_told(print):
    ...     warn("the sky falls")
    the sky falls
    """
    _TELL.get()(sentence)


@contextmanager
def warnings_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Let a program tell its user what is warned of while the block runs."""
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)


@contextmanager
def warnings_printed(
    where: Callable[[], AbstractContextManager[None]],
) -> Iterator[None]:
    """Let warnings be told as before, but each in a block that `where` makes."""
    tell = _TELL.get()

    def tell_there(sentence: str) -> None:
        with where():
            tell(sentence)

    with warnings_told(tell_there):
        yield

"""Memory: the collector held back while much stays; what is free given back."""

from __future__ import annotations

import gc
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_before: list[tuple[int, int, int]] = []
"""The thresholds of the whole process, as each thread found them that holds it back."""


@contextmanager
def few_collections(*, lasting: bool = False) -> Iterator[None]:
    """Keep the collector from walking a million new objects again and again.

    With `lasting` it never looks at what is there then: for what a program imports
    before any code of its user's has run.
    """
    _before.append(gc.get_threshold())
    gc.set_threshold(max(_before[-1][0], 500_000), 50, 1000)
    try:
        yield
    finally:
        if lasting:
            gc.freeze()
        found = _before.pop()
        if not _before:  # else another thread goes on, or the block around this one
            gc.set_threshold(*found)


def give_back_memory() -> None:
    """Let the system have the memory that is free between what is used.

    The C library keeps it for later, as soon as it has seen large blocks come and go.
    That is worth its time after much was made of which most stays.
    """
    import ctypes  # costs time at every start

    with suppress(OSError, AttributeError):  # there is only glibc's way
        ctypes.CDLL(None).malloc_trim(0)

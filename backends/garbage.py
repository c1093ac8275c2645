"""The garbage collector, held back while much is made that stays."""

from __future__ import annotations

import gc
from contextlib import contextmanager
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

"""The garbage collector, held back while much is made that stays."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def few_collections() -> Iterator[None]:
    """Keep the collector from walking a million new objects again and again."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 500_000), 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)

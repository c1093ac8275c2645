"""Run independent pieces of work in threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from segkit import checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

A = TypeVar("A")
B = TypeVar("B")


def thread_count(workers: int | None) -> int:
    """Return `workers`, checked; for None the processors that this process may use."""
    if workers is None:
        # Not every system lets a process be bound to some processors.
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    return checks.as_integer(workers, name="workers", least=1)


def in_threads(run: Callable[[A], B], items: Iterable[A], threads: int) -> list[B]:
    """Return `run(item)` for each item, in order."""
    if threads == 1:
        return [run(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, items))

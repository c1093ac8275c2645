"""How many threads a function uses, and the running of work in them.

Every function that can use threads takes ``workers=None``, by keyword, and its result
does not depend on it. A number is the number of threads. None is this process's share
of the machine, and less where there is too little work to share:

- the processors that the process may run on, or as many as ``TG_CPUS`` says;
- `tg execute -j N` and `segkit run -j N` set ``TG_CPUS`` for each of their workers to
  the N-th part, so that N workers together are not more than there are processors;
- work that runs in threads already has what is left for each of them, so that a
  function called on tiles in threads starts none of its own.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from segkit import checks
from segkit.tiling import helpers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Lock

    from segkit.arrays import Array

A = TypeVar("A")
B = TypeVar("B")

VARIABLE = "TG_CPUS"
"""Of the environment: how many processors this process may keep busy."""
LEAST_WORK = 2**17
"""Voxels for which a thread is worth its start, at five nanoseconds each or more."""
_CACHED_BYTES = 2**21
_LEAST_SHARE = 64
"""Into how many of them a thread's part would be cut."""
# What a thread that works for others may use; None is all that the process may.
_share: ContextVar[int | None] = ContextVar("share", default=None)


def thread_count(workers: int | None, work: int | None = None) -> int:
    """Return how many threads a function uses that is asked for `workers`.

    Parameters
    ----------
    workers : int or None
        What the caller says.
    work : int, optional
        Voxels that there are to work on, or fewer where each takes little time; little
        work takes fewer threads than there are processors. What the caller says is not
        less for it.

    Raises
    ------
    TypeError, ValueError
        If `workers`, or what the environment says, is no whole number from 1 on.

    Examples
    --------
    >>> thread_count(3, work=10), thread_count(None, work=10)
    (3, 1)
    """
    if workers is not None:
        return checks.as_integer(workers, name="workers", least=1)
    most = _available()
    return most if work is None else max(1, min(most, work // LEAST_WORK))


def _available() -> int:
    """Return how many threads this thread may keep busy, itself included."""
    share = _share.get()
    if share is not None:
        return share
    said = os.environ.get(VARIABLE)
    if said:
        if not said.isdecimal() or int(said) < 1:
            raise ValueError(f"{VARIABLE} is {said!r}, but must be a number from 1 on")
        return int(said)
    # Not every system lets a process be bound to some processors.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def at_most(workers: int | None) -> Iterator[None]:
    """Let all functions called in the block use so many threads; None is no limit.

    Examples
    --------
    >>> with at_most(5):
    ...     thread_count(None)
    5
    """
    if workers is None:
        yield
        return
    token = _share.set(thread_count(workers))
    try:
        yield
    finally:
        _share.reset(token)


def part(workers: int) -> int:
    """Return how many threads each of some workers may use, at least one."""
    return max(1, _available() // workers)


def limited_to(threads: int) -> None:
    """Let all functions that this thread calls from now on use so many threads."""
    _share.set(threads)


def pool_of(threads: int) -> ThreadPoolExecutor:
    """Return a pool of threads that divide what the calling thread may use."""
    return ThreadPoolExecutor(
        threads, initializer=limited_to, initargs=(part(threads),)
    )


def in_threads(run: Callable[[A], B], items: Sequence[A], threads: int) -> list[B]:
    """Return `run(item)` for each item, in order.

    The calling thread is one of them: one less has to help. The first error ends it,
    once what is running has ended.
    """
    threads = min(threads, len(items))
    if threads <= 1:
        return [run(item) for item in items]
    places, found = iter(range(len(items))), dict[int, B]()
    share, errors = part(threads), list[BaseException]()

    def work() -> None:
        limit = _share.set(share)
        try:
            for place in places:
                found[place] = run(items[place])
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            deque(places, maxlen=0)  # which leaves nothing to the others
            errors.append(error)
        finally:
            _share.reset(limit)

    others: list[Lock] = []
    try:
        others.extend(filter(None, map(helpers.helping, repeat(work, threads - 1))))
        work()
    finally:
        deque(places, maxlen=0)  # after an interrupt, too
        for done in others:
            done.acquire()
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()  # as it refers to this frame, and so to all arrays
    return [found[place] for place in range(len(items))]


@contextmanager
def lent(kept: list[A], make: Callable[[], A]) -> Iterator[A]:
    """Lend one of what is kept for threads, or a new one if all are lent.

    So each thread works with one at a time, and in the end all are in the list: no
    more of them than there are threads, however many pieces they took.

    Examples
    --------
    >>> kept: list[list[int]] = []
    >>> for number in (1, 2):
    ...     with lent(kept, list) as one:
    ...         one.append(number)
    >>> kept
    [[1, 2]]
    """
    try:
        one = kept.pop()
    except IndexError:  # not asked before, as others take some at any time
        one = make()
    yield one
    kept.append(one)


def extremes(array: Array, threads: int) -> tuple[Any, Any]:
    """Return the least and the greatest value; both are NaN if one value is.

    Examples
    --------
    >>> extremes(np.array([[3, 1], [2, 5]]), threads=2)
    (np.int64(1), np.int64(5))
    """

    def run(rows: slice) -> tuple[Any, Any]:
        return array[rows].min(), array[rows].max()  # the second out of the cache

    pieces = cut(len(array), max(threads, array.nbytes // _CACHED_BYTES))
    least, greatest = zip(*in_threads(run, pieces, threads), strict=True)
    return np.min(least), np.max(greatest)


def cut(length: int, pieces: int) -> list[slice]:
    """Return slices that cut an axis into so many pieces of about one length.

    Examples
    --------
    >>> cut(5, 2), cut(1, 2)
    ([slice(0, 2, None), slice(2, 5, None)], [slice(0, 1, None)])
    """
    pieces = max(1, min(pieces, length))
    ends = [length * piece // pieces for piece in range(pieces + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]


@lru_cache(maxsize=64)
def shares(length: int, threads: int) -> tuple[slice, ...]:
    """Return slices of an axis for threads to take one after the other.

    Each is two thirds of a thread's part of what is left: few at first, as to take one
    takes time, too, and then so short that all threads end at about the same time,
    however late they begin and slow they are.

    Examples
    --------
    >>> [part.stop - part.start for part in shares(768, threads=2)]
    [256, 171, 114, 76, 51, 34, 22, 15, 10, 7, 6, 6]
    >>> shares(1000, threads=1)
    (slice(0, 1000, None),)
    """
    if threads == 1 or length == 0:
        return tuple(cut(length, 1))
    least = -(-length // (_LEAST_SHARE * threads))
    ends = [0]
    while (left := length - ends[-1]) > 0:
        size = -(-2 * left // (3 * threads))
        ends.append(ends[-1] + min(left, max(size, least)))
    return tuple(slice(start, stop) for start, stop in pairwise(ends))


def is_safe_in_threads(function: Any) -> bool:
    """Return whether a function is known to be: one of segkit's, or a partial of one.

    What others wrote runs in threads if the caller says how many.

    Examples
    --------
    >>> from segkit.filters import median
    >>> is_safe_in_threads(partial(median, radius=2)), is_safe_in_threads(print)
    (True, False)
    """
    while isinstance(function, partial):
        function = function.func
    return str(getattr(function, "__module__", "")).partition(".")[0] == "segkit"

"""Whole numbers of 8 bytes in one, two or four each: indexes, offsets, counts, times.

Tables are full of numbers that lie close together, or whose steps from each to the next
do. What is above the least of them takes a part of their bytes, and is found and added
up again at ten times the speed of a compressor, which finds little in them. Whatever
else has 8 bytes is looked at for some microseconds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD = 8
"""Bytes of each number before."""
_BLOCK = 1 << 16
"""Numbers at a time: what a processor has close by."""
_WIDTHS = (1, 2, 4)
_TOO_MUCH = 1 << 32


class Narrowing(NamedTuple):
    """How numbers were made narrow; all arithmetic is modulo 2**64.

    Attributes
    ----------
    width : {1, 2, 4}
        Bytes of each.
    base : int
        What all are added to.
    step : int or None
        If each was told from the one before: what is added to it, too.
    """

    width: int
    base: int
    step: int | None = None


def narrowed(data: Any) -> tuple[Narrowing, memoryview] | None:
    """Return bytes as narrow numbers, None if they are none that are close together.

    Parameters
    ----------
    data : bytes-like
        Of any length and alignment.

    Examples
    --------
    >>> import numpy
    >>> narrowing, data = narrowed(numpy.arange(7, 1000, 3).tobytes())
    >>> narrowing, bytes(data) == bytes(331)
    (Narrowing(width=1, base=4, step=3), True)
    >>> widen(narrowing, data) == numpy.arange(7, 1000, 3).tobytes()
    True
    """
    numpy = loaded("numpy")
    if numpy is None or len(data) % WORD or not len(data):
        return None
    words = numpy.frombuffer(data, "<u8")
    how = _narrowing(words)
    if how is None:
        return None
    out = numpy.empty(len(words), f"<u{how.width}")
    before = numpy.uint64(how.base)
    for start, stop in _blocks(len(words)):
        block = words[start:stop]
        if how.step is None:
            out[start:stop] = block - before
            continue
        step = numpy.uint64(how.step)
        out[start : start + 1] = block[:1] - before - step
        out[start + 1 : stop] = block[1:] - block[:-1] - step
        before = block[-1]
    return how, memoryview(out).cast("B")


def widen(how: Narrowing, data: Any) -> memoryview:
    """Return the bytes of the numbers that `narrowed` made narrow.

    Parameters
    ----------
    how : Narrowing
        How they were.
    data : bytes-like
        They.
    """
    import numpy

    narrow = numpy.frombuffer(data, f"<u{how.width}")
    wide = numpy.empty(len(narrow), "<u8")
    base = numpy.uint64(how.base)
    if how.step is not None and not narrow.any():
        steps = numpy.arange(1, min(len(wide), _BLOCK) + 1, dtype="<u8")
        steps *= numpy.uint64(how.step)
        for start, stop in _blocks(len(wide)):
            numpy.add(steps[: stop - start], base, out=wide[start:stop])
            base = wide[stop - 1]
        return memoryview(wide.data).cast("B")
    if how.step is None:
        numpy.add(narrow, base, out=wide)
        return memoryview(wide.data).cast("B")
    steps = numpy.empty(min(len(wide), _BLOCK), "<u8")
    for start, stop in _blocks(len(wide)):
        some = steps[: stop - start]
        numpy.add(narrow[start:stop], numpy.uint64(how.step), out=some)
        some[:1] += base
        base = numpy.add.accumulate(some, out=wide[start:stop])[-1]
    return memoryview(wide.data).cast("B")


def _narrowing(words: Any) -> Narrowing | None:
    """Return in how few bytes numbers have room, and how; None if that is in none."""
    signed = words.view("<i8")
    first = least = most = int(signed[0])
    low, high = 1 << 64, -(1 << 64)  # of the steps
    for start, stop in _blocks(len(words)):
        block = signed[start:stop]
        least, most = min(least, int(block.min())), max(most, int(block.max()))
        near = words[max(start - 1, 0) : stop]
        steps = (near[1:] - near[:-1]).view("<i8")
        if len(steps):
            low, high = min(low, int(steps.min())), max(high, int(steps.max()))
        if min(high - low, most - least) >= _TOO_MUCH:
            return None
    room = min(max(high - low, 0), most - least)
    width = next(one for one in _WIDTHS if room < 1 << 8 * one)
    if most - least < 1 << 8 * width:
        return Narrowing(width, least % (1 << 64))
    return Narrowing(width, (first - low) % (1 << 64), low % (1 << 64))


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    return pairwise([*range(0, count, _BLOCK), count])

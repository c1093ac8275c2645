"""Whole numbers of 8 bytes in one, two or four each: indexes, offsets, counts, times.

Tables are full of numbers that lie close together, or grow by little from each to the
next. What each is above the least of them, or above the one before, takes a part of
their bytes, and is found and added up again at ten times the speed of a compressor,
which finds little in them. Whatever else has 8 bytes (floats) is looked at for some
microseconds.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 16
"""Numbers at a time: what a processor has close by."""
_WIDTHS = (1, 2, 4)
_TOO_MUCH = 1 << 32


class Narrowing(NamedTuple):
    """How numbers were made narrow.

    Attributes
    ----------
    width : {1, 2, 4}
        Bytes of each.
    base : int
        What the least of them is, or the first, modulo 2**64 as all arithmetic here.
    steps : bool
        Whether each is a step from the one before, else from `base`.
    """

    width: int
    base: int
    steps: bool


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
    >>> narrowing, len(data)
    (Narrowing(width=1, base=7, steps=True), 331)
    >>> out = bytearray(8 * 331)
    >>> widen(narrowing, data, out)
    >>> numpy.array_equal(numpy.frombuffer(out, int), numpy.arange(7, 1000, 3))
    True
    """
    numpy = sys.modules.get("numpy")
    if numpy is None or len(data) % 8 or not len(data):
        return None
    words = numpy.frombuffer(data, "<u8")
    how = _narrowing(words)
    if how is None:
        return None
    out = numpy.empty(len(words), f"<u{how.width}")
    base = before = numpy.uint64(how.base)
    for start, stop in _blocks(len(words)):
        block = words[start:stop]
        if how.steps:
            out[start : start + 1] = block[:1] - before
            out[start + 1 : stop] = block[1:] - block[:-1]
            before = block[-1]
        else:
            out[start:stop] = block - base
    return how, memoryview(out.view(numpy.uint8))


def widen(how: Narrowing, data: Any, out: Any) -> None:
    """Write the numbers that `narrowed` made narrow.

    Parameters
    ----------
    how : Narrowing
        How they were.
    data : bytes-like
        They.
    out : writable bytes-like
        Eight bytes for each.

    Raises
    ------
    ValueError
        It has another size.
    """
    import numpy

    narrow = numpy.frombuffer(data, f"<u{how.width}")
    wide = numpy.frombuffer(out, "<u8")
    if len(narrow) != len(wide):
        raise ValueError(f"{len(narrow)} numbers for {len(wide)}")
    base = numpy.uint64(how.base)
    for start, stop in _blocks(len(wide)):
        block = wide[start:stop]
        if how.steps:
            numpy.cumsum(narrow[start:stop], dtype=numpy.uint64, out=block)
            block += base
            base = block[-1]
        else:
            numpy.add(narrow[start:stop], base, out=block, dtype=numpy.uint64)


def _narrowing(words: Any) -> Narrowing | None:
    """Return in how few bytes numbers have room, and how; None if that is in none."""
    signed = words.view("<i8")
    first = least = most = int(signed[0])
    step = 0
    for start, stop in _blocks(len(words)):
        block = signed[start:stop]
        least, most = min(least, int(block.min())), max(most, int(block.max()))
        if step < _TOO_MUCH:
            near = words[max(start - 1, 0) : stop]
            step = max(step, int((near[1:] - near[:-1]).max(initial=0)))
        if min(step, most - least) >= _TOO_MUCH:
            return None
    width = next(one for one in _WIDTHS if min(step, most - least) < 1 << 8 * one)
    if most - least < 1 << 8 * width:
        return Narrowing(width, least % (1 << 64), steps=False)
    return Narrowing(width, first % (1 << 64), steps=True)


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    return pairwise([*range(0, count, _BLOCK), count])

"""Pieces of an image in which `segkit.ndnt` works, and what their windows cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.tiling.threads import cut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.windows.rule import WindowRule

    Span: TypeAlias = tuple[int, int]


_SUM = 4
_CACHED = 2**21
"""Bytes of a sum, and of a plane of sums that a processor's own cache holds."""


def parts(
    shape: tuple[int, ...], rule: WindowRule, number: int
) -> list[tuple[Span, Span]]:
    """Return first and last of planes and of rows that cut an image for threads.

    Planes of a volume, or rows of all planes: whatever reaches least beyond its part,
    as that is summed up twice.
    """
    depth, height = (1, *shape)[-3:-1]
    planes, rows = (0, depth), (0, height)
    if len(shape) == 3 and rule.lengths[0] * height < rule.lengths[1] * depth:
        return [((one.start, one.stop), rows) for one in cut(depth, number)]
    return [(planes, (one.start, one.stop)) for one in cut(height, number)]


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a 2-D or 3-D image with the rows around them, as the kernels want them.

    Attributes
    ----------
    pixels : ndarray
        The rows, and those around them that their windows reach.
    first : int
        Row of `pixels` that is the first of the piece.
    counts : ndarray of float
        Number of columns of the window around each x that lie inside the image.
    target : ndarray of uint8
        The piece's part of the mask.
    rule : WindowRule
        Window and comparison.
    """

    pixels: Array
    first: int
    counts: NDArray[np.float64]
    target: Array
    rule: WindowRule

    @property
    def plan(self) -> tuple[Any, ...]:
        """Arguments of kernels that sum exactly: row, window, comparison."""
        rule = self.rule
        factors = (rule.low, rule.high, rule.mode, 1)
        return self.first, rule.before, rule.after, self.counts, factors


def piece(
    image: Array,
    rule: WindowRule,
    rows: Span,
    counts: NDArray[np.float64],
    out: Array,
) -> Piece:
    """Cut the rows from start to stop out of an image; see `Piece` for `counts`."""
    start, stop = rows
    first = max(start - rule.before[-2], 0)
    last = min(stop + rule.after[-2], image.shape[-2])
    own = out[..., start:stop, :].view(np.uint8)
    return Piece(image[..., first:last, :], start - first, counts, own, rule)


@dataclass(frozen=True, slots=True)
class Slide:
    """Rows of a volume over which windows slide: along z, y, x, or turned: y, z, x.

    Attributes
    ----------
    image, out : ndarray
        The whole volume (z, y, x) and its mask.
    turned : bool
        Whether windows slide along y first.
    before, after : tuple of int
        Extent of the window, in the order of the slide.
    start, stop : tuple of int
        First of the part and the one after its last along the first two axes of the
        slide.
    plane : tuple of int
        Shape of what the windows reach of a plane across the first axis of the slide.
    """

    image: Array
    out: Array
    turned: bool
    before: tuple[int, ...]
    after: tuple[int, ...]
    start: tuple[int, int]
    stop: tuple[int, int]
    plane: tuple[int, int]

    @property
    def lengths(self) -> tuple[int, ...]:
        """Length of the window along each axis, in the order of the slide."""
        pairs = zip(self.before, self.after, strict=True)
        return tuple(b + a + 1 for b, a in pairs)


def slide(image: Array, rule: WindowRule, part: tuple[Span, Span], out: Array) -> Slide:
    """Return how windows slide over planes and rows of a 2-D or 3-D image.

    Along z first, as voxels lie in memory; along y first if sums along y fit the cache
    and those along z do not. A 2-D image is one plane, and sums along y are one row.
    """
    before, after = rule.before, rule.after
    if image.ndim == 2:
        image, out = image[None], out[None]
        before, after = (0, *before), (0, *after)
    start, stop = zip(*part, strict=True)
    depth, reached = (
        min(stop[k] + after[k], image.shape[k]) - max(start[k] - before[k], 0)
        for k in (0, 1)
    )
    width = image.shape[2]
    if len(image) > 1 and (depth >= reached or _SUM * reached * width <= _CACHED):
        return Slide(
            image, out, False, before, after, start, stop, plane=(reached, width)
        )
    before, after = (before[1], before[0], before[2]), (after[1], after[0], after[2])
    return Slide(
        image, out, True, before, after, start[::-1], stop[::-1], plane=(depth, width)
    )


def slabs(start: int, stop: int, rows: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of slabs of `rows` rows."""
    for first in range(start, stop, rows):
        yield first, min(first + rows, stop)


def column_counts(rule: WindowRule, image: Array) -> NDArray[np.float64]:
    """Return the counts of all pieces of an image; see `Piece`."""
    return window_counts(rule, image.shape, image.ndim - 1).astype(np.float64)


def window_counts(
    rule: WindowRule, shape: tuple[int, ...], axis: int
) -> NDArray[np.int64]:
    """Return how many voxels of the window along an axis lie inside the image."""
    at = np.arange(shape[axis])
    stop = np.minimum(at + rule.after[axis] + 1, shape[axis])
    counts: NDArray[np.int64] = stop - np.maximum(at - rule.before[axis], 0)
    return counts

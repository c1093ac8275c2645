"""Pieces of an image in which `segkit.ndnt` works, and what their windows cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segkit._ndnt_rule import Rule

Array: TypeAlias = NDArray[Any]


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
    rule : Rule
        Window and comparison.
    """

    pixels: Array
    first: int
    counts: NDArray[np.float64]
    target: Array
    rule: Rule

    @property
    def plan(self) -> tuple[Any, ...]:
        """What the kernels of sums that are not rounded are told."""
        rule = self.rule
        factors = (rule.low, rule.high, rule.mode, 1)
        return self.first, rule.before, rule.after, self.counts, factors


def piece(image: Array, rule: Rule, rows: tuple[int, int], out: Array) -> Piece:
    """Cut the rows from start to stop out of an image."""
    start, stop = rows
    first = max(start - rule.before[-2], 0)
    last = min(stop + rule.after[-2], image.shape[-2])
    counts = window_counts(rule, image.shape, image.ndim - 1).astype(np.float64)
    own = out[..., start:stop, :].view(np.uint8)
    return Piece(image[..., first:last, :], start - first, counts, own, rule)


def slabs(start: int, stop: int, rows: int) -> Iterator[tuple[int, int]]:
    """Yield first row and the one after the last of slabs of so many rows."""
    for first in range(start, stop, rows):
        yield first, min(first + rows, stop)


def window_counts(rule: Rule, shape: tuple[int, ...], axis: int) -> NDArray[np.int64]:
    """Return how many voxels of the window along an axis lie inside the image."""
    at = np.arange(shape[axis])
    stop = np.minimum(at + rule.after[axis] + 1, shape[axis])
    counts: NDArray[np.int64] = stop - np.maximum(at - rule.before[axis], 0)
    return counts

"""An image at coarser resolutions: how large each is, and its voxels. Pure."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from segkit.io.calibration import SPATIAL
from segkit.io.errors import ImageRequestError
from segkit.io.options import Downscale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Shape = tuple[int, ...]


def require_downscale(path: object, downscale: str) -> None:
    """Raise `ImageRequestError` unless it is known how coarser voxels are made."""
    if downscale not in get_args(Downscale):
        raise ImageRequestError(
            path, f"downscale={downscale!r} must be 'mean', 'nearest' or 'mode'"
        )


def coarser_levels(
    axes: str, shape: Shape, levels: int
) -> Iterator[tuple[Shape, Shape]]:
    """Yield how many voxels of the finest level become one, and the shape, of others.

    Each halves the axes of space of the one before, until none can be.

    Examples
    --------
    >>> list(coarser_levels("cyx", (2, 5, 8), 3))
    [((1, 2, 2), (2, 3, 4)), ((1, 4, 4), (2, 2, 2))]
    >>> len(list(coarser_levels("yx", (4, 4), 9)))
    2
    """
    factors = (1,) * len(shape)
    for _ in range(1, levels):
        step = tuple(
            2 if name in SPATIAL and length > 1 else 1
            for name, length in zip(axes, shape, strict=True)
        )
        if set(step) <= {1}:
            return
        shape = tuple(-(-n // s) for n, s in zip(shape, step, strict=True))
        factors = tuple(f * s for f, s in zip(factors, step, strict=True))
        yield factors, shape


def chunk_boxes(shape: Shape, chunks: Shape) -> Iterator[tuple[slice, ...]]:
    """Yield the boxes of all chunks."""
    spans = [
        [slice(start, min(start + size, length)) for start in range(0, length, size)]
        for length, size in zip(shape, chunks, strict=True)
    ]
    yield from itertools.product(*spans)


def reduced(
    finer: Callable[[tuple[slice, ...]], NDArray[Any]],
    shapes: tuple[Shape, Shape],
    box: tuple[slice, ...],
    downscale: Downscale,
) -> NDArray[Any]:
    """Return one box of a coarser level.

    Parameters
    ----------
    finer : callable
        Reads a box of the finer one.
    shapes : tuple of tuple of int
        Of the finer and of the coarser one.
    box : tuple of slice
        Of the coarser one.
    downscale : {'mean', 'nearest', 'mode'}
        See `downscaled`.
    """
    step = tuple(1 if n == m else 2 for n, m in zip(*shapes, strict=True))
    wanted = tuple(
        slice(part.start * s, min(part.stop * s, length))
        for part, s, length in zip(box, step, shapes[0], strict=True)
    )
    voxels = np.asarray(finer(wanted))
    if downscale == "nearest":
        return voxels[tuple(slice(None, None, s) for s in step)]
    missing = [
        (0, (part.stop - part.start) * s - n)
        for part, s, n in zip(box, step, voxels.shape, strict=True)
    ]
    if any(after for _, after in missing):
        voxels = np.pad(voxels, missing, mode="edge")
    return downscaled(voxels, step, downscale)


def downscaled(
    voxels: NDArray[Any], step: Sequence[int], downscale: Downscale
) -> NDArray[Any]:
    """Return an array reduced by integer steps that divide its shape.

    Parameters
    ----------
    voxels : ndarray
        Any dtype.
    step : sequence of int
        How many voxels of each axis become one.
    downscale : {'mean', 'nearest', 'mode'}
        Their mean (rounded for integers), the first of them, or the most frequent
        (of equally frequent values the smallest): the one for labels.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[7, 7, 0, 0], [7, 9, 0, 5]])
    >>> downscaled(labels, (2, 2), "mode"), downscaled(labels, (2, 2), "nearest")
    (array([[7, 0]]), array([[7, 0]]))
    """
    if downscale == "nearest":
        return voxels[tuple(slice(None, None, s) for s in step)]
    split = [
        n for axis, s in zip(voxels.shape, step, strict=True) for n in (axis // s, s)
    ]
    blocks = voxels.reshape(split)
    order = [*range(0, len(split), 2), *range(1, len(split), 2)]
    blocks = blocks.transpose(order).reshape(*split[::2], -1)
    if downscale == "mean":
        mean = blocks.mean(-1, dtype=np.float64)
        if voxels.dtype.kind in "iub":
            mean = np.rint(mean)
        return np.asarray(mean, voxels.dtype)
    return _most_frequent(np.sort(blocks, axis=-1))


def _most_frequent(blocks: NDArray[Any]) -> NDArray[Any]:
    """Return the mode along the last axis of sorted blocks."""
    counts = np.zeros(blocks.shape, np.int8)
    for number in range(blocks.shape[-1]):
        counts[..., number] = (blocks == blocks[..., number : number + 1]).sum(-1)
    best = counts.argmax(-1)
    most: NDArray[Any] = np.take_along_axis(blocks, best[..., None], axis=-1)
    return most[..., 0]

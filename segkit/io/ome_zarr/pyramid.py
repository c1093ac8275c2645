"""Coarser levels of an OME-Zarr, made chunk by chunk of the finest."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.calibration import SPATIAL
from segkit.io.errors import ImageRequestError
from segkit.io.ome_zarr.chunks import open_array
from segkit.io.ome_zarr.levels import create_level, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.image import Image
    from segkit.io.options import Downscale


def write_levels(
    path: Path, image: Image, *, levels: int, downscale: Downscale, labels: bool
) -> None:
    """Write the coarser levels of a pyramid from the written base, chunk by chunk.

    Each level halves the axes of space of the one before; memory is that of 2^d
    chunks.

    Raises
    ------
    ImageRequestError
        If `downscale` is not known.
    """
    if downscale not in ("mean", "nearest", "mode"):
        raise ImageRequestError(
            path, f"downscale={downscale!r} must be 'mean', 'nearest' or 'mode'"
        )
    for left in range(1, 64):  # by a process that died here
        shutil.rmtree(path / str(left), ignore_errors=True)
    finer = open_array(path / "0", "r")
    chunks = tuple(finer.chunks)
    factors = [(1,) * image.ndim]
    for number in range(1, levels):
        step = tuple(
            2 if name in SPATIAL and length > 1 else 1
            for name, length in zip(image.axes, finer.shape, strict=True)
        )
        if set(step) == {1}:
            break
        shape = tuple(-(-n // s) for n, s in zip(finer.shape, step, strict=True))
        coarser = create_level(path, str(number), image, shape, chunks)
        for box in _chunk_boxes(shape, chunks):
            coarser[box] = _reduced(finer, box, step, downscale)
        factors.append(tuple(f * s for f, s in zip(factors[-1], step, strict=True)))
        finer = coarser
    describe(path, image, factors, labels=labels, shift=downscale != "nearest")


def _chunk_boxes(
    shape: tuple[int, ...], chunks: tuple[int, ...]
) -> Iterator[tuple[slice, ...]]:
    spans = [
        [slice(start, min(start + size, length)) for start in range(0, length, size)]
        for length, size in zip(shape, chunks, strict=True)
    ]
    yield from itertools.product(*spans)


def _reduced(
    finer: Any, box: tuple[slice, ...], step: tuple[int, ...], downscale: Downscale
) -> NDArray[Any]:
    """Return one box of the coarser level."""
    wanted = tuple(
        slice(part.start * s, min(part.stop * s, length))
        for part, s, length in zip(box, step, finer.shape, strict=True)
    )
    voxels = np.asarray(finer[wanted])
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

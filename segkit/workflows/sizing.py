"""How large the blocks are that one task works on.

A *tile* is a unit of meaning: what the user named, and with FLoRIN's overlapping tiles
what the result depends on. A *block* is a unit of work: some whole tiles that one task
takes together, so that tasks cost more than their bookkeeping, halos cost little, and
there is enough for many workers to do. It depends on the image and the pipeline only,
never on the number of workers, so that all of them share their results.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from segkit import checks
from segkit.pipeline.steps import PipelineError, numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.pipeline.steps import Step


# Smaller blocks cost more than they gain, larger ones too much memory.
LEAST_BLOCK = 1 << 22
LARGEST_BLOCK = 1 << 24
_BLOCKS = 16
_CHUNK = {1: (1 << 20,), 2: (1024, 1024), 3: (64, 256, 256)}
_UNIT = {1: (1 << 18,), 2: (256, 256), 3: (16, 64, 64)}


def unit_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a tile for an image for which none was named.

    Examples
    --------
    >>> unit_of((20, 4000, 4000))
    (16, 64, 64)
    """
    return _by_axis(_UNIT, shape)


def budget_for(shape: Sequence[int]) -> int:
    """Return how many voxels a block may have: enough blocks, none too large.

    Examples
    --------
    >>> budget_for((512, 512, 512)) == 512**3 // 16
    True
    """
    return max(LEAST_BLOCK, min(LARGEST_BLOCK, math.prod(shape) // _BLOCKS))


def block_shape(
    shape: Sequence[int], tile: Sequence[int], halo: Sequence[int], budget: int
) -> tuple[int, ...]:
    """Return the shape of blocks: whole tiles, with as little halo as a budget allows.

    Parameters
    ----------
    shape
        Of the image.
    tile
        Named by the user; a block is never smaller.
    halo
        Margin that a block reads around its own voxels.
    budget
        Voxels that a block may have.

    Examples
    --------
    >>> block_shape((64, 512, 512), (10, 64, 64), (7, 34, 34), 1 << 22)
    (64, 256, 256)
    >>> block_shape((100, 100), (300, 300), (0, 0), 1 << 22)
    (100, 100)
    """
    grown = [max(1, min(t, n)) for t, n in zip(tile, shape, strict=True)]
    while True:
        axes = [axis for axis, n in enumerate(grown) if n < shape[axis]]
        axes.sort(key=lambda axis: (-(halo[axis] + 1) / grown[axis], axis))
        for axis in axes:
            unit = tile[axis]
            longer = min(-(-2 * grown[axis] // unit) * unit, shape[axis])
            if math.prod(grown) // grown[axis] * longer <= budget:
                grown[axis] = longer
                break
        else:
            return tuple(grown)


def chunks_for(block: Sequence[int], shape: Sequence[int]) -> tuple[int, ...]:
    """Return chunks of some megabytes that divide blocks, so that no two share one.

    Examples
    --------
    >>> chunks_for((100, 600, 512), (300, 600, 2048))
    (50, 256, 256)
    """
    wanted = _by_axis(_CHUNK, shape)
    return tuple(
        min(most, size) if size >= length else _divisor(size, most)
        for size, most, length in zip(block, wanted, shape, strict=True)
    )


def aligned_block(
    block: Sequence[int], chunks: Sequence[int], shape: Sequence[int]
) -> tuple[int, ...]:
    """Return a block near `block` that owns whole chunks.

    Examples
    --------
    >>> aligned_block((100, 100), (64, 50), (1000, 1000))
    (64, 100)
    """
    return tuple(
        min(max(1, size // chunk) * chunk, length)
        for size, chunk, length in zip(block, chunks, shape, strict=True)
    )


def _divisor(size: int, most: int) -> int:
    """Return the largest divisor of `size` up to `most`, or `size` if that is tiny."""
    found = max(n for n in range(1, min(size, most) + 1) if size % n == 0)
    return found if found >= min(most, size) // 4 else size


def _by_axis(
    sizes: dict[int, tuple[int, ...]], shape: Sequence[int]
) -> tuple[int, ...]:
    ndim = len(shape)
    last = sizes[min(ndim, 3)]
    return tuple(
        max(1, min(size, n))
        for size, n in zip((1,) * (ndim - len(last)) + last, shape, strict=True)
    )


def named_tile(
    steps: Sequence[Step], tile: int | Sequence[int] | None, shape: Sequence[int]
) -> tuple[int, ...]:
    """Return the tile that a pipeline names last, else `tile`, else one of our own.

    Raises
    ------
    PipelineError
        If it does not fit the image's axes.
    """
    place = ""
    for number, step in numbered(steps):
        if step.function == "tile":
            tile, place = step.keywords["shape"], f"step {number} (tile): "
    if tile is None:
        return unit_of(shape)
    try:
        return checks.per_axis(tile, len(shape), name="tile", least=1)
    except (TypeError, ValueError) as error:
        raise PipelineError(f"{place}{error}") from error

"""Cut images into tiles, run functions over them, and put the results together.

A tile owns one box of the image (`Tile.write`) and reads a larger one
(`Tile.read`). The write boxes of a list of tiles always partition the image: each
voxel is owned by exactly one tile, whatever the remainders. A function whose result
at a voxel depends on no voxel further away than its *reach* gives, tile by tile with
a halo of that reach, exactly what it gives on the whole image: read boxes are clipped
at the image's own border and nowhere else, so the function meets a border exactly
where the image has one.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np

from segkit import checks, extents
from segkit.arrays import in_space
from segkit.names import known_as
from segkit.tiling import joining
from segkit.tiling.boxes import Box, Tile
from segkit.tiling.reaches import halo_for
from segkit.tiling.threads import is_safe_in_threads, pool_of, thread_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from segkit.arrays import Array

JoinRule: TypeAlias = Literal["own", "max", "mean", "vote"]


class ArrayLike(Protocol):
    """What can be read by box: numpy, memory maps, zarr, HDF5, lazy images."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    def __getitem__(self, box: tuple[slice, ...], /) -> Any: ...


class WritableArray(ArrayLike, Protocol):
    """What can also be written by box."""

    def __setitem__(self, box: tuple[slice, ...], value: Any, /) -> None: ...


@known_as("segkit")
def tiles(
    shape: Sequence[int],
    tile: int | Sequence[int],
    *,
    halo: int | Sequence[int] = 0,
) -> list[Tile]:
    """Return tiles whose write boxes partition an image.

    Parameters
    ----------
    shape
        Shape of the image in voxels, any number of axes. An axis of length 0 gives no
        tile at all.
    tile
        Size of a write box in voxels, one number or one per axis; the last tile of an
        axis is smaller where `tile` does not divide `shape`.
    halo
        Margin in voxels by which the read box is larger than the write box on both
        sides, one number or one per axis, clipped at the image's border.

    Returns
    -------
    list of Tile
        In raster order of the grid (last axis fastest).

    Raises
    ------
    ValueError
        If a size is not positive, a halo is negative, or a sequence does not have one
        number per axis.

    Examples
    --------
    >>> [t.write.slices for t in tiles((5,), 2)]
    [(slice(0, 2, None),), (slice(2, 4, None),), (slice(4, 5, None),)]
    >>> last = tiles((5, 7), (2, 4), halo=1)[-1]
    >>> last.index, last.write, last.inner
    ((2, 1), Box(start=(4, 4), stop=(5, 7)), (slice(1, 2, None), slice(1, 4, None)))
    """
    sizes = checks.per_axis(tile, len(shape), name="tile", least=1)
    margins = checks.per_axis(halo, len(shape), name="halo", least=0)
    own = [
        [(a, min(a + size, length)) for a in range(0, length, size)]
        for length, size in zip(_lengths(shape), sizes, strict=True)
    ]
    read = [
        [(max(a - margin, 0), min(b + margin, length)) for a, b in spans]
        for spans, margin, length in zip(own, margins, shape, strict=True)
    ]
    return list(_grid(read, own))


@known_as("segkit")
def overlapping_tiles(
    shape: Sequence[int],
    tile: int | Sequence[int],
    stride: int | Sequence[int],
) -> list[Tile]:
    """Return tiles of one size that start every `stride` voxels and overlap.

    Read boxes start at multiples of `stride`, are `tile` long (clipped at the image's
    end) and go on until every voxel is covered. Write boxes partition the image: two
    neighbours share their overlap half and half. `join` puts results together, by
    own box or by a rule over all tiles that cover a voxel.

    Parameters
    ----------
    shape
        Shape of the image in voxels.
    tile
        Size of a read box in voxels, one number or one per axis.
    stride
        Distance between the starts of neighbouring tiles, 1 <= stride <= tile.

    Returns
    -------
    list of Tile
        In raster order of the grid.

    Raises
    ------
    ValueError
        If a stride is larger than its tile (voxels would be skipped), a number is not
        positive, or a sequence does not have one number per axis.

    Examples
    --------
    >>> [t.read.slices[0] for t in overlapping_tiles((10,), 4, 3)]
    [slice(0, 4, None), slice(3, 7, None), slice(6, 10, None)]
    >>> [t.write.slices[0] for t in overlapping_tiles((10,), 4, 2)]
    [slice(0, 3, None), slice(3, 5, None), slice(5, 7, None), slice(7, 10, None)]
    """
    sizes = checks.per_axis(tile, len(shape), name="tile", least=1)
    steps = checks.per_axis(stride, len(shape), name="stride", least=1)
    for axis, (size, step) in enumerate(zip(sizes, steps, strict=True)):
        if step > size:
            raise ValueError(
                f"stride {step} is larger than tile {size} on axis {axis}, so that "
                f"voxels between tiles would be skipped; use a stride of at most {size}"
            )
    read = [
        _overlapping_spans(length, size, step)
        for length, size, step in zip(_lengths(shape), sizes, steps, strict=True)
    ]
    return list(_grid(read, [_own_spans(spans) for spans in read]))


@known_as("segkit")
def join(
    pieces: Iterable[tuple[Tile, Array]],
    shape: Sequence[int],
    *,
    rule: JoinRule = "own",
) -> Array:
    """Put the results of tiles together into one array.

    Parameters
    ----------
    pieces
        Each tile with its result, an array of the shape of `tile.read`; all of one
        dtype, in any order. Read lazily, except by the rule "vote".
    shape
        Shape of the image in voxels.
    rule
        What a voxel gets where several tiles cover it:

        - "own": the value of the tile whose write box holds it.
        - "max": the largest value; for masks, the union.
        - "mean": the mean of all values, as float64.
        - "vote": the value that most tiles give; on a tie, that of the owner if it is
          among the most frequent, else the smallest of these.

    Returns
    -------
    ndarray
        The pieces' dtype (float64 for "mean").

    Raises
    ------
    ValueError
        If a piece does not have the shape of its tile, dtypes differ, the rule is
        unknown, or tiles are missing or given twice.

    Examples
    --------
    >>> import numpy as np
    >>> grid = overlapping_tiles((5,), 3, 2)
    >>> pieces = [np.array([0, 0, 1]), np.array([3, 3, 3])]
    >>> for rule in ("own", "max", "mean"):
    ...     print(rule, join(zip(grid, pieces), (5,), rule=rule))
    own [0 0 3 3 3]
    max [0 0 3 3 3]
    mean [0. 0. 2. 3. 3.]
    """
    lengths = _lengths(shape)
    joiner = joining.by_rule(rule)
    return joiner(joining.checked(pieces, lengths), lengths)


@known_as("segkit")
def map_tiles(
    f: Callable[[Array], Array],
    image: ArrayLike,
    *,
    tile: int | Sequence[int],
    halo: int | Sequence[int] | None = None,
    out: WritableArray | None = None,
    workers: int | None = None,
) -> Any:
    """Run a function over the tiles of an image and join the own boxes.

    Exactly `f(image)` where the halo is at least the reach of `f`, in memory of the
    result plus about two tiles a thread.

    Parameters
    ----------
    f
        Takes an array and returns one of the same shape; called in threads if there
        are several. Parameters are bound with `functools.partial`.
    image
        Anything that is read by box.
    tile
        Size of a write box in voxels, one number or one per axis.
    halo
        Margin in voxels; None takes the reach that `f` declares.
    out
        Array that receives the result, one own box after the other, by the calling
        thread only (so that chunks that tiles share are safe); None makes an array.
    workers
        Number of threads; None takes this process's share of the processors for a
        function of segkit, and 1 for others, which may not be safe in threads.

    Returns
    -------
    array
        `out`, or a new array of the dtype of the first tile's result.

    Raises
    ------
    ValueError
        If the image is empty, `halo` is None and `f` declares no finite reach, a
        result does not have the shape of its tile or the dtype of the first one, or
        `out` cannot hold it.

    Warns
    -----
    HaloWarning
        If `halo` is smaller than the reach that `f` declares.

    Examples
    --------
    >>> import numpy as np
    >>> from functools import partial
    >>> from segkit.filters import median
    >>> image = np.random.default_rng(0).integers(0, 255, (50, 60))
    >>> whole = median(image, radius=2)
    >>> tiled = map_tiles(partial(median, radius=2), image, tile=(16, 32), workers=2)
    >>> np.array_equal(tiled, whole)
    True
    """
    image = in_space(image)
    if not hasattr(image, "shape"):
        image = np.asarray(image)
    checks.require_grey(image)
    lengths = checks.require_nonempty(image)
    if out is not None and tuple(getattr(out, "shape", ())) != lengths:
        raise ValueError(
            f"out has shape {np.shape(out)}, the image {lengths}; they differ"
        )
    grid = tiles(lengths, tile, halo=halo_for(f, len(lengths), halo))

    def run(one: Tile) -> Array:
        with checks.inside_tile():
            result = np.asarray(f(np.ascontiguousarray(image[one.read.slices])))
        joining.require_piece(one, result)
        return result[one.inner]

    first = None
    if workers is None and not is_safe_in_threads(f):
        workers = 1
    threads = thread_count(workers, math.prod(lengths))
    for one, piece in _ordered(run, grid, min(threads, len(grid))):
        first = first or piece.dtype
        joining.require_dtype(one, piece, first)
        if out is None:
            out = np.empty(lengths, piece.dtype)
        _require_room(out, piece)
        out[one.write.slices] = piece
    return out


def _require_room(out: WritableArray, piece: Array) -> None:
    """Raise unless the dtype of `out` holds every value of a result unchanged.

    Floats may lose digits, as whoever gives an array of shorter ones wants.
    """
    room = np.dtype(getattr(out, "dtype", piece.dtype))
    floats = piece.dtype.kind == room.kind == "f"
    if not (floats or np.can_cast(piece.dtype, room, "safe")):
        raise ValueError(
            f"the tiles' results have dtype {piece.dtype}, out has {room}, which cannot"
            " hold them; convert the results, or give another array"
        )


def _ordered(
    run: Callable[[Tile], Array], grid: Sequence[Tile], threads: int
) -> Iterator[tuple[Tile, Array]]:
    """Yield each tile with its result, keeping few results in memory."""
    if threads == 1:
        yield from ((one, run(one)) for one in grid)
        return
    waiting: deque[tuple[Tile, Future[Array]]] = deque()
    with pool_of(threads) as pool:
        try:
            for one in grid:
                waiting.append((one, pool.submit(run, one)))
                if len(waiting) == 2 * threads:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _lengths(shape: Sequence[int]) -> tuple[int, ...]:
    return extents.as_shape(shape)


def _overlapping_spans(length: int, size: int, step: int) -> list[tuple[int, int]]:
    if length == 0:
        return []
    count = 1 + max(0, -(-(length - size) // step))
    return [(k * step, min(k * step + size, length)) for k in range(count)]


def _own_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Cut overlapping spans half-way between neighbours."""
    if not spans:
        return []
    cuts = [(a + b) // 2 for (_, b), (a, _) in itertools.pairwise(spans)]
    return list(itertools.pairwise([0, *cuts, spans[-1][1]]))


def _grid(
    read: Sequence[Sequence[tuple[int, int]]], own: Sequence[Sequence[tuple[int, int]]]
) -> Iterator[Tile]:
    for index in itertools.product(*(range(len(spans)) for spans in own)):
        yield Tile(index, _box(read, index), _box(own, index))


def _box(spans: Sequence[Sequence[tuple[int, int]]], index: tuple[int, ...]) -> Box:
    chosen = [axis[i] for axis, i in zip(spans, index, strict=True)]
    return Box(tuple(a for a, _ in chosen), tuple(b for _, b in chosen))

"""How far voxels are from the background."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import RealPerAxis, spacing_of
from segkit.compiled.fallback import falls_back_on
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach
from segkit.tiling.threads import cut, in_threads, shares, thread_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Array

_COLUMNS = 2**11  # counted together: they stay in the cache


def _distance_reach(
    ndim: int, *, spacing: Any, limit: float | None, **_: Any
) -> tuple[int, ...] | None:
    if limit is None:
        return None
    limit = checks.as_finite(limit, name="limit", least=0)
    sizes = checks.per_axis_real(
        1.0 if spacing is None else spacing, ndim, name="spacing"
    )
    return tuple(math.ceil(limit / s) for s in sizes)


@known_as("segkit")
@declare_reach(_distance_reach)
def distance_transform(
    mask: ArrayLike,
    *,
    spacing: RealPerAxis | None = None,
    limit: float | None = None,
    workers: int | None = None,
) -> NDArray[np.float32]:
    """Return the distance of each foreground voxel to the nearest background voxel.

    Parameters
    ----------
    mask : array_like, shape (..., z, y, x)
        Zero is background. The image's border is none.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis, in the unit of the result; by default that of
        an opened image, else 1.
    limit : float, optional
        Greater distances become this one, at least 0. With a limit the reach is finite
        (``ceil(limit / spacing)``) and tiles are exact; without, it is not.
    workers : int, optional
        Number of threads, for equal spacing; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray of float32, shape of `mask`
        0 in the background; infinite (or `limit`) if there is no background at all.
        For equal spacing the roots of whole numbers, compiled; for any other by SciPy,
        which is several times slower.

    Examples
    --------
    >>> distance_transform([0, 1, 1, 1, 1, 0])
    array([0., 1., 2., 2., 1., 0.], dtype=float32)
    >>> distance_transform([0, 1, 1, 1, 1, 1], limit=3)
    array([0., 1., 2., 3., 3., 3.], dtype=float32)
    """
    given = spacing_of(spacing, mask)
    array = checks.as_mask(mask)
    sizes = checks.per_axis_real(
        1.0 if given is None else given, array.ndim, name="spacing"
    )
    if min(sizes) <= 0:
        raise ValueError(f"spacing is {spacing}, but must be positive on each axis")
    threads = thread_count(workers, array.size)
    if array.all():
        distance = np.full(array.shape, np.inf, np.float32)
    elif len(set(sizes)) == 1:
        distance = _rooted(squared_distance(array, threads), sizes[0], threads)
    else:
        from scipy import ndimage

        distance = ndimage.distance_transform_edt(array, sizes).astype(np.float32)
    if limit is not None:
        limit = checks.as_finite(limit, name="limit", least=0)
        np.minimum(distance, np.float32(limit), out=distance)
    return distance


def _rooted_by_numpy(
    squared: Array,
    scale: float,
    threads: int,  # noqa: ARG001 - as compiled
) -> NDArray[np.float32]:
    return (np.sqrt(squared.astype(np.float64)) * scale).astype(np.float32)


@falls_back_on(_rooted_by_numpy)
def _rooted(squared: Array, scale: float, threads: int) -> NDArray[np.float32]:
    """Return square roots times a scale."""
    from segkit.filters.distance_kernels import take_roots

    out = np.empty(squared.shape, np.float32)
    lines, target = squared.reshape(-1), out.reshape(-1)

    def run(part: slice) -> None:
        take_roots(lines[part], float(scale), target[part])

    in_threads(run, shares(lines.size, threads), threads)
    return out


def _squares_by_scipy(
    mask: NDArray[np.bool_],
    threads: int,  # noqa: ARG001 - as compiled
) -> Array:
    from scipy import ndimage

    whole: NDArray[np.float64] = np.rint(ndimage.distance_transform_edt(mask) ** 2)
    return whole


@falls_back_on(_squares_by_scipy)
def squared_distance(mask: NDArray[np.bool_], threads: int) -> Array:
    """Return the squared distance in voxels: whole numbers, whoever computes them."""
    from segkit.filters import distance_kernels as kernels

    if sum((n - 1) ** 2 for n in mask.shape) >= kernels.FAR:
        return _squares_by_scipy(mask, threads)
    squares = np.empty(mask.shape, np.int32)
    first = np.ascontiguousarray(mask).view(np.uint8).reshape(len(mask), -1)

    def square(part: slice) -> None:
        columns, scratch = (part.start, part.stop), np.empty(_COLUMNS, np.int32)
        kernels.square_first(first, columns, scratch, squares.reshape(first.shape))

    in_threads(square, cut(first.shape[1], threads), threads)
    for axis, length in enumerate(mask.shape[1:], 1):
        volume = squares.reshape(-1, length, math.prod(mask.shape[axis + 1 :]))

        def add(part: slice, volume: Array = volume, length: int = length) -> None:
            lines = np.empty((kernels.TOGETHER, length), np.int32)
            stack = (np.empty(length + 2, np.int64) for _ in range(3))
            kernels.add_squares(volume, (part.start, part.stop), lines, *stack)

        in_threads(add, shares(squares.size // length, threads), threads)
    return squares

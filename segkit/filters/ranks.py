"""Filters by rank: any percentile of the box around a voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks, extents
from segkit.filters.medians import beyond_float64
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach
from segkit.tiling.threads import cut, in_threads, thread_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from segkit.arrays import Array, PerAxis


@known_as("segkit")
@declare_reach(
    lambda ndim, *, radius, **_: checks.per_axis(radius, ndim, name="radius")
)
def percentile(
    image: ArrayLike,
    percent: float,
    radius: PerAxis = 1,
    *,
    workers: int | None = None,
) -> Array:
    """Replace each voxel by a percentile of the box around it.

    0 is the minimum (`erosion`), 50 the median (`median`), 100 the maximum
    (`dilation`), each of which is faster by its own function.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite. Beyond the border, the nearest voxel counts.
    percent : float
        From 0 to 100: of n voxels of the box, in rising order, the one of the number
        ``int(n * percent / 100)``, counted from 0.
    radius : int or sequence of int
        Half the length of the box along each axis, without the centre, in voxels.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray, dtype and shape of `image`
        By `scipy.ndimage.percentile_filter` with mode "nearest".

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, or holds integers beyond 2**53;
        `percent` is not from 0 to 100, or a radius negative.

    Examples
    --------
    >>> import numpy as np
    >>> percentile(np.array([1, 9, 2, 3, 8, 5]), 70)
    array([9, 9, 9, 8, 8, 8])
    """
    array = checks.as_image(image)
    share = checks.as_finite(percent, name="percent", least=0)
    if share > 100:
        raise ValueError(f"percent is {percent}, but must be from 0 to 100")
    radii = checks.per_axis(radius, array.ndim, name="radius", least=0)
    extents.require_room([2 * r + 1 for r in radii], name="radius", most=2.0**31)
    if beyond_float64(array):
        raise ValueError(
            "image holds integers beyond 2**53, too large for percentile; convert it to"
            " float64 first"
        )
    threads = thread_count(workers, array.size)
    return _over_slabs(array, share, radii, threads)


def _over_slabs(
    image: Array, percent: float, radii: tuple[int, ...], threads: int
) -> Array:
    from scipy import ndimage

    grey = checks.native(image)
    odd: Any = {"b": np.uint8, "f": np.float32}.get(grey.dtype.kind)
    if grey.dtype.kind == "b" or grey.dtype == np.float16:
        grey = grey.astype(odd)
    if grey.dtype.kind == "f" and grey.dtype.itemsize > 8:
        raise TypeError(f"image has dtype {image.dtype}; convert it to float64 first")
    found = np.empty_like(grey)
    sizes = [2 * radius + 1 for radius in radii]

    def run(rows: slice) -> None:
        start = max(rows.start - radii[0], 0)
        slab = grey[start : rows.stop + radii[0]]
        own = ndimage.percentile_filter(slab, percent, size=sizes, mode="nearest")
        found[rows] = own[rows.start - start :][: rows.stop - rows.start]

    in_threads(run, cut(len(grey), threads), threads)
    return found.astype(image.dtype, copy=False)

"""Smooth images, and take away their background.

Each function takes an image (..., z, y, x) of any number of axes, leaves it as it is,
and declares its reach (`segkit.tiling.reaches`), so that `segkit.map_tiles` gives on
tiles exactly, bit by bit, what the function gives on the whole image. That decides
which library does the work: those whose result at a voxel depends on where the array
begins (OpenCV's Gaussian, running means of floats) are left aside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from segkit import checks, extents
from segkit.compiled.fallback import falls_back_on
from segkit.filters.medians import beyond_float64, median_over_box
from segkit.morphology import operations
from segkit.morphology.flat import difference
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach
from segkit.tiling.threads import cut, extremes, in_threads, thread_count
from segkit.windows import sums as window_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Array, PerAxis, RealPerAxis

_CACHED_BYTES = 2**21
_QUICK = 200
"""Voxels of boxes whose median takes as long as others do for a voxel."""


def _gaussian_radius(sigma: float, truncate: float) -> int:
    return int(truncate * sigma + 0.5)


def _gaussian_reach(
    ndim: int, *, sigma: Any, truncate: float = 4.0, **_: Any
) -> tuple[int, ...]:
    sigmas = checks.per_axis_real(sigma, ndim, name="sigma")
    return tuple(_gaussian_radius(s, truncate) for s in sigmas)


@known_as("segkit")
@declare_reach(_gaussian_reach)
def gaussian(
    image: ArrayLike,
    sigma: RealPerAxis,
    *,
    truncate: float = 4.0,
    workers: int | None = None,
) -> Array:
    """Smooth an image with a Gaussian.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    sigma : float or sequence of float
        Standard deviation along each axis in voxels; 0 leaves an axis as it is. For one
        in units of length divide it: ``2 / numpy.array(spacing)``.
    truncate : float
        Where the Gaussian ends, in standard deviations: the reach is
        ``int(truncate * sigma + 0.5)``.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray of float32 or float64, shape of `image`
        float32 for bool, 8- and 16-bit integers, float16 and float32, else float64.
        The same bits as `scipy.ndimage.gaussian_filter` with mode "reflect" of the
        image in that dtype, several times as fast.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey, finite and non-empty, or `sigma` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> gaussian(np.array([0, 0, 8, 0, 0]), 0.5).round(1)
    array([0. , 0.9, 6.3, 0.9, 0. ])
    """
    array = checks.as_image(image, finite=False)
    threads = thread_count(workers, array.size)
    if array.dtype.kind == "f":
        for extreme in extremes(array, threads):
            checks.require_finite_number(extreme)
    sigmas = checks.per_axis_real(sigma, array.ndim, name="sigma")
    truncate = checks.as_finite(truncate, name="truncate", least=0)
    extents.require_room([2 * max(sigmas) * truncate], name="sigma")
    floats = _as_floats(array, threads)
    smooth = _smoothed(floats, sigmas, truncate, threads)
    return smooth.copy() if np.may_share_memory(smooth, array) else smooth


def _smoothed_by_scipy(
    floats: Array,
    sigmas: Sequence[float],
    truncate: float,
    threads: int,  # noqa: ARG001 - as compiled
) -> Array:
    from scipy import ndimage

    smooth: Array = ndimage.gaussian_filter(floats, sigmas, truncate=truncate)
    return smooth


@falls_back_on(_smoothed_by_scipy)
def _smoothed(
    floats: Array, sigmas: Sequence[float], truncate: float, threads: int
) -> Array:
    *others, last = (
        _gaussian_weights(width, truncate) if width > 1e-15 else None
        for width in sigmas
    )
    smooth = floats
    for axis, weights in enumerate(others):
        if weights is not None:
            # Rows of the last axis are taken along as soon as they are made.
            rows = last if axis == floats.ndim - 2 else None
            smooth = _correlate(smooth, weights, axis, rows, threads)
            last = None if rows is not None else last
    return smooth if last is None else _along_rows(smooth, last, threads)


def _as_floats(array: Array, threads: int) -> Array:
    """Return an image as contiguous floats that hold it."""
    dtype = _float_dtype(array.dtype)
    if array.dtype == dtype and array.flags.c_contiguous:
        return array
    floats = np.empty(array.shape, dtype)

    def run(rows: slice) -> None:
        floats[rows] = array[rows]

    in_threads(run, cut(len(array), threads), threads)
    return floats


def _float_dtype(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    narrow = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.float32 if narrow else np.float64


def _gaussian_weights(sigma: float, truncate: float) -> NDArray[np.float64]:
    """Return the weights by distance, the sum over both sides being 1."""
    radius = _gaussian_radius(sigma, truncate)
    both = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
    weights: NDArray[np.float64] = (both / both.sum())[radius:]
    return weights


def _correlate(
    image: Array,
    weights: NDArray[np.float64],
    axis: int,
    along: NDArray[np.float64] | None,
    threads: int,
) -> Array:
    """Correlate an image along an axis but the last, and `along` that, if it is given.

    That is done with what is in the cache from before.
    """
    from segkit.filters import gaussian_kernel

    inner = math.prod(image.shape[axis + 1 :])
    volume = image.reshape(-1, image.shape[axis], inner)
    out = np.empty(volume.shape, image.dtype)
    lines = out.reshape(-1, inner)

    def run(rows: slice) -> None:
        part, total = (rows.start, rows.stop), np.empty(inner)
        gaussian_kernel.correlate_rows(volume, weights, part, total, out)
        if along is not None:
            _correlate_rows(lines[rows], along, lines[rows])

    pieces = out.nbytes // _CACHED_BYTES if along is not None else 0
    in_threads(run, cut(len(lines), max(threads, pieces)), threads)
    return out.reshape(image.shape)


def _along_rows(image: Array, weights: NDArray[np.float64], threads: int) -> Array:
    out = np.empty_like(image)
    lines, target = (one.reshape(-1, image.shape[-1]) for one in (image, out))

    def run(rows: slice) -> None:
        _correlate_rows(lines[rows], weights, target[rows])

    in_threads(run, cut(len(lines), threads), threads)
    return out


def _correlate_rows(lines: Array, weights: NDArray[np.float64], out: Array) -> None:
    """Correlate lines along the last axis; `out` may be `lines`."""
    from segkit.filters import gaussian_kernel

    length, reach = lines.shape[1], weights.size - 1
    line, total = np.empty(length + 2 * reach, lines.dtype), np.empty(length)
    gaussian_kernel.correlate_along_rows(lines, weights, line, total, out)


@known_as("segkit")
@declare_reach(
    lambda ndim, *, radius, **_: checks.per_axis(radius, ndim, name="radius")
)
def median(
    image: ArrayLike, radius: PerAxis = 1, *, workers: int | None = None
) -> Array:
    """Replace each voxel by the median of the box around it.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite. Beyond the border, the nearest voxel counts.
    radius : int or sequence of int
        Half the length of the box along each axis, without the centre, in voxels.
    workers : int, optional
        Number of threads; None takes this process's share of the processors (see
        `segkit.tiling.threads`).

    Returns
    -------
    ndarray, dtype and shape of `image`
        By networks of comparisons for small boxes, by counts for large ones, where
        the work grows with the number of columns of the box; over large boxes in
        planes of 8 bits OpenCV (the extra "fast") is faster, if it is installed. The
        result is the same.

    Examples
    --------
    >>> import numpy as np
    >>> median(np.array([1, 9, 1, 1, 5, 5]))
    array([1, 1, 1, 1, 5, 5])
    """
    array = checks.as_image(image)
    radii = checks.per_axis(radius, array.ndim, name="radius", least=0)
    extents.require_room([2 * r + 1 for r in radii], name="radius", most=2.0**62)
    box = math.prod(2 * r + 1 for r in radii)
    threads = thread_count(workers, array.size * box // _QUICK)
    if array.dtype.kind == "b":
        return median_over_box(array.view(np.uint8), radii, threads).view(np.bool_)
    return median_over_box(array, radii, threads)


@known_as("segkit")
@declare_reach(
    lambda ndim, *, shape, **_: tuple(
        n // 2 for n in checks.per_axis(shape, ndim, name="shape", least=1)
    )
)
def uniform(image: ArrayLike, shape: PerAxis) -> NDArray[np.float64]:
    """Return the mean over the box around each voxel, as far as it is in the image.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    shape : int or sequence of int
        Length of the box along each axis in voxels, placed as the window of
        `segkit.ndnt`.

    Returns
    -------
    ndarray of float64, shape of `image`
        Sums of integers are exact, those of floats are added in an order that does
        not depend on tiles.

    Raises
    ------
    ValueError
        If sums over the box overflow 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(np.array([3, 0, 0, 6]), 3)
    array([1.5, 1. , 2. , 3. ])
    """
    array = checks.as_image(image, finite=False)  # is looked at for the sums, anyway
    sizes = checks.per_axis(shape, array.ndim, name="shape", least=1)
    before = tuple(min(n // 2, m - 1) for n, m in zip(sizes, array.shape, strict=True))
    after = tuple(
        min((n - 1) // 2, m - 1) for n, m in zip(sizes, array.shape, strict=True)
    )
    return window_sums.window_means(array, before, after)


Background: TypeAlias = Literal["opening", "gaussian", "ball"]


def _background_reach(
    ndim: int, *, radius: Any, method: Background, **_: Any
) -> tuple[int, ...]:
    if method == "gaussian":
        return _gaussian_reach(ndim, sigma=radius)
    radii = checks.per_axis(radius, ndim, name="radius")
    return tuple(r * (2 if method == "opening" else 1) for r in radii)


@known_as("segkit")
@declare_reach(_background_reach)
def subtract_background(
    image: ArrayLike,
    radius: int,
    *,
    method: Background = "opening",
    workers: int | None = None,
) -> Array:
    """Subtract the slowly varying background from under bright objects.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    radius : int
        Scale in voxels that separates objects from background, larger than the
        radius of the largest object.
    method : {"opening", "gaussian", "ball"}
        What the background is:

        - "opening": the opening by a ball of that radius (white top-hat);
        - "gaussian": the image smoothed with a standard deviation of that radius;
        - "ball": where a ball rolled underneath cannot follow the surface [1]_
          (slow: scikit-image's, its work grows with the volume of the ball).
    workers : int, optional
        Number of threads of "gaussian"; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray, shape of `image`
        float32 or float64, with what lies below the background negative, for
        "gaussian"; else the image's dtype. For "ball" the background of integers is
        rounded towards 0, as scikit-image does it.

    Raises
    ------
    ValueError
        If the image's dtype does not hold a difference, as in
        `segkit.morphology.white_tophat`; for "ball", for integers beyond 2**53.

    References
    ----------
    .. [1] Sternberg, S. R. "Biomedical image processing", Computer 16:22-34, 1983.

    Examples
    --------
    >>> import numpy as np
    >>> subtract_background(np.array([2, 2, 9, 2, 3, 3, 3, 3]), 2)
    array([0, 0, 7, 0, 0, 0, 0, 0])
    """
    array = checks.as_image(image)
    thread_count(workers)  # refuses what is no number, whatever the method
    if method == "gaussian":
        smooth = gaussian(array, radius, workers=workers)
        beside: Array = array.astype(smooth.dtype) - smooth
        return beside
    if method == "opening":
        tophat: Array = operations.white_tophat(array, radius=radius)
        return tophat
    if method != "ball":
        raise ValueError(f"unknown method {method!r}; use opening, gaussian or ball")
    from skimage.restoration import rolling_ball

    size = checks.as_integer(radius, name="radius", least=1)
    if beyond_float64(array):
        raise ValueError(
            "image holds integers beyond 2**53, too large for method 'ball'; convert "
            "it to float64 first"
        )
    grey = array.view(np.uint8) if array.dtype.kind == "b" else array
    background: Array = rolling_ball(grey.astype(np.float64), radius=size)
    above = difference(grey, background.astype(grey.dtype))
    return above.astype(array.dtype, copy=False)

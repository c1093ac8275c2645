"""Second derivatives at a scale: eigenvalues of the Hessian, and its trace.

Derivatives are those of Gaussians (SciPy's), whose result at a voxel does not depend on
where the array begins, so that tiles are exact, bit by bit. Scales are lengths: where
voxels are not as deep as they are wide, `spacing` says so, and both the Gaussians and
the derivatives follow it.
"""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks, extents
from segkit.arrays import spacing_of
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach
from segkit.tiling.threads import cut, in_threads, shares, thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from segkit.arrays import Array, RealPerAxis

_ROWS = 2**15  # matrices of so many voxels are made at once
_WIDEST = 1e5
_NO_SIGMA = 1e-15  # up to which SciPy leaves an axis as it is
_END = 100
_FEWEST_AXES, _MOST_AXES = 2, 3


def as_floats(image: ArrayLike) -> Array:
    """Return a checked image as floats: float32 stays, float16 becomes it.

    All else becomes float64, with the same numbers.
    """
    array = checks.as_image(image)
    small = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return np.ascontiguousarray(array, np.float32 if small else np.float64)


def require_plane_or_volume(image: Array, what: str) -> None:
    """Raise `ValueError` unless an image has two or three axes."""
    if not _FEWEST_AXES <= image.ndim <= _MOST_AXES:
        raise ValueError(
            f"{what} is for images of 2 or 3 axes, not for {image.ndim}; give one plane"
            " or volume at a time"
        )


def as_truncate(truncate: Any) -> float:
    """Return where Gaussians end, in standard deviations: where they still have one."""
    return checks.as_positive(truncate, name="truncate", below=_END)


def in_voxels(
    sigma: Any, spacing: RealPerAxis | None, ndim: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the scale in voxels and the spacing, along each axis.

    Raises
    ------
    TypeError, ValueError
        If the scale is no positive number, or the spacing not positive.
    """
    length = checks.as_positive(sigma, name="sigma")
    steps = extents.as_spacing(1.0 if spacing is None else spacing, ndim)
    sigmas = tuple(length / step for step in steps)
    if max(sigmas) > _WIDEST:
        raise ValueError(
            f"sigma is {sigma}, {max(sigmas):g} voxels, but must be at most"
            f" {_WIDEST:g}; give it in units of spacing"
        )
    return sigmas, steps


def hessian_margin(sigma: Any, spacing: Any, truncate: Any, ndim: int) -> list[int]:
    """Return how far the Hessian at a scale reaches, along each axis."""
    end = as_truncate(truncate)
    sigmas, _ = in_voxels(sigma, spacing, ndim)
    return [2 * int(end * s / math.sqrt(2) + 0.5) for s in sigmas]


def _hessian_reach(
    ndim: int, *, sigma: Any, spacing: Any, truncate: Any, **_: Any
) -> tuple[int, ...]:
    return tuple(hessian_margin(sigma, spacing, truncate, ndim))


def hessian(
    image: Array,
    sigma: float,
    spacing: RealPerAxis | None,
    truncate: float,
    threads: int,
) -> list[Array]:
    """Return the upper triangle of the Hessian of a smoothed image, row by row.

    Each is the derivative along one axis of that along another, both of Gaussians of
    ``sigma / sqrt(2)``, which is more accurate for small scales than one of order 2.
    """
    sigmas, steps = in_voxels(sigma, spacing, image.ndim)
    narrow = [s / math.sqrt(2) for s in sigmas]
    along = np.eye(image.ndim, dtype=int).tolist()

    def derive(array: Array, axis: int) -> Array:
        found = _filtered(array, narrow, along[axis], truncate, threads)
        if steps[axis] != 1:
            found /= found.dtype.type(steps[axis])
        return found

    axes = range(image.ndim)
    first = [derive(image, axis) for axis in axes]
    pairs = itertools.combinations_with_replacement(axes, 2)
    return [derive(first[a], b) for a, b in pairs]


def _filtered(
    image: Array,
    sigmas: Sequence[float],
    orders: Sequence[int],
    truncate: float,
    threads: int,
) -> Array:
    """Return what `scipy.ndimage.gaussian_filter` does of floats, to the same bit.

    It filters along one axis after the other, here the lines of each in threads: of
    three derivatives, two threads would make one and two.
    """
    from scipy import ndimage

    out, source = np.empty_like(image), image

    def run(axis: int, lines: tuple[slice, ...]) -> None:
        order, sigma = orders[axis], sigmas[axis]
        ndimage.gaussian_filter1d(
            source[lines], sigma, axis, order, out[lines], truncate=truncate
        )

    for axis in range(image.ndim):
        if sigmas[axis] <= _NO_SIGMA:
            continue
        across = int(axis == 0)  # the first axis that is not filtered
        lengths = image.shape[across : across + 1]
        parts = shares(lengths[0], threads) if lengths else (slice(None),)
        lines = [(*(slice(None),) * across, part)[: image.ndim] for part in parts]
        in_threads(partial(run, axis), lines, threads)
        source = out
    return out if source is out else image.copy()


def eigenvalues(elements: Sequence[Array], threads: int) -> Array:
    """Return the eigenvalues of symmetric matrices, falling, shape (n, ...).

    Parameters
    ----------
    elements
        The upper triangle of the matrix of each voxel, row by row.
    threads
        How many work at it.
    """
    flat = [element.reshape(-1) for element in elements]
    ndim = (math.isqrt(8 * len(flat) + 1) - 1) // 2
    values = np.empty((ndim, flat[0].size), flat[0].dtype)

    def run(part: slice) -> None:
        values[:, part] = _eigenvalues_of([element[part] for element in flat], ndim)

    in_threads(run, cut(flat[0].size, max(threads, flat[0].size // _ROWS)), threads)
    return values.reshape(ndim, *elements[0].shape)


def _eigenvalues_of(elements: list[Array], ndim: int) -> Array:
    if ndim == 2:
        first, across, second = elements
        mean = (first + second) / 2
        apart = np.sqrt(across**2 + ((first - second) / 2) ** 2)
        return np.stack([mean + apart, mean - apart])
    matrices = np.empty((elements[0].size, ndim, ndim), elements[0].dtype)
    pairs = itertools.combinations_with_replacement(range(ndim), 2)
    for element, (a, b) in zip(elements, pairs, strict=True):
        matrices[:, a, b] = matrices[:, b, a] = element
    falling: Array = np.linalg.eigvalsh(matrices).T[::-1]
    return falling


@known_as("segkit")
@declare_reach(_hessian_reach)
def hessian_eigenvalues(
    image: ArrayLike,
    sigma: float,
    *,
    which: int | None = None,
    spacing: RealPerAxis | None = None,
    truncate: float = 8.0,
    workers: int | None = None,
) -> Array:
    """Return the eigenvalues of the Hessian of a smoothed image: how it curves.

    Parameters
    ----------
    image : array_like, shape (y, x) or (z, y, x)
        Bool, integer or float, finite.
    sigma : float
        Standard deviation of the Gaussian, in units of `spacing`.
    which : int, optional
        Only one of them: 0 is the largest, -1 the smallest. A step of a pipeline has
        to say so, for it returns one value for each voxel.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis; by default that of an opened image, else 1.
    truncate : float
        Where the Gaussians end, in standard deviations. The reach is
        ``2 * int(truncate * sigma / sqrt(2) + 0.5)`` voxels along an axis of spacing 1.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray of float32 or float64
        Shape (n, ...) for n axes, falling, or that of `image` with `which`; in grey
        values by squared unit of length. float32 for float16 and float32. Those of
        `skimage.feature.hessian_matrix_eigvals` of ``hessian_matrix(image, sigma,
        mode="reflect", use_gaussian_derivatives=True)``, which divides integers by the
        largest one of their dtype first.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey, finite, of two or three axes, or `sigma`,
        `truncate` or `spacing` not positive.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.zeros((9, 9))
    >>> line[4] = 1
    >>> hessian_eigenvalues(line, 1)[:, 4, 4].round(2)
    array([ 0.  , -0.35])
    """
    steps = spacing_of(spacing, image)
    array = as_floats(image)
    require_plane_or_volume(array, "hessian_eigenvalues")
    end = as_truncate(truncate)
    threads = thread_count(workers, array.size)
    if which is not None:
        number = checks.as_integer(which, name="which", least=-array.ndim)
        if number >= array.ndim:
            raise ValueError(
                f"which is {number}, but the image has {array.ndim} axes; give"
                f" {-array.ndim} to {array.ndim - 1}"
            )
    values = eigenvalues(hessian(array, sigma, steps, end, threads), threads)
    return values if which is None else values[which]


def _laplacian_reach(
    ndim: int, *, sigma: Any, spacing: Any, truncate: Any, **_: Any
) -> tuple[int, ...]:
    end = as_truncate(truncate)
    return tuple(int(end * s + 0.5) for s in in_voxels(sigma, spacing, ndim)[0])


@known_as("segkit")
@declare_reach(_laplacian_reach)
def laplacian_of_gaussian(
    image: ArrayLike,
    sigma: float,
    *,
    spacing: RealPerAxis | None = None,
    truncate: float = 4.0,
    workers: int | None = None,
) -> Array:
    """Return the Laplacian of a smoothed image: low on bright blobs of that scale.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    sigma : float
        Standard deviation of the Gaussian, in units of `spacing`. A bright ball of
        radius r has its lowest value where ``sigma = r / sqrt(n)`` for n axes.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis; by default that of an opened image, else 1.
    truncate : float
        Where the Gaussian ends, in standard deviations: the reach is
        ``int(truncate * sigma + 0.5)`` voxels along an axis of spacing 1.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray of float32 or float64, shape of `image`
        Not multiplied by ``sigma ** 2``, as `scipy.ndimage.gaussian_laplace`, whose
        numbers they are. float32 for float16 and float32.

    Examples
    --------
    >>> import numpy as np
    >>> laplacian_of_gaussian(np.array([0, 0, 0, 1, 0, 0, 0]), 1).round(2)
    array([ 0.04,  0.16,  0.  , -0.4 ,  0.  ,  0.16,  0.04])
    """
    given = spacing_of(spacing, image)
    array = as_floats(image)
    end = as_truncate(truncate)
    sigmas, steps = in_voxels(sigma, given, array.ndim)
    twice = (2 * np.eye(array.ndim, dtype=int)).tolist()
    threads = thread_count(workers, array.size)

    def derive(axis: int) -> Array:
        found = _filtered(array, sigmas, twice[axis], end, threads)
        if steps[axis] != 1:
            found /= found.dtype.type(steps[axis] ** 2)
        return found

    total = derive(0)
    for axis in range(1, array.ndim):
        total += derive(axis)
    return total

"""Ridges: lines and tubes at several scales, by eigenvalues of the Hessian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks
from segkit.arrays import spacing_of
from segkit.filters.derivatives import (
    as_floats,
    as_truncate,
    eigenvalues,
    hessian,
    hessian_margin,
    require_plane_or_volume,
)
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach
from segkit.tiling.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from segkit.arrays import Array, RealPerAxis

Polarity: TypeAlias = Literal["bright", "dark"]

_SCALES = (1, 3, 5, 7, 9)
_LEAST = 1e-10  # what eigenvalues of no ridge become, of which ratios are huge


def as_sigmas(sigmas: Any) -> tuple[float, ...]:
    """Return scales; raise `TypeError` or `ValueError` unless some, all positive."""
    values = (sigmas,) if np.ndim(sigmas) == 0 else tuple(sigmas)
    if not values:
        raise ValueError("sigmas is empty; give one scale at least")
    return tuple(checks.as_positive(value, name="sigmas") for value in values)


def _reach_of(ndim: int, sigmas: Any, spacing: Any, truncate: Any) -> tuple[int, ...]:
    margins = [
        hessian_margin(sigma, spacing, truncate, ndim) for sigma in as_sigmas(sigmas)
    ]
    return tuple(map(max, *margins)) if len(margins) > 1 else tuple(margins[0])


def _sato_reach(
    ndim: int, *, sigmas: Any, spacing: Any, truncate: Any, **_: Any
) -> tuple[int, ...]:
    return _reach_of(ndim, sigmas, spacing, truncate)


def _frangi_reach(
    ndim: int, *, sigmas: Any, spacing: Any, truncate: Any, gamma: Any, **_: Any
) -> tuple[int, ...] | None:
    found = _reach_of(ndim, sigmas, spacing, truncate)
    return None if gamma is None else found


@known_as("segkit")
@declare_reach(_sato_reach)
def sato(
    image: ArrayLike,
    sigmas: float | Sequence[float] = _SCALES,
    *,
    polarity: Polarity = "bright",
    spacing: RealPerAxis | None = None,
    truncate: float = 8.0,
    workers: int | None = None,
) -> Array:
    """Return how much of a line or tube there is at each voxel, after Sato et al. [1]_.

    Parameters
    ----------
    image : array_like, shape (y, x) or (z, y, x)
        Bool, integer or float, finite.
    sigmas : float or sequence of float
        Scales, in units of `spacing`: about the radii of the lines. Of each voxel, the
        highest value of all scales counts.
    polarity : {"bright", "dark"}
        Whether lines are brighter or darker than what is beside them.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis; by default that of an opened image, else 1.
    truncate : float
        See `hessian_eigenvalues`, whose reach at the largest scale is the reach.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray of float32 or float64, shape of `image`
        From 0 on, in grey values: ``sigma ** 2`` times the geometric mean of the
        curvatures across the line. Those of `skimage.filters.sato`, which has
        ``black_ridges=True`` by default.

    Raises
    ------
    TypeError, ValueError
        As `hessian_eigenvalues`, or if there is no scale.

    References
    ----------
    .. [1] Sato, Y. et al. "Three-dimensional multi-scale line filter for segmentation
       and visualization of curvilinear structures in medical images", Medical Image
       Analysis 2:143-168, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.zeros((9, 9))
    >>> line[4] = 1
    >>> sato(line, 1)[2:7, 4].round(2)
    array([0.  , 0.03, 0.35, 0.03, 0.  ])
    """

    def tubes(values: Array, sigma: float) -> Array:
        across = np.maximum(values[:-1], 0)
        mean: Array = sigma**2 * np.prod(across, 0) ** (1 / len(across))
        return mean

    return _largest(image, sigmas, polarity, spacing, truncate, workers, tubes)


@known_as("segkit")
@declare_reach(_frangi_reach)
def frangi(
    image: ArrayLike,
    sigmas: float | Sequence[float] = _SCALES,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float | None = None,
    polarity: Polarity = "bright",
    spacing: RealPerAxis | None = None,
    truncate: float = 8.0,
    workers: int | None = None,
) -> Array:
    """Return how much like a vessel each voxel is, after Frangi et al. [1]_.

    Parameters
    ----------
    image : array_like, shape (y, x) or (z, y, x)
        Bool, integer or float, finite.
    sigmas : float or sequence of float
        Scales, in units of `spacing`: about the radii of the vessels. Of each voxel,
        the highest value of all scales counts.
    alpha : float
        How strictly plates are told from tubes; without effect in planes.
    beta : float
        How strictly blobs are told from tubes.
    gamma : float, optional
        Below which curvature, in grey values by squared unit of length, there is only
        noise. By default half of the largest one in the whole image at the first scale:
        so the result depends on every voxel, no halo is large enough, and a pipeline
        runs the step on the whole image. With a number the reach is finite and tiles
        are exact.
    polarity : {"bright", "dark"}
        Whether vessels are brighter or darker than what is beside them.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis; by default that of an opened image, else 1.
    truncate : float
        See `hessian_eigenvalues`, whose reach at the largest scale is the reach.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray of float32 or float64, shape of `image`
        From 0 to 1. Those of `skimage.filters.frangi`, which has ``black_ridges=True``
        by default.

    Raises
    ------
    TypeError, ValueError
        As `hessian_eigenvalues`, or if there is no scale, or `alpha`, `beta` or `gamma`
        is not positive.

    References
    ----------
    .. [1] Frangi, A. F. et al. "Multiscale vessel enhancement filtering", MICCAI 1998,
       130-137.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.zeros((9, 9))
    >>> line[4] = 1
    >>> frangi(line, 1, gamma=0.2)[2:7, 4].round(2)
    array([0.31, 0.01, 0.78, 0.01, 0.31])
    """
    plate = checks.as_positive(alpha, name="alpha")
    blob = checks.as_positive(beta, name="beta")
    noise = None if gamma is None else checks.as_positive(gamma, name="gamma")

    def vessels(values: Array, _sigma: float) -> Array:
        nonlocal noise
        norm = np.sqrt((values**2).sum(0))
        if noise is None:
            noise = float(norm.max()) / 2 or 1.0
        return _vesselness(values, norm, plate, blob, noise)

    return _largest(image, sigmas, polarity, spacing, truncate, workers, vessels)


def _vesselness(
    values: Array, norm: Array, alpha: float, beta: float, gamma: float
) -> Array:
    """Return equations 13 and 15 of Frangi et al., where there is a ridge."""
    order = np.abs(values).argsort(0)
    first, *others = np.take_along_axis(values, order, 0)
    across = [np.maximum(other, _LEAST) for other in others]
    if len(across) == 1:
        blob = np.abs(first) / across[0]
    else:
        blob = np.abs(first) / np.sqrt(across[0] * across[1])
    found: Array = np.exp(-(blob**2) / (2 * beta**2))
    if len(across) > 1:
        found *= 1 - np.exp(-((across[0] / across[1]) ** 2) / (2 * alpha**2))
    found *= 1 - np.exp(-(norm**2) / (2 * gamma**2))
    return found


def _largest(
    image: ArrayLike,
    sigmas: Any,
    polarity: Polarity,
    spacing: RealPerAxis | None,
    truncate: float,
    workers: int | None,
    measure: Callable[[Array, float], Array],
) -> Array:
    """Return the largest of what is measured of the eigenvalues at each scale."""
    steps = spacing_of(spacing, image)
    array = as_floats(image)
    require_plane_or_volume(array, "a filter of ridges")
    checks.one_of(polarity, get_args(Polarity), name="polarity")
    end = as_truncate(truncate)
    if polarity == "bright":
        array = -array
    threads = thread_count(workers, array.size)
    largest = np.zeros_like(array)
    for sigma in as_sigmas(sigmas):
        elements = hessian(array, sigma, steps, end, threads)
        found = measure(eigenvalues(elements, threads), sigma)
        np.maximum(largest, found, out=largest)
    return largest

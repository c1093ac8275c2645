"""Blobs: round spots of any of several sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks
from segkit.arrays import spacing_of
from segkit.filters.derivatives import as_floats, in_voxels, laplacian_of_gaussian
from segkit.filters.ridges import Polarity, as_sigmas
from segkit.filters.smoothing import gaussian
from segkit.morphology.peaks import first_maxima
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach
from segkit.tiling.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Array, RealPerAxis

BlobFilter: TypeAlias = Literal["log", "dog"]

_RATIO = 1.6
"""Of the two Gaussians whose difference is nearest to a Laplacian (Marr and Hildreth,
"Theory of edge detection", Proceedings of the Royal Society B 207:187-217, 1980)."""
_END = 4.0


def _blobs_reach(
    ndim: int, *, sigmas: Any, spacing: Any, method: Any, **_: Any
) -> tuple[int, ...]:
    wider = _RATIO if method == "dog" else 1.0
    largest = wider * max(as_sigmas(sigmas))
    return tuple(int(_END * s + 0.5) + 1 for s in in_voxels(largest, spacing, ndim)[0])


@known_as("segkit")
@declare_reach(_blobs_reach)
def blobs(
    image: ArrayLike,
    sigmas: float | Sequence[float],
    threshold: float,
    *,
    method: BlobFilter = "log",
    polarity: Polarity = "bright",
    spacing: RealPerAxis | None = None,
    workers: int | None = None,
) -> NDArray[np.float32]:
    """Return an image of the centres of round spots, each with its scale.

    A centre is where the filter is highest among all neighbours in space and at the
    scales before and after, the first of equal ones [1]_. Blobs that overlap are all
    there. ``numpy.argwhere(blobs(...))`` lists the centres.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    sigmas : float or sequence of float
        Scales, in units of `spacing`: radii of blobs over the root of the number of
        axes. They are taken in rising order.
    threshold : float
        What the filter has to be above. It is about the contrast of a blob, in grey
        values: 0.74 of that of a disc, for "log".
    method : {"log", "dog"}
        The filter:

        - "log": the Laplacian of a Gaussian, times ``sigma ** 2``;
        - "dog": the difference of Gaussians of `sigma` and 1.6 `sigma`, over 0.6.
    polarity : {"bright", "dark"}
        Whether blobs are brighter or darker than what is around them.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis; by default that of an opened image, else 1.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray of float32, shape of `image`
        The scale at each centre, else 0. The reach is that of the widest Gaussian,
        which ends at 4 standard deviations, and one voxel.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, there is no scale, one is not
        positive, or `threshold` is no finite number.

    References
    ----------
    .. [1] Lindeberg, T. "Feature detection with automatic scale selection",
       International Journal of Computer Vision 30:79-116, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.ogrid[:30, :30]
    >>> disc = ((y - 9) ** 2 + (x - 12) ** 2 <= 4**2) * 100
    >>> found = blobs(disc, [1, 2, 3, 4, 5], 20)
    >>> np.argwhere(found).tolist(), found.max()
    ([[9, 12]], np.float32(3.0))
    """
    steps = spacing_of(spacing, image)
    array = as_floats(image)
    checks.one_of(method, get_args(BlobFilter), name="method")
    checks.one_of(polarity, get_args(Polarity), name="polarity")
    level = checks.as_finite(threshold, name="threshold")
    scales = sorted(set(as_sigmas(sigmas)))
    if polarity == "dark":
        array = -array
    threads = thread_count(workers, array.size)
    filtered = _by_laplacian if method == "log" else _by_difference
    cube = np.stack([filtered(array, scale, steps, threads) for scale in scales])
    centres = first_maxima(cube, (1,) * cube.ndim) & (cube > level)
    found = np.zeros(array.shape, np.float32)
    for scale, there in zip(scales, centres, strict=True):
        found[there] = scale
    return found


def _by_laplacian(image: Array, scale: float, steps: Any, threads: int) -> Array:
    return -(scale**2) * laplacian_of_gaussian(
        image, scale, spacing=steps, truncate=_END, workers=threads
    )


def _by_difference(image: Array, scale: float, steps: Any, threads: int) -> Array:
    narrow, wide = (
        gaussian(
            image,
            in_voxels(width, steps, image.ndim)[0],
            truncate=_END,
            workers=threads,
        )
        for width in (scale, _RATIO * scale)
    )
    difference: Array = (narrow - wide) / (_RATIO - 1)
    return difference

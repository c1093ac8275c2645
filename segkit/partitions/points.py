"""Points of interest, around which windows are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks
from segkit.extents import require_memory
from segkit.filters.derivatives import laplacian_of_gaussian
from segkit.filters.smoothing import gaussian
from segkit.morphology.peaks import peaks
from segkit.names import known_as
from segkit.partitions.partition import foreground
from segkit.tiling.cutting import tiles
from segkit.tiling.threads import in_threads, thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Array
    from segkit.io import Image
    from segkit.tiling.boxes import Tile

_BYTES = 80
"""Of memory for each pixel: what SURF sums up in six scales and four octaves."""

PointMethod: TypeAlias = Literal["maxima", "log", "surf"]


@known_as("segkit.partitions")
def interest_points(
    image: ArrayLike | Image,
    method: PointMethod = "log",
    *,
    sigma: float = 2.0,
    min_distance: int = 5,
    least: float = 0.0,
    most: int | None = None,
    mask: ArrayLike | None = None,
    tile: int | Sequence[int] | None = None,
    workers: int | None = None,
) -> NDArray[np.int64]:
    """Return where there is something to look at.

    Parameters
    ----------
    image : array or Image, real
        Grey image; of two axes for "surf".
    method : {'maxima', 'log', 'surf'}
        - "maxima": local maxima of the image, smoothed by `sigma`;
        - "log": local maxima of how strongly a blob of radius 1.4 `sigma`, bright or
          dark, stands out (the Laplacian of a Gaussian, without its sign);
        - "surf": the interest points of mahotas' SURF, of all its scales.
    sigma : float
        In voxels, above 0. Not used by "surf".
    min_distance : int
        Of two points closer than this along every axis, the higher one stays; of equals
        the first. Of "surf" likewise, by score.
    least : float
        Points of which the value, or score, is not above this are left out: a grey
        value for "maxima" (0 leaves out none), one of contrast for "log", the
        determinant of the Hessian for "surf".
    most : int, optional
        Keep so many points, the highest ones.
    mask : array of the shape of the image, optional
        Points where it is 0 are left out.
    tile
        Size of the tiles that are searched one by one; None searches the whole. Points
        do not depend on it. "surf" takes the whole image, since its sums over boxes
        run from the first pixel on: rounding, and with it which points are just above
        `least`, would depend on the tile. More than memory is a `MemoryError`.
    workers
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    int64 array, shape (n, axes)
        Positions in raster order; none may be left.

    References
    ----------
    .. [1] Bay, Ess, Tuytelaars and Van Gool, "Speeded-up robust features (SURF)",
       Computer Vision and Image Understanding 110 (2008), pp. 346-359; here by
       `mahotas.features.surf.interest_points`.
    .. [2] Lindeberg, "Feature detection with automatic scale selection", Int. J. of
       Computer Vision 30 (1998), pp. 79-116.

    Examples
    --------
    >>> image = np.zeros((30, 40))
    >>> image[10, 12], image[20, 31] = 100, 60
    >>> interest_points(image, "log", sigma=1).tolist()
    [[10, 12], [20, 31]]
    """
    checks.one_of(method, get_args(PointMethod), name="method")
    if method == "surf":
        instead = 'take method="log", which is tiled, or parts of it'
        require_memory(np.shape(image), _BYTES, name=repr(method), instead=instead)
    array = checks.as_image(image)
    sigma = checks.as_positive(sigma, name="sigma")
    apart = checks.as_integer(min_distance, name="min_distance", least=1)
    least = checks.as_finite(least, name="least", least=0)
    if method == "surf":
        points, values = _surf(array, apart, least)
    else:
        points, values = _maxima(array, method, sigma, apart, tile, workers)
        above = values > least if method == "log" or least > 0 else values > -np.inf
        points, values = points[above], values[above]
    if mask is not None:
        inside = foreground(mask, tuple(array.shape))[tuple(points.T)]
        points, values = points[inside], values[inside]
    return _in_order(points, values, most, array.shape)


def _maxima(
    array: Array,
    method: PointMethod,
    sigma: float,
    apart: int,
    tile: int | Sequence[int] | None,
    workers: int | None,
) -> tuple[Array, Array]:
    """Return places and heights of maxima, tile by tile."""
    # The height has to be known as far as it is compared.
    halo = int(4 * sigma + 0.5) + apart

    def run(one: Tile) -> tuple[Array, Array]:
        with checks.inside_tile():
            return _peaks(array[one.read.slices], one, method, sigma, apart)

    grid = tiles(array.shape, array.shape if tile is None else tile, halo=halo)
    parts = in_threads(run, grid, thread_count(workers, array.size))
    places, heights = zip(*parts, strict=True)
    return np.concatenate(places), np.concatenate(heights)


def _in_order(
    points: Array, values: Array, most: int | None, shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return the highest points, in raster order."""
    raster = np.ravel_multi_index(tuple(points.T), shape)
    if most is not None:
        count = checks.as_integer(most, name="most", least=1)
        highest = np.lexsort((raster, -values))[:count]
        points, raster = points[highest], raster[highest]
    ordered: NDArray[np.int64] = points[np.argsort(raster)].astype(np.int64)
    return ordered


def _peaks(
    voxels: Array, tile: Tile, method: PointMethod, sigma: float, apart: int
) -> tuple[Array, Array]:
    """Return places in the image, and heights, of the maxima that a tile owns."""
    grey = voxels.astype(np.float64)
    if method == "log":
        height = abs(laplacian_of_gaussian(grey, sigma, workers=1)) * sigma**2
    else:
        height = gaussian(grey, sigma, workers=1)
    places = np.argwhere(peaks(height, apart - 1)[tile.inner])
    inner = np.array([part.start for part in tile.inner])
    return places + np.array(tile.write.start), height[tuple((places + inner).T)]


def _surf(array: Array, apart: int, least: float) -> tuple[Array, Array]:
    """Return places and scores of SURF's interest points, none near a higher one."""
    from mahotas.features import surf

    if array.ndim != 2:
        raise ValueError(f"SURF takes an image of two axes, not {array.ndim}")
    found = surf.interest_points(array.astype(np.float64), threshold=least)
    places = np.clip(
        np.rint(found[:, :2]).astype(np.int64), 0, np.array(array.shape) - 1
    )
    scores = found[:, 3]
    order = np.lexsort((places[:, 1], places[:, 0], -scores))
    kept: list[int] = []
    for place in order:
        far = [np.abs(places[place] - places[k]).max() >= apart for k in kept]
        if all(far):
            kept.append(int(place))
    return places[kept].reshape(-1, 2), scores[kept]

"""Partitions that follow the image: superpixels, and basins of its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import in_space
from segkit.extents import require_memory
from segkit.filters.smoothing import gaussian
from segkit.labelling.labels import label
from segkit.morphology.operations import erosion
from segkit.names import known_as
from segkit.partitions.partition import Partition, labelled_regions
from segkit.regions.region_growing import watershed
from segkit.regions.superpixels import slic

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from segkit.io import Image

_BYTES = 80
"""Of memory for each voxel that is flooded: 78 were measured, of 9 million voxels."""


@known_as("segkit.partitions")
def superpixel_regions(
    image: Any,
    n_segments: int = 100,
    *,
    compactness: float = 10.0,
    tile: int | None = None,
    workers: int | None = None,
) -> Partition:
    """Return superpixels as regions: compact pieces of like values, by `segkit.slic`.

    Parameters
    ----------
    image, n_segments, compactness, tile, workers
        As for `segkit.slic`. The regions do not depend on `tile`.

    Examples
    --------
    >>> image = np.repeat([[0, 0, 0, 9, 9, 9, 9, 9]], 4, axis=0)
    >>> superpixel_regions(image, 2, compactness=0.1).sizes().tolist()
    [12, 20]
    """
    pieces = slic(
        image, n_segments, compactness=compactness, tile=tile, workers=workers
    )
    return labelled_regions(pieces)


@known_as("segkit.partitions")
def watershed_regions(image: ArrayLike | Image, *, sigma: float = 2.0) -> Partition:
    """Return the basins of the gradient as regions: `segkit.watershed` of its minima.

    Parameters
    ----------
    image : array or Image, real
        Grey image of any number of axes.
    sigma : float
        Of the Gaussian before the gradient is taken, in voxels: larger ones give fewer
        and larger basins. Above 0.

    Notes
    -----
    Where two floods meet depends on the whole way of each, so no halo makes tiles exact
    (`segkit.tiled_watershed` counts by how much they differ). The whole image is
    flooded at once, in about 80 bytes for each voxel; more than the machine's memory is
    a `MemoryError` before a voxel is read. `superpixel_regions` are tiled, and exact.

    Examples
    --------
    >>> image = np.zeros((20, 30))
    >>> image[:, 15:] = 50
    >>> len(watershed_regions(image, sigma=1))
    2
    """
    require_memory(
        np.shape(image),
        _BYTES,
        name="watershed_regions",
        instead="take superpixel_regions(image, tile=512), or parts of it",
    )
    grey = checks.as_image(in_space(image)).astype(np.float64)
    sigma = checks.as_positive(sigma, name="sigma")
    slope = _slope(gaussian(grey, sigma))
    minima = slope <= erosion(slope, 1, shape="box")
    return labelled_regions(watershed(slope, label(minima, connectivity=grey.ndim)))


def _slope(smooth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the length of the gradient, by differences of neighbours."""
    squares = np.zeros(smooth.shape)
    for axis, length in enumerate(smooth.shape):
        if length > 1:
            squares += np.gradient(smooth, axis=axis) ** 2
    return np.sqrt(squares)

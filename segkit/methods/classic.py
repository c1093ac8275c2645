"""Classic methods for nuclei, as published: to be compared with, and for tutorials.

Three rows of the table of Coelho et al. [1]_ (`mean`, `otsu`, `rc`), the two methods of
the mahotas tutorial, and the mean's mask parted by a distance map. Each takes one grey
plane (y, x), `distance_watershed` also volumes, and gives int32 labels, 0 = background.
Those that smooth the image refuse colour pictures and NaN, as `segkit.gaussian` does.

References
----------
.. [1] Coelho, Shariff and Murphy, "Nuclear segmentation in microscope cell images: a
   hand-segmented dataset and comparison of algorithms", ISBI 2009, pp. 518-521.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segkit import checks
from segkit.filters.smoothing import gaussian
from segkit.labelling.labels import label
from segkit.methods.axes import by_space, in_voxels
from segkit.methods.splitting import distance, renumbered
from segkit.morphology.flat import footprint
from segkit.regions.region_growing import watershed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.io import Image
    from segkit.methods.axes import Spacing

_LEAST = 2500  # pixels, of the published table
_MOST_GREY = 2**16 - 1


def mean(image: ArrayLike, *, min_size: int = _LEAST) -> NDArray[np.int32]:
    """Segment what is brighter than the mean: row "Mean" of the published table.

    Parameters
    ----------
    image : (y, x) array
        Grey image.
    min_size : int
        Smaller objects, in pixels, are dropped.

    Examples
    --------
    >>> image = np.zeros((80, 80), np.uint8)
    >>> image[10:70, 10:60] = 200
    >>> int(mean(image).max())
    1
    """
    return _cleaned(_brighter(_plane(image), "mean"), min_size)


def otsu(image: ArrayLike, *, min_size: int = _LEAST) -> NDArray[np.int32]:
    """Segment what is brighter than Otsu's threshold: row "Otsu" of the table.

    Parameters
    ----------
    image : (y, x) uint8 or uint16 array
        Grey image.
    min_size : int
        Smaller objects, in pixels, are dropped.

    Examples
    --------
    >>> image = np.zeros((80, 80), np.uint8)
    >>> image[10:70, 10:60] = 200
    >>> int((otsu(image) > 0).sum())
    2996
    """
    return _cleaned(_brighter(_plane(image), "otsu"), min_size)


def rc(image: ArrayLike, *, min_size: int = _LEAST) -> NDArray[np.int32]:
    """Segment by Ridler and Calvard's threshold: row "RC" of the published table.

    Parameters
    ----------
    image : (y, x) uint8 or uint16 array
        Grey image.
    min_size : int
        Smaller objects, in pixels, are dropped.

    Examples
    --------
    >>> image = np.zeros((80, 80), np.uint8)
    >>> image[10:70, 10:60] = 200
    >>> int((rc(image) > 0).sum())
    2996
    """
    return _cleaned(_brighter(_plane(image), "rc"), min_size)


def gaussian_mean(image: ArrayLike, *, sigma: float = 2.0) -> NDArray[np.int32]:
    """Segment what is brighter than the mean after smoothing: the tutorial's method 1.

    Examples
    --------
    >>> image = np.zeros((40, 40), np.uint8)
    >>> image[5:15, 5:15] = image[25:35, 25:35] = 200
    >>> int(gaussian_mean(image).max())
    2
    """
    return _labelled(_brighter(_smoothed(_plane(image), sigma), "mean"))


def gaussian_otsu(image: ArrayLike, *, sigma: float = 4.0) -> NDArray[np.int32]:
    """Segment by Otsu's threshold after smoothing: the tutorial's method 2.

    The smoothed image is stretched to 0..255 first, and rounded down.

    Examples
    --------
    >>> image = np.zeros((60, 60), np.uint8)
    >>> image[5:20, 5:20] = image[38:55, 38:55] = 200
    >>> int(gaussian_otsu(image).max())
    2
    """
    import mahotas

    stretched = mahotas.stretch(_smoothed(_plane(image), sigma))
    return _labelled(_brighter(stretched, "otsu"))


def distance_watershed(
    image: ArrayLike | Image,
    *,
    axes: str | None = None,
    spacing: float | Sequence[float] | None = None,
    sigma: float = 8.0,
    min_distance: int = 20,
    min_size: int = _LEAST,
) -> NDArray[np.int32]:
    """Segment as `gaussian_mean` and part touching objects by their distance map.

    The map is smoothed and flooded from its peaks: the row "EDT watershed" of the
    project's comparison tables.

    Parameters
    ----------
    image : array or Image
        Grey image.
    axes, spacing
        As for `segkit.segment_nuclei`: an array of three axes alone is refused.
    sigma : float
        Of the Gaussian on the distance map, in pixels of the finest axis.
    min_distance : int
        Least distance between two peaks along an axis, in pixels of the finest axis.
    min_size : int
        Smaller objects, in pixels (of a volume in voxels), are dropped.

    Examples
    --------
    >>> y, x = np.mgrid[:80, :140]
    >>> pair = np.minimum(np.hypot(y - 40, x - 45), np.hypot(y - 40, x - 95)) < 30
    >>> int(distance_watershed(pair * 100.0, sigma=2, min_size=0).max())
    2
    """
    segment = partial(
        _parted,
        sigma=checks.as_finite(sigma, name="sigma", least=0),
        min_distance=checks.as_integer(min_distance, name="min_distance"),
        min_size=min_size,
    )
    return by_space(image, axes, spacing, segment)


def _parted(
    image: NDArray[Any],
    spacing: Spacing,
    _: float,
    *,
    sigma: float,
    min_distance: int,
    min_size: int,
) -> NDArray[np.int32]:
    """Segment a plane or a volume; see `distance_watershed`."""
    mask = _brighter(_smoothed(image, in_voxels(2, spacing)), "mean")
    height = gaussian(distance(mask, spacing), in_voxels(sigma, spacing))
    peaks = _peaks(height, mask, min_distance, spacing)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return _without_small(watershed(-height, markers, mask=mask), min_size)


def _peaks(
    height: NDArray[np.float64],
    mask: NDArray[np.bool_],
    min_distance: int,
    spacing: Spacing,
) -> NDArray[np.int64]:
    """Return the places of the maxima in a mask that are the highest far around.

    One row each. Of two within `min_distance` along every axis the lower one is left
    out; of equals, one.
    """
    from scipy.spatial import KDTree
    from skimage import feature

    peak_local_max: Any = feature.peak_local_max  # skimage is typed in part
    radii = [int(n) for n in in_voxels(min_distance, spacing)]
    peaks: NDArray[np.int64] = peak_local_max(
        height,
        # It keeps peaks so many voxels apart along every axis, and the box the rest.
        min_distance=max(1, min(radii)),
        footprint=footprint(radii, height.ndim, shape="box"),
        labels=mask.astype(np.int32),
        exclude_border=False,
    )
    if len(set(spacing)) == 1 or len(peaks) == 0:
        return peaks
    order = np.argsort(-height[tuple(peaks.T)], kind="stable")
    peaks = peaks[order]
    near = KDTree(peaks * spacing).query_pairs(min_distance, p=np.inf)
    stays = np.ones(len(peaks), bool)
    for higher, lower in sorted(near):
        stays[lower] &= not stays[higher]
    return peaks[stays]


def _plane(image: ArrayLike | Image) -> NDArray[Any]:
    """Return an image of two axes; raise `ValueError` for others."""
    array = checks.as_array(image)
    checks.require_real(array)
    if array.ndim != 2:
        raise ValueError(
            f"image has shape {array.shape}; this method takes one plane (y, x), so"
            " give each plane or frame by itself, image[0]"
        )
    return array


def _brighter(
    grey: NDArray[Any], method: Literal["mean", "otsu", "rc"]
) -> NDArray[np.bool_]:
    """Return what is brighter than a threshold of the whole image."""
    import mahotas  # as by whoever published the table

    if method == "mean":
        level = np.mean(grey)
    else:
        level = getattr(mahotas, method)(_counted(grey))
    brighter: NDArray[np.bool_] = grey > level
    return brighter


def _counted(grey: NDArray[Any]) -> NDArray[Any]:
    """Return grey values as the published methods count them; raise for others."""
    if grey.dtype.kind not in "iu" or grey.min() < 0 or grey.max() > _MOST_GREY:
        raise TypeError(
            f"image has dtype {grey.dtype}, of which not all are whole numbers from 0"
            f" to {_MOST_GREY}; convert it to uint8 or uint16"
        )
    counted = grey if grey.dtype == np.uint8 else grey.astype(np.uint16)
    return np.require(counted, requirements="W")  # mahotas takes no others


def _smoothed(
    image: NDArray[Any], sigma: float | tuple[float, ...]
) -> NDArray[np.float64]:
    return gaussian(image.astype(np.float64), sigma)


def _cleaned(mask: NDArray[np.bool_], min_size: int) -> NDArray[np.int32]:
    """Smooth a mask by the majority of 5x5 pixels, label it, drop small objects."""
    import mahotas

    return _without_small(_labelled(mahotas.majority_filter(mask, 5)), min_size)


def _labelled(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    return label(mask).astype(np.int32, copy=False)


def _without_small(labels: NDArray[Any], min_size: int) -> NDArray[np.int32]:
    min_size = checks.as_integer(min_size, name="min_size")
    return renumbered(labels, np.bincount(labels.ravel()) >= min_size)

"""Learning-free segmentation of nuclei and other bright blobs of about one size.

One function with defaults, `segment_nuclei`, that takes its scales from the image;
`segkit.methods.classic` holds the published methods to compare it with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.filters.smoothing import gaussian
from segkit.methods.splitting import renumbered, split_by_shape, typical_radius
from segkit.morphology import operations
from segkit.names import known_as
from segkit.thresholding.methods import threshold as threshold_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Voxels along the smallest box by which the background is opened.
_LEAST_BOX = 15


@known_as("segkit")
def segment_nuclei(
    image: ArrayLike,
    *,
    sensitivity: float = 1.0,
    edge: float | None = None,
    depth: float = 0.12,
    min_radius: float = 0.65,
    focus: float = 0.3,
) -> NDArray[np.int32]:
    """Segment bright blobs of about one size on an uneven, darker background.

    No size is asked for; it is estimated from the image:

    1. background is the opening of the coarse image by a box of a quarter of the image
       (halved as long as what stands out is half as wide then, with rims as steep: wide
       glows are background), then (twice) the smooth surface through the voxels outside
       of the foreground, at a distance of several objects, unless a glow comes back;
    2. foreground is what exceeds the background by Otsu's threshold of its square root,
       which is lower than Otsu's and so keeps dim objects beside bright ones;
    3. touching objects are cut at their necks (`depth`);
    4. each object's boundary is moved to where its own brightness falls to `edge` of
       the way from background to its bright level, and necks are cut again: bright
       objects lose their glow and dim ones keep their size;
    5. crumbs much smaller than the typical object are dropped, and blurs whose rim is
       much less steep than the typical one.

    Parameters
    ----------
    image : (..., y, x) array, real
        Grey image of two or more axes, bright objects.
    sensitivity : float
        Divides the threshold of step 2: above 1 finds dimmer objects. Above 0.
    edge : float, optional
        Level of the boundary, as a part of the object's contrast, in (0, 1). Estimated
        from the image by default: a little outside of the steepest slope.
    depth : float
        Least depth of a neck where objects are cut, as a part of the radius of the
        smaller object, from 0 on: smaller cuts more.
    min_radius : float
        Objects smaller than a ball of this part of the typical radius are dropped;
        those that the image's border cuts may have 0.4 of that size. From 0 on.
    focus : float
        Objects whose rim rises less steeply than this part of the median rim, relative
        to their brightness, are dropped as out of focus; 0 keeps all.

    Returns
    -------
    int32 array
        Labels 1..n, 0 = background.

    Raises
    ------
    TypeError, ValueError
        If the image has fewer than two axes, no voxels, is not of real numbers, looks
        like a colour picture, or holds NaN or infinity; if an option is no finite
        number in its range.

    Examples
    --------
    >>> y, x = np.mgrid[:64, :96]
    >>> discs = [(32, 30, 12), (32, 52, 12), (30, 80, 11)]  # the first two touch
    >>> mask = sum((y - a) ** 2 + (x - b) ** 2 <= r * r for a, b, r in discs) > 0
    >>> int(segment_nuclei(100.0 * mask + x).max())
    3
    """
    grey = _grey(image)
    sensitivity = checks.as_positive(sensitivity, name="sensitivity")
    if edge is not None:
        edge = checks.as_positive(edge, name="edge", below=1)
    depth = checks.as_finite(depth, name="depth", least=0)
    min_radius = checks.as_finite(min_radius, name="min_radius", least=0)
    focus = checks.as_finite(focus, name="focus", least=0)

    with checks.inside_tile():  # a volume may shrink until it is as thin as a picture
        contrast, mask = _above_background(gaussian(grey, 1), sensitivity)
        mask = operations.fill_holes(mask)
        objects = _split(mask, depth)
        if edge is None:
            edge = _edge_level(contrast, objects)
        contrast = _smoother(contrast, typical_radius(mask))
        for _ in range(2):
            level = _bright_level(contrast, objects)
            kept = (contrast > edge * level[objects]) & (objects > 0)
            mask = _opened(operations.fill_holes(kept))
            objects = _split(mask, depth)
        objects = _in_focus(contrast, objects, focus)
        radius = min_radius * typical_radius(mask)
    return _drop_small(objects, max(12, _ball(radius, grey.ndim)))


def _smoother(contrast: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Smooth to a sigma of a twentieth of the radius: outlines of texture are ragged.

    The image was smoothed with a sigma of 1 already; variances add.
    """
    variance = (0.05 * radius) ** 2 - 1
    return gaussian(contrast, variance**0.5) if variance > 0 else contrast


def _split(mask: NDArray[np.bool_], depth: float) -> NDArray[np.int32]:
    radius = typical_radius(mask)
    smoothing = max(0.5, 0.15 * radius)
    return split_by_shape(mask, smoothing=smoothing, depth=depth, least=0.4 * radius)


def _above_background(
    image: NDArray[np.float64], sensitivity: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the image less its smooth background, and what of it is foreground.

    Noise makes it negative at places.
    """
    box = max(_LEAST_BOX, min(image.shape[-2:]) // 4)
    contrast = _above_opening(image, box)
    mask = _foreground(contrast, sensitivity)
    while box // 2 >= _LEAST_BOX:
        box //= 2
        finer = _above_opening(image, box)
        inside = _foreground(finer, sensitivity)
        if not _is_glow(image, mask, inside):
            break
        contrast, mask = finer, inside
    for _ in range(2):
        smoother = image - _surface(image, mask, 6 * typical_radius(mask))
        outside = _foreground(smoother, sensitivity)
        if _is_glow(image, outside, mask):
            break
        contrast, mask = smoother, outside
    return contrast, mask


def _above_opening(image: NDArray[np.float64], box: int) -> NDArray[np.float64]:
    """Return the image less the opening of the coarse image by a box."""
    factor = max(1, box // 24)
    coarse = _shrunk(image, factor)
    opened = operations.opening(coarse, max(1, box // factor // 2), shape="box")
    return image - _grown(opened, factor, image.shape)


def _foreground(contrast: NDArray[np.float64], sensitivity: float) -> NDArray[np.bool_]:
    return _opened(contrast > _threshold(contrast, sensitivity))


def _opened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the opening by a cross, with background beyond the image.

    To `segkit.binary_opening` nothing is there, and crumbs at the border would stay.
    """
    from scipy import ndimage

    opened: NDArray[np.bool_] = ndimage.binary_opening(mask)
    return opened


def _is_glow(
    image: NDArray[np.float64], mask: NDArray[np.bool_], other: NDArray[np.bool_]
) -> bool:
    """Return whether things in a mask are wider, and with no steeper rims, than others.

    Wider by a factor of two. What a narrower box leaves of large objects is smaller,
    too, but its rims are shallow.
    """
    wider = typical_radius(mask) > 2 * typical_radius(other)
    return wider and _rim_slope(image, mask) <= _rim_slope(image, other)


def _rim_slope(image: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Return the median slope of an image at the inner rim of a mask; 0 without one."""
    rim = mask & ~operations.binary_erosion(mask)
    return float(np.median(_gradient(image)[rim])) if rim.any() else 0.0


def _surface(
    image: NDArray[np.float64], mask: NDArray[np.bool_], sigma: float
) -> NDArray[np.float64]:
    """Return the smooth surface through the voxels away from a mask."""
    factor = max(1, int(sigma // 4))
    outside = ~operations.binary_dilation(mask, 3, shape="diamond")
    # A trace of all voxels, where no background is near.
    weight = outside.astype(np.float64) + 1e-4
    total, weights = (
        gaussian(_shrunk(a, factor), sigma / factor) for a in (image * weight, weight)
    )
    return _grown(total / weights, factor, image.shape)


def _shrunk(image: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """Return the means over blocks of a factor per axis; the last ones are padded."""
    if factor == 1:
        return image
    padded = np.pad(image, [(0, -n % factor) for n in image.shape], mode="edge")
    blocks = [part for n in padded.shape for part in (n // factor, factor)]
    means: NDArray[np.float64] = padded.reshape(blocks).mean(
        axis=tuple(range(1, 2 * image.ndim, 2))
    )
    return means


def _grown(
    image: NDArray[np.float64], factor: int, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the linear interpolation of means over blocks at every voxel."""
    if factor == 1:
        return image
    from scipy import ndimage  # the kit does not resample

    grown: NDArray[np.float64] = ndimage.affine_transform(
        image,
        np.full(image.ndim, 1 / factor),
        offset=0.5 / factor - 0.5,
        output_shape=shape,
        order=1,
        mode="nearest",
    )
    return grown


def _threshold(contrast: NDArray[np.float64], sensitivity: float) -> float:
    """Return Otsu's threshold of the square root, or three times the noise if more."""
    root = np.sqrt(np.clip(contrast, 0, None))
    if root.min() == root.max():
        return float(contrast.max())
    threshold = threshold_of(root, "otsu") ** 2 / sensitivity
    above = contrast[contrast > threshold]
    if above.size:  # again without the extremes: bright debris would hide dim objects
        root = np.minimum(root, np.sqrt(2 * float(np.median(above))))
        threshold = threshold_of(root, "otsu") ** 2 / sensitivity
    return max(threshold, 3 * _noise(contrast, contrast > threshold))


def _noise(contrast: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    below = contrast[~mask]
    if below.size == 0:
        return 0.0
    return 1.4826 * float(np.median(np.abs(below - np.median(below))))


def _bright_level(
    contrast: NDArray[np.float64], objects: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return the upper quartile of the contrast in each object; 0 for background."""
    inside = objects > 0
    label, value = objects[inside], contrast[inside]
    order = np.lexsort((value, label))
    size = np.bincount(label, minlength=int(objects.max()) + 1)
    end = np.cumsum(size)
    level = np.zeros(size.size)
    filled = size > 0
    level[filled] = value[order][(end - 1 - size // 4)[filled]]
    return level


def _ball(radius: float, ndim: int) -> float:
    """Return the volume of an n-dimensional ball."""
    from math import gamma, pi

    return float(pi ** (ndim / 2) / gamma(ndim / 2 + 1) * radius**ndim)


def _edge_level(contrast: NDArray[np.float64], objects: NDArray[np.int32]) -> float:
    """Return the level, as a part of an object's contrast, where outlines are drawn.

    That is a little outside of the steepest slope: the level with the largest mean
    gradient over all objects, less 0.15. Small objects, all blur, have it near 0.45,
    large ones with a round edge at 0.25.
    """
    inside = objects > 0
    if not inside.any():
        return 0.5
    level = _bright_level(contrast, objects)[objects[inside]]
    # 40 bins of the level, running means over 5 of them, between 0.2 and 0.7
    bins = np.clip(contrast[inside] / level * 40, 0, 39).astype(np.int64)
    slope = np.bincount(bins, _gradient(contrast)[inside] / level, minlength=40)
    voxels, window = np.bincount(bins, minlength=40), np.ones(5)
    mean = np.convolve(slope, window, "same")
    mean /= np.maximum(np.convolve(voxels, window, "same"), 1)
    steepest = (8.5 + int(np.argmax(mean[8:28]))) / 40
    return float(np.clip(steepest - 0.15, 0.15, 0.55))


def _gradient(image: NDArray[np.float64]) -> NDArray[np.float64]:
    squares = np.zeros(image.shape)
    for axis in range(image.ndim):
        squares += np.gradient(image, axis=axis) ** 2
    return np.sqrt(squares)


def _in_focus(
    contrast: NDArray[np.float64], objects: NDArray[np.int32], least: float
) -> NDArray[np.int32]:
    """Drop objects with a rim less steep than a part of the median over all objects."""
    padded = np.pad(objects, 1, mode="edge")
    rim = np.zeros(objects.shape, bool)
    inner = (slice(1, -1),) * objects.ndim
    for axis in range(objects.ndim):
        for step in (-1, 1):
            rim |= np.roll(padded, step, axis=axis)[inner] != objects
    rim &= objects > 0
    label = objects[rim]
    if label.size == 0:
        return objects
    level = _bright_level(contrast, objects)
    voxels = np.bincount(label, minlength=level.size)
    rise = np.bincount(label, _gradient(contrast)[rim], minlength=level.size)
    slope = rise / np.maximum(voxels * level, np.finfo(float).tiny)
    return renumbered(objects, slope >= least * np.median(slope[voxels > 0]))


def _drop_small(objects: NDArray[Any], min_size: float) -> NDArray[np.int32]:
    """Drop objects under a size; those that the border cuts show a part: 0.4 of it."""
    size = np.bincount(objects.ravel())
    cut = np.zeros(size.size, bool)
    for axis in range(objects.ndim):
        cut[np.take(objects, [0, -1], axis=axis)] = True
    return renumbered(objects, size >= np.where(cut, 0.4, 1.0) * min_size)


def _grey(image: ArrayLike) -> NDArray[np.float64]:
    checks.require_unmasked(image)
    array = np.asarray(image)
    if array.ndim < 2 or array.size == 0 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"image has shape {array.shape} and dtype {array.dtype}; a grey image has "
            "two or more axes, at least one voxel, and real numbers"
        )
    checks.require_grey(array)
    grey = array.astype(np.float64)
    if not np.isfinite(grey).all():
        raise ValueError("image holds NaN or infinity; replace them first")
    return grey

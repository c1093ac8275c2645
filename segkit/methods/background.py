"""The smooth background of bright blobs, and what stands out from it.

Lengths are in voxels of the finest axis, as is the spacing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.filters.smoothing import gaussian
from segkit.labelling.labels import label
from segkit.methods.axes import in_voxels, is_fine
from segkit.methods.splitting import radius_of_objects, typical_radius
from segkit.morphology import operations
from segkit.morphology.flat import footprint
from segkit.thresholding.methods import threshold as threshold_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.methods.axes import Spacing

# Thresholds so many times as high as that of the rest are those of a few extremes.
_EXTREME = 4
# There is no surface through the background where less of the image than this is seen
# to be it: between objects that fill the image it would run through these.
_SEEN = 0.25
# What is so many voxels away from objects is background; of specks no wider than that,
# as noise has them, it says nothing.
_MARGIN = 3
# Planes seem to be farther apart than pixels only if by this factor; and the most.
_FARTHER, _FARTHEST = 1.2, 16
# How much wider, times how much less steep at their rims, what glows is.
_WIDER, _GLOW = 1.2, 5
# Along the smallest box by which the background is opened.
_LEAST_BOX = 15
# How often near means and the mask that they are of are found by each other; and how
# much the means of the whole image count, where nothing of one kind is near.
_ROUNDS, _FAR = 3, 0.02
# Background beside objects that has less than this part of their brightness is no haze.
_HAZE = 0.05


def above_background(
    image: NDArray[np.float64],
    sensitivity: float,
    spacing: Spacing,
    radius: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the image less its smooth background, and what of it is foreground.

    Noise makes it negative at places. What is much wider than a radius that is known is
    background; else what is wide is told from glow by its rims.
    """
    if radius is not None:
        return _of_known_size(image, sensitivity, spacing, radius)
    sides = zip(image.shape[-2:], spacing[-2:], strict=True)
    box = max(_LEAST_BOX, min(int(n * distance) for n, distance in sides) // 4)
    contrast = _above_opening(image, box, spacing)
    mask = _foreground(contrast, sensitivity, spacing)
    while box // 2 >= _LEAST_BOX:
        box //= 2
        finer = _above_opening(image, box, spacing)
        inside = _foreground(finer, sensitivity, spacing)
        if not _is_glow(image, mask, inside, spacing):
            break
        contrast, mask = finer, inside
    for _ in range(2):
        away, radius = _away(mask, spacing), typical_radius(mask, spacing)
        wide = radius_of_objects(mask, spacing) > 2 * _MARGIN
        if wide and away.mean() < _SEEN:
            break
        smoother = image - _surface(image, away, 6 * radius, spacing)
        outside = _foreground(smoother, sensitivity, spacing)
        if _is_glow(image, outside, mask, spacing):
            break
        contrast, mask = smoother, outside
    return contrast, _without_glow(image, contrast, mask, sensitivity, spacing)


def above_haze(
    contrast: NDArray[np.float64],
    mask: NDArray[np.bool_],
    radius: float,
    sensitivity: float,
    spacing: Spacing,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the contrast to the background near by, and what of it is foreground.

    One threshold joins bright objects by the haze between them, and misses dim ones. So
    foreground is what is nearer to the mean of the foreground than to that of the
    background, both within about a radius. Where there is no haze, the image is left
    alone, as its mask is as good. So is a volume: in it nuclei lie on all sides, and
    more of them came out smaller than they are.
    """
    if mask.ndim > 2 or not mask.any():
        return contrast, mask
    # Extremes would hide what is beside them.
    bright = np.clip(contrast, 0, 2 * float(np.median(contrast[mask])))
    found = mask
    for _ in range(_ROUNDS):
        if not found.any() or found.all():
            return contrast, mask
        within = _mean_near(bright, found, radius, spacing)
        outside = _mean_near(bright, ~found, radius, spacing)
        if found is mask and outside[mask].mean() < _HAZE * within[mask].mean():
            return contrast, mask
        level = outside + (within - outside) / (2 * sensitivity)
        found = opened(bright > level, spacing)
    if not found.any() or found.all():
        return contrast, mask
    return contrast - _mean_near(bright, ~found, radius, spacing), found


def _mean_near(
    image: NDArray[np.float64],
    where: NDArray[np.bool_],
    sigma: float,
    spacing: Spacing,
) -> NDArray[np.float64]:
    """Return the mean of what is marked, weighed by a Gaussian about each voxel."""
    pair = np.where(where, image, 0), where.astype(np.float64)
    (total, weights), factors = _near(pair, sigma, spacing)
    mean = (total + _FAR * image[where].mean()) / (weights + _FAR)
    return _grown(mean, factors, image.shape)


def _of_known_size(
    image: NDArray[np.float64], sensitivity: float, spacing: Spacing, radius: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the same for objects of a known radius: what is twice as wide is not one.

    A smooth surface beside them would be no better: it takes in what they lie on.
    """
    contrast = _above_opening(image, max(_LEAST_BOX, int(4 * radius)), spacing)
    return contrast, _foreground(contrast, sensitivity, spacing)


def apparent_step(mask: NDArray[np.bool_], across: int) -> float:
    """Return how far apart planes seem to be, in pixels, by the outlines in a volume.

    Surfaces that face all directions alike are crossed as often along each axis, on the
    same length. At least 1, and 1 if nearly so: where few planes are seen, or objects
    are smeared along z, it would seem that these are nearer than pixels.
    """
    crossed = [float(np.diff(mask, axis=axis).mean()) for axis in range(mask.ndim)]
    along = crossed.pop(across)
    step = along / max(float(np.mean(crossed)), np.finfo(float).tiny)
    return min(step, _FARTHEST) if step > _FARTHER else 1.0


def opened(mask: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.bool_]:
    """Return the opening by a cross, with background beyond the image.

    To `segkit.binary_opening` nothing is there, and crumbs at the border would stay.
    Along a coarse axis an object may be a single voxel thick: the cross has no arms
    there.
    """
    from scipy import ndimage

    cross = footprint([int(fine) for fine in is_fine(spacing)], mask.ndim)
    without_crumbs: NDArray[np.bool_] = ndimage.binary_opening(mask, cross)
    return without_crumbs


def gradient(image: NDArray[np.float64], spacing: Spacing) -> NDArray[np.float64]:
    """Return the slope of an image; an axis of a single voxel has none."""
    squares = np.zeros(image.shape)
    for axis, distance in enumerate(spacing):
        if image.shape[axis] > 1:
            squares += np.gradient(image, distance, axis=axis) ** 2
    return np.sqrt(squares)


def _above_opening(
    image: NDArray[np.float64], box: int, spacing: Spacing
) -> NDArray[np.float64]:
    """Return the image less the opening of the coarse image by a box."""
    factors = _factors(max(1, box // 24), spacing)
    coarse = _shrunk(image, factors)
    radii = [
        max(1, int(width / factor / 2))
        for width, factor in zip(in_voxels(box, spacing), factors, strict=True)
    ]
    background = operations.opening(coarse, radii, shape="box")
    return image - _grown(background, factors, image.shape)


def _foreground(
    contrast: NDArray[np.float64], sensitivity: float, spacing: Spacing
) -> NDArray[np.bool_]:
    level = _threshold(contrast, sensitivity)
    mask = opened(contrast > level, spacing)
    lower = _threshold(np.minimum(contrast, level), sensitivity)
    if lower > level / _EXTREME:
        return mask
    # A few extremes have hidden the others, or it is their glow.
    every = opened(contrast > lower, spacing)
    return every if _are_more(every, mask) else mask


def _without_glow(
    image: NDArray[np.float64],
    contrast: NDArray[np.float64],
    mask: NDArray[np.bool_],
    sensitivity: float,
    spacing: Spacing,
) -> NDArray[np.bool_]:
    """Return a mask, or what is bright in it if the rest is glow or fibres around it.

    Not if the rest is more objects: these are dim ones beside a few bright ones.
    """
    level = threshold_of(np.maximum(contrast, 0), "otsu") / sensitivity
    bright = mask & opened(contrast > level, spacing)
    if not bright.any() or _are_more(mask, bright):
        return mask
    wider = typical_radius(mask, spacing) / typical_radius(bright, spacing)
    steeper = _rim_slope(image, bright, spacing)
    shallow = max(_rim_slope(image, mask, spacing), np.finfo(float).tiny)
    return bright if wider > _WIDER and wider * steeper > _GLOW * shallow else mask


def _are_more(every: NDArray[np.bool_], few: NDArray[np.bool_]) -> bool:
    """Return whether a mask has more objects apart from those of a part than these.

    Of at least half of their size: glow is not apart, and noise is small.
    """
    sizes = np.bincount(label(few).ravel())[1:]
    pieces = label(every)
    apart = np.ones(int(pieces.max()) + 1, bool)
    apart[pieces[few]] = False
    apart[0] = False
    large = np.bincount(pieces.ravel()) >= np.median(sizes) / 2 if sizes.size else apart
    return int((apart & large).sum()) > sizes.size > 0


def _is_glow(
    image: NDArray[np.float64],
    mask: NDArray[np.bool_],
    other: NDArray[np.bool_],
    spacing: Spacing,
) -> bool:
    """Return whether things in a mask are wider, and with no steeper rims, than others.

    Wider by a factor of two. What a narrower box leaves of large objects is smaller,
    too, but its rims are shallow.
    """
    if typical_radius(mask, spacing) <= 2 * typical_radius(other, spacing):
        return False
    return _rim_slope(image, mask, spacing) <= _rim_slope(image, other, spacing)


def _rim_slope(
    image: NDArray[np.float64], mask: NDArray[np.bool_], spacing: Spacing
) -> float:
    """Return the median slope of an image at the inner rim of a mask; 0 without one."""
    near = [int(fine) for fine in is_fine(spacing)]
    rim = mask & ~operations.binary_erosion(mask, near)
    return float(np.median(gradient(image, spacing)[rim])) if rim.any() else 0.0


def _away(mask: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.bool_]:
    """Return what is some voxels away from a mask, where blur and noise end."""
    margin = [int(n) for n in in_voxels(_MARGIN, spacing)]
    near: NDArray[np.bool_] = operations.binary_dilation(mask, margin, shape="diamond")
    return ~near


def _surface(
    image: NDArray[np.float64],
    away: NDArray[np.bool_],
    sigma: float,
    spacing: Spacing,
) -> NDArray[np.float64]:
    """Return the smooth surface through voxels that are away from all objects."""
    # A trace of all voxels, where no background is near.
    weight = away.astype(np.float64) + 1e-4
    (total, weights), factors = _near((image * weight, weight), sigma, spacing)
    return _grown(total / weights, factors, image.shape)


def _near(
    images: tuple[NDArray[np.float64], ...], sigma: float, spacing: Spacing
) -> tuple[list[NDArray[np.float64]], tuple[int, ...]]:
    """Return images smoothed by a Gaussian, and by which factors they are coarser."""
    factors = _factors(max(1, int(sigma // 4)), spacing)
    widths = in_voxels(sigma, spacing)
    sigmas = [width / factor for width, factor in zip(widths, factors, strict=True)]
    return [gaussian(_shrunk(one, factors), sigmas) for one in images], factors


def _factors(factor: int, spacing: Spacing) -> tuple[int, ...]:
    """Return by how many voxels of each axis an image is made coarser."""
    return tuple(max(1, int(n)) for n in in_voxels(factor, spacing))


def _shrunk(
    image: NDArray[np.float64], factors: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the means over blocks of a factor per axis; the last ones are padded."""
    if set(factors) == {1}:
        return image
    sides = list(zip(image.shape, factors, strict=True))
    padded = np.pad(image, [(0, -n % factor) for n, factor in sides], mode="edge")
    lengths = zip(padded.shape, factors, strict=True)
    blocks = [part for n, factor in lengths for part in (n // factor, factor)]
    means: NDArray[np.float64] = padded.reshape(blocks).mean(
        axis=tuple(range(1, 2 * image.ndim, 2))
    )
    return means


def _grown(
    image: NDArray[np.float64], factors: tuple[int, ...], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the linear interpolation of means over blocks at every voxel."""
    if set(factors) == {1}:
        return image
    from scipy import ndimage  # the kit does not resample

    finer = 1 / np.array(factors)
    grown: NDArray[np.float64] = ndimage.affine_transform(
        image,
        finer,
        offset=finer / 2 - 0.5,
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

"""Telling nuclei from what else stands out: noise, blurs, crumbs, a bright ground.

Each function that takes labels returns those that it keeps, numbered anew.
"""

from __future__ import annotations

from math import gamma, pi
from typing import TYPE_CHECKING

import numpy as np

from segkit.labelling.labels import label
from segkit.methods.axes import is_fine
from segkit.methods.background import gradient, opened
from segkit.methods.outlines import bright_level
from segkit.methods.splitting import renumbered
from segkit.morphology import operations
from segkit.thresholding.methods import threshold as threshold_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.methods.axes import Spacing

# How many standard deviations of the background objects are to stand out from it. The
# brightest spots of smooth noise reach 4 in a plane.
_CLEAR = 5
# Of the background so many voxels from all objects, if this part of the image is so.
_MARGIN, _SEEN = 3, 0.05
# What varies over more voxels than this is no noise, but tissue or missed nuclei.
_GRAIN = 3
# Small ones are no crumbs if they are as bright and sharp as this part of the others,
# at least as large as this part of the least size, and so many for each other one.
_ALIKE, _LEAST, _MANY = 0.6, 0.25, 0.5
# The ground is bright if what is darker is so many times as far from it as what is not.
_DARKER = 2


def ground_is_bright(image: NDArray[np.float64], spacing: Spacing) -> bool:
    """Return whether an image looks like dark objects on a bright ground.

    Most voxels are bright then, and those that are not are in more pieces: between
    bright objects that touch, the dark is a net.
    """
    darkest, middle, brightest = np.percentile(image, [0.5, 50, 99.5])
    if middle - darkest <= _DARKER * (brightest - middle):
        return False
    above = image > threshold_of(image, "otsu")
    pieces = [int(label(opened(m, spacing)).max()) for m in (~above, above)]
    return pieces[0] > pieces[1]


def above_noise(
    contrast: NDArray[np.float64], objects: NDArray[np.int32], spacing: Spacing
) -> NDArray[np.int32]:
    """Drop objects that the background is as bright as by chance, if it is noise.

    What is dropped is background, which has more noise then: this is done until
    nothing more goes. Where hardly any background is seen, nothing is known of it.
    """
    level = bright_level(contrast, objects)
    slope = gradient(contrast, spacing)
    keep = level > 0
    while keep.any():
        outside = ~operations.binary_dilation(keep[objects], _MARGIN)
        away = contrast[outside]
        if away.size < _SEEN * contrast.size:
            break
        steep = np.sqrt(np.mean(slope[outside] ** 2) / contrast.ndim)
        if away.std() > _GRAIN * steep:
            break
        middle = np.median(away)
        noise = 1.4826 * np.median(np.abs(away - middle))
        clear = keep & (level - middle > _CLEAR * noise)
        if (clear == keep).all():
            break
        keep = clear
    return renumbered(objects, keep)


def in_focus(
    contrast: NDArray[np.float64],
    objects: NDArray[np.int32],
    least: float,
    spacing: Spacing,
) -> NDArray[np.int32]:
    """Drop objects with a rim less steep than a part of the median over all objects.

    Steep in relation to their brightness.
    """
    slope = _rim_slopes(contrast, objects, spacing)
    level = np.maximum(bright_level(contrast, objects), np.finfo(float).tiny)
    steep = slope / level
    there = slope > 0
    if not there.any():
        return objects
    return renumbered(objects, steep >= least * np.median(steep[there]))


def without_crumbs(
    contrast: NDArray[np.float64],
    objects: NDArray[np.int32],
    radius: float,
    spacing: Spacing,
) -> NDArray[np.int32]:
    """Drop objects smaller than a ball, but for those that are nuclei of another size.

    Those that the border cuts show a part, and may have 0.4 of that size. Small ones
    that are bright and sharp are no crumbs if there are many of them.
    """
    ball = pi ** (objects.ndim / 2) / gamma(objects.ndim / 2 + 1) * radius**objects.ndim
    voxel = float(np.prod(spacing))
    least = max(12, ball) / voxel
    size = np.bincount(objects.ravel())
    cut = np.zeros(size.size, bool)
    for axis in range(objects.ndim):
        cut[np.take(objects, [0, -1], axis=axis)] = True
    keep = size >= np.where(cut, 0.4, 1.0) * least
    keep[0] = False
    small = (size >= max(12 / voxel, _LEAST * least)) & ~keep & ~cut
    small[0] = False
    if keep.any() and small.any():
        for one in (
            bright_level(contrast, objects),
            _rim_slopes(contrast, objects, spacing),
        ):
            small &= one >= _ALIKE * np.median(one[keep])
        if small.sum() >= _MANY * keep.sum():
            keep |= small
    return renumbered(objects, keep)


def _rim_slopes(
    contrast: NDArray[np.float64], objects: NDArray[np.int32], spacing: Spacing
) -> NDArray[np.float64]:
    """Return the mean slope of the contrast at the rim of each object; 0 without one.

    Along a coarse axis every voxel may be at the rim: there is no looking for it there.
    """
    padded = np.pad(objects, 1, mode="edge")
    rim = np.zeros(objects.shape, bool)
    inner = (slice(1, -1),) * objects.ndim
    for axis in np.flatnonzero(is_fine(spacing)).tolist():
        for step in (-1, 1):
            rim |= np.roll(padded, step, axis=axis)[inner] != objects
    rim &= objects > 0
    owner, number = objects[rim], int(objects.max()) + 1
    voxels = np.bincount(owner, minlength=number)
    rise = np.bincount(owner, gradient(contrast, spacing)[rim], minlength=number)
    return rise / np.maximum(voxels, 1)

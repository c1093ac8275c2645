"""Learning-free segmentation of nuclei and other bright blobs of about one size.

One function with defaults, `segment_nuclei`, that takes its scales from the image;
`segkit.methods.classic` holds the published methods to compare it with.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from segkit import checks
from segkit.filters.smoothing import gaussian
from segkit.methods.axes import by_space, in_voxels
from segkit.methods.background import above_background, above_haze, apparent_step
from segkit.methods.outlines import edge_level, outlined
from segkit.methods.splitting import (
    filled,
    heights,
    radius_of_objects,
    split_by_shape,
    without_waists,
)
from segkit.methods.telling import (
    above_noise,
    ground_is_bright,
    in_focus,
    without_crumbs,
)
from segkit.names import known_as
from segkit.windows.rule import Polarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.io import Image
    from segkit.methods.axes import Spacing

# Sigma of the distance map, as a part of the radius, and how much of `depth` a neck is
# to have: in a plane and in a volume. There smoothing lowers summits more, which fall
# away along more axes, and more ways lead through a neck, of which the widest counts.
_NECKS = {2: (0.15, 1.0), 3: (0.05, 0.5)}

_GROUND = (
    "the image looks like {1} objects on a {0} ground, and {0} ones are looked for;"
    " if those are the nuclei, give polarity='{1}'"
)
_POLARITIES = [("bright", "dark"), ("dark", "bright")]


@known_as("segkit")
def segment_nuclei(
    image: ArrayLike | Image,
    *,
    axes: str | None = None,
    spacing: float | Sequence[float] | None = None,
    polarity: Polarity = "bright",
    sensitivity: float = 1.0,
    edge: float | None = None,
    radius: float | None = None,
    depth: float = 0.1,
    valleys: float = 0.5,
    min_radius: float = 0.5,
    focus: float = 0.3,
) -> NDArray[np.int32]:
    """Segment bright blobs of about one size on an uneven, darker background.

    No size is asked for; it is estimated from the image:

    1. background is the opening of the coarse image by a box of a quarter of the image
       (halved as long as what stands out is half as wide then, with rims as steep: wide
       glows are background), then (twice) the smooth surface through the voxels outside
       of the foreground, at a distance of several objects, unless a glow comes back;
    2. foreground is what exceeds the background by Otsu's threshold of its square root,
       which is lower than Otsu's and so keeps dim objects beside bright ones; a few
       extremely bright ones are left out of it if there are more of the others, and
       glow or fibres around bright ones are not foreground. In a plane, where haze of
       what is above and below lies between objects, both are found again (three times)
       within a radius: foreground is nearer to its own mean there than to that of the
       rest, and the rest is background;
    3. touching objects are cut at their necks and along valleys of brightness (`depth`,
       `valleys`);
    4. each object's boundary is moved to where its own brightness falls to `edge` of
       the way from background to its bright level, and all is cut again: bright
       objects lose their glow and dim ones keep their size. What is four times as
       bright as the median object is outlined first, then what is beside it;
    5. what is no brighter than noise by chance is dropped, blurs whose rim is much less
       steep than the typical one, and crumbs much smaller than the typical object,
       unless they are many and as bright and sharp as the others.

    If glow or tissue is found instead of the nuclei on it, give their `radius`, or
    lower `sensitivity`; if touching nuclei stay together, lower `depth`; if their
    texture is cut, lower `valleys`; if small ones are missing beside large ones, lower
    `min_radius`.

    Parameters
    ----------
    image : array or Image, real
        Grey image of two or more axes: a plane, or one whose axes are said by `axes`,
        by `spacing`, or by the opened image itself. An array of three axes alone may
        be a volume, a movie or channels, and is refused. A volume of one plane is that
        plane.
    axes : str, optional
        One letter for each axis. ``'zyx'`` is a volume; along other letters than z, y
        and x, such as those of ``'tyx'``, each plane or volume is segmented by itself,
        and no id is given twice.
    spacing : float or sequence of float, optional
        Distance of voxels along each axis of space, in any unit, as ``(2, 0.5, 0.5)``;
        but for `radius`, only its ratios matter. By default that which an opened image
        states. If nobody says any, planes are taken to be as far apart as they look by
        the outlines in all volumes of the image, and never nearer than pixels are;
        blur along z may hide it.
    polarity : {'bright', 'dark'}
        Whether nuclei are brighter or darker than the background.
    sensitivity : float
        Divides the threshold of step 2: above 1 finds dimmer objects. Above 0.
    edge : float, optional
        Level of the boundary, as a part of the object's contrast, in (0, 1). Estimated
        from the image by default: a little outside of the steepest slope.
    radius : float, optional
        Radius of a typical object, in the unit of `spacing`, which is voxels if nothing
        says it. Estimated from the image by default. What is much wider is background
        then, such as tissue that shines.
    depth : float
        Least depth of a neck where objects are cut, as a part of the radius of the
        smaller object, from 0 to 1: smaller cuts more. In a volume, where more ways
        lead through a neck, half of it is enough if objects have a waist there: slices
        across both are smaller than on either side.
    valleys : float
        How much brightness counts beside shape: cuts are where the distance from the
        outside, times this power of the brightness (in a volume: of that beside what is
        around it), has a neck. 0 is by shape only, as for objects with bright spots
        inside. At least 0.
    min_radius : float
        Objects smaller than a ball of this part of the typical radius are dropped;
        those that the image's border cuts may have 0.4 of that size. From 0 to below 1.
    focus : float
        Objects whose rim rises less steeply than this part of the median rim, relative
        to their brightness, are dropped as out of focus; 0 keeps all. At most 1.

    Returns
    -------
    int32 array
        Labels 1..n, 0 = background.

    Raises
    ------
    TypeError, ValueError
        If the image has fewer than two axes, or more that nobody named, no voxels, is
        not of real numbers, looks like a colour picture, or holds NaN or infinity; if
        an option is no finite number in its range.

    Warns
    -----
    UserWarning
        If the image looks like objects of the other `polarity` than the one given; if
        nobody says how far planes are apart, and they look farther than pixels.

    Examples
    --------
    >>> y, x = np.mgrid[:64, :96]
    >>> discs = [(32, 30, 12), (32, 52, 12), (30, 80, 11)]  # the first two touch
    >>> mask = sum((y - a) ** 2 + (x - b) ** 2 <= r * r for a, b, r in discs) > 0
    >>> int(segment_nuclei(100.0 * mask + x).max())
    3
    """
    checks.one_of(polarity, get_args(Polarity), name="polarity")
    sensitivity = checks.as_positive(sensitivity, name="sensitivity")
    if edge is not None:
        edge = checks.as_positive(edge, name="edge", below=1)
    if radius is not None:
        radius = checks.as_positive(radius, name="radius")
    segment = partial(
        _segment,
        dark=polarity == "dark",
        sensitivity=sensitivity,
        edge=edge,
        radius=radius,
        depth=_part(depth, "depth", "radius of the smaller object"),
        valleys=checks.as_finite(valleys, name="valleys", least=0),
        min_radius=_part(min_radius, "min_radius", "typical radius", below=True),
        focus=_part(focus, "focus", "median rim"),
    )
    step = partial(
        _apparent_step, dark=polarity == "dark", sensitivity=sensitivity, radius=radius
    )
    return by_space(image, axes, spacing, segment, apparent=step)


def _part(value: float, name: str, whole: str, *, below: bool = False) -> float:
    """Return a part of something, from 0 to 1, or below it; raise for all else."""
    number = checks.as_finite(value, name=name)
    if not 0 <= number <= 1 or (below and number == 1):
        most = "below 1" if below else "1"
        raise ValueError(
            f"{name} is {value}, but must be a part of the {whole}, from 0 to {most},"
            " not pixels"
        )
    return number


def _apparent_step(
    image: NDArray[Any],
    across: int,
    *,
    dark: bool,
    sensitivity: float,
    radius: float | None,
) -> float:
    """Return how far planes seem to be apart, in pixels."""
    grey = _bright(image, dark)
    step = 1.0
    for _ in range(2):  # smoothing as of cubes joins planes, and hides a part of it
        distances = [1.0] * grey.ndim
        distances[across] = step
        with checks.inside_tile():
            smooth = gaussian(grey, in_voxels(1, tuple(distances)))
            _, mask = above_background(smooth, sensitivity, tuple(distances), radius)
        step = apparent_step(mask, across)
        if step == 1:
            break
    return step


def _bright(image: NDArray[Any], dark: bool) -> NDArray[np.float64]:
    """Return grey values of which the nuclei have the high ones."""
    grey = _grey(image)
    return grey.max() - grey if dark else grey


def _segment(
    image: NDArray[Any],
    spacing: Spacing,
    finest: float,
    *,
    dark: bool,
    sensitivity: float,
    edge: float | None,
    radius: float | None,
    depth: float,
    valleys: float,
    min_radius: float,
    focus: float,
) -> NDArray[np.int32]:
    """Segment a plane or a volume; see `segment_nuclei`."""
    grey = _bright(image, dark)
    extent = sum(n * step for n, step in zip(grey.shape, spacing, strict=True))
    known = None if radius is None else min(radius / finest, extent)

    def size(mask: NDArray[np.bool_]) -> float:
        return known or radius_of_objects(mask, spacing)

    split = partial(_split, spacing=spacing, depth=depth, valleys=valleys)
    join = partial(_without_waists, spacing=spacing, depth=depth, valleys=valleys)
    with checks.inside_tile():  # a volume may shrink until it is as thin as a picture
        smooth = gaussian(grey, in_voxels(1, spacing))
        if ground_is_bright(smooth, spacing):
            warnings.warn(_GROUND.format(*_POLARITIES[dark]), stacklevel=5)
        lit, mask = above_background(smooth, sensitivity, spacing, known)
        contrast, mask = above_haze(lit, mask, size(mask), sensitivity, spacing)
        mask = filled(mask, contrast, spacing)
        objects = split(mask, contrast, size(mask))
        edge = edge or edge_level(contrast, objects, spacing)
        soft = partial(_smoother, sigma=0.05 * size(mask), spacing=spacing)
        lit, contrast = soft(lit), soft(contrast)
        objects, typical = outlined(
            contrast, objects, edge=edge, spacing=spacing, size=size, split=split
        )
        objects = above_noise(lit, join(objects, contrast, size(objects > 0)), spacing)
        objects = in_focus(contrast, objects, focus, spacing)
    return without_crumbs(contrast, objects, min_radius * typical, spacing)


def _smoother(
    contrast: NDArray[np.float64], sigma: float, spacing: Spacing
) -> NDArray[np.float64]:
    """Smooth to a sigma that is larger than 1, with which the image was smoothed.

    Variances add. Outlines of texture are ragged, and spots are no valleys.
    """
    if sigma <= 1:
        return contrast
    return gaussian(contrast, in_voxels((sigma**2 - 1) ** 0.5, spacing))


def _split(
    mask: NDArray[np.bool_],
    contrast: NDArray[np.float64],
    radius: float,
    *,
    spacing: Spacing,
    depth: float,
    valleys: float,
) -> NDArray[np.int32]:
    smoothing, part = _NECKS[min(mask.ndim, 3)]
    return split_by_shape(
        mask,
        spacing,
        smoothing=max(0.5, smoothing * radius),
        depth=part * depth,
        least=0.4 * radius,
        brightness=_brightness(mask, contrast, radius, spacing, valleys),
    )


def _without_waists(
    objects: NDArray[np.int32],
    contrast: NDArray[np.float64],
    radius: float,
    *,
    spacing: Spacing,
    depth: float,
    valleys: float,
) -> NDArray[np.int32]:
    """Join what was cut in a volume at a pass that is less deep than is asked for."""
    if objects.ndim < 3:
        return objects  # where nothing was
    mask = objects > 0
    smoothing = max(0.5, _NECKS[3][0] * radius)
    brightness = _brightness(mask, contrast, radius, spacing, valleys)
    _, height = heights(mask, spacing, smoothing, brightness)
    return without_waists(objects, height, spacing, depth=depth)


def _brightness(
    mask: NDArray[np.bool_],
    contrast: NDArray[np.float64],
    radius: float,
    spacing: Spacing,
    valleys: float,
) -> NDArray[np.float64] | None:
    """Return what counts beside shape, from 0 to 1; None if nothing is to."""
    if valleys == 0:
        return None
    smooth = _smoother(np.maximum(contrast, 0), 0.2 * radius, spacing)
    if mask.ndim > 2:
        brightness = _beside(mask, contrast, smooth, in_voxels(radius / 2, spacing))
    else:
        brightness = smooth / max(float(smooth.max()), np.finfo(float).tiny)
    weighed: NDArray[np.float64] = brightness**valleys
    return weighed


def _beside(
    mask: NDArray[np.bool_],
    contrast: NDArray[np.float64],
    smooth: NDArray[np.float64],
    sigmas: tuple[float, ...],
) -> NDArray[np.float64]:
    """Return the brightness in a mask, from 0 to 1, where that around it is 0.5.

    In a volume dim objects touch bright ones on all sides: they are no valleys, which
    are dark beside what is next to them.
    """
    near = gaussian(np.where(mask, np.maximum(contrast, 0), 0), sigmas)[mask]
    near /= gaussian(mask.astype(np.float64), sigmas)[mask]
    beside = np.zeros(mask.shape)
    least = max(1e-6 * float(smooth.max()), np.finfo(float).tiny)  # in filled holes
    beside[mask] = smooth[mask] / np.maximum(2 * near, least)
    return np.minimum(beside, 1)


def _grey(array: NDArray[Any]) -> NDArray[np.float64]:
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

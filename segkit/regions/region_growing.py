"""Grow objects from markers: watershed and random walker, whole or tile by tile.

Neither has a finite reach: where a voxel belongs may be decided far away. Tile by tile,
with a halo, markers keep their ids, so that nothing has to be merged; whether the halo
was wide enough is checked by comparing what neighbouring tiles say about the voxels
that both know, and the `SeamReport` says so. Agreement everywhere is strong evidence,
not proof, that the result is that of the whole image.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segkit import checks, extents
from segkit.arrays import (
    Array,
    Labels,
    PerAxis,
    RealPerAxis,
    require_same_axes,
)
from segkit.io.axes import require_named
from segkit.io.image import Image
from segkit.labelling.connectivity import structure_of
from segkit.names import known_as
from segkit.regions.flooding import flooded
from segkit.regions.instances import (
    InstanceSummary,
    MergedInstances,
    instance_tile,
    merge_instance_tiles,
)
from segkit.regions.seam_report import OnDisagreement, SeamReport, enforce
from segkit.regions.seeds import painted
from segkit.tiling.cutting import tiles

if TYPE_CHECKING:
    from segkit.tiling.boxes import Tile

# From image, markers and mask of a box to its labels.
Grow: TypeAlias = Callable[[Array, Array, Array | None], Array]
Inputs: TypeAlias = tuple[Array, Array, NDArray[np.bool_] | None]

# Voxels on either side of a seam that tiles compare.
_COMPARED = 2


@known_as("segkit")
def watershed(
    image: Any,
    markers: Any,
    *,
    mask: Any = None,
    connectivity: Any = 1,
    tile: PerAxis | None = None,
    halo: PerAxis | None = None,
    on_disagreement: OnDisagreement = "warn",
) -> Labels:
    """Grow markers along rising grey values until they meet.

    Parameters
    ----------
    image
        Real values, any number of axes; low values are flooded first.
    markers
        Integers of the same shape: the objects' seeds, 0 elsewhere. Or written down,
        as a file of steps may say it: ``{"below": 3, "above": 7}`` is seed 1 where
        grey values are below 3 and seed 2 where they are above 7, ``{"strokes":
        [{"label": 1, "radius": 2, "points": [[y, x], ...]}]}`` are lines drawn by hand.
    mask
        Voxels that may be labelled; None is all.
    connectivity
        Which voxels touch, as for `segkit.label`.
    tile
        Size of the tiles that are grown each by itself; None grows the whole image.
    halo
        Margin in voxels that a tile sees beyond its own; None takes a quarter of the
        tile, and at least 8. It should exceed the size of an object.
    on_disagreement
        Whether to raise `SeamError`, warn with `SeamWarning` or go on if tiles disagree
        about a voxel that both know; `tiled_watershed` returns the report itself.

    Returns
    -------
    ndarray
        The markers' dtype and ids; 0 where nothing grew, everywhere without markers.

    References
    ----------
    The flooding is that of `skimage.segmentation.watershed`: Soille and Ansoult,
    "Automated basin delineation from digital elevation models using mathematical
    morphology", Signal Processing 20, 1990.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([3, 1, 2, 5, 4, 1, 3])
    >>> markers = np.array([0, 1, 0, 0, 0, 2, 0])
    >>> watershed(image, markers)
    array([1, 1, 1, 1, 2, 2, 2])
    >>> watershed(image, markers, mask=image < 4, tile=4, halo=3)
    array([1, 1, 1, 0, 0, 2, 2])
    >>> watershed(image, {"below": 2, "above": 4}).tolist()
    [1, 1, 1, 2, 1, 1, 1]
    """
    return _grown(
        _flood(connectivity), (image, markers, mask), (tile, halo), on_disagreement
    )


@known_as("segkit")
def tiled_watershed(
    image: Any,
    markers: Any,
    *,
    mask: Any = None,
    connectivity: Any = 1,
    tile: PerAxis,
    halo: PerAxis | None = None,
) -> MergedInstances:
    """Return the labels of `watershed` tile by tile, and how far the tiles agree.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros(9)
    >>> markers = np.array([1, 0, 0, 0, 0, 0, 0, 0, 2])
    >>> labels, report = tiled_watershed(image, markers, tile=5, halo=2)
    >>> labels, report.differing
    (array([1, 1, 1, 1, 1, 2, 2, 2, 2]), 4)
    >>> watershed(image, markers)
    array([1, 1, 1, 1, 1, 2, 2, 2, 2])
    """
    return _tiled(_flood(connectivity), (image, markers, mask), (tile, halo))


@known_as("segkit")
def random_walker(
    image: Any,
    markers: Any,
    *,
    mask: Any = None,
    beta: float = 30.0,
    spacing: RealPerAxis | None = None,
    tile: PerAxis | None = None,
    halo: PerAxis | None = None,
    on_disagreement: OnDisagreement = "warn",
) -> Labels:
    """Give each voxel to the marker that a random walker from it meets most likely.

    Parameters
    ----------
    image, markers, mask, tile, halo, on_disagreement
        As for `watershed`. Steps between voxels of different grey values are unlikely:
        a difference of g standard deviations of the whole image has a weight of
        ``exp(-beta * g**2 / 10)``, whatever the units and the dtype.
    beta
        How unlikely; a finite number above 0. Large ones are slow on noise, where all
        steps are unlikely.
    spacing
        Distance of voxels along each axis, in any unit: a difference of grey values
        counts for less between voxels that are farther apart, in proportion to the
        distance over that along the finest axis. Only ratios matter; None is that of an
        opened image, else the same along all axes.

    Returns
    -------
    ndarray
        The markers' dtype and ids; 0 outside the mask and where no marker is connected,
        everywhere without markers.

    Raises
    ------
    TypeError, ValueError
        If `beta` or `spacing` are no numbers above 0; else as `watershed`.

    References
    ----------
    By `skimage.segmentation.random_walker` on the image divided by its standard
    deviation (it would divide integers by the largest of their dtype), solved by
    conjugate gradients: Grady, "Random walks for image segmentation", IEEE PAMI 28,
    2006.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 1.1, 1.0, 4.0, 4.1, 4.0]] * 2)
    >>> markers = np.array([[3, 0, 0, 0, 0, 8], [0, 0, 0, 0, 0, 0]])
    >>> random_walker(image, markers)
    array([[3, 3, 3, 8, 8, 8],
           [3, 3, 3, 8, 8, 8]])
    """
    return _grown(
        _walk(image, beta, spacing),
        (image, markers, mask),
        (tile, halo),
        on_disagreement,
    )


@known_as("segkit")
def tiled_random_walker(
    image: Any,
    markers: Any,
    *,
    mask: Any = None,
    beta: float = 30.0,
    spacing: RealPerAxis | None = None,
    tile: PerAxis,
    halo: PerAxis | None = None,
) -> MergedInstances:
    """Return the labels of `random_walker` by tiles, and how far the tiles agree."""
    return _tiled(_walk(image, beta, spacing), (image, markers, mask), (tile, halo))


def _flood(connectivity: Any) -> Grow:
    def grow(image: Array, markers: Array, mask: Array | None) -> Array:
        return flooded(image, markers, mask, structure_of(image.ndim, connectivity))

    return grow


def _walk(image: Any, beta: float, spacing: RealPerAxis | None) -> Grow:
    beta = checks.as_positive(beta, name="beta")
    if isinstance(image, Image):
        image = image.spatial()
        require_named(image, spacing)
        spacing = image.physical_spacing() if spacing is None else spacing
    grey = checks.as_image(image)
    distances = extents.as_spacing(1.0 if spacing is None else spacing, grey.ndim)
    spread = float(np.std(grey, dtype=np.float64))
    finest = min(distances)
    relative = tuple(distance / finest for distance in distances)
    return partial(_walk_box, beta=beta, spread=spread, spacing=relative)


def _walk_box(
    image: Array,
    markers: Array,
    mask: Array | None,
    *,
    beta: float,
    spread: float,
    spacing: tuple[float, ...],
) -> Array:
    """Run the random walker on a box, which may hold any number of seeds.

    `spread` is the standard deviation of the whole image's grey values, `spacing` in
    units of that along the finest axis.
    """
    if image.ndim not in (2, 3):
        raise ValueError(f"random_walker takes 2 or 3 axes, but image has {image.ndim}")

    seeds = np.where(mask, markers, 0) if mask is not None else markers
    ids, numbers = np.unique(seeds, return_inverse=True)
    if ids[0] != 0:  # no voxel is left to label
        return seeds
    if len(ids) == 1:
        return np.zeros_like(markers)
    numbers = numbers.reshape(seeds.shape).astype(np.int32)
    if mask is not None:
        numbers[~mask] = -1
    if not (numbers == 0).any():
        return seeds
    found = _walked(*_scaled(image, beta, spread), numbers, spacing)
    # Voxels that no seed is connected to, and those outside the mask, are not above 0.
    grown: Array = ids[np.maximum(found, 0)].astype(markers.dtype)
    return grown


def _scaled(image: Array, beta: float, spread: float) -> tuple[Array, float]:
    """Return grey values and the beta that is theirs: of the whole image exactly beta.

    scikit-image divides what it is given by its own spread.
    """
    own_spread = float(np.std(image, dtype=np.float64))
    if own_spread == 0:
        grey = np.zeros(image.shape)
        grey.flat[0] = 1e-9  # so little makes no difference, but a spread
        return grey, beta
    return image / np.float64(spread), beta * (own_spread / spread)


def _walked(
    grey: Array, beta: float, numbers: Array, spacing: tuple[float, ...]
) -> Array:
    """Return the seed that a walker from each voxel reaches first."""
    from skimage.segmentation import random_walker as walk

    # The solver's small errors of probabilities do not matter: only the largest counts.
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The probability range is outside", UserWarning
        )
        found: Array = walk(
            grey, numbers, beta=beta, mode="cg_j", prob_tol=1, spacing=spacing
        )
    return found


def _checked(image: Any, markers: Any, mask: Any) -> Inputs:
    grey = checks.as_image(image)
    if isinstance(markers, Mapping):
        markers = painted(markers, grey)
    require_same_axes(image, markers, mask)
    seeds = checks.require_labels(markers, name="markers")
    allowed = None if mask is None else checks.as_mask(mask)
    for name, array in (("markers", seeds), ("mask", allowed)):
        if array is not None and array.shape != grey.shape:
            raise ValueError(f"{name} has shape {array.shape}, the image {grey.shape}")
    return grey, seeds, allowed


def _grown(
    grow: Grow,
    given: tuple[Any, Any, Any],
    sizes: tuple[PerAxis | None, PerAxis | None],
    on_disagreement: OnDisagreement,
) -> Array:
    """Grow the whole image, or its tiles and check their seams as asked for."""
    tile, halo = sizes
    if tile is None:
        return _whole(grow, *_checked(*given))
    labels, report = _tiled(grow, given, (tile, halo))
    enforce(report, on_disagreement, stacklevel=4)
    return labels


def _whole(grow: Grow, image: Array, markers: Array, mask: Array | None) -> Array:
    if not markers.any():  # scikit-image would invent markers at the minima
        return np.zeros_like(markers)
    return grow(image, markers, mask).astype(markers.dtype, copy=False)


def _tiled(
    grow: Grow, given: tuple[Any, Any, Any], sizes: tuple[PerAxis, PerAxis | None]
) -> MergedInstances:
    """Grow each tile by itself, put the own boxes together and compare the rest."""
    image, markers, mask = _checked(*given)
    out = np.zeros_like(markers)
    summaries: list[InstanceSummary] = []
    for one in _grid(image.shape, *sizes):
        box = one.read.slices
        with checks.inside_tile():
            allowed = None if mask is None else mask[box]
            grown = _whole(grow, image[box], markers[box], allowed)
        out[one.write.slices] = grown[one.inner]
        # Objects from markers just beyond a tile's read box are not its own: the wider
        # the comparison, the more of them it would blame on the halo.
        part = instance_tile(grown, one, image.shape, depth=_COMPARED)
        summaries.append(part.summary)
    if len(summaries) == 1:
        return MergedInstances(out, SeamReport(()))
    _, report = merge_instance_tiles(summaries, by_id=True)
    return MergedInstances(out, report)


def _grid(shape: tuple[int, ...], tile: PerAxis, halo: PerAxis | None) -> list[Tile]:
    sizes = checks.per_axis(tile, len(shape), name="tile", least=1)
    if halo is None:
        halo = tuple(max(8, -(-size // 4)) for size in sizes)
    return tiles(shape, sizes, halo=halo)

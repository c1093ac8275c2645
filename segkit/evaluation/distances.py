"""Distances between objects and their reference: Hausdorff, and normalised sums.

Distances are between voxel centres, in voxels or, with `spacing`, in physical units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

from segkit import checks, extents
from segkit.arrays import spacing_of
from segkit.evaluation.contours import Contour
from segkit.evaluation.matching import largest_overlaps
from segkit.evaluation.runs import (
    LabelRuns,
    label_runs,
    objects_of,
    voxels_of,
    within_box,
)
from segkit.filters.distances import squared_distance
from segkit.names import known_as
from segkit.overlaps.contingency_table import labels
from segkit.tiling.boxes import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import RealPerAxis
    from segkit.evaluation.runs import ObjectRuns

    # One distance per axis; None is 1 on each.
    Sizes: TypeAlias = tuple[float, ...] | None

_SMALL = 1 << 18  # voxels of a box in which all distances are computed, not by a tree
_MISS = 128.0  # pixels that the published program gives an image without any match


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class ObjectDistances:
    """Distances between each object of a segmentation and its reference object.

    Parameters
    ----------
    segmentation, reference : (n,) int64 arrays
        Ids of the pairs compared: each object of the segmentation with the reference
        object that it overlaps most.
    hausdorff, nsd : (n,) float64 arrays
        Hausdorff distance, and normalised sum of distances, of each pair.
    spurious, missing : int
        Objects of either image without a partner.
    """

    segmentation: NDArray[np.int64]
    reference: NDArray[np.int64]
    hausdorff: NDArray[np.float64]
    nsd: NDArray[np.float64]
    spurious: int
    missing: int

    @property
    def mean_hausdorff(self) -> float:
        """The mean over the pairs; NaN without any."""
        return float(self.hausdorff.mean()) if self.hausdorff.size else float("nan")

    @property
    def mean_nsd(self) -> float:
        """The mean over pairs and objects without partner (each counts as 1)."""
        alone = self.spurious + self.missing
        compared = self.nsd.size + alone
        return float((self.nsd.sum() + alone) / compared) if compared else 0.0


@known_as("segkit")
def hausdorff_distance(
    first: ArrayLike, second: ArrayLike, *, spacing: RealPerAxis | None = None
) -> float:
    """Return the largest distance from a voxel of one mask to the other mask.

    Parameters
    ----------
    first, second : boolean arrays of equal shape
        Masks (or label images: what is not 0 counts) of any number of dimensions.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis, above 0; 1 by default.

    Returns
    -------
    float
        0 if both masks are empty, infinity if only one is.

    Examples
    --------
    >>> hausdorff_distance([1, 1, 0, 0, 0, 0], [0, 1, 0, 0, 1, 0])
    3.0
    >>> hausdorff_distance([[1, 0, 1]], [[1, 0, 0]], spacing=(1, 0.5))
    1.0
    """
    for name, mask in (("first", first), ("second", second)):
        checks.require_no_picture(mask, name=name)
    a = checks.as_array(first, name="first") != 0
    b = checks.as_array(second, name="second") != 0
    if a.shape != b.shape:
        raise ValueError(f"the masks have shapes {a.shape} and {b.shape}")
    spacing = spacing_of(spacing, first, second)
    return hausdorff_of_runs(label_runs(a, b), spacing=spacing)


@known_as("segkit")
def hausdorff_of_runs(runs: LabelRuns, *, spacing: RealPerAxis | None = None) -> float:
    """Return the Hausdorff distance of two foregrounds from the runs of all tiles.

    The same as `hausdorff_distance` of the whole images, to the last bit. Working
    memory follows the contours.

    Parameters
    ----------
    runs : LabelRuns
        Of the whole image: by `label_runs` of each tile, put together by `combine`.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis, above 0; 1 by default.

    Examples
    --------
    >>> from segkit.evaluation import label_runs
    >>> hausdorff_of_runs(label_runs([1, 1, 0, 0, 0, 0], [0, 1, 0, 0, 1, 0]))
    3.0
    """
    sizes = _sizes(spacing, runs)
    found, known = runs.segmentation > 0, runs.reference > 0
    if not (found.any() and known.any()):
        return math.inf if found.any() or known.any() else 0.0
    farthest = 0.0
    for own, other in ((found, known), (known, found)):
        target = runs.first[other], runs.length[other]
        contour = Contour.of(target, runs.shape, sizes)
        alone = own & ~other
        far = contour.farthest((runs.first[alone], runs.length[alone]))
        farthest = max(farthest, far)
    return farthest


@known_as("segkit")
def object_distances(
    segmentation: ArrayLike, reference: ArrayLike, *, spacing: RealPerAxis | None = None
) -> ObjectDistances:
    """Measure each object of a segmentation against the reference object it overlaps.

    The normalised sum of distances [1]_ adds the distance to the reference object's
    boundary over the voxels that are in one object only, divided by the same sum over
    the voxels in either: 0 is perfect, far mistakes weigh more. The Hausdorff distance
    here is the symmetric one, between the two sets of voxels.

    Parameters
    ----------
    segmentation, reference : arrays of equal shape
        Label images, 0 is background.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis, above 0; 1 by default.

    Notes
    -----
    Working memory follows the surface of all objects and the box around one. Without
    `spacing` it is several times as fast.

    References
    ----------
    .. [1] Coelho, Shariff and Murphy, "Nuclear segmentation in microscope cell images",
       ISBI 2009, pp. 518-521.

    Examples
    --------
    >>> measured = object_distances([0, 1, 1, 1, 2], [0, 5, 5, 0, 0])
    >>> measured.hausdorff.tolist(), measured.spurious, measured.missing
    ([1.0], 1, 0)
    >>> round(measured.mean_nsd, 3)  # (1 / (1 + 1 + 1) and 1 for the spurious object
    0.667
    """
    images = labels(segmentation, "segmentation"), labels(reference, "reference")
    spacing = spacing_of(spacing, segmentation, reference)
    return distances_of_runs(label_runs(*images), spacing=spacing)


@known_as("segkit")
def distances_of_runs(
    runs: LabelRuns, *, spacing: RealPerAxis | None = None
) -> ObjectDistances:
    """Measure objects as `object_distances` does, from the runs of all tiles.

    The same to the last bit. Working memory follows the runs, and the box around one
    object of the reference (about 40 bytes a voxel).

    Parameters
    ----------
    runs : LabelRuns
        Of the whole image: by `label_runs` of each tile, put together by `combine`.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis, above 0; 1 by default.

    Examples
    --------
    >>> from segkit.evaluation import label_runs
    >>> distances_of_runs(label_runs([0, 1, 1, 1, 2], [0, 5, 5, 0, 0])).hausdorff
    array([1.])
    """
    sizes = _sizes(spacing, runs)
    pairs = _Pairs.of(runs)
    hausdorff = np.zeros(pairs.ids[0].size)
    nsd = np.zeros_like(hausdorff)
    for label in np.unique(pairs.ids[1]):
        known = _Reference.of(pairs.reference[label], sizes)
        for k in np.flatnonzero(pairs.ids[1] == label):
            found = pairs.segmentation[pairs.ids[0][k]]
            hausdorff[k], nsd[k] = known.distances(found, label, pairs.ids[0][k])
    return ObjectDistances(
        *pairs.ids, hausdorff, nsd, spurious=pairs.spurious, missing=pairs.missing
    )


@known_as("segkit")
def published_distances(
    segmentation: ArrayLike, reference: ArrayLike
) -> tuple[float, float]:
    """Return (Hausdorff, NSD) of an image as the published table of [1]_ has them.

    Its quirks: "Hausdorff" is the largest distance of a wrong pixel from the reference
    object's boundary, not symmetric; distances see only the box around the two objects;
    missing objects count in neither; an image without any match gets 128 pixels.

    References
    ----------
    .. [1] Coelho, Shariff and Murphy, ISBI 2009, pp. 518-521.

    Examples
    --------
    >>> published_distances([0, 1, 1, 1, 0], [0, 5, 5, 0, 0])
    (1.0, 0.25)
    """
    pairs = _Pairs.of(label_runs(segmentation, reference))
    hausdorff, nsd = [], [1.0] * pairs.spurious
    for seg, ref in pairs.masks():
        outside, inside = _distance(~ref, None), _inside(ref, None)
        depth = np.maximum(outside, inside)
        wrong = seg != ref
        hausdorff.append(float((depth * wrong).max()))
        nsd.append(float(depth[wrong].sum() / depth[seg | ref].sum()))
    return (
        float(np.mean(hausdorff)) if hausdorff else _MISS,
        float(np.mean(nsd)) if nsd else 1.0,
    )


def _sizes(spacing: RealPerAxis | None, runs: LabelRuns) -> Sizes:
    source = "segkit.label_runs(segmentation, reference)"
    checks.require_kind(runs, LabelRuns, name="runs", source=source)
    return None if spacing is None else extents.as_spacing(spacing, len(runs.shape))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Objects of two images that belong together."""

    segmentation: dict[int, ObjectRuns]
    reference: dict[int, ObjectRuns]
    ids: tuple[NDArray[np.int64], NDArray[np.int64]]
    spurious: int
    missing: int

    @classmethod
    def of(cls, runs: LabelRuns) -> Self:
        ids, partner = largest_overlaps(runs.contingency())
        matched = (ids > 0) & (partner > 0)
        reference = objects_of(runs, runs.reference, runs.segmentation)
        return cls(
            objects_of(runs, runs.segmentation, runs.reference),
            reference,
            (ids[matched], partner[matched]),
            spurious=int(((ids > 0) & (partner == 0)).sum()),
            missing=len(reference) - np.unique(partner[matched]).size,
        )

    def masks(self) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Yield the two masks of each pair in the box around both."""
        for own, other in zip(*self.ids, strict=True):
            both = self.segmentation[own], self.reference[other]
            box = _box_around(*both)
            yield both[0].mask(box), both[1].mask(box)


@dataclass(frozen=True)
class _Reference:
    """An object of the reference, and how deep within it its voxels are."""

    runs: ObjectRuns
    sizes: Sizes
    box: Box
    depth: NDArray[np.float64]
    total: float

    @classmethod
    def of(cls, runs: ObjectRuns, sizes: Sizes) -> Self:
        low, high = runs.box()
        # The nearest voxel outside is never further away than one beyond the box.
        low, high = np.maximum(low - 1, 0), np.minimum(high + 1, runs.shape)
        box = Box(tuple(low.tolist()), tuple(high.tolist()))
        depth = _inside(runs.mask(box), sizes).reshape(-1)
        return cls(runs, sizes, box, depth, float(depth.sum()))

    @cached_property
    def contour(self) -> Contour:
        """Its contour."""
        return Contour.of(
            (self.runs.first, self.runs.length), self.runs.shape, self.sizes
        )

    def distances(
        self, found: ObjectRuns, label: int, partner: int
    ) -> tuple[float, float]:
        """Return Hausdorff distance and normalised sum of distances of an object.

        `label` is the id of this object, `partner` that of the one found.
        """
        common = found.other == label
        lost = self.runs.other != partner
        box = _box_around(self.runs, found)
        far = 0.0
        if self.sizes is None and math.prod(box.shape) <= _SMALL:
            masks = found.mask(box), self.runs.mask(box)
            outside = _apart(*masks)
            far = float(_apart(*masks[::-1]).max(initial=0.0))
        else:
            outside = self.contour.distances(voxels_of(*found.where(~common)))
            if lost.any():
                own = Contour.of((found.first, found.length), found.shape, self.sizes)
                far = own.farthest(self.runs.where(lost))
        wrong = float(outside.sum())
        every = self.total + wrong
        if lost.any():
            at = voxels_of(*found.where(common))
            hit = self.depth[within_box(at, found.shape, self.box)].sum()
            wrong += self.total - float(hit)
        return max(far, float(outside.max(initial=0.0))), wrong / every


def _box_around(*objects: ObjectRuns) -> Box:
    """Return the box around objects of one image."""
    lows, highs = zip(*(runs.box() for runs in objects), strict=True)
    low, high = np.minimum.reduce(lows), np.maximum.reduce(highs)
    return Box(tuple(low.tolist()), tuple(high.tolist()))


def _inside(mask: NDArray[np.bool_], sizes: Sizes) -> NDArray[np.float64]:
    """Return how far the voxels of a mask are from its outside, 0 there.

    A mask that fills its box has no outside: its voxels are at distance 1.
    """
    return mask.astype(float) if mask.all() else _distance(mask, sizes)


def _distance(mask: NDArray[np.bool_], sizes: Sizes) -> NDArray[np.float64]:
    """Return how far each voxel of a mask is from the nearest voxel outside."""
    if sizes is None:
        roots: NDArray[np.float64] = np.sqrt(squared_distance(mask, 1), dtype=float)
        return roots
    from scipy import ndimage

    distance: NDArray[np.float64] = ndimage.distance_transform_edt(mask, sizes)
    return distance


def _apart(own: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how far the voxels of one mask that are not in another are from that."""
    alone = own & ~other
    if not alone.any():
        return np.zeros(0)
    squares: NDArray[np.int32] = squared_distance(~other, 1)[alone]
    return np.sqrt(squares, dtype=float)

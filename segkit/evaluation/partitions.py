"""Scores that are sums over the contingency table: pairs of voxels, information.

Sums of squares of object sizes are exact integers at any size of the image.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segkit.names import known_as
from segkit.overlaps.contingency_table import takes_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.overlaps.contingency_table import Contingency


@known_as("segkit")
class PairCounts(NamedTuple):
    """How many pairs of voxels are in one object, by the image in which they are."""

    both: int
    segmentation_only: int
    reference_only: int
    neither: int


@known_as("segkit")
class AdaptedRand(NamedTuple):
    """An agreement of pairs of voxels in reference objects, and its two sides.

    `precision` falls where the segmentation merges, `recall` where it splits.
    """

    error: float
    precision: float
    recall: float


@known_as("segkit")
class VariationOfInformation(NamedTuple):
    """Bits by which two partitions differ; `split` + `merge` is the distance.

    `split` = H(segmentation | reference) is 0 unless reference objects are divided;
    `merge` = H(reference | segmentation) is 0 unless they are joined.
    """

    split: float
    merge: float


@known_as("segkit")
@takes_table
def dice(table: Contingency) -> float:
    """Return twice the common foreground over the sum of both foregrounds.

    Examples
    --------
    >>> from segkit import contingency
    >>> dice(contingency([1, 1, 2, 0], [0, 1, 1, 0]))
    0.8
    """
    both, segmented, known = _foregrounds(table)
    return 2 * both / (segmented + known) if segmented + known else 1.0


@known_as("segkit")
@takes_table
def jaccard(table: Contingency) -> float:
    """Return the common foreground over the union of both foregrounds.

    Examples
    --------
    >>> from segkit import contingency
    >>> jaccard(contingency([1, 1, 2, 0], [0, 1, 1, 1]))
    0.5
    """
    both, segmented, known = _foregrounds(table)
    union = segmented + known - both
    return both / union if union else 1.0


@known_as("segkit")
@takes_table
def pair_counts(table: Contingency) -> PairCounts:
    """Count the pairs of voxels that are together in both, one or neither image.

    Background counts as an object. Exact at any size.

    Examples
    --------
    >>> from segkit import contingency
    >>> pair_counts(contingency([1, 1, 1, 2], [1, 1, 2, 2]))
    PairCounts(both=1, segmentation_only=2, reference_only=1, neither=2)
    """
    both = _pairs_within(table.voxels)
    segmented = _pairs_within(table.segmentation_sizes()[1])
    known = _pairs_within(table.reference_sizes()[1])
    every = math.comb(table.total, 2)
    return PairCounts(
        both, segmented - both, known - both, every - segmented - known + both
    )


@known_as("segkit")
@takes_table
def rand_index(table: Contingency) -> float:
    """Return the part of the pairs of voxels on which two partitions agree [1]_.

    References
    ----------
    .. [1] Rand, "Objective criteria for the evaluation of clustering methods", J. Am.
       Stat. Assoc. 66 (1971), pp. 846-850.

    Examples
    --------
    >>> from segkit import contingency
    >>> rand_index(contingency([1, 1, 1, 2], [1, 1, 2, 2]))
    0.5
    """
    pairs = pair_counts(table)
    return (pairs.both + pairs.neither) / sum(pairs) if sum(pairs) else 1.0


@known_as("segkit")
@takes_table
def adjusted_rand_index(table: Contingency) -> float:
    """Return the Rand index corrected for chance: 1 equal, 0 as good as random [1]_.

    References
    ----------
    .. [1] Hubert and Arabie, "Comparing partitions", J. Classification 2 (1985),
       pp. 193-218.

    Examples
    --------
    >>> from segkit import contingency
    >>> adjusted_rand_index(contingency([1, 1, 2, 2], [7, 7, 3, 3]))
    1.0
    """
    a, b, c, d = pair_counts(table)
    if b == c == 0:
        return 1.0
    return 2 * (a * d - b * c) / ((a + b) * (b + d) + (a + c) * (c + d))


@known_as("segkit")
@takes_table
def published_jaccard_index(table: Contingency) -> float:
    """Return the unbounded "Jaccard index" (a + d) / (b + c + d) of Coelho (2009).

    With the pairs of voxels a in one object of both images, b and c of one image only,
    d of neither. The Jaccard index of pairs is a / (a + b + c); the published form is
    above 1 for good segmentations and infinite for two uniform images.

    Examples
    --------
    >>> from segkit import contingency
    >>> published_jaccard_index(contingency([1, 1, 1, 2], [1, 1, 2, 2]))
    0.6
    """
    a, b, c, d = pair_counts(table)
    return (a + d) / (b + c + d) if b + c + d else math.inf


@known_as("segkit")
@takes_table
def adapted_rand_error(table: Contingency) -> AdaptedRand:
    """Return 1 - F of the pairs of voxels inside reference objects [1]_.

    Voxels of the reference's background are left out; background of the segmentation
    is an object like others. Pairs are drawn without replacement. The error equals
    `skimage.metrics.adapted_rand_error`, whose precision and recall are exchanged.

    References
    ----------
    .. [1] Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation
       algorithms for connectomics", Front. Neuroanat. 9 (2015), 142.

    Examples
    --------
    >>> from segkit import contingency
    >>> merged = contingency([1, 1, 1, 1], [1, 1, 2, 2])
    >>> adapted_rand_error(merged)
    AdaptedRand(error=0.5, precision=0.3333333333333333, recall=1.0)
    """
    inside = table.where(table.reference > 0)
    both = _pairs_within(inside.voxels)
    segmented = _pairs_within(inside.segmentation_sizes()[1])
    known = _pairs_within(inside.reference_sizes()[1])
    return _adapted(both, segmented, known)


@known_as("segkit")
@takes_table
def foreground_rand(table: Contingency) -> AdaptedRand:
    """Return the foreground-restricted Rand score of the ISBI 2012 challenge [1]_.

    Its V_rand is 1 - `error`; `precision` is its merge score, `recall` its split score.
    Unlike `adapted_rand_error`, each voxel that the segmentation gives to background
    is an object of its own, and pairs are drawn with replacement.

    References
    ----------
    .. [1] Arganda-Carreras et al., Front. Neuroanat. 9 (2015), 142.

    Examples
    --------
    >>> from segkit import contingency
    >>> foreground_rand(contingency([1, 1, 0, 0], [1, 1, 2, 2])).recall
    0.75
    """
    inside = table.where(table.reference > 0)
    objects = inside.where(inside.segmentation > 0)
    singles = inside.total - objects.total
    both = _squares(objects.voxels) + singles
    segmented = _squares(objects.segmentation_sizes()[1]) + singles
    return _adapted(both, segmented, _squares(inside.reference_sizes()[1]))


@known_as("segkit")
@takes_table
def variation_of_information(
    table: Contingency, *, foreground_only: bool = False
) -> VariationOfInformation:
    """Return the conditional entropies of two partitions, in bits [1]_.

    Parameters
    ----------
    table : Contingency
        The overlaps; background counts as an object.
    foreground_only : bool
        Leave out the voxels of the reference's background.

    References
    ----------
    .. [1] Meila, "Comparing clusterings - an information based distance", J.
       Multivariate Analysis 98 (2007), pp. 873-895.

    Examples
    --------
    >>> from segkit import contingency
    >>> variation_of_information(contingency([1, 2, 3, 4], [1, 1, 1, 1]))
    VariationOfInformation(split=2.0, merge=0.0)
    """
    if foreground_only:
        table = table.where(table.reference > 0)
    ids_s, sizes_s = table.segmentation_sizes()
    ids_r, sizes_r = table.reference_sizes()
    part = table.voxels / max(table.total, 1)
    in_reference = table.voxels / sizes_r[np.searchsorted(ids_r, table.reference)]
    in_object = table.voxels / sizes_s[np.searchsorted(ids_s, table.segmentation)]
    return VariationOfInformation(
        split=float(-(part * np.log2(in_reference)).sum() + 0.0),
        merge=float(-(part * np.log2(in_object)).sum() + 0.0),
    )


def _foregrounds(table: Contingency) -> tuple[int, int, int]:
    """Return the voxels of the common, the segmented and the known foreground."""
    segmented, known = table.segmentation > 0, table.reference > 0
    both, s, r = (
        int(table.voxels[mask].sum()) for mask in (segmented & known, segmented, known)
    )
    return both, s, r


def _squares(sizes: NDArray[np.int64]) -> int:
    """Sum squares exactly: those of an object above 3e9 voxels overflow int64."""
    if sizes.sum() < 3_000_000_000:
        return int((sizes * sizes).sum())
    return sum(n * n for n in sizes.tolist())


def _pairs_within(sizes: NDArray[np.int64]) -> int:
    return (_squares(sizes) - int(sizes.sum())) // 2


def _adapted(both: int, segmented: int, known: int) -> AdaptedRand:
    return AdaptedRand(
        1 - 2 * both / (segmented + known) if segmented + known else 0.0,
        both / segmented if segmented else 1.0,
        both / known if known else 1.0,
    )

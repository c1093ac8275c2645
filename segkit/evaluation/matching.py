"""Which object of a segmentation is which object of the reference.

Two ways, both read from the contingency table: one-to-one matches by intersection over
union (detection scores), and each object's largest overlap (split, merged, spurious,
missing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segkit.names import known_as
from segkit.overlaps.contingency_table import takes_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from segkit.overlaps.contingency_table import Contingency

IOU_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_MOST_IDS = 10**8


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class Matches:
    """One-to-one matches between objects, and how many objects there are.

    Parameters
    ----------
    segmentation, reference : (n,) int64 arrays
        The ids of the matched pairs.
    iou : (n,) float64 array
        Their intersection over union.
    segmentation_objects, reference_objects : int
        How many objects each image holds.
    """

    segmentation: NDArray[np.int64]
    reference: NDArray[np.int64]
    iou: NDArray[np.float64]
    segmentation_objects: int
    reference_objects: int


@known_as("segkit")
class Detection(NamedTuple):
    """How well objects are found at one threshold of intersection over union.

    `average_precision` is TP / (TP + FP + FN), as in the Data Science Bowl 2018;
    `panoptic_quality` is the sum of the matched IoUs / (TP + FP/2 + FN/2).
    """

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    average_precision: float
    precision: float
    recall: float
    f1: float
    panoptic_quality: float


@known_as("segkit")
class ObjectCounts(NamedTuple):
    """How many objects are wrong, by the kind of the mistake."""

    split: int
    merged: int
    spurious: int
    missing: int


@known_as("segkit")
@takes_table
def match_objects(table: Contingency, threshold: float = 0.5) -> Matches:
    """Match objects one to one whose intersection over union exceeds a threshold.

    Above 0.5 an object has at most one partner. Below, the matches are the most
    numerous possible, and of those the ones with the largest sum of IoU (Hungarian
    algorithm, on each group of overlapping objects by itself).

    Parameters
    ----------
    table : Contingency
        The overlaps.
    threshold : float
        IoU that a match must *exceed*, in [0, 1).

    Raises
    ------
    ValueError
        If the threshold is outside [0, 1).

    Examples
    --------
    >>> from segkit import contingency
    >>> table = contingency([1, 1, 1, 2, 0], [5, 5, 0, 0, 6])
    >>> match_objects(table).iou.round(3).tolist()
    [0.667]
    """
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold is {threshold}; an IoU threshold is in [0, 1)")
    pairs, iou = _overlaps(table)
    above = iou > threshold
    chosen, iou = pairs.where(above), iou[above]
    if threshold < 0.5:
        best = _most_matches(chosen, iou)
        chosen, iou = chosen.where(best), iou[best]
    return Matches(
        chosen.segmentation,
        chosen.reference,
        iou,
        int((table.segmentation_sizes()[0] > 0).sum()),
        int((table.reference_sizes()[0] > 0).sum()),
    )


@known_as("segkit")
@takes_table
def average_precision(
    table: Contingency, thresholds: Iterable[float] = IOU_THRESHOLDS
) -> list[Detection]:
    """Score the detection of objects at each threshold of IoU.

    Two images without objects agree: every ratio is then 1.

    Examples
    --------
    >>> from segkit import contingency
    >>> table = contingency([1, 1, 1, 2, 0], [5, 5, 0, 0, 6])
    >>> at_half, at_three_quarters = average_precision(table, [0.5, 0.75])
    >>> at_half.true_positives, at_half.false_positives, at_half.false_negatives
    (1, 1, 1)
    >>> round(at_half.average_precision, 3), at_three_quarters.f1
    (0.333, 0.0)
    """
    return [_detection(match_objects(table, t), t) for t in thresholds]


@known_as("segkit")
@takes_table
def object_counts(table: Contingency) -> ObjectCounts:
    """Count the split, merged, spurious and missing objects.

    Every object is assigned to what it overlaps most in the other image, background
    included (ties: the lowest id). A reference object to which two or more objects of
    the segmentation are assigned is split; an object of the segmentation to which two
    or more reference objects are assigned is merged; an object of the segmentation
    assigned to background is spurious; a reference object assigned to it is missing.
    `published_object_counts` keeps the quirks of the published table.

    Examples
    --------
    >>> from segkit import contingency
    >>> object_counts(contingency([1, 1, 2, 2, 3, 3, 0], [1, 1, 1, 1, 2, 3, 4]))
    ObjectCounts(split=1, merged=1, spurious=0, missing=1)
    """
    found, assigned = largest_overlaps(table)
    known, covering = largest_overlaps(table.transposed)
    assigned, covering = assigned[found > 0], covering[known > 0]
    return ObjectCounts(
        split=_repeated(assigned[assigned > 0]),
        merged=_repeated(covering[covering > 0]),
        spurious=int((assigned == 0).sum()),
        missing=int((covering == 0).sum()),
    )


@known_as("segkit")
@takes_table
def published_object_counts(table: Contingency) -> ObjectCounts:
    """Count as the program behind the published results of Coelho et al. (2009) did.

    Its quirks: unused ids up to the largest count as spurious or missing objects;
    background can be a split object; object 1 of the segmentation is never merged; the
    two largest assigned ids are counted as one.

    Raises
    ------
    ValueError
        If an id is above 100 million.

    Examples
    --------
    >>> from segkit import contingency
    >>> published_object_counts(contingency([1, 2, 3, 4, 0, 0], [1, 1, 2, 3, 3, 0]))
    ObjectCounts(split=2, merged=0, spurious=0, missing=1)
    """
    assigned = _dense(*largest_overlaps(table))
    covering = _dense(*largest_overlaps(table.transposed))
    return ObjectCounts(
        split=int((_folded_histogram(assigned) > 1).sum()),
        merged=int((_folded_histogram(covering)[2:] > 1).sum()),
        spurious=int((assigned[1:] == 0).sum()),
        missing=int((covering[1:] == 0).sum()),
    )


def largest_overlaps(
    table: Contingency,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids of the segmentation and the reference id each overlaps most."""
    order = np.lexsort((table.reference, -table.voxels, table.segmentation))
    ids, first = np.unique(table.segmentation[order], return_index=True)
    return ids, table.reference[order][first]


def _overlaps(table: Contingency) -> tuple[Contingency, NDArray[np.float64]]:
    """Return the overlaps of objects (no background) and their IoU."""
    ids_s, sizes_s = table.segmentation_sizes()
    ids_r, sizes_r = table.reference_sizes()
    pairs = table.where((table.segmentation > 0) & (table.reference > 0))
    area_s = sizes_s[np.searchsorted(ids_s, pairs.segmentation)]
    area_r = sizes_r[np.searchsorted(ids_r, pairs.reference)]
    return pairs, pairs.voxels / (area_s + area_r - pairs.voxels)


def _most_matches(pairs: Contingency, iou: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of the best set of pairs that share no object."""
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if iou.size == 0:
        return np.zeros(0, np.intp)
    rows = np.unique(pairs.segmentation, return_inverse=True)[1]
    columns = np.unique(pairs.reference, return_inverse=True)[1]
    nodes = rows.max() + columns.max() + 2
    edges = coo_array(
        (np.ones(iou.size), (rows, columns + rows.max() + 1)), (nodes,) * 2
    )
    group = connected_components(edges, directed=False)[1][rows]
    kept = []
    order = np.argsort(group, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        r = np.unique(rows[members], return_inverse=True)[1]
        c = np.unique(columns[members], return_inverse=True)[1]
        gain = np.zeros((r.max() + 1, c.max() + 1))
        # A match is worth more than all IoU together, so their number comes first.
        gain[r, c] = iou[members] + min(gain.shape) + 1
        pair = np.full(gain.shape, -1)
        pair[r, c] = members
        taken = pair[linear_sum_assignment(gain, maximize=True)]
        kept.append(taken[taken >= 0])
    return np.sort(np.concatenate(kept))


def _detection(matches: Matches, threshold: float) -> Detection:
    tp = matches.iou.size
    fp = matches.segmentation_objects - tp
    fn = matches.reference_objects - tp
    wrong = fp + fn
    return Detection(
        threshold,
        tp,
        fp,
        fn,
        average_precision=_ratio(tp, tp + wrong),
        precision=_ratio(tp, tp + fp),
        recall=_ratio(tp, tp + fn),
        f1=_ratio(2 * tp, 2 * tp + wrong),
        panoptic_quality=_ratio(float(matches.iou.sum()), tp + wrong / 2),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _repeated(ids: NDArray[np.int64]) -> int:
    return int((np.unique(ids, return_counts=True)[1] > 1).sum())


def _dense(ids: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the values at their ids; ids without a value get 0, as an argmax does."""
    largest = int(ids.max(initial=0))
    if largest > _MOST_IDS:
        raise ValueError(
            f"labels hold the id {largest}, and this way to count takes all ids up to"
            " the largest for objects; number them by segkit.relabel_sequential"
        )
    dense = np.zeros(largest + 1, np.int64)
    dense[ids] = values
    return dense


def _folded_histogram(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count values as numpy.histogram does with edges 0, 1, ..., max."""
    counts = np.bincount(values)
    if counts.size == 1:
        return counts[:0]
    return np.append(counts[:-2], counts[-2:].sum())

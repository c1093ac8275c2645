"""All scores of a segmentation at once, in our terms and as they were published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.evaluation.distances import (
    ObjectDistances,
    distances_of_runs,
    object_distances,
    published_distances,
)
from segkit.evaluation.matching import (
    average_precision,
    object_counts,
    published_object_counts,
)
from segkit.evaluation.partitions import (
    adapted_rand_error,
    adjusted_rand_index,
    dice,
    foreground_rand,
    jaccard,
    published_jaccard_index,
    rand_index,
    variation_of_information,
)
from segkit.names import known_as
from segkit.overlaps.contingency_table import Contingency, contingency, takes_table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from segkit.arrays import RealPerAxis
    from segkit.evaluation.runs import LabelRuns


@known_as("segkit")
def scores(
    segmentation: ArrayLike,
    reference: ArrayLike,
    *,
    spacing: RealPerAxis | None = None,
) -> dict[str, float]:
    """Return every score of a segmentation against a reference, corrected forms.

    Parameters
    ----------
    segmentation, reference : arrays of equal shape
        Label images, 0 is background. A mask drawn by hand (0 and 255) is one object,
        which is told by a warning: give ``segkit.label(mask > 0)`` to score its pieces.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis, above 0, for the distances; 1 by default.

    Returns
    -------
    dict
        The scores of `table_scores`, and `hausdorff` (mean over objects; NaN where no
        object overlaps the reference) and `nsd` of `object_distances`.

    Examples
    --------
    >>> perfect = scores([[1, 0, 2]], [[4, 0, 9]])
    >>> perfect["dice"], perfect["average_precision_50"], perfect["hausdorff"]
    (1.0, 1.0, 0.0)
    """
    distances = object_distances(segmentation, reference, spacing=spacing)
    return _all_scores(contingency(segmentation, reference), distances)


@known_as("segkit")
def scores_of_runs(
    runs: LabelRuns, *, spacing: RealPerAxis | None = None
) -> dict[str, float]:
    """Return what `scores` returns, from the runs of all tiles; equal to the last bit.

    Examples
    --------
    >>> from segkit import combine, label_runs, scores, tiles
    >>> found, known = np.array([[1, 1, 0, 2]]), np.array([[4, 0, 0, 9]])
    >>> parts = [
    ...     label_runs(found[t.write.slices], known[t.write.slices], t, found.shape)
    ...     for t in tiles(found.shape, 2)
    ... ]
    >>> scores_of_runs(combine(parts)) == scores(found, known)
    True
    """
    distances = distances_of_runs(runs, spacing=spacing)
    return _all_scores(runs.contingency(), distances)


def _all_scores(table: Contingency, distances: ObjectDistances) -> dict[str, float]:
    return {
        **table_scores(table),
        "hausdorff": distances.mean_hausdorff,
        "nsd": distances.mean_nsd,
    }


@known_as("segkit")
@takes_table
def table_scores(table: Contingency) -> dict[str, float]:
    """Return every score that the overlaps alone give: all but the distances.

    Examples
    --------
    >>> table_scores(contingency([1, 1, 0], [1, 1, 2]))["missing"]
    1.0
    """
    adapted, challenge = adapted_rand_error(table), foreground_rand(table)
    information = variation_of_information(table)
    detections = average_precision(table)
    at = {round(100 * d.threshold): d for d in detections}
    return {
        "dice": dice(table),
        "jaccard": jaccard(table),
        "rand_index": rand_index(table),
        "adjusted_rand_index": adjusted_rand_index(table),
        "adapted_rand_error": adapted.error,
        "adapted_rand_precision": adapted.precision,
        "adapted_rand_recall": adapted.recall,
        "foreground_rand": 1 - challenge.error,
        "variation_of_information": sum(information),
        "variation_of_information_split": information.split,
        "variation_of_information_merge": information.merge,
        "average_precision_50": at[50].average_precision,
        "average_precision_75": at[75].average_precision,
        "average_precision": float(np.mean([d.average_precision for d in detections])),
        "f1_50": at[50].f1,
        "panoptic_quality": at[50].panoptic_quality,
        "true_positives_50": float(at[50].true_positives),
        "false_positives_50": float(at[50].false_positives),
        "false_negatives_50": float(at[50].false_negatives),
        **{name: float(n) for name, n in object_counts(table)._asdict().items()},
    }


@known_as("segkit")
def published_scores(segmentation: ArrayLike, reference: ArrayLike) -> dict[str, float]:
    """Return the scores of one image as the table of Coelho et al. [1]_ has them.

    With the quirks of the program behind it; see `published_jaccard_index`,
    `published_distances` and `published_object_counts`. The table holds their means
    over the images of a set; its column "NSD" is ten times `nsd`.

    References
    ----------
    .. [1] Coelho, Shariff and Murphy, "Nuclear segmentation in microscope cell images:
       a hand-segmented dataset and comparison of algorithms", ISBI 2009, pp. 518-521.

    Examples
    --------
    >>> published_scores([0, 1, 1, 1, 0], [0, 5, 5, 0, 0])["hausdorff"]
    1.0
    """
    table = contingency(segmentation, reference)
    hausdorff, nsd = published_distances(segmentation, reference)
    return {
        "rand_index": rand_index(table),
        "jaccard_index": published_jaccard_index(table),
        "hausdorff": hausdorff,
        "nsd": nsd,
        **{n: float(v) for n, v in published_object_counts(table)._asdict().items()},
    }

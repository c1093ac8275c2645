"""Which objects are matched, and which are split, merged, spurious or missing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

import segkit as ev

from .examples import (
    label_pairs,
    unhurried,
)

EIGHT = np.array(  # a split object, a merged pair, a spurious and a missing one
    [
        [0, 1, 1, 2, 2, 0, 3, 3],
        [0, 1, 1, 2, 2, 0, 3, 3],
        [4, 4, 0, 0, 0, 0, 3, 3],
    ]
)
KNOWN = np.array(
    [
        [0, 5, 5, 5, 5, 0, 6, 7],
        [0, 5, 5, 5, 5, 0, 6, 7],
        [0, 0, 0, 9, 9, 0, 6, 7],
    ]
)


def test_hand_counted_objects():
    table = ev.contingency(EIGHT, KNOWN)
    assert ev.object_counts(table) == ev.ObjectCounts(
        split=1, merged=1, spurious=1, missing=1
    )


def test_hand_counted_matches():
    table = ev.contingency(EIGHT, KNOWN)
    # 1 and 2 are each half of 5, 6 and 7 each half of 3: no IoU exceeds 0.5.
    at_half, below = ev.average_precision(table, [0.5, 0.4])
    assert (at_half.true_positives, at_half.false_positives) == (0, 4)
    assert (below.true_positives, below.false_negatives) == (2, 2)
    assert below.average_precision == 2 / 6


def test_matches_below_one_half_are_as_many_as_possible():
    # 1 overlaps both references, 2 only the first: greedy by IoU would match one pair.
    segmentation = [1, 1, 1, 1, 2, 2, 1]
    reference = [8, 8, 8, 0, 8, 0, 9]
    matches = ev.match_objects(ev.contingency(segmentation, reference), 0.05)
    pairs = list(
        zip(matches.segmentation.tolist(), matches.reference.tolist(), strict=True)
    )
    assert pairs == [(1, 9), (2, 8)]


@unhurried
@given(label_pairs(), st.sampled_from([0.1, 0.3, 0.5, 0.7]))
def test_no_object_is_matched_twice(pair, threshold):
    matches = ev.match_objects(ev.contingency(*pair), threshold)
    assert len(set(matches.segmentation)) == len(matches.segmentation)
    assert len(set(matches.reference)) == len(matches.reference)
    assert (matches.iou > threshold).all()


def published_by_the_book(segmentation, reference):
    """Count as the published program does: dense table, argmax, numpy.histogram."""
    edges = np.arange(max(segmentation.max(), reference.max()) + 2)
    joint = np.histogram2d(reference.ravel(), segmentation.ravel(), [edges, edges])[0]
    assigned = joint.argmax(0)[: segmentation.max() + 1]
    covering = joint.argmax(1)[: reference.max() + 1]

    def repeated(ids, skip):
        if ids.max() == 0:
            return 0
        return int((np.histogram(ids, np.arange(ids.max() + 1))[0][skip:] > 1).sum())

    return (
        repeated(assigned, 0),
        repeated(covering, 2),
        int((assigned[1:] == 0).sum()),
        int((covering[1:] == 0).sum()),
    )


@unhurried
@given(label_pairs())
def test_published_counts_keep_every_quirk(pair):
    segmentation, reference = (image.astype(np.int64) for image in pair)
    counts = ev.published_object_counts(ev.contingency(segmentation, reference))
    assert tuple(counts) == published_by_the_book(segmentation, reference)

"""Scores that are sums over the contingency table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from skimage import metrics

import segkit as ev

from .examples import (
    label_pairs,
    unhurried,
)


@unhurried
@given(label_pairs())
def test_measures_that_are_symmetric_are(pair):
    there, back = ev.contingency(*pair), ev.contingency(*pair[::-1])
    assert there == back.transposed
    for measure in (ev.dice, ev.jaccard, ev.rand_index, ev.adjusted_rand_index):
        assert measure(there) == measure(back)
    split, merge = ev.variation_of_information(there)
    assert ev.variation_of_information(back) == pytest.approx((merge, split))
    counts, other = ev.object_counts(there), ev.object_counts(back)
    assert (counts.split, counts.spurious) == (other.merged, other.missing)


@unhurried
@given(label_pairs())
def test_partition_scores_are_those_of_scikit_image(pair):
    segmentation, reference = pair
    table = ev.contingency(segmentation, reference)
    split, merge = metrics.variation_of_information(reference, segmentation)
    assert ev.variation_of_information(table) == pytest.approx((split, merge))
    ours = ev.adapted_rand_error(table)
    inside = table.where(table.reference > 0)
    both_have_pairs = all(
        (sizes > 1).any()
        for sizes in (inside.segmentation_sizes()[1], inside.reference_sizes()[1])
    )
    if both_have_pairs:  # elsewhere scikit-image divides by zero
        error, precision, recall = metrics.adapted_rand_error(reference, segmentation)
        # It exchanges the names of precision and recall.
        assert tuple(ours) == pytest.approx((error, recall, precision))


@unhurried
@given(label_pairs())
def test_variation_of_information_is_zero_only_for_equal_partitions(pair):
    table = ev.contingency(*pair)
    total = sum(ev.variation_of_information(table))
    one_to_one = (
        len(set(table.segmentation)) == len(set(table.reference)) == len(table.voxels)
    )
    assert (total < 1e-12) == one_to_one


def brute_force_pairs(first, second):
    a, b = first.ravel(), second.ravel()
    i, j = np.triu_indices(a.size, 1)
    same_a, same_b = a[i] == a[j], b[i] == b[j]
    return (
        int((same_a & same_b).sum()),
        int((same_a & ~same_b).sum()),
        int((~same_a & same_b).sum()),
        int((~same_a & ~same_b).sum()),
    )


@unhurried
@given(label_pairs())
def test_pairs_are_counted_as_one_by_one(pair):
    assert tuple(ev.pair_counts(ev.contingency(*pair))) == brute_force_pairs(*pair)


def test_pairs_of_huge_images_stay_exact():
    one = np.array([1], np.int64)
    table = ev.Contingency(one, one, np.array([2**40], np.int64))
    assert ev.pair_counts(table).both == math.comb(2**40, 2)


def test_background_of_the_segmentation_is_many_objects_only_in_the_challenge():
    table = ev.contingency([0, 0, 0, 0], [1, 1, 2, 2])
    assert ev.adapted_rand_error(table).recall == 1
    assert ev.foreground_rand(table).precision == 1
    assert ev.foreground_rand(table).recall == 0.5

"""Distances of masks and objects, whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from skimage import metrics

import segkit as ev
from segkit.evaluation import contours, distances

from .examples import (
    distances_by_maps,
    label_pairs,
    unhurried,
)


@unhurried
@given(label_pairs(max_label=3), st.booleans())
def test_distances_of_objects_are_those_of_distance_maps(pair, spaced):
    spacing = (0.3, 1.7, 2.1)[: pair[0].ndim] if spaced else None
    found = ev.object_distances(*pair, spacing=spacing)
    for k, (s, r) in enumerate(zip(found.segmentation, found.reference, strict=True)):
        expected = distances_by_maps(pair[0] == s, pair[1] == r, spacing)
        assert (found.hausdorff[k], found.nsd[k]) == pytest.approx(expected, abs=1e-12)


@given(label_pairs(max_label=3), st.booleans())
@settings(unhurried, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_small_objects_are_at_the_same_distances_as_large_ones(
    monkeypatch, pair, spaced
):
    spacing = (0.3, 1.7, 2.1)[: pair[0].ndim] if spaced else None
    small = ev.object_distances(*pair, spacing=spacing)
    with monkeypatch.context() as patched:
        for module in distances, contours:
            patched.setattr(module, "_SMALL", 0)
        large = ev.object_distances(*pair, spacing=spacing)
    assert small.hausdorff.tolist() == large.hausdorff.tolist()
    assert small.nsd.tolist() == large.nsd.tolist()


@unhurried
@given(label_pairs(max_label=1))
def test_hausdorff_is_that_of_scikit_image(pair):
    expected = metrics.hausdorff_distance(*(image.astype(bool) for image in pair))
    assert ev.hausdorff_distance(*pair) == pytest.approx(expected)


def test_published_distances_see_only_the_box_and_the_reference_border():
    segmentation = np.zeros((7, 9), np.int32)
    reference = segmentation.copy()
    reference[2:5, 2:5] = 1
    segmentation[2:5, 2:7] = 1
    hausdorff, nsd = ev.published_distances(segmentation, reference)
    assert hausdorff == 2
    # Box 3x5: inside, distances to its two right columns are 3, 2, 1 in each row.
    assert nsd == (3 * (1 + 2)) / (3 * (3 + 2 + 1) + 3 * (1 + 2))


def test_distances_are_in_units_of_spacing():
    segmentation = np.zeros((1, 6), np.int32)
    segmentation[0, 1:4] = 1
    reference = np.zeros((1, 6), np.int32)
    reference[0, 1:3] = 1
    measured = ev.object_distances(segmentation, reference, spacing=(1, 0.5))
    assert measured.mean_hausdorff == 0.5


def test_spurious_and_missing_objects_count_as_one_in_nsd():
    measured = ev.object_distances([1, 1, 0, 0, 0, 2], [3, 3, 0, 4, 0, 0])
    assert (measured.spurious, measured.missing) == (1, 1)
    assert measured.mean_nsd == 2 / 3

"""Peaks, local maxima and skeletons."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import feature, morphology

import segkit
from tests.segkit.filters.test_ridges import grey


@pytest.mark.parametrize("shape", [(60,), (30, 40), (12, 15, 18)])
@pytest.mark.parametrize("radius", [1, 3])
def test_peaks_of_distinct_values_are_those_of_scikit_image(shape, radius):
    rng = np.random.default_rng(0)
    image = rng.permutation(np.prod(shape)).reshape(shape).astype(float)
    places = feature.peak_local_max(image, min_distance=radius, exclude_border=False)
    expected = np.zeros(shape, bool)
    expected[tuple(places.T)] = True
    np.testing.assert_array_equal(segkit.peaks(image, radius), expected)


def test_no_two_peaks_share_a_box():
    image = np.random.default_rng(0).integers(0, 40, (40, 50), np.uint8)
    places = np.argwhere(segkit.peaks(image, (2, 3)))
    apart = np.abs(places[:, None] - places[None])
    near = (apart <= (2, 3)).all(axis=2)
    assert near.sum() == len(places) > 10


def test_a_threshold_is_what_peaks_are_above():
    image = np.array([0, 5, 0, 7, 0], np.float32)
    assert np.flatnonzero(segkit.peaks(image, threshold=5)).tolist() == [3]


def test_local_maxima_are_those_of_scikit_image():
    image = np.random.default_rng(0).integers(0, 5, (20, 30))
    for connectivity in (1, 2):
        expected = morphology.local_maxima(image, connectivity=connectivity)
        found = segkit.local_maxima(image, connectivity=connectivity)
        np.testing.assert_array_equal(found, expected)


def test_skeletons_are_those_of_scikit_image():
    for shape in ((40, 50), (12, 20, 25)):
        mask = grey(shape) > 100
        expected = morphology.skeletonize(mask)
        np.testing.assert_array_equal(segkit.skeleton(mask), expected)


def lines():
    labels = np.zeros((3, 10, 12), np.int32)
    labels[1, 2, 1:9] = 4  # along x
    labels[0, [5, 6, 7], [1, 2, 3]] = 7  # a diagonal of a plane
    labels[[0, 1, 2], [5, 6, 7], [8, 9, 10]] = 9  # and of space
    labels[2, 9, 0] = 11
    return labels


def test_the_length_of_a_skeleton_is_that_of_its_steps():
    table = segkit.skeleton_length(lines())
    assert table["label"].tolist() == [4, 7, 9, 11]
    np.testing.assert_allclose(table["length"], [7, 2 * 2**0.5, 2 * 3**0.5, 0])
    table = segkit.skeleton_length(lines(), spacing=(2, 1, 0.5))
    expected = [3.5, 2 * 1.25**0.5, 2 * 5.25**0.5, 0]
    np.testing.assert_allclose(table["length"], expected)


def test_corners_are_not_cut_twice():
    corner = np.zeros((5, 5), bool)
    corner[1, 1:4] = corner[1:4, 3] = True
    assert segkit.skeleton_length(corner)["length"].tolist() == [4]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: segkit.skeleton(np.ones(4)), "is for 2 or 3 axes, not for 1"),
        (lambda: segkit.skeleton_length(np.ones((3, 3), int), spacing=0), "positive"),
        (lambda: segkit.peaks(np.ones(4), -1), "radius is -1"),
        (lambda: segkit.peaks(np.ones(4), threshold=np.nan), "threshold is NaN"),
        (lambda: segkit.local_maxima(np.ones(4), connectivity=2), "give 1 to 1"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()

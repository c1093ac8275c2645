"""Boundaries found, labels grown, segmentations joined."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import segmentation

import segkit


def labels(shape, share=0.1, dtype=np.int32):
    rng = np.random.default_rng(0)
    return (rng.integers(1, 30, shape) * (rng.random(shape) < share)).astype(dtype)


@pytest.mark.parametrize("mode", ["thick", "inner", "outer"])
@pytest.mark.parametrize("shape", [(20, 30), (8, 9, 10)])
def test_boundaries_are_those_of_scikit_image(mode, shape):
    image = labels(shape, 0.6)
    for connectivity in range(1, len(shape) + 1):
        expected = segmentation.find_boundaries(image, connectivity, mode)
        found = segkit.find_boundaries(image, mode, connectivity=connectivity)
        np.testing.assert_array_equal(found, expected)


def by_definition(image, distance, spacing):
    """Return for each voxel the lowest label among the nearest labelled voxels."""
    there = np.argwhere(image > 0)
    ids = image[tuple(there.T)]
    result = image.copy()
    for voxel in np.argwhere(image == 0):
        far = np.sqrt((((there - voxel) * spacing) ** 2).sum(axis=1))
        if far.min() <= distance + 1e-9:
            result[tuple(voxel)] = ids[far <= far.min() + 1e-9].min()
    return result


@pytest.mark.parametrize("spacing", [(1, 1, 1), (3, 1, 1), (0.7, 0.3, 0.4)])
@pytest.mark.parametrize("distance", [0, 1, 2.5, 100])
def test_labels_grow_to_the_nearest_of_the_definition(spacing, distance):
    image = labels((5, 9, 11), 0.03)
    found = segkit.expand_labels(image, distance, spacing=spacing)
    np.testing.assert_array_equal(found, by_definition(image, distance, spacing))


def test_labels_grow_as_in_scikit_image_but_where_two_are_as_near():
    image = labels((60, 70), 0.01)
    found = segkit.expand_labels(image, 6)
    expected = segmentation.expand_labels(image, 6)
    np.testing.assert_array_equal(found > 0, expected > 0)
    far = ndimage.distance_transform_edt
    for voxel in np.argwhere(found != expected):
        to = [
            far(image != value)[tuple(voxel)]
            for value in (found[tuple(voxel)], expected[tuple(voxel)])
        ]
        assert to[0] == to[1]
        assert found[tuple(voxel)] < expected[tuple(voxel)]


def test_nothing_grows_from_nothing():
    assert not segkit.expand_labels(np.zeros((4, 5), np.uint8), 3).any()


@pytest.mark.parametrize("share", [0.5, 1])
def test_joined_segmentations_are_those_of_scikit_image(share):
    first = labels((20, 30), share)
    second = np.roll(first, 3, 1)
    expected = segmentation.join_segmentations(first, second)
    found = segkit.join_segmentations(first, second)
    if share == 1:  # scikit-image counts from 0 where nothing is background
        expected = expected - expected.min() + 1
    np.testing.assert_array_equal(found, expected)


def test_large_ids_are_told_apart():
    first = np.array([2**62, 2**62 + 1, 0], np.uint64)
    found = segkit.join_segmentations(first, np.array([2**61, 2**61, 0]))
    assert found.tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: segkit.find_boundaries(i, "subpixel"), "unknown mode 'subpixel'"),
        (lambda i: segkit.find_boundaries(i, connectivity=3), "give 1 to 2"),
        (lambda i: segkit.find_boundaries(-i), "labels holds negative numbers"),
        (lambda i: segkit.expand_labels(i, -1), "distance is -1"),
        (lambda i: segkit.join_segmentations(i, i[1:]), "other has shape"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call(labels((6, 7), 0.5))

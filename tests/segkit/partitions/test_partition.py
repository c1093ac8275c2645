"""Partitions: labels and boxes in one form, the same tile by tile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from mahotas.features import surf

from segkit.features import surf_descriptors
from segkit.partitions import (
    grid_regions,
    interest_points,
    labelled_regions,
    superpixel_regions,
    watershed_regions,
    window_regions,
)


def noise(shape=(48, 60), seed=0):
    return np.random.default_rng(seed).integers(0, 255, shape).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    size=st.integers(1, 9),
)
def test_cells_of_a_grid_hold_each_voxel_once(shape, size):
    cells = grid_regions(shape, size)
    held = np.zeros(shape, int)
    for place in range(len(cells)):
        held[cells.box(place).slices] += cells.inside(place)
    assert (held == 1).all()
    assert cells.sizes().sum() == held.size


def test_labels_and_their_boxes_are_the_same_voxels():
    labels = np.random.default_rng(1).integers(0, 4, (9, 11))
    regions = labelled_regions(labels)
    for place, region in enumerate(regions.ids):
        whole = np.zeros(labels.shape, bool)
        whole[regions.box(place).slices] = regions.inside(place)
        np.testing.assert_array_equal(whole, labels == region)


def test_shares_are_the_means_of_a_mask_over_regions():
    labels = np.array([[1, 1, 5], [1, 5, 5]])
    mask = np.array([[1, 0, 1], [1, 0, 1]])
    np.testing.assert_allclose(labelled_regions(labels).shares(mask), [2 / 3, 2 / 3])


@pytest.mark.parametrize("kind", ["labels", "boxes"])
def test_within_a_mask_only_its_voxels_count(kind):
    mask = np.zeros((8, 8), np.uint8)
    mask[:, :5] = 255
    cells = grid_regions((8, 8), 4)
    if kind == "labels":
        cells = labelled_regions(np.kron([[1, 2], [3, 4]], np.ones((4, 4), int)))
    seen = cells.within(mask, least=0.2)
    assert seen.sizes().tolist() == [16, 4, 16, 4]
    assert cells.within(mask).ids.tolist() == [1, 3]
    np.testing.assert_array_equal(seen.shares(mask), 1)


def test_windows_end_at_the_border_and_may_overlap():
    windows = window_regions([[0, 0], [1, 1]], (6, 6), 4)
    assert windows.sizes().tolist() == [4, 9]


def test_values_are_painted_where_regions_are():
    cells = grid_regions((2, 4), 2).only([1])
    painted = cells.painted([7.0])
    assert np.isnan(painted[:, :2]).all()
    assert (painted[:, 2:] == 7).all()


def test_superpixels_are_the_same_for_any_tiles():
    whole, tiled = (superpixel_regions(noise(), 12, tile=t) for t in (None, 17))
    np.testing.assert_array_equal(whole.labels, tiled.labels)


def test_basins_cover_the_image_and_are_larger_after_more_smoothing():
    fine, coarse = (watershed_regions(noise(), sigma=s) for s in (1, 3))
    assert coarse.sizes().sum() == fine.sizes().sum() == noise().size
    assert 1 < len(coarse) < len(fine)


@settings(max_examples=20, deadline=None)
@given(
    method=st.sampled_from(["maxima", "log"]),
    shape=st.lists(st.integers(1, 30), min_size=1, max_size=2),
    tile=st.integers(2, 19),
    apart=st.integers(1, 6),
    levels=st.sampled_from([2, 250]),
    seed=st.integers(0, 99),
)
def test_points_are_the_same_for_any_tiles(method, shape, tile, apart, levels, seed):
    image = np.random.default_rng(seed).integers(0, levels, shape)
    whole = interest_points(image, method, sigma=0.8, min_distance=apart)
    tiled = interest_points(image, method, sigma=0.8, min_distance=apart, tile=tile)
    np.testing.assert_array_equal(tiled, whole)


@pytest.mark.parametrize("method", ["maxima", "log"])
def test_points_lie_on_blobs_and_apart(method):
    y, x = np.indices((80, 90))
    places = np.array([[20, 25], [25, 60], [60, 40]])
    blobs = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 18) for a, b in places)
    image = (200 * blobs).round()
    found = interest_points(image, method, sigma=3, min_distance=8, most=3)
    distances = np.abs(found[:, None] - places).max(axis=2)
    assert distances.min(axis=1).max() <= 2
    assert sorted(distances.argmin(axis=1)) == [0, 1, 2]


def test_surf_points_are_those_of_mahotas_that_are_the_highest_around():
    image = noise((70, 80))
    theirs = surf.interest_points(image.astype(float), threshold=10)
    highest = theirs[np.argmax(theirs[:, 3]), :2].round()
    ours = interest_points(image, "surf", min_distance=9, least=10)
    apart = np.abs(ours[:, None] - ours).max(axis=2) + 99 * np.eye(len(ours))
    assert highest.tolist() in ours.tolist()
    assert apart.min() >= 9
    assert len(ours) < len(theirs)


def test_points_out_of_a_mask_are_left_out():
    mask = np.zeros((48, 60))
    mask[:20] = 1
    points = interest_points(noise(), "maxima", mask=mask)
    assert len(points)
    assert (points[:, 0] < 20).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: labelled_regions(np.zeros((4, 4), int)),
            "hold no object.* leave this image out",
        ),
        (lambda: labelled_regions(np.array([0, 255], np.uint8)), "as a mask does"),
        (lambda: labelled_regions(np.array([0.0, 1.0])), "integers"),
        (lambda: grid_regions((4, 4), 0), "tile is 0"),
        (lambda: grid_regions((4, 4), 2).within(np.zeros((4, 4))), "no region has"),
        (lambda: grid_regions((4, 4), 2).within(np.ones((4, 5))), "they differ"),
        (lambda: grid_regions((4, 4), 2).shares(np.ones((4, 5))), "mask has shape"),
        (lambda: grid_regions((1, 2), 1).shares([[3, 253]]), "no 0"),
        (lambda: grid_regions((4, 4), 2).painted([1.0]), "one for each of 4"),
        (lambda: window_regions([[4, 0]], (4, 4), 2), "lies outside"),
        (
            lambda: window_regions([], (4, 4), 2),
            "there are no points, so no windows",
        ),
        (lambda: window_regions([[1.0, 2]], (4, 4), 2), "of float64; give whole"),
        (lambda: window_regions([[np.nan, 2]], (4, 4), 2), "give whole numbers"),
        (lambda: window_regions([[True, False]], (4, 4), 2), "of bool; give whole"),
        (lambda: interest_points(noise(), "corners"), "unknown method"),
        (lambda: interest_points(noise((4, 5, 6)), "surf"), "two axes"),
        (lambda: interest_points(noise(), mask=np.ones((3, 3))), "the image"),
        (lambda: watershed_regions(noise(), sigma=0), "sigma is 0"),
    ],
)
def test_what_cannot_be_is_told(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


HUGE = np.broadcast_to(np.zeros((), np.uint8), (10**7, 10**7))


@pytest.mark.parametrize(
    ("whole", "instead"),
    [
        (watershed_regions, "superpixel_regions"),
        (lambda image: interest_points(image, "surf"), 'method="log"'),
        (surf_descriptors, "parts that overlap"),
    ],
)
def test_what_takes_a_whole_image_refuses_more_than_memory(whole, instead):
    with pytest.raises(MemoryError, match=f"on the whole image at once, .*{instead}"):
        whole(HUGE)

"""Objects of tiles are merged where they overlap, and disagreement is told."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from segkit.labelling.labels import label, relabel_tile
from segkit.labelling.seams import adjacent_tiles
from segkit.regions.instances import (
    compare_tiles,
    instance_tile,
    merge_instance_tiles,
    merge_instances,
)
from segkit.regions.seam_report import SeamError, SeamWarning
from segkit.tiling.cutting import tiles


def shuffled(labels, rng):
    """Give the objects of one tile arbitrary ids."""
    ids = np.unique(labels[labels > 0])
    lookup = np.zeros(int(labels.max()) + 1, np.int64)
    lookup[ids] = rng.permutation(len(ids)) * 3 + 10
    return lookup[labels]


@st.composite
def cases(draw):
    ndim = draw(st.integers(1, 3))
    longest = {1: 50, 2: 20, 3: 10}[ndim]
    shape = tuple(draw(st.integers(1, longest)) for _ in range(ndim))
    tile = tuple(draw(st.integers(2, n + 2)) for n in shape)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = label(rng.integers(0, 3, shape), by_value=True, workers=1)
    return values, tile, draw(st.integers(1, 5)), rng


@given(cases())
@settings(max_examples=80, deadline=None)
def test_tiles_of_one_truth_give_it_back(case):
    truth, tile, halo, rng = case
    grid = tiles(truth.shape, tile, halo=halo)
    pieces = [(t, shuffled(truth[t.read.slices], rng)) for t in grid]
    merged = merge_instances(pieces, truth.shape, on_disagreement="raise")
    np.testing.assert_array_equal(merged.labels, truth)
    assert merged.report.differing == merged.report.cut == 0
    assert merged.report.identical == merged.report.merged


@given(cases())
@settings(max_examples=40, deadline=None)
def test_tasks_in_any_order_equal_whole(case):
    truth, tile, halo, rng = case
    grid = tiles(truth.shape, tile, halo=halo)
    parts = [
        instance_tile(shuffled(truth[t.read.slices], rng), t, truth.shape) for t in grid
    ]
    seams = [
        compare_tiles(parts[i].summary, parts[j].summary)
        for i, j in adjacent_tiles(grid, connectivity=truth.ndim)
    ]
    seams = [seams[k] for k in rng.permutation(len(seams))]
    order = rng.permutation(len(grid))
    lookups, _ = merge_instance_tiles([parts[k].summary for k in order], seams=seams)
    for k, lookup in zip(order, lookups, strict=True):
        found = relabel_tile(parts[k].labels, lookup)
        np.testing.assert_array_equal(found, truth[grid[k].write.slices])


def test_an_object_in_pieces_where_tiles_overlap_is_not_taken_for_a_mask():
    grid = tiles((20, 60), (20, 30), halo=(0, 8))
    left, right = (np.zeros(tile.read.shape, int) for tile in grid)
    left[2:8, 8:], left[12:18, 8:], left[2:18, 8:12] = 1, 1, 1
    right[2:8, :20], right[12:18, :20] = 1, 2
    parts = [
        instance_tile(labels, tile, (20, 60)).summary
        for labels, tile in zip((left, right), grid, strict=True)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seam = compare_tiles(*parts)
    assert seam.check.merged == 2


def two_tiles(left, right):
    """Return two tiles of 6 that see 4 of each other, and their labels."""
    grid = tiles((12,), 6, halo=4)
    return [(grid[0], np.array(left)), (grid[1], np.array(right))]


def test_objects_that_overlap_well_are_one():
    # The tiles know voxels 4..7 in common next to the seam, which is before voxel 6.
    pieces = two_tiles([0, 0, 0, 0, 9, 9, 9, 9, 0, 0], [0, 0, 0, 5, 5, 5, 0, 0, 0, 0])
    merged = merge_instances(pieces, (12,), on_disagreement="ignore")
    assert merged.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    (seam,) = merged.report.seams
    assert (seam.merged, seam.identical, seam.cut) == (1, 0, 0)
    assert (seam.compared, seam.differing) == (4, 1)


def test_objects_that_overlap_badly_are_cut_and_told():
    pieces = two_tiles([0, 0, 0, 0, 9, 9, 9, 9, 0, 0], [0, 0, 0, 0, 5, 5, 5, 5, 0, 0])
    with pytest.warns(SeamWarning, match="1 objects cut"):
        merged = merge_instances(pieces, (12,), min_overlap=0.9)
    assert merged.labels.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 0, 0]
    (seam,) = merged.report.seams
    assert (seam.merged, seam.cut) == (0, 1)
    assert merged.report.worst == seam
    assert merged.report.disagreement == 1.0


def test_disagreement_can_fail_the_run_and_carries_the_report():
    pieces = two_tiles([0] * 10, [0, 0, 5, 5, 5, 0, 0, 0, 0, 0])
    with pytest.raises(SeamError, match="larger halo") as caught:
        merge_instances(pieces, (12,), on_disagreement="raise")
    assert caught.value.report.differing == 3
    merge_instances(pieces, (12,), on_disagreement="raise", tolerance=1.0)


def test_the_outer_half_of_the_halo_is_not_compared():
    left = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]  # wrong in the two voxels at its edge
    merged = merge_instances(two_tiles(left, [1] * 10), (12,), on_disagreement="raise")
    assert merged.labels.tolist() == [1] * 12


def test_a_single_tile_has_no_seams():
    labels = np.array([[4, 0], [4, 2]])
    (tile,) = tiles(labels.shape, 8, halo=2)
    merged = merge_instances([(tile, labels)], labels.shape)
    assert merged.labels.tolist() == [[1, 0], [1, 2]]
    assert merged.report.seams == ()
    assert str(merged.report).startswith("0 seams")


@pytest.mark.parametrize("fill", [0, 3])
def test_uniform_tiles(fill):
    grid = tiles((7, 9), 4, halo=2)
    pieces = [(t, np.full(t.read.shape, fill)) for t in grid]
    merged = merge_instances(pieces, (7, 9), on_disagreement="raise")
    np.testing.assert_array_equal(merged.labels, int(fill > 0))


@pytest.mark.parametrize(
    ("halo", "labels", "options", "error", "words"),
    [
        (0, np.ones(4, int), {}, ValueError, "halo of at least 1"),
        (1, np.ones(9, int), {}, ValueError, "tile.read"),
        (1, np.ones(5), {}, TypeError, "integers"),
        (1, -np.ones(5, int), {}, ValueError, "negative"),
        (1, np.ones(5, int), {"min_overlap": 0}, ValueError, "min_overlap"),
        (1, np.ones(5, int), {"on_disagreement": "x"}, ValueError, "'raise'"),
    ],
)
def test_bad_input_is_named(halo, labels, options, error, words):
    grid = tiles((8,), 4, halo=halo)
    with pytest.raises(error, match=words):
        merge_instances([(t, labels) for t in grid], (8,), **options)


def test_a_missing_tile_is_noticed():
    grid = tiles((12,), 4, halo=1)
    pieces = [(t, np.ones(t.read.shape, int)) for t in grid[:2]]
    with pytest.raises(ValueError, match="missing"):
        merge_instances(pieces, (12,))


def test_large_ids_of_uint64_are_told_apart():
    labels = np.array([0, 1, 1, 1, 1, 2, 2, 0], np.uint64)
    labels[labels > 0] += np.uint64(2**60)
    parts = [(t, labels[t.read.slices]) for t in tiles((8,), 4, halo=2)]
    merged = merge_instances(parts, (8,), on_disagreement="ignore").labels
    assert merged.tolist() == [0, 1, 1, 1, 1, 2, 2, 0]

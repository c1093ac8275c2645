from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage import metrics

import segkit as ev
from segkit.evaluation import runs
from segkit.overlaps.contingency_table import _count_by_numpy
from segkit.tiling.cutting import tiles

# No deadline: the first example compiles the counting loop.
unhurried = settings(deadline=None, max_examples=50)

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


@st.composite
def label_pairs(draw, max_label=6):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=7))
    small = [np.uint8] if max_label < 256 else []
    dtype = draw(st.sampled_from([*small, np.int32, np.uint32, np.int64]))
    elements = st.integers(0, max_label)
    return tuple(draw(hnp.arrays(dtype, shape, elements=elements)) for _ in range(2))


@unhurried
@given(label_pairs(), st.data())
def test_tables_of_tiles_add_to_the_table_of_the_whole(pair, data):
    axis = data.draw(st.integers(0, pair[0].ndim - 1))
    step = data.draw(st.integers(1, 7))
    cuts = range(step, pair[0].shape[axis], step)
    parts = zip(*(np.split(image, cuts, axis=axis) for image in pair), strict=True)

    combined = ev.combine(ev.contingency(a, b) for a, b in parts)

    whole = ev.contingency(*pair)
    assert combined == whole
    assert ev.table_scores(combined) == ev.table_scores(whole)


def runs_of_tiles(pair, data):
    shape = pair[0].shape
    tile = [data.draw(st.integers(1, n)) for n in shape]
    grid = data.draw(st.permutations(tiles(shape, tile)))
    boxes = [[image[one.write.slices] for image in pair] for one in grid]
    return ev.combine(
        ev.label_runs(*box, one, shape) for box, one in zip(boxes, grid, strict=True)
    )


@unhurried
@given(label_pairs(), st.data())
def test_runs_of_tiles_give_the_scores_of_the_whole_to_the_last_bit(pair, data):
    spacing = data.draw(st.none() | st.just((0.3, 1.7, 2.1)[: pair[0].ndim]))
    runs = runs_of_tiles(pair, data)
    assert runs.contingency() == ev.contingency(*pair)
    np.testing.assert_equal(
        ev.scores_of_runs(runs, spacing=spacing), ev.scores(*pair, spacing=spacing)
    )
    tiled = ev.distances_of_runs(runs, spacing=spacing)
    whole = ev.object_distances(*pair, spacing=spacing)
    np.testing.assert_array_equal(tiled.segmentation, whole.segmentation)
    np.testing.assert_array_equal(tiled.hausdorff, whole.hausdorff)
    np.testing.assert_array_equal(tiled.nsd, whole.nsd)


def distances_by_maps(seg, ref, spacing):
    """Return Hausdorff distance and NSD of two masks by distance maps of the whole."""
    to_ref = ndimage.distance_transform_edt(~ref, spacing)
    to_seg = ndimage.distance_transform_edt(~seg, spacing)
    inside = ndimage.distance_transform_edt(ref, spacing)
    depth = to_ref + (ref if ref.all() else inside)
    hausdorff = max(to_ref[seg].max(), to_seg[ref].max())
    return hausdorff, depth[seg != ref].sum() / depth[seg | ref].sum()


@unhurried
@given(label_pairs(max_label=3), st.booleans())
def test_distances_of_objects_are_those_of_distance_maps(pair, spaced):
    spacing = (0.3, 1.7, 2.1)[: pair[0].ndim] if spaced else None
    found = ev.object_distances(*pair, spacing=spacing)
    for k, (s, r) in enumerate(zip(found.segmentation, found.reference, strict=True)):
        expected = distances_by_maps(pair[0] == s, pair[1] == r, spacing)
        assert (found.hausdorff[k], found.nsd[k]) == pytest.approx(expected, abs=1e-12)


@st.composite
def mask_pairs(draw):
    """Return masks with large pieces, some of them far from each other."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=14))
    masks = np.zeros((2, *shape), bool)
    for mask in masks:
        for _ in range(draw(st.integers(0, 4))):
            ends = [sorted(draw(st.tuples(*[st.integers(0, n)] * 2))) for n in shape]
            mask[tuple(slice(a, b) for a, b in ends)] ^= True
    return masks


@settings(deadline=None, max_examples=150)
@given(mask_pairs(), st.data())
def test_hausdorff_of_runs_of_tiles_is_that_of_the_whole(pair, data):
    runs = runs_of_tiles(pair, data)
    for spacing in (None, (0.3, 1.7, 2.1)[: pair[0].ndim]):
        whole = ev.hausdorff_distance(*pair, spacing=spacing)
        assert ev.hausdorff_of_runs(runs, spacing=spacing) == whole
        if pair.any(axis=tuple(range(1, pair.ndim))).all():
            expected, _ = distances_by_maps(*pair, spacing)
            assert whole == pytest.approx(expected, rel=1e-12)


def test_runs_of_strided_images_larger_than_a_slab_are_those_of_copies(monkeypatch):
    rng = np.random.default_rng(5)
    pair = rng.integers(0, 3, (2, 9, 11, 13))
    whole = ev.label_runs(*pair)
    monkeypatch.setattr(runs, "_SLAB", 30)
    strided = ev.label_runs(*np.asfortranarray(pair))
    for name in ("first", "length", "segmentation", "reference"):
        np.testing.assert_array_equal(getattr(strided, name), getattr(whole, name))


def test_a_tile_in_the_place_of_another_of_its_size_is_noticed():
    labels = np.arange(1, 7).reshape(2, 3)
    a, _ = (
        ev.label_runs(labels[t.write.slices], labels[t.write.slices], t, (2, 3))
        for t in tiles((2, 3), (1, 3))
    )
    with pytest.raises(ValueError, match=r"the voxel at \(0, 0\) is in two"):
        ev.combine([a, a])


def test_runs_grow_with_the_surface_not_with_the_volume():
    def runs(side):
        ball = np.hypot(*(np.indices((side, side)) - side // 2)) < side / 3
        return len(ev.label_runs(ball, ball).first)

    assert runs(200) < 2.2 * runs(100)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ev.label_runs([1], [1, 2]), ValueError, "reference has shape"),
        (lambda: ev.label_runs([1.5], [1]), TypeError, "float64"),
        (lambda: ev.label_runs([-1], [1]), ValueError, "segmentation holds the id -1"),
        (lambda: ev.label_runs(1, 1), ValueError, "single numbers"),
        (
            lambda: ev.label_runs([1], [1], tiles((3,), 1)[2], (2,)),
            ValueError,
            "not within",
        ),
        (
            lambda: ev.hausdorff_of_runs(ev.label_runs([1], [1]), spacing=(1, 2)),
            ValueError,
            "1 axes",
        ),
        (lambda: ev.combine([]), ValueError, "nothing to combine"),
        (lambda: ev.combine([1]), TypeError, "parts are of int"),
        (
            lambda: ev.combine([ev.label_runs([1], [1]), ev.contingency([1], [1])]),
            TypeError,
            "Contingency, LabelRuns",
        ),
        (
            lambda: ev.combine([ev.label_runs([1] * n, [1] * n) for n in (1, 2)]),
            ValueError,
            "two shapes",
        ),
    ],
)
def test_runs_and_parts_that_do_not_fit_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


@unhurried
@given(label_pairs(max_label=2**31 - 1))
def test_numpy_counts_what_the_compiled_loop_counts(pair):
    assert _count_by_numpy(*pair) == ev.contingency(*pair)


@unhurried
@given(label_pairs())
def test_a_segmentation_agrees_with_itself(pair):
    image = pair[0]
    own = ev.scores(image, image)
    for name in ("dice", "jaccard", "rand_index", "adjusted_rand_index"):
        assert own[name] == 1
    assert own["average_precision"] == own["foreground_rand"] == 1
    assert own["adapted_rand_error"] == own["variation_of_information"] == 0
    assert own["split"] == own["merged"] == own["spurious"] == own["missing"] == 0
    assert own["nsd"] == 0
    assert own["hausdorff"] == 0 or not image.any()


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
@given(label_pairs(max_label=1))
def test_hausdorff_is_that_of_scikit_image(pair):
    expected = metrics.hausdorff_distance(*(image.astype(bool) for image in pair))
    assert ev.hausdorff_distance(*pair) == pytest.approx(expected)


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


def test_background_of_the_segmentation_is_many_objects_only_in_the_challenge():
    table = ev.contingency([0, 0, 0, 0], [1, 1, 2, 2])
    assert ev.adapted_rand_error(table).recall == 1
    assert ev.foreground_rand(table).precision == 1
    assert ev.foreground_rand(table).recall == 0.5


def test_strided_and_sliced_volumes_count_alike():
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 5, (2, 12, 40, 30), np.int32)
    whole = ev.contingency(first.copy(), second.copy())
    assert ev.contingency(first.T, second.T) == whole
    halves = [ev.contingency(first[k::2], second[k::2]) for k in (0, 1)]
    assert ev.combine(halves) == whole


def test_many_pairs_make_the_table_grow():
    ids = np.arange(100_000, dtype=np.int64) * 2**40
    table = ev.contingency(ids, ids[::-1])
    assert table.voxels.size == 100_000
    assert (table.segmentation + table.reference == ids[-1]).all()


@pytest.mark.parametrize(
    ("segmentation", "reference", "error", "sentence"),
    [
        ([1, 2], [1, 2, 3], ValueError, "same box"),
        ([1.5, 2], [1, 2], TypeError, "float64"),
        ([-1, 2], [1, 2], ValueError, "id -1"),
        (np.array([2**63], np.uint64), np.array([1]), ValueError, "2\\^63-1"),
    ],
)
def test_what_is_no_label_image_is_refused(segmentation, reference, error, sentence):
    with pytest.raises(error, match=sentence):
        ev.contingency(segmentation, reference)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (1, 1, 1)])
def test_empty_images_agree(shape):
    nothing = np.zeros(shape, np.int32)
    own = ev.scores(nothing, nothing)
    assert own["dice"] == own["rand_index"] == own["average_precision"] == 1
    assert math.isnan(own["hausdorff"])


@unhurried
@given(label_pairs())
def test_inputs_are_never_changed(pair):
    before = [image.copy() for image in pair]
    ev.scores(*pair)
    ev.published_scores(*pair)
    for image, copy in zip(pair, before, strict=True):
        np.testing.assert_array_equal(image, copy)


@pytest.mark.parametrize("score", ["scores", "contingency", "object_distances"])
def test_an_id_beyond_int64_is_named_as_it_is(score):
    labels = np.array([[0, 2**63 + 5]], np.uint64)
    with pytest.raises(ValueError, match="holds the id 9223372036854775813"):
        getattr(ev, score)(labels, labels)

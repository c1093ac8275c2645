"""Objects are kept or dropped whole, tile by tile as in the whole image."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from skimage import morphology, segmentation

from segkit.labelling.labels import label, label_tile, relabel_tile
from segkit.labelling.merging import merge_tiles
from segkit.measurement import selection
from segkit.measurement.measure import (
    measure_tile,
    properties_table,
    region_properties,
)
from segkit.measurement.partial_table import combine
from segkit.measurement.selection import (
    border_ids,
    clear_border,
    drop_ids,
    ids_within,
    keep_ids,
    keep_largest,
    keep_within,
    largest_ids,
    relabel_sequential,
    remove_small_objects,
    small_ids,
)
from segkit.tiling.cutting import tiles

DENSITY = st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0])


@st.composite
def masks(draw):
    ndim = draw(st.integers(1, 3))
    longest = {1: 40, 2: 14, 3: 7}[ndim]
    shape = tuple(draw(st.integers(1, longest)) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    tile = tuple(draw(st.integers(1, n + 1)) for n in shape)
    return rng.random(shape) < draw(DENSITY), draw(st.integers(1, ndim)), tile


@given(masks(), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_small_objects_are_those_of_scikit_image(case, size):
    mask, connectivity, _ = case
    options = {"connectivity": connectivity}
    most = size - 1  # scikit-image names the largest that is removed
    found = remove_small_objects(mask, size, **options)
    peer = morphology.remove_small_objects(mask, max_size=most, **options)
    np.testing.assert_array_equal(found, peer)


@given(masks())
@settings(max_examples=60, deadline=None)
def test_border_objects_are_those_of_scikit_image(case):
    mask, _, _ = case
    labels = label(mask)
    np.testing.assert_array_equal(
        clear_border(labels), segmentation.clear_border(labels)
    )
    np.testing.assert_array_equal(clear_border(mask), clear_border(labels) > 0)


@given(masks(), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_tiled_equals_whole(case, size):
    mask, connectivity, tile = case
    grid = tiles(mask.shape, tile)
    boxes = [t.write.slices for t in grid]
    parts = [
        label_tile(mask[b], t, mask.shape, connectivity=connectivity)
        for t, b in zip(grid, boxes, strict=True)
    ]
    lookups = merge_tiles([p.summary for p in parts], connectivity=connectivity)
    final = [relabel_tile(p.labels, t) for p, t in zip(parts, lookups, strict=True)]
    measured = [
        measure_tile(piece, t, mask.shape) for piece, t in zip(final, grid, strict=True)
    ]
    table = properties_table(combine(measured))
    small = remove_small_objects(mask, size, connectivity=connectivity)
    inner = clear_border(mask, connectivity=connectivity)
    largest = keep_largest(mask, 2, connectivity=connectivity)
    for piece, box in zip(final, boxes, strict=True):
        kept = drop_ids(piece, small_ids(table, size)) > 0
        np.testing.assert_array_equal(kept, small[box])
        kept = drop_ids(piece, border_ids(table)) > 0
        np.testing.assert_array_equal(kept, inner[box])
        kept = keep_ids(piece, largest_ids(table, 2)) > 0
        np.testing.assert_array_equal(kept, largest[box])


@pytest.mark.parametrize("factor", [1, 3, 2**33])
def test_relabelling_keeps_the_order_and_tells_the_old_ids(factor):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 50, (20, 30)) * factor
    labels[labels == 7 * factor] = 0
    found, old = relabel_sequential(labels)
    peer, _, inverse = segmentation.relabel_sequential(labels // factor)
    np.testing.assert_array_equal(found, peer)
    np.testing.assert_array_equal(old, np.asarray(inverse) * factor)
    np.testing.assert_array_equal(old[found], labels)
    assert found.dtype == np.int32


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "uint64", ">i4"])
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("limit", [0, 2**23])
def test_labels_are_numbered_in_order_however_they_are_found(
    dtype, compiled, limit, monkeypatch
):
    monkeypatch.setattr(selection, "_LARGEST_TABLE", limit)
    if not compiled:
        monkeypatch.setattr("segkit.compiled.fallback.can_compile", lambda: False)
    labels = np.random.default_rng(0).choice([0, 3, 4, 90, 120], (12, 14))
    labels = labels.astype(dtype)[::2, ::-1].T
    found, old = relabel_sequential(labels)
    assert old.tolist() == [0, 3, 4, 90, 120]
    np.testing.assert_array_equal(old[found], labels)


@pytest.mark.parametrize("limit", [0, 2**23])
def test_large_and_small_ids_are_looked_up_alike(limit, monkeypatch):
    monkeypatch.setattr(selection, "_LARGEST_TABLE", limit)
    labels = np.random.default_rng(0).integers(0, 9, (6, 7)).astype(np.int32)
    kept = keep_ids(labels, [5, 2, 2, 100])
    np.testing.assert_array_equal(kept, np.where(np.isin(labels, [2, 5]), labels, 0))
    dropped = drop_ids(labels, [5, 2, 2, 100])
    np.testing.assert_array_equal(kept + dropped, labels)
    assert kept.dtype == dropped.dtype == np.int32
    assert not keep_ids(labels, []).any()
    np.testing.assert_array_equal(drop_ids(labels, []), labels)


def test_bounds_on_any_property_in_physical_units():
    labels = np.array([[1, 1, 0, 2], [1, 1, 0, 2], [0, 0, 0, 0]])
    image = np.array([[9, 9, 0, 1], [9, 9, 0, 3], [0, 0, 0, 0]])
    assert set(keep_within(labels, area=(0.9, None), spacing=0.5).flat) == {0, 1}
    assert set(keep_within(labels, image, intensity_mean=(1, 3)).flat) == {0, 2}
    assert set(keep_within(labels, bbox_1=(3, 3)).flat) == {0, 2}
    assert set(keep_within(labels, surface=(None, 5)).flat) == {0, 2}


def test_bounds_on_properties_that_are_measured_by_name_only():
    labels = np.zeros((9, 20), int)
    labels[1:6, 1:6], labels[1:6, 8:13], labels[8, 15:18] = 1, 2, 3
    labels[2:5, 9:12] = 0
    image = np.broadcast_to(np.arange(20), labels.shape)
    assert set(keep_within(labels, area_filled=(25, 25)).flat) == {0, 1, 2}
    assert set(keep_within(labels, solidity=(0.9, 1)).flat) == {0, 1, 3}
    assert set(keep_within(labels, euler_number=(0, 0), area=(4, None)).flat) == {0, 2}
    assert set(keep_within(labels, image, centroid_weighted_1=(9, 12)).flat) == {0, 2}
    assert set(keep_within(labels, image, intensity_q5=(None, 2)).flat) == {0, 1}
    with pytest.raises(ValueError, match="bounds of intensity_q5 need intensity="):
        keep_within(labels, intensity_q5=(None, 2))
    with pytest.raises(ValueError, match="is for planes, not for 3 axes"):
        keep_within(labels[None], perimeter=(None, 2))


def test_of_equal_objects_the_first_is_the_larger():
    assert keep_largest(np.array([1, 0, 1, 0, 1], bool), 2).tolist() == [
        True, False, True, False, False
    ]  # fmt: skip


def test_inputs_are_never_changed():
    mask = np.random.default_rng(0).random((20, 20)) < 0.5
    labels = label(mask)
    kept = mask.copy(), labels.copy()
    for image in (mask, labels):
        remove_small_objects(image, 4)
        clear_border(image)
        keep_largest(image)
    np.testing.assert_array_equal(mask, kept[0])
    np.testing.assert_array_equal(labels, kept[1])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: remove_small_objects(np.ones(3), 1), TypeError, "integers"),
        (lambda: remove_small_objects(np.ones(3, int), -1), ValueError, "min_size"),
        (lambda: remove_small_objects(np.array([-1]), 1), ValueError, "negative"),
        (lambda: remove_small_objects(np.ones(3, int), (3, 3)), TypeError, "integer"),
        (lambda: small_ids({"label": [1], "count": [1]}, "5"), TypeError, "is '5', b"),
        (lambda: keep_largest(np.ones(3, int), "5"), TypeError, "number is '5', but"),
        (lambda: keep_largest(np.ones(3, int), 2.5), TypeError, r"is 2\.5, but must"),
        (lambda: keep_within(np.ones(3, int), size=(1, 2)), ValueError, "no property"),
        (
            lambda: keep_within(np.ones(3, int), intensity_mean=(1, 2)),
            ValueError,
            "intensity_mean need intensity=, an image",
        ),
        (lambda: keep_within(np.ones(3, int), area=3), ValueError, "least, largest"),
        (lambda: keep_largest(np.ones(3, int), -1), ValueError, "number"),
        (lambda: ids_within({"label": [1]}, area=(1, 2)), ValueError, "are label"),
        (lambda: clear_border(np.zeros((0, 3), bool)), ValueError, "empty"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_large_ids_of_uint64_are_told_apart():
    """Beyond 2**53, floats would not."""
    labels = np.array([2**60 + 1, 2**60 + 2, 2**60 + 3], np.uint64)
    some = [2**60 + 1, 2**60 + 2]
    assert keep_ids(labels, some).tolist() == [*some, 0]
    assert drop_ids(labels, some).tolist() == [0, 0, 2**60 + 3]
    assert relabel_sequential(labels)[0].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match=r"2\^63-1"):
        keep_ids(labels + np.uint64(2**63), some)


@pytest.mark.parametrize(
    ("ids", "error", "words"),
    [
        ([1.5], TypeError, "ids have dtype float64; give integers"),
        (["a"], TypeError, "ids have dtype <U1"),
        ([True], TypeError, "ids have dtype bool"),
        ({1, 2}, TypeError, "ids have dtype object"),
        ([2**63], ValueError, r"ids hold 9223372036854775808; .* to 2\^63-1"),
        ([2**64], TypeError, r"give integers up to 2\^63-1"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("choose", [keep_ids, drop_ids])
def test_what_is_no_id_is_refused(choose, ids, error, words):
    with pytest.raises(error, match=words):
        choose(np.array([0, 1, 2]), ids)


@pytest.mark.parametrize("none", [[], (), np.zeros(0), np.zeros(0, bool)], ids=repr)
def test_no_ids_are_no_objects(none):
    labels = np.array([0, 1, 2])
    assert keep_ids(labels, none).tolist() == [0, 0, 0]
    assert drop_ids(labels, none).tolist() == [0, 1, 2]


@pytest.mark.parametrize("value", [1, 255])
@pytest.mark.parametrize("shape", [(40,), (12, 15), (6, 7, 8)])
def test_masks_of_8_bits_are_masks_as_booleans_are(shape, value):
    mask = np.random.default_rng(2).random(shape) < 0.4
    image = mask * np.uint8(value)
    for function in (
        partial(remove_small_objects, min_size=3),
        partial(keep_largest, number=2),
        clear_border,
    ):
        found = function(image)
        np.testing.assert_array_equal(found, function(mask) * np.uint8(value))
        assert found.dtype == np.uint8
    np.testing.assert_array_equal(label(image), label(mask))


@pytest.mark.parametrize("value", [1, 255])
@pytest.mark.parametrize(
    "function",
    [region_properties, relabel_sequential, partial(keep_within, area=(1, 9))],
)
def test_where_labels_are_needed_masks_of_8_bits_are_refused(function, value):
    mask = np.zeros((9, 9), np.uint8)
    mask[1:3, 1:3] = value
    function(mask)  # one piece: one object, whatever it is
    mask[5:8, 4:8] = value
    with pytest.raises(ValueError, match=rf"hold 0 and {value} only, in 2 pieces, as"):
        function(mask)
    function(mask.astype(np.int32))
    function(np.where(mask == 0, np.uint8(0), np.uint8(7)))

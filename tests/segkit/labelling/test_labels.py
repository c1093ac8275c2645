"""Labels tile by tile are those of the whole image, ids included."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from segkit.compiled import fallback
from segkit.labelling import labels, numbering
from segkit.labelling.labels import label, label_tile, relabel_tile
from segkit.labelling.merging import merge_tiles
from segkit.labelling.seams import adjacent_tiles, find_seam
from segkit.tiling.cutting import tiles

LONGEST = {1: 60, 2: 16, 3: 9, 4: 6}


@st.composite
def cases(draw):
    """A random mask, a connectivity, and tiles that need not divide it."""
    ndim = draw(st.integers(1, 4))
    shape = tuple(draw(st.integers(1, LONGEST[ndim])) for _ in range(ndim))
    tile = tuple(draw(st.integers(1, n + 1)) for n in shape)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    mask = rng.random(shape) < draw(st.sampled_from([0.0, 0.15, 0.3, 0.5, 0.7, 1.0]))
    return mask, draw(st.integers(1, ndim)), tile, rng


def whole(mask, connectivity):
    structure = ndimage.generate_binary_structure(mask.ndim, connectivity)
    return ndimage.label(mask, structure)[0]


def as_tasks(image, tile, rng, **options):
    """Label as separate tasks would: small pieces, in any order."""
    grid = tiles(image.shape, tile)
    parts = [label_tile(image[t.write.slices], t, image.shape, **options) for t in grid]
    connectivity = options.get("connectivity", 1)
    seams = [
        find_seam(parts[i].summary, parts[j].summary, connectivity=connectivity)
        for i, j in adjacent_tiles(grid, connectivity=connectivity)
    ]
    order = rng.permutation(len(grid))
    summaries = [parts[k].summary.without_faces() for k in order]
    seams = [seams[k] for k in rng.permutation(len(seams))]
    lookups = merge_tiles(summaries, seams=seams)
    out = np.full(image.shape, -1)
    for k, lookup in zip(order, lookups, strict=True):
        out[grid[k].write.slices] = relabel_tile(parts[k].labels, lookup)
    return out


@given(cases())
@settings(max_examples=80, deadline=None)
def test_tiled_equals_whole(case):
    mask, connectivity, tile, _ = case
    found = label(mask, connectivity=connectivity, tile=tile, workers=1)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, whole(mask, connectivity))


@given(cases())
@settings(max_examples=80, deadline=None)
def test_tasks_in_any_order_equal_whole(case):
    mask, connectivity, tile, rng = case
    found = as_tasks(mask, tile, rng, connectivity=connectivity)
    np.testing.assert_array_equal(found, whole(mask, connectivity))


@given(cases())
@settings(max_examples=60, deadline=None)
def test_numpy_path_gives_the_same(case):
    mask, connectivity, tile, rng = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fallback, "can_compile", lambda: False)
        found = label(mask, connectivity=connectivity, tile=tile, workers=1)
        tasks = as_tasks(mask, tile, rng, connectivity=connectivity)
    np.testing.assert_array_equal(found, whole(mask, connectivity))
    np.testing.assert_array_equal(tasks, found)


@given(cases(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_summary_tells_where_each_label_begins(case, compiled):
    mask, connectivity, _, _ = case
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(fallback, "can_compile", lambda: False)
        (one,) = tiles(mask.shape, mask.shape)
        labels, summary = label_tile(mask, one, mask.shape, connectivity=connectivity)
    expected = [np.flatnonzero(labels == k)[0] for k in range(1, labels.max() + 1)]
    assert summary.first.dtype == np.int32
    assert summary.first.tolist() == expected


WORST = """
import re, numpy as np
from pathlib import Path
from segkit import labelling, tiling
def resident(name):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\\s+(\\d+) kB", status)[1]) * 1024
(one,) = tiling.tiles((3, 3, 3), 3)
labelling.label_tile(np.ones((3, 3, 3), bool), one, (3, 3, 3))
before = resident("VmRSS")
z, y, x = np.ogrid[:200, :200, :200]
mask = (z + y + x) % 2 == 0
Path("/proc/self/clear_refs").write_text("5")
(one,) = tiling.tiles(mask.shape, mask.shape)
labels, summary = labelling.label_tile(mask, one, mask.shape)
assert summary.count == mask.size // 2
print((resident("VmHWM") - before) / mask.size)
"""


@pytest.mark.skipif(
    not fallback.can_compile(), reason="the numpy path takes what scipy does"
)
def test_a_tile_of_single_voxels_takes_little_more_than_its_labels():
    """Mask 1, labels 4, and for each other voxel its parent or its place 4 bytes."""
    done = subprocess.run(
        [sys.executable, "-c", WORST], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 7.5


@given(cases())
@settings(max_examples=80, deadline=None)
def test_any_symmetric_structure_is_that_of_scipy(case):
    mask, _, tile, rng = case
    half = rng.random((3,) * mask.ndim) < 0.4
    structure = half | np.flip(half)
    expected = ndimage.label(mask, structure)[0]
    found = label(mask, connectivity=structure, tile=tile, workers=1)
    np.testing.assert_array_equal(found, expected)


@given(cases(), st.booleans())
@settings(max_examples=80, deadline=None)
def test_equal_values_tiled_equal_whole(case, compiled):
    mask, connectivity, tile, rng = case
    image = rng.integers(0, 4, mask.shape).astype(rng.choice(["u1", "i2", "i8"]))
    expected = label(image, connectivity=connectivity, by_value=True, workers=1)
    options = {"connectivity": connectivity, "by_value": True}
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(fallback, "can_compile", lambda: False)
        found = label(image, tile=tile, workers=1, **options)
        tasks = as_tasks(image, tile, rng, **options)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(tasks, expected)


@given(cases())
@settings(max_examples=40, deadline=None)
def test_equal_values_are_the_objects_of_each_value(case):
    mask, connectivity, _, rng = case
    image = rng.integers(0, 4, mask.shape)
    found = label(image, connectivity=connectivity, by_value=True)
    for value in range(1, 4):
        expected = whole(image == value, connectivity)
        own = np.where(image == value, found, 0)
        pairs = {(int(a), int(b)) for a, b in zip(own.flat, expected.flat, strict=True)}
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_threads_give_the_same_as_one():
    mask = np.random.default_rng(5).random((70, 80, 90)) < 0.3
    for connectivity in (1, 2, 3):
        found = label(mask, connectivity=connectivity, tile=(20, 33, 41), workers=4)
        np.testing.assert_array_equal(found, whole(mask, connectivity))


def test_objects_across_a_tile_corner_are_one():
    mask = np.zeros((4, 4, 4), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    assert label(mask, connectivity=3, tile=2).max() == 1
    assert label(mask, connectivity=2, tile=2).max() == 2


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 7), (7, 1), (1, 1, 9), (3, 1, 3)])
@pytest.mark.parametrize("fill", [False, True])
def test_thin_and_uniform_masks(shape, fill):
    mask = np.full(shape, fill)
    np.testing.assert_array_equal(label(mask, tile=2), int(fill))


@pytest.mark.parametrize("shape", [(0,), (0, 5), (4, 0, 3)])
def test_no_voxels_give_no_labels(shape):
    assert label(np.zeros(shape, bool)).shape == shape
    assert merge_tiles([]) == []


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i4", "u8", "f2", "f4", "f8"])
def test_any_real_dtype_and_layout(dtype):
    mask = (np.random.default_rng(0).random((20, 30)) < 0.4) * 1.0
    expected = whole(mask > 0, 1)
    image = np.asarray(mask * (1 if dtype == "?" else 100), dtype)
    for view in (image, np.asfortranarray(image), image[::-1, ::-1][::-1, ::-1]):
        kept = view.copy()
        np.testing.assert_array_equal(label(view, tile=7), expected)
        np.testing.assert_array_equal(view, kept)


@pytest.mark.parametrize(
    ("mask", "options", "error", "words"),
    [
        (np.zeros((20, 20, 3), np.uint8), {}, ValueError, "colour picture"),
        (np.array(3), {}, ValueError, "single number"),
        (np.array([1.0, np.nan]), {}, ValueError, "NaN"),
        (np.array(["a"]), {}, TypeError, "dtype"),
        (np.ones((2, 2)), {"connectivity": 3}, ValueError, "1 .faces. to 2"),
        (np.ones((2, 2)), {"connectivity": 0}, ValueError, "1 .faces. to 2"),
        (np.ones((2, 2)), {"connectivity": 1.5}, TypeError, "integer"),
        (np.ones(2), {"connectivity": [0, 1, 1]}, ValueError, "symmetric"),
        (np.ones((2, 2)), {"connectivity": [1, 1, 1]}, ValueError, "shape"),
        (np.ones((2, 2)), {"tile": (2, 2, 2)}, ValueError, "axes"),
        (np.ones((2, 2)), {"workers": 0}, ValueError, "workers"),
        (np.ones(2), {"by_value": True}, TypeError, "integers"),
    ],
)
def test_bad_input_is_named(mask, options, error, words):
    with pytest.raises(error, match=words):
        label(mask, **options)


def test_masked_arrays_are_refused_since_their_mask_would_be_ignored():
    masked = np.ma.masked_array(np.ones((2, 2), bool), np.eye(2))
    (tile,) = tiles((2, 2), 2)
    for call in (label, lambda mask: label_tile(mask, tile, (2, 2))):
        with pytest.raises(TypeError, match="mask is a masked array"):
            call(masked)


def test_a_thin_last_tile_is_no_colour_picture():
    mask = np.ones((20, 20, 11), np.uint8)
    assert as_tasks(mask, (20, 20, 8), np.random.default_rng(0)).max() == 1


def test_ids_widen_when_int32_would_overflow(monkeypatch):
    assert numbering._id_dtype(2**31 - 1) is np.int32
    assert numbering._id_dtype(2**31) is np.int64
    monkeypatch.setattr(numbering, "_id_dtype", lambda count: np.int64)
    mask = np.random.default_rng(0).random((30, 30)) < 0.4
    found = label(mask, tile=8)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, whole(mask, 1))


def test_tiles_never_exceed_what_their_labels_can_count():
    shape = (3, 70_000, 70_000)
    tile = labels._slabs(shape, 2)
    assert np.prod(tile) <= 2**31 - 1


def test_relabelling_refuses_the_table_of_another_tile():
    with pytest.raises(ValueError, match="beyond the lookup"):
        relabel_tile(np.array([0, 3]), np.array([0, 1]))
    with pytest.raises(TypeError, match="integers"):
        relabel_tile(np.array([0.5]), np.array([0, 1]))


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (np.zeros(4, np.int32), r"out has shape \(4,\), the labels \(2, 2\)"),
        (np.broadcast_to(np.int32(0), (2, 2)), "out is read-only"),
        (np.zeros((2, 2), np.uint8), "too narrow for ids up to 300"),
        (np.zeros((2, 2), np.float32), "dtype float32"),
    ],
)
def test_relabelling_into_what_does_not_hold_it_is_refused(out, words):
    with pytest.raises(ValueError, match=words):
        relabel_tile(np.array([[0, 1], [1, 0]]), np.array([0, 300]), out=out)


def test_relabelling_in_place_takes_no_new_array():
    labels = np.array([[0, 1], [2, 1]], np.int32)
    out = relabel_tile(labels, np.array([0, 7, 9], np.int32), out=labels)
    assert out is labels
    assert labels.tolist() == [[0, 7], [9, 7]]

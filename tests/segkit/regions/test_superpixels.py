"""SLIC: the clusters of scikit-image, in connected pieces, the same on any tiles."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage
from skimage import segmentation

from segkit.compiled import fallback
from segkit.io import as_image
from segkit.labelling.labels import label
from segkit.regions import superpixels
from segkit.regions.superpixels import slic

unhurried = settings(deadline=None, max_examples=40)


def smooth(shape, seed=0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 2)


@st.composite
def images(draw):
    """Return an image, its channel axis or None, and a tile."""
    ndim = draw(st.integers(1, 3))
    longest = {1: 60, 2: 20, 3: 9}[ndim]
    shape = [draw(st.integers(1, longest)) for _ in range(ndim)]
    tile = [draw(st.integers(1, n)) for n in shape]
    axis = draw(st.none() | st.integers(0, ndim))
    if axis is not None:
        shape.insert(axis, draw(st.integers(1, 3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from(["bool", "uint8", "int16", "float32", "float64"]))
    levels = draw(st.sampled_from([2, 5, 200]))
    return rng.integers(0, levels, shape).astype(dtype), axis, tile


@unhurried
@given(
    case=images(),
    wanted=st.integers(1, 30),
    compactness=st.sampled_from([0.01, 0.3, 10]),
    connected=st.booleans(),
    data=st.data(),
)
def test_tiled_equals_whole(case, wanted, compactness, connected, data):
    image, axis, tile = case
    spacing = data.draw(st.none() | st.just([1.5] * len(tile)))
    options = {
        "compactness": compactness,
        "channel_axis": axis,
        "spacing": spacing,
        "enforce_connectivity": connected,
        "max_num_iter": data.draw(st.integers(1, 4)),
    }
    whole = slic(image, wanted, workers=1, **options)
    tiled = slic(image, wanted, tile=tile, **options)
    np.testing.assert_array_equal(tiled, whole)


@unhurried
@given(images(), st.integers(1, 12), st.sampled_from([0.01, 0.3, 10]))
def test_numpy_finds_what_the_compiled_pass_finds(case, wanted, compactness):
    image, axis, _ = case
    options = {"channel_axis": axis, "compactness": compactness, "max_num_iter": 3}
    compiled = slic(image, wanted, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fallback, "can_compile", lambda: False)
        plain = slic(image, wanted, **options)
    np.testing.assert_array_equal(plain, compiled)


@pytest.mark.parametrize("compactness", [0.05, 1, 10])
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((50, 71), None), ((50, 71), (1, 2)), ((14, 40, 33), (2, 1, 1))],
)
def test_clusters_are_those_of_scikit_image(shape, spacing, compactness):
    image = smooth(shape)
    options = {"compactness": compactness, "spacing": spacing, "channel_axis": None}
    peer = segmentation.slic(image, 40, enforce_connectivity=False, **options)
    found = slic(image, 40, enforce_connectivity=False, **options)
    np.testing.assert_array_equal(found, peer)


def test_clusters_of_colours_are_those_of_scikit_image():
    image = np.stack([smooth((60, 50), seed) for seed in range(3)], axis=-1)
    peer = segmentation.slic(
        image, 30, compactness=0.1, convert2lab=False, enforce_connectivity=False
    )
    options = {"compactness": 0.1, "enforce_connectivity": False}
    last = slic(image, 30, channel_axis=-1, **options)
    first = slic(np.moveaxis(image, -1, 0), 30, channel_axis=0, **options)
    np.testing.assert_array_equal(last, peer)
    np.testing.assert_array_equal(first, peer)


@unhurried
@given(images(), st.integers(1, 30), st.sampled_from([0.01, 0.3]))
def test_each_superpixel_is_one_piece_of_some_size_in_raster_order(
    case, wanted, compactness
):
    image, axis, _ = case
    options = {"compactness": compactness, "channel_axis": axis}
    found = slic(image, wanted, **options)
    np.testing.assert_array_equal(label(found, by_value=True), found)
    clusters = slic(image, wanted, enforce_connectivity=False, **options)
    seeds = superpixels._search(
        superpixels._ScaledImage.of(image, axis), wanted, compactness, None
    ).clusters
    least = int(0.5 * found.size / len(seeds))
    assert np.bincount(found.ravel())[1:].min() >= min(least, found.size)
    # No piece that is large enough is cut by joining the small ones.
    pieces = label(clusters, by_value=True)
    for piece in np.unique(pieces):
        assert np.unique(found[pieces == piece]).size == 1


def test_superpixels_keep_to_edges():
    image = np.zeros((40, 60))
    image[:, 27:] = 1
    found = slic(image, 12, compactness=0.01, tile=16)
    assert not set(found[:, :27].flat) & set(found[:, 27:].flat)


def test_a_flat_image_is_cut_into_boxes():
    found = slic(np.full((40, 60), 7, np.uint8), 24)
    boxes = ndimage.find_objects(found)
    assert [np.unique(found[box]).tolist() for box in boxes] == [
        [k] for k in range(1, 25)
    ]


def test_voxels_that_no_window_covers_go_to_the_nearest_cluster(monkeypatch):
    monkeypatch.setattr(
        superpixels._Search, "_windows", lambda self: np.zeros((4, 6), int)
    )
    found = slic(smooth((20, 20)), 4, compactness=1e6, enforce_connectivity=False)
    rows, columns = np.indices((20, 20)) // 10
    np.testing.assert_array_equal(found, 1 + 2 * rows + columns)


def test_the_image_is_read_by_box():
    class Lazy:
        shape, dtype = (30, 40), np.dtype(float)
        largest = 0

        def __getitem__(self, box):
            part = smooth(self.shape)[box]
            self.largest = max(self.largest, part.size)
            return part

    lazy = Lazy()
    np.testing.assert_array_equal(slic(lazy, 9, tile=10), slic(smooth((30, 40)), 9))
    assert lazy.largest == 100


def test_inputs_are_never_changed():
    image = smooth((20, 20))
    before = image.copy()
    slic(image, 4)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    ("image", "options", "error", "words"),
    [
        (np.ones((0, 3)), {}, ValueError, "empty"),
        (np.array([1, np.nan]), {}, ValueError, "NaN"),
        (np.ones((64, 64, 3)), {}, ValueError, "colour"),
        (np.array([-1e308, 1e308, 0]), {}, ValueError, "divide or multiply it first"),
        (np.array([0, 1e-310, 0]), {}, ValueError, "range beyond what float64 can"),
        (np.ones((2, 2, 2, 2)), {}, ValueError, "1 to 3 axes"),
        (np.ones((4, 4)), {"channel_axis": 2}, ValueError, "channel_axis is 2"),
        (np.ones((4, 4)), {"n_segments": 0}, ValueError, "n_segments"),
        (np.ones((4, 4)), {"compactness": 0}, ValueError, "compactness is 0"),
        (np.ones((4, 4)), {"spacing": (1, 0)}, ValueError, "positive"),
        (np.ones((4, 4)), {"max_num_iter": 0}, ValueError, "max_num_iter"),
        (np.ones((4, 4)), {"min_size_factor": -1}, ValueError, "min_size_factor"),
        (np.ones((4, 4), complex), {}, TypeError, "complex"),
    ],
)
def test_bad_input_is_named(image, options, error, words):
    with pytest.raises(error, match=words):
        slic(image, **options)


@pytest.mark.parametrize("channels", [None, -1])
def test_values_beyond_int64_are_scaled_as_others(channels):
    small = np.random.default_rng(0).integers(0, 99, (12, 14, 3)).astype(np.uint64)
    large = 2**63 + small * 2**50
    np.testing.assert_array_equal(
        slic(large, 9, channel_axis=channels), slic(small, 9, channel_axis=channels)
    )


@pytest.mark.parametrize("compactness", [0.01, 1])
def test_joining_leaves_at_least_as_many_superpixels_as_scikit_image(compactness):
    image = smooth((60, 70))
    peer = segmentation.slic(image, 30, compactness=compactness, channel_axis=None)
    found = slic(image, 30, compactness=compactness)
    if compactness == 1:  # each cluster is one piece
        np.testing.assert_array_equal(found, peer)
    else:
        assert found.max() > 10 > peer.max()


def test_an_opened_image_says_how_large_its_voxels_are():
    image = np.random.default_rng(0).random((6, 24, 24))
    opened = as_image(image, axes="zyx", spacing=(2.0, 0.5, 0.5))
    expected = slic(image, 90, compactness=0.3, spacing=(4, 1, 1))
    np.testing.assert_array_equal(slic(opened, 90, compactness=0.3), expected)
    assert (slic(image, 90, compactness=0.3) != expected).any()

"""Markers grown tile by tile: equal to the whole, or a report that says where not."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage
from skimage import segmentation

from segkit.io import as_image
from segkit.labelling.labels import label
from segkit.regions.region_growing import (
    random_walker,
    tiled_random_walker,
    tiled_watershed,
    watershed,
)
from segkit.regions.seam_report import SeamError, SeamWarning


def blobs(shape, seed=0):
    """Return a grey image of bright blobs, their mask, and a marker in each."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(shape)
    image = ndimage.gaussian_filter(noise, 4)
    mask = image > 0.5 * image.std()
    peaks = (image == ndimage.maximum_filter(image, 7)) & mask
    return -image, mask, label(peaks)


def test_whole_is_that_of_scikit_image():
    image, mask, markers = blobs((60, 70))
    for connectivity in (1, 2):
        expected = segmentation.watershed(
            image, markers, connectivity=connectivity, mask=mask
        )
        found = watershed(image, markers, mask=mask, connectivity=connectivity)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == markers.dtype


@pytest.mark.parametrize(
    ("shape", "tile"), [((150, 170), (50, 64)), ((50, 60, 60), 25)]
)
def test_tiled_equals_whole_where_objects_are_smaller_than_the_halo(shape, tile):
    image, mask, markers = blobs(shape)
    found, report = tiled_watershed(image, markers, mask=mask, tile=tile, halo=24)
    np.testing.assert_array_equal(found, watershed(image, markers, mask=mask))
    assert report.differing == 0
    assert report.merged > 10


@given(
    shape=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    tile=st.integers(1, 12),
    connectivity=st.integers(1, 3),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=40, deadline=None)
def test_tiles_that_see_everything_agree_and_equal_the_whole(
    shape, tile, connectivity, seed
):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 9, shape)
    markers = rng.integers(0, 50, shape) * (rng.random(shape) < 0.1)
    mask = rng.random(shape) < 0.8
    options = {"mask": mask, "connectivity": min(connectivity, len(shape))}
    found, report = tiled_watershed(image, markers, tile=tile, halo=12, **options)
    np.testing.assert_array_equal(found, watershed(image, markers, **options))
    assert report.differing == 0


def test_a_halo_that_is_too_small_is_told():
    image, mask, markers = blobs((150, 170))
    whole = watershed(image, markers, mask=mask)
    options = {"mask": mask, "tile": 40, "halo": 2}
    found, report = tiled_watershed(image, markers, **options)
    assert (found != whole).any()
    assert report.differing > 0
    assert report.cut > 0
    with pytest.raises(SeamError):
        watershed(image, markers, on_disagreement="raise", **options)
    with pytest.warns(SeamWarning, match="larger halo"):
        warned = watershed(image, markers, **options)
    np.testing.assert_array_equal(warned, found)


@pytest.mark.parametrize("shape", [(400,), (60, 71), (17, 20, 19), (5, 6, 7, 8)])
@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u2", "i4", "u8", "f4", "f8"])
@pytest.mark.parametrize("values", [4, 40, 5000])
def test_floods_are_those_of_scikit_image_also_where_values_are_equal(
    shape, dtype, values
):
    """Markers of one voxel and of many, of equal and of different grey values."""
    rng = np.random.default_rng(values)
    for smooth in (0, 2):
        noise = ndimage.gaussian_filter(rng.random(shape), smooth)
        image = (noise * values).astype(dtype)
        if dtype[0] in "if":
            image -= image.dtype.type(values // 2)
        few = rng.random(shape) < 0.01
        many = ndimage.binary_dilation(few, iterations=2)
        mask = ndimage.gaussian_filter(rng.random(shape), 1) > 0.45
        for seeds in (few, many):
            markers = ndimage.label(seeds)[0]
            for part in (None, mask):
                for connectivity in (1, len(shape)):
                    options = {"mask": part, "connectivity": connectivity}
                    expected = segmentation.watershed(image, markers, **options)
                    found = watershed(image, markers, **options)
                    np.testing.assert_array_equal(found, expected)


def test_integers_that_floats_confound_are_flooded_as_by_scikit_image():
    image = 2**60 + np.random.default_rng(0).integers(0, 300, (30, 30))
    markers = np.diag(np.arange(30))
    expected = segmentation.watershed(image, markers)
    np.testing.assert_array_equal(watershed(image, markers), expected)


def test_no_markers_give_no_objects():
    image = np.random.default_rng(0).random((20, 30))
    none = np.zeros(image.shape, np.int32)
    for grow in (watershed, random_walker):
        assert not grow(image, none).any()
        assert not grow(image, none, tile=8).any()


def test_masks_of_all_and_of_nothing():
    image, _, markers = blobs((40, 50))
    everything = watershed(image, markers, mask=np.ones(image.shape))
    np.testing.assert_array_equal(everything, watershed(image, markers))
    assert not watershed(image, markers, mask=np.zeros(image.shape)).any()
    assert not random_walker(image, markers, mask=np.zeros(image.shape)).any()


def test_random_walker_is_that_of_scikit_image():
    image, mask, _ = blobs((50, 60))
    markers = np.zeros(image.shape, np.int32)
    markers[mask & (image < image.min() / 2)] = 9
    markers[image > 0] = 4
    numbers = np.where(markers == 9, 2, markers > 0)
    in_spreads = image / image.std()
    expected = segmentation.random_walker(
        in_spreads, numbers, beta=20, mode="cg_j", prob_tol=1
    )
    found = random_walker(image, markers, beta=20)
    np.testing.assert_array_equal(found == 9, expected == 2)
    assert set(np.unique(found)) == {4, 9}


@pytest.mark.parametrize("spacing", [(4, 1, 1), (1, 2.5, 1)])
def test_random_walker_takes_the_spacing_as_scikit_image_does(spacing):
    noise = np.random.default_rng(3).random((6, 14, 15))
    image = ndimage.gaussian_filter(noise, 1)
    markers = np.zeros(image.shape, np.int32)
    markers[0, :2, :2], markers[-1, -2:, -2:], markers[2, 3, 9] = 1, 2, 3
    expected = segmentation.random_walker(
        image / image.std(), markers, beta=500, mode="cg_j", prob_tol=1, spacing=spacing
    )
    walk = partial(random_walker, image, markers, beta=500)
    found = walk(spacing=spacing)
    np.testing.assert_array_equal(found, expected)
    assert (found != walk()).any()
    np.testing.assert_array_equal(walk(spacing=[0.1 * n for n in spacing]), found)
    opened = as_image(image, axes="zyx", spacing=spacing)
    np.testing.assert_array_equal(random_walker(opened, markers, beta=500), found)
    with pytest.raises(ValueError, match="spacing"):
        walk(spacing=(1, 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("tile", [None, 40])
def test_random_walker_depends_on_neither_dtype_nor_units(dtype, tile):
    y, x = np.mgrid[:60, :60]
    disc = np.hypot(y - 30, x - 30) < 15
    noise = np.random.default_rng(0).normal(0, 8, disc.shape)
    image = np.rint(np.where(disc, 200, 120) + noise)
    markers = np.zeros(disc.shape, np.int32)
    markers[30, 30], markers[2, 2] = 1, 2
    sizes = {"tile": tile, "halo": 30, "on_disagreement": "ignore"} if tile else {}
    expected = random_walker(image * 1e-6, markers, **sizes)
    assert (expected == 1)[disc].mean() > 0.98
    found = random_walker(image.astype(dtype), markers, **sizes)
    np.testing.assert_array_equal(found, expected)


def test_random_walker_tiled_agrees_with_whole_but_for_a_few_voxels():
    image, mask, markers = blobs((90, 100))
    whole = random_walker(image, markers, mask=mask)
    found, report = tiled_random_walker(image, markers, mask=mask, tile=45, halo=30)
    assert (found != whole).mean() < 0.002
    assert report.disagreement < 0.01
    assert report.merged > 5


def test_random_walker_where_nothing_is_to_decide():
    flat = np.full((6, 7), 3.0)
    seeds = np.zeros(flat.shape, np.int32)
    seeds[:, 0], seeds[:, -1] = 5, 7
    found = random_walker(flat, seeds)
    np.testing.assert_array_equal(found[:, 1:3], 5)
    np.testing.assert_array_equal(found[:, 4:], 7)
    full = np.full(flat.shape, 2, np.int32)
    np.testing.assert_array_equal(random_walker(flat, full), full)
    np.testing.assert_array_equal(
        random_walker(flat, np.minimum(seeds, 5) // 5 * 5 * (seeds == 5)), 5
    )


def test_inputs_are_never_changed():
    image, mask, markers = blobs((40, 40))
    kept = [a.copy() for a in (image, mask, markers)]
    watershed(image, markers, mask=mask, tile=20, halo=10, on_disagreement="ignore")
    random_walker(image, markers, mask=mask)
    for before, after in zip(kept, (image, mask, markers), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("image", "markers", "options", "error", "words"),
    [
        (np.ones((4, 4)), np.ones((4, 5), int), {}, ValueError, "markers has shape"),
        (np.ones(4), np.ones(4, int), {"mask": np.ones(3)}, ValueError, "mask has"),
        (np.ones(4), np.ones(4), {}, TypeError, "integers"),
        (np.ones(4), -np.ones(4, int), {}, ValueError, "negative"),
        (np.ones((0, 4)), np.ones((0, 4), int), {}, ValueError, "empty"),
        (np.full(4, np.nan), np.ones(4, int), {}, ValueError, "NaN"),
        (np.ones((20, 20, 3)), np.ones((20, 20, 3), int), {}, ValueError, "colour"),
        (np.ones(4), np.ones(4, int), {"connectivity": 2}, ValueError, "1 axes"),
    ],
)
def test_bad_input_is_named(image, markers, options, error, words):
    with pytest.raises(error, match=words):
        watershed(image, markers, **options)


def test_random_walker_takes_pictures_and_volumes_only():
    with pytest.raises(ValueError, match="2 or 3 axes"):
        random_walker(np.ones(4), np.ones(4, int))


@pytest.mark.parametrize("walk", [random_walker, partial(tiled_random_walker, tile=4)])
@pytest.mark.parametrize(
    ("beta", "error"),
    [(np.nan, ValueError), (np.inf, ValueError), (-1, ValueError), ("1", TypeError)],
)
def test_the_random_walker_takes_a_positive_beta_only(walk, beta, error):
    """With NaN its solver would never end."""
    markers = np.array([[1, 0, 0, 2]] * 4)
    with pytest.raises(error, match=r"beta is .*, but must be a .*number"):
        walk(markers * 1.0, markers, beta=beta)

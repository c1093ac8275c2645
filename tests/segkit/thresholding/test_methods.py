"""Thresholds of whole images, local ones and hysteresis: right, and total."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import get_args

import mahotas
import numpy as np
import pytest
import skimage.filters
from hypothesis import given, settings, strategies as st

from segkit.thresholding import methods as thresholding, nearby
from segkit.tiling.cutting import map_tiles

METHODS = get_args(thresholding.Method)
DTYPES = ["bool", "uint8", "int16", "uint16", "int32", "float16", "float32", "float64"]


def two_classes(dtype="uint8", seed=0):
    """Return noise around 50, and around 170 in a sixth of the voxels."""
    rng = np.random.default_rng(seed)
    image = rng.normal(50, 12, (60, 70))
    image[20:40, 20:55] = rng.normal(170, 12, (20, 35))
    if dtype == "bool":
        return image > 100
    return image.clip(0, 255).astype(dtype)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bool"])
def test_each_method_separates_two_clear_classes(method, dtype):
    found = thresholding.threshold(two_classes(dtype), method)
    assert 65 < found < 160


@pytest.mark.parametrize("method", [m for m in METHODS if m != "minimum"])
def test_each_method_takes_masks(method):
    mask = two_classes("bool")
    np.testing.assert_array_equal(mask > thresholding.threshold(mask, method), mask)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0, 1, 77])
def test_nothing_is_above_the_threshold_of_a_flat_image(method, dtype, value):
    image = np.full((5, 6), value).astype(dtype)
    assert not (image > thresholding.threshold(image, method)).any()


@pytest.mark.parametrize("seed", range(5))
def test_otsu_and_ridler_calvard_are_those_of_mahotas(seed):
    image = two_classes(seed=seed)
    assert thresholding.threshold(image, "otsu") == mahotas.otsu(image)
    assert thresholding.threshold(image, "rc") == pytest.approx(mahotas.rc(image))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 30), min_size=2, max_size=60))
def test_ridler_calvard_is_that_of_mahotas_on_any_histogram(values):
    image = np.array(values, np.uint8)
    expected = pytest.approx(mahotas.rc(image))
    assert thresholding.threshold(image, "rc") == expected


def test_integers_of_a_wide_range_need_no_bin_for_each():
    image = two_classes("int64") * 10**12
    assert 65e12 < thresholding.threshold(image, "otsu") < 160e12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("dtype", "offset"),
    [("int64", 10**12), ("int64", -(2**63)), ("uint64", 2**63), ("int32", 2**31 - 256)],
)
def test_thresholds_move_with_the_image_however_far(method, dtype, offset):
    image = two_classes()
    moved = (image.astype(object) + offset).astype(dtype)
    expected = offset + thresholding.threshold(image, method)
    assert thresholding.threshold(moved, method) == pytest.approx(expected, rel=1e-15)
    assert thresholding.try_all(moved, [method])[method].threshold == expected


def test_the_thresholds_of_several_classes_move_with_the_image():
    image = np.concatenate([two_classes(), two_classes() // 2 + 70])
    moved = image.astype(np.int64) + 10**12
    expected = [10**12 + t for t in thresholding.multi_otsu(image)]
    assert list(thresholding.multi_otsu(moved)) == expected


@pytest.mark.parametrize("method", METHODS)
def test_integers_that_span_all_64_bits_are_cut_as_floats_are(method):
    wide = (two_classes().astype(object) * 2**56 - 2**63).astype(np.int64)
    expected = 2**56 * thresholding.threshold(two_classes().astype(float), method)
    assert thresholding.threshold(wide, method) + 2.0**63 == pytest.approx(expected)


def test_an_image_without_two_peaks_has_no_minimum_between_them():
    with pytest.raises(ValueError, match="method 'minimum' finds no threshold"):
        thresholding.threshold(np.arange(256, dtype=np.uint8), "minimum")


def test_multi_otsu_separates_three_classes():
    image = np.concatenate([two_classes(), two_classes() // 2 + 70]).astype(np.uint8)
    low, high = thresholding.multi_otsu(image, 3)
    expected = skimage.filters.threshold_multiotsu(image, 3)
    assert (low, high) == tuple(expected)


def test_multi_otsu_of_too_many_grey_values_says_what_to_do():
    image = np.arange(0, 65536, 7, np.uint16)
    with pytest.raises(ValueError, match=r"spans 65535 grey values.*image // 64"):
        thresholding.multi_otsu(image)
    assert len(thresholding.multi_otsu(image // 64)) == 2


def test_multi_otsu_of_few_values():
    assert thresholding.multi_otsu([3, 3, 8, 9], 3) == (3, 8)
    with pytest.raises(ValueError, match="2 different values, too few for 3 classes"):
        thresholding.multi_otsu([3, 3, 8], 3)


@pytest.mark.parametrize("method", ["mean", "gaussian", "median"])
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_local_thresholds_on_tiles_are_those_of_the_whole(method, data):
    ndim = data.draw(st.integers(1, 3))
    shape = [data.draw(st.integers(1, 12)) for _ in range(ndim)]
    dtype = data.draw(st.sampled_from(DTYPES))
    image = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    window = [data.draw(st.sampled_from([1, 3, 5])) for _ in range(ndim)]
    function = partial(nearby.local_threshold, shape=window, method=method, offset=0.5)
    tile = [data.draw(st.integers(1, 8)) for _ in range(ndim)]
    tiled = map_tiles(function, image, tile=tile)
    np.testing.assert_array_equal(tiled, function(image))


@pytest.mark.parametrize("method", ["mean", "gaussian", "median"])
def test_local_thresholds_follow_the_illumination(method):
    image = two_classes("float32") + np.linspace(0, 400, 70, dtype=np.float32)
    local = nearby.local_threshold(image, 51, method=method)
    mask = image > local + 20
    assert mask[20:40, 20:55].mean() > 0.9
    assert mask[:10].mean() < 0.2


def test_hysteresis_keeps_weak_voxels_next_to_strong_ones():
    image = np.array([[0, 3, 9, 3], [0, 0, 0, 0], [0, 3, 3, 0]])
    expected = [[0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert thresholding.hysteresis(image, 2, 5).astype(int).tolist() == expected


def test_try_all_reports_each_method():
    trials = thresholding.try_all(two_classes())
    assert tuple(trials) == METHODS
    for method, trial in trials.items():
        assert trial.threshold == thresholding.threshold(two_classes(), method)
        assert trial.fraction == trial.mask.mean()
    assert trials["otsu"].objects == 1


def test_try_all_goes_on_where_a_method_finds_none():
    trials = thresholding.try_all(np.arange(256, dtype=np.uint8), ["minimum", "mean"])
    assert np.isnan(trials["minimum"].threshold)
    assert not trials["minimum"].mask.any()
    assert trials["mean"].threshold == 127.5


@pytest.mark.skipif("SEGKIT_DATA" not in os.environ, reason="needs SEGKIT_DATA")
def test_real_nuclei_get_the_thresholds_of_mahotas():
    import imageio.v3

    folder = Path(os.environ["SEGKIT_DATA"]) / "coelho2009" / "ic100"
    images = sorted(folder.rglob("*.png"))[:3]
    assert images
    for path in images:
        image = imageio.v3.imread(path)
        grey = image if image.ndim == 2 else image.max(axis=-1)
        assert thresholding.threshold(grey, "rc") == pytest.approx(mahotas.rc(grey))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: thresholding.threshold([1, 2], "best"), ValueError, "unknown method"),
        (lambda: thresholding.threshold([]), ValueError, "image is empty"),
        (lambda: thresholding.threshold([np.nan]), ValueError, "NaN or infinite"),
        (lambda: thresholding.threshold(["a"]), TypeError, "give booleans, integers"),
        (lambda: thresholding.threshold(np.ones((20, 20, 3))), ValueError, "colour"),
        (lambda: thresholding.multi_otsu([1, 2], 1), ValueError, "classes is 1"),
        (lambda: thresholding.hysteresis([1], 2, 1), ValueError, "must not be above"),
        (lambda: thresholding.try_all([1, 2], ["x"]), ValueError, "unknown method 'x'"),
        (
            lambda: nearby.local_threshold([1], 4, method="median"),
            ValueError,
            "must be odd for a median",
        ),
        (
            lambda: nearby.local_threshold([1], 3, method="mode"),
            ValueError,
            "unknown method 'mode'",
        ),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()

"""NDNT: the rule as stated, exact sums, tiles and threads of no influence."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from segkit.filters.smoothing import gaussian
from segkit.thresholding.nearby import ndnt
from segkit.tiling.cutting import map_tiles
from segkit.windows import rule as window_rule, sums as window_sums

DTYPES = [
    *("bool", "uint8", "uint16", "uint32", "uint64"),
    *("int8", "int16", "int32", "int64", "float16", "float32", "float64", ">u2"),
]


def random_image(shape, dtype, seed=0, *, share=1.0):
    """Return noise over half the range of a dtype, a share of it not zero."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    kept = rng.random(shape) < share
    if dtype.kind == "f":
        return (rng.standard_normal(shape) * 3 * kept).astype(dtype)
    if dtype.kind == "b":
        return kept & (rng.random(shape) < 0.5)
    most = min(int(np.iinfo(dtype).max), 2**40)
    return (rng.integers(0, most // 2, shape) * kept).astype(dtype)


def by_definition(image, shape, threshold, *, polarity="dark", window="centred"):
    """Return the mask voxel by voxel, in exact arithmetic."""
    sizes = (shape,) * image.ndim if isinstance(shape, int) else shape
    mask = np.zeros(image.shape, bool)
    for index in np.ndindex(image.shape):
        box = []
        for i, n in zip(index, sizes, strict=True):
            half = round(n / 2)
            before = half - 1 if window == "florin" else n // 2
            after = half if window == "florin" else (n - 1) // 2
            box.append(slice(max(i - before, 0), i + after + 1))
        values = image[tuple(box)].ravel().tolist()
        value = Fraction(image[index].item()) * len(values)
        # Floats are multiples of an eighth here, whose sums are exact.
        total = Fraction(sum(values))
        margin = Fraction(threshold) * abs(total)
        if polarity == "bright":
            mask[index] = value > total + margin
        elif window == "florin":
            mask[index] = value <= total * (1 - Fraction(threshold))
        else:
            mask[index] = value < total - margin
    return mask


@st.composite
def cases(draw, least=1):
    ndim = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 7)) for _ in range(ndim))
    window = draw(st.sampled_from(["centred", "florin"]))
    low = 2 if window == "florin" else least
    sizes = tuple(draw(st.integers(low, 9)) for _ in range(ndim))
    options = {
        "threshold": draw(st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0])),
        "polarity": draw(st.sampled_from(["dark", "bright"])),
        "window": window,
    }
    image = random_image(
        shape,
        draw(st.sampled_from(DTYPES)),
        draw(st.integers(0, 99)),
        share=draw(st.sampled_from([0.1, 1.0])),
    )
    return image, sizes, options


# Thresholds are powers of two, so that the float64 of the rule is exact.
@settings(deadline=None, max_examples=50)
@given(cases())
def test_the_rule_is_the_one_stated(case):
    image, sizes, options = case
    if image.dtype.kind == "f":
        image = np.round(image * 8) / 8
    expected = by_definition(image, sizes, **options)
    np.testing.assert_array_equal(ndnt(image, sizes, **options), expected)


@settings(deadline=None, max_examples=60)
@given(cases(), st.data())
def test_tiled_equals_whole(case, data):
    image, sizes, options = case
    function = partial(ndnt, shape=sizes, **options)
    tile = [data.draw(st.integers(1, 7)) for _ in image.shape]
    np.testing.assert_array_equal(
        map_tiles(function, image, tile=tile), function(image)
    )


@settings(deadline=None, max_examples=60)
@given(cases(), st.integers(1, 3))
def test_compiled_and_numpy_agree(case, threads):
    image, sizes, options = case
    if threads > 1 and image.dtype.kind == "f":  # else compiled for parts of each type
        image = image.astype(np.float32)
    rule = window_rule.WindowRule(
        *window_rule.extent(sizes, image.shape, options["window"]),
        *window_rule.factors(
            options["threshold"], options["polarity"], options["window"]
        ),
    )
    plain = window_sums.numpy_mask(window_sums.native(image), rule)
    np.testing.assert_array_equal(ndnt(image, sizes, workers=threads, **options), plain)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(70, 90), (9, 40, 50), (3, 4, 9, 10)])
def test_tiled_equals_whole_on_larger_images(dtype, shape):
    image = random_image(shape, dtype, share=0.7)
    function = partial(ndnt, shape=[min(n, 13) for n in shape], threshold=0.1)
    tile = [max(3, n // 2 - 1) for n in shape]
    np.testing.assert_array_equal(
        map_tiles(function, image, tile=tile), function(image)
    )


def florin(image, shape, threshold):
    """Return FLoRIN's mask by its own way: an integral image without a border."""
    integral = image.astype(np.int64)
    for axis in range(image.ndim):
        integral = integral.cumsum(axis)
    low, high = [], []
    for length, n in zip(image.shape, shape, strict=True):
        half = int(np.round(n / 2))
        at = np.arange(length)
        low.append(np.maximum(at - half, 0))
        high.append(np.minimum(at + half, length - 1))
    sums = np.zeros(image.shape)
    for corner in np.ndindex((2,) * image.ndim):
        chosen = [(low, high)[c][axis] for axis, c in enumerate(corner)]
        sign = (-1) ** (image.ndim - sum(corner))
        sums += sign * integral[np.ix_(*chosen)]
    counts = np.ones(())
    for a, b in zip(low, high, strict=True):
        counts = np.multiply.outer(counts, b - a)
    return image * counts <= sums * (1 - threshold)


@pytest.mark.parametrize(
    ("shape", "window"),
    [
        ((60, 70), (10, 13)),
        ((60, 70), (7, 64)),
        ((20, 40, 50), (3, 10, 11)),
        ((20, 40, 50), (10, 16, 16)),
    ],
)
def test_florin_window_is_florin_away_from_its_wrong_borders(shape, window):
    image = random_image(shape, np.uint8)
    # FLoRIN leaves index 0 out, which matters as far as a window reaches it.
    right = tuple(slice(round(n / 2), None) for n in window)
    ours = ndnt(image, window, 0.3, window="florin")
    theirs = florin(image, window, 0.3)
    np.testing.assert_array_equal(ours[right], theirs[right])
    assert (ours != theirs).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("shape", [(5, 40_000), (3, 5, 40_000), (40_000, 5), (40_000,)])
def test_long_rows_are_exact(shape, dtype):
    """The running sum of a row passes 2**31; window sums are differences of it."""
    image = random_image(shape, dtype, 3)
    if image.dtype.kind != "f":
        image = image // 2 + np.iinfo(dtype).max // 2
    window = (3,) * (len(shape) - 1) + (101,)
    rule = window_rule.WindowRule(
        *window_rule.extent(window, shape, "centred"), 1.01, 0.99, window_rule.BELOW
    )
    expected = window_sums.numpy_mask(image, rule)
    np.testing.assert_array_equal(ndnt(image, window, 0.01), expected)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.uint32, np.int64])
def test_window_sums_beyond_31_bits_are_exact(dtype):
    top = np.iinfo(dtype).max
    image = np.full((300, 300), min(top, 2**44), dtype)
    image[150, 150] -= image[150, 150] // 1000
    mask = ndnt(image, 299, 0.0005)
    assert np.argwhere(mask).tolist() == [[150, 150]]


def test_sums_that_pass_64_bits_are_refused():
    image = np.full((50, 50), 2**62, np.int64)
    with pytest.raises(ValueError, match="convert the image to float64 first"):
        ndnt(image, 9)
    with pytest.raises(ValueError, match="divide the image first"):
        ndnt(np.full((50, 50), 1e307), 9)


def test_floats_next_to_far_larger_ones_are_still_those_of_the_definition():
    image = random_image((60, 64), np.float64, share=0.3)
    image[20, 20] = 1e12
    rule = window_rule.WindowRule((3, 3), (3, 3), 1.25, 0.75, window_rule.BELOW)
    mask = ndnt(image, 7, 0.25)
    np.testing.assert_array_equal(mask, window_sums.numpy_mask(image, rule))
    far = (slice(30, 40), slice(30, 40))
    expected = by_definition(image[24:46, 24:46], 7, 0.25)[6:16, 6:16]
    np.testing.assert_array_equal(mask[far], expected)


@pytest.mark.parametrize("value", [0, 7, 255])
@pytest.mark.parametrize("polarity", ["dark", "bright"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, bool])
def test_a_flat_field_has_no_foreground(value, polarity, dtype):
    image = np.full((30, 30), value, dtype)
    assert not ndnt(image, 7, 0.1, polarity=polarity).any()


def test_every_border_is_treated_alike():
    image = random_image((31, 37), np.uint8)
    flipped = ndnt(image[::-1, ::-1], 7, 0.2)[::-1, ::-1]
    np.testing.assert_array_equal(flipped, ndnt(image, 7, 0.2))


def test_polarities_are_what_they_say():
    image = np.full((9, 9), 100, np.uint8)
    image[2, 2], image[6, 6] = 20, 200
    assert np.argwhere(ndnt(image, 5)).tolist() == [[2, 2]]
    assert np.argwhere(ndnt(image, 5, polarity="bright")).tolist() == [[6, 6]]


def test_percent_is_the_fraction_times_100_without_a_jump():
    image = random_image((40, 40), np.uint8)
    for percent in (0.5, 1.0, 1.5, 30, 100):
        np.testing.assert_array_equal(
            ndnt(image, 9, percent=percent), ndnt(image, 9, percent / 100)
        )


@pytest.mark.parametrize("shape", [(1, 64, 64), (64, 1), (1,), (1, 1, 1), (7, 1, 1)])
def test_axes_of_one_voxel_work(shape):
    image = random_image(shape, np.uint8)
    expected = by_definition(image, (3,) * len(shape), 0.25)
    np.testing.assert_array_equal(ndnt(image, 3), expected)


def test_layout_byte_order_and_write_protection_do_not_matter():
    image = random_image((40, 50), np.uint16)
    expected = ndnt(image, 9, 0.1)
    other = np.asfortranarray(image).astype(">u2")
    other.flags.writeable = False
    np.testing.assert_array_equal(ndnt(other, 9, 0.1), expected)
    np.testing.assert_array_equal(ndnt(image[::-1], 9, 0.1), ndnt(other[::-1], 9, 0.1))


def test_the_image_is_left_as_it_is():
    image = random_image((20, 20), np.float32)
    before = image.copy()
    ndnt(image, 5)
    np.testing.assert_array_equal(image, before)


def test_the_default_window_is_an_eighth_of_the_image():
    image = random_image((80, 40), np.uint8)
    np.testing.assert_array_equal(ndnt(image), ndnt(image, (10, 5)))


@pytest.mark.parametrize(
    ("image", "options", "error", "message"),
    [
        (np.array([[1.0, np.nan]]), {}, ValueError, "NaN or infinite"),
        (np.array([[1.0, np.inf]], np.float32), {}, ValueError, "NaN or infinite"),
        (np.array([1.0, -np.inf], np.float16), {}, ValueError, "NaN or infinite"),
        (np.full((2, 2, 2, 2), np.nan), {}, ValueError, "NaN or infinite"),
        (np.zeros((0, 5)), {}, ValueError, "image is empty: axis 0"),
        (np.float64(3), {}, ValueError, "single number"),
        (np.zeros((40, 40, 3), np.uint8), {}, ValueError, "colour picture"),
        (np.zeros(4, complex), {}, TypeError, "dtype complex128"),
        (np.array(["a"]), {}, TypeError, "give booleans, integers or floats"),
        (np.zeros(4), {"threshold": 15}, ValueError, "fraction from 0 to 1"),
        (np.zeros(4), {"threshold": -0.1}, ValueError, "fraction from 0 to 1"),
        (np.zeros(4), {"percent": 101}, ValueError, "from 0 to 100"),
        (np.zeros(4), {"threshold": 0.1, "percent": 5}, ValueError, "not both"),
        (np.zeros(4), {"shape": 0}, ValueError, "shape is 0 on axis 0"),
        (np.zeros(4), {"shape": (3, 3)}, ValueError, "has 2 numbers"),
        (np.zeros(4), {"shape": 2.5}, TypeError, "must be an integer"),
        (np.zeros(4), {"shape": 1, "window": "florin"}, ValueError, "at least 2"),
        (np.zeros(4), {"window": "odd"}, ValueError, "unknown window 'odd'"),
        (np.zeros(4), {"polarity": "both"}, ValueError, "unknown polarity 'both'"),
        (np.zeros(4), {"workers": 0}, ValueError, "workers is 0"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(image, options, error, message):
    with pytest.raises(error, match=message):
        ndnt(image, **options)


@pytest.mark.parametrize(
    "environment",
    [{"NUMBA_DISABLE_JIT": "1"}, {"NUMBA_CACHE_DIR": "/proc/nowhere"}],
    ids=["without compiling", "without a folder for compiled code"],
)
def test_results_do_not_depend_on_whether_code_is_compiled(environment, tmp_path):
    image = random_image((60, 70), np.uint8)
    np.save(tmp_path / "image.npy", image)
    script = (
        "import sys, numpy as np\n"
        "from segkit.thresholding import ndnt\n"
        "from segkit.filters import gaussian\n"
        "image = np.load('image.npy')\n"
        "np.save('mask.npy', ndnt(image, 9, 0.1))\n"
        "np.save('smooth.npy', gaussian(image, 1.5))\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        check=True,
        env={**os.environ, **environment},
    )
    expected = ndnt(image, 9, 0.1)
    np.testing.assert_array_equal(np.load(tmp_path / "mask.npy"), expected)
    smooth = gaussian(image, 1.5)
    np.testing.assert_array_equal(np.load(tmp_path / "smooth.npy"), smooth)

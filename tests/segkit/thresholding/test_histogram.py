"""Counts of grey values: those of numpy, whatever the dtype, strides and threads."""

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import skimage.filters
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from segkit.thresholding import (
    histogram as histograms,
    peaks,
    smoothing_kernels,
    whole_image,
)
from segkit.thresholding.histogram import histogram
from segkit.thresholding.methods import Method, multi_otsu, threshold, try_all

DTYPES = [f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)]
METHODS = get_args(Method)


@st.composite
def images(draw, most=2**16):
    """Draw an image of integers that span less than `most`, anywhere, in any order."""
    dtype = np.dtype(draw(st.sampled_from([*DTYPES, "?"])))
    ends = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    span = draw(st.integers(0, min(most, ends[1] - ends[0] + 1) - 1))
    low = draw(st.sampled_from([ends[0], ends[1] - span, max(ends[0], -(span // 2))]))
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    seed = draw(st.integers(0, 99))
    above = np.random.default_rng(seed).integers(0, span + 1, [2 * n for n in shape])
    image = (above.astype(object) + low).astype(dtype)
    image = image.astype(dtype.newbyteorder(draw(st.sampled_from("<>"))))
    steps = [draw(st.sampled_from([1, 2, -1, -2])) for _ in shape]
    image = image[tuple(slice(None, None, step) for step in steps)]
    return np.asfortranarray(image) if draw(st.booleans()) else image


def assert_counts(found, image):
    assert (found.lowest, found.highest) == (image.min(), image.max())
    image = image.view(np.uint8) if image.dtype.kind == "b" else image
    above = image.ravel().astype(image.dtype.newbyteorder("=")) - image.min()
    expected = np.bincount(above.view(f"u{image.dtype.itemsize}").astype(np.int64))
    np.testing.assert_array_equal(found.counts, expected)
    assert found.counts.dtype == np.int64


@settings(deadline=None, max_examples=60)
@given(images(), st.integers(1, 3))
def test_counts_are_those_of_numpy(image, workers):
    assert_counts(histogram(image, workers), image)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4"])
def test_counts_of_more_than_fits_32_bits_are_added_up(dtype, workers, monkeypatch):
    monkeypatch.setattr(histograms, "_MOST_COUNTED", 50)
    image = np.random.default_rng(0).integers(7, 99, (23, 19)).astype(dtype)

    parts = histograms._parts(
        histograms._count_plainly, image.astype("u2"), 0, 100, workers
    )

    assert parts.sum(axis=1).max() <= 100  # twice as many would fit
    assert_counts(histogram(image, workers), image)


def test_only_what_a_thread_took_is_added_up():
    image = np.arange(100, dtype=np.uint8)

    parts = histograms._parts(histograms._count_plainly, image, 0, 256, 1)
    many = histograms._parts(histograms._count_plainly, image, 0, 256, 50)

    assert len(parts) == 1
    assert many.any(axis=1).all()


@settings(deadline=None, max_examples=15)
@given(images())
def test_counts_without_kernels_are_the_same(image):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segkit.compiled.fallback.can_compile", lambda: False)
        assert_counts(histogram(image), image)


@pytest.mark.parametrize("most", [None, 999])
@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_of_large_images_are_counted_once_each(dtype, most, monkeypatch):
    if most is not None:
        monkeypatch.setattr(histograms, "_MOST_COUNTED", most)
    rng = np.random.default_rng(3)
    image = rng.integers(0, 100, (3, 300, 401)).astype(dtype)
    for part in (image, image[:, ::2], image[::-1, :, 5:], image.transpose(2, 0, 1)):
        for workers in (1, 2, 5):
            assert_counts(histogram(part, workers), part)


@pytest.mark.parametrize("dtype", [*DTYPES, "?"])
@pytest.mark.parametrize("shape", [(0,), (0, 4), (3, 0, 2)])
def test_an_empty_image_has_no_counts(dtype, shape):
    assert histogram(np.zeros(shape, dtype)).counts.size == 0


@pytest.mark.parametrize("dtype", ["i4", "u4", "i8", "u8"])
def test_integers_that_span_too_much_are_not_counted(dtype):
    ends = np.iinfo(dtype)
    for low, high in [(0, 2**16), (ends.min, ends.max), (ends.max - 2**16, ends.max)]:
        assert histogram(np.array([low, high], dtype)) is None
        assert histogram(np.array([low, low + 2**16 - 1], dtype)).counts.size == 2**16


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [*DTYPES, "f4"])
def test_thresholds_do_not_depend_on_threads(method, dtype):
    image = np.random.default_rng(1).normal(60, 9, (64, 65))
    image[10:40, 10:40] += 40
    image = image.clip(0, 127).astype(dtype)

    assert threshold(image, method, workers=1) == threshold(image, method, workers=3)
    found = try_all(image, [method], workers=2)[method].threshold
    assert found == threshold(image, method)
    if method == "otsu":
        assert multi_otsu(image, workers=1) == multi_otsu(image, workers=3)


@settings(deadline=None, max_examples=25)
@given(images(most=300))
def test_integers_have_the_thresholds_of_scikit_image(image):
    image = image.view(np.uint8) if image.dtype.kind == "b" else image
    image = image.astype(image.dtype.newbyteorder("="))
    if image.min() < 0 or image.min() == image.max():
        return
    if image.max() >= 2**16:
        return
    image = image.astype(np.uint16)
    for method in ("otsu", "li", "isodata", "yen"):
        expected = getattr(skimage.filters, f"threshold_{method}")(image.ravel())
        with np.errstate(divide="ignore", invalid="ignore"):
            assert threshold(image, method) == float(expected)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 2**40), max_size=30),
    st.integers(0, 300),
    st.sampled_from([0, 1, 60_000]),
)
def test_otsu_of_many_voxels_is_rounded_as_that_of_scikit_image(some, apart, first):
    counts = np.zeros((len(some) + 1) * (apart + 1) + 1, np.int64)
    counts[:: apart + 1] = [5, *some, 9]
    values = np.arange(first, first + counts.size)

    expected = skimage.filters.threshold_otsu(hist=(counts, values))

    assert whole_image._otsu(counts, values) == expected


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from([0, 0, 1, 2, 10**6, 2**31]), max_size=30),
    st.integers(-9, 9),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_the_triangle_is_that_of_numpy_to_the_last_place(some, first, ends):
    counts = np.array([ends[0], *some, ends[1]])
    values = np.arange(first, first + counts.size)

    expected = whole_image._triangle_by_numpy(counts, values)

    assert whole_image._triangle(counts, values) == expected


@pytest.mark.parametrize("ends", [(-3, 7), (-9, -2), (-(2**15), 2**15 - 1), (0, 5)])
@pytest.mark.parametrize("workers", [1, 2])
def test_signed_counts_are_in_the_order_of_their_values(ends, workers):
    image = np.array([[*ends, *ends], [ends[0]] * 4], np.int16)

    assert_counts(histogram(image, workers), image)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=20), st.integers(0, 10**6))
def test_the_minimum_between_peaks_is_that_of_scikit_image(counts, much):
    counts = np.array([1 + much, *counts, 1])
    values = np.arange(counts.size)
    try:
        expected = peaks._minimum_by_skimage(counts, values)
    except RuntimeError:
        with pytest.raises(RuntimeError):
            peaks.minimum(counts, values)
    else:
        assert peaks.minimum(counts, values) == expected


def test_the_minimum_of_a_wide_histogram_is_that_of_scikit_image():
    rng = np.random.default_rng(0)
    grey = np.concatenate([rng.normal(99, 20, 90_000), rng.normal(250, 20, 20_000)])
    counts = np.bincount(grey.clip(0).astype(int))
    values = np.arange(counts.size)
    expected = peaks._minimum_by_skimage(counts, values)
    assert peaks.minimum(counts, values) == expected


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 99),
    st.integers(5, 30),
    st.integers(200, 900),
    st.lists(st.integers(0, 4000), max_size=2),
    st.integers(1, 5),
)
def test_a_far_voxel_or_a_gap_leaves_the_minimum_as_it_was(
    seed, width, apart, far, workers
):
    rng = np.random.default_rng(seed)
    grey = [rng.normal(100, width, 9_000), rng.normal(100 + apart, width, 3_000), far]
    image = np.concatenate(grey).clip(0).astype(np.uint16)
    counts = np.bincount(image)[image.min() :]
    try:
        values = np.arange(image.min(), counts.size + image.min())
        expected = peaks._minimum_by_skimage(counts, values)
    except RuntimeError:
        with pytest.raises(ValueError, match="finds no threshold"):
            threshold(image, "minimum", workers=workers)
    else:
        assert threshold(image, "minimum", workers=workers) == expected


@pytest.mark.parametrize("size", [2, 3, 4, 9, 60, 127, 128, 129, 700])
@pytest.mark.parametrize("most", [1, 2, 63, 64, 65, 200])
def test_smoothing_many_times_at_once_gives_the_digits_of_scipy(size, most):
    rng = np.random.default_rng(size)
    for counts in (
        rng.integers(1, 10**7, size),
        np.where(rng.random(size) < 0.1, rng.integers(1, 99, size), 0),
        np.where(np.arange(size) % 50 == 1, 10**7, 1),
    ):
        expected = counts.astype(np.float32)
        for _ in range(most):
            expected = ndimage.uniform_filter1d(expected, 3)
            tops = peaks_of(expected)
            if len(tops) < 3:
                break

        smooth, found = peaks.smoothed(counts, most)

        np.testing.assert_array_equal(smooth, expected)
        assert [top for top in found if top >= 0] == tops[:3]


@st.composite
def level_grounds(draw):
    """Draw counts of which many neighbours are equal, few or hundreds of them."""
    height = st.sampled_from([0, 0, 1, 7, 10**6])
    grounds = st.tuples(height, st.sampled_from([1, 2, 63, 64, 65, 190, 257, 700]))
    drawn = draw(st.lists(grounds, min_size=1, max_size=9))
    return np.repeat(*np.array([*drawn, (3, draw(st.integers(1, 130)))]).T)


@settings(deadline=None, max_examples=60)
@given(level_grounds(), st.sampled_from([1, 63, 64, 65, 129, 400]))
def test_level_ground_that_is_left_out_has_the_digits_of_scipy(counts, most):
    expected = counts.astype(np.float32)
    for _ in range(most):
        expected = ndimage.uniform_filter1d(expected, 3)
        if len(peaks_of(expected)) < 3:
            break

    smooth, _ = peaks.smoothed(counts, most)

    np.testing.assert_array_equal(smooth, expected)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 1000, 5 * 64, 9 * 64 + 1])
def test_what_is_left_out_comes_back_and_nothing_else_is_written(size):
    counts = np.full(size, 5, np.float32)
    counts[: size // 9] = np.arange(size // 9)
    starts = np.empty(-(-size // smoothing_kernels.TOGETHER), np.int64)
    short, again = (np.full(size + 99, -1, np.float32) for _ in range(2))

    kept = smoothing_kernels._shorten(counts, short[:size], starts)
    smoothing_kernels._lengthen(short[:size], starts, again[:size])

    assert kept == size - 64 * (starts < 0).sum()
    assert kept <= size // 9 + 5 * 64
    assert (short[kept:] == -1).all()
    assert (again[size:] == -1).all()
    np.testing.assert_array_equal(again[:size], counts)


@given(st.sets(st.integers(1, 200), min_size=1, max_size=64))
def test_places_beside_others_are_in_order_and_none_is_lost(some):
    places = np.zeros(64, np.int64)
    places[: len(some)] = sorted(some)

    found = smoothing_kernels._widen(places, len(some), 200)

    assert some <= set(places[:found].tolist())
    assert (np.diff(places[:found]) >= 0).all()
    assert 1 <= places[0] <= places[found - 1] <= 200


def test_a_third_is_the_quotient_also_beside_the_middle_of_two_floats():
    rng = np.random.default_rng(3)
    middles = 3 * (rng.integers(2**24, 2**25, 400) | 1).astype(np.float64)
    beside = np.multiply.outer(1 + np.arange(-4, 5) * 2.0**-52, middles).reshape(-1)
    thousands = rng.lognormal(0, 60, 2000)
    for total in (0.0, *beside, *thousands, *-thousands):
        assert smoothing_kernels._third(total) == total / 3.0


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("size", [1, 2, 5, 8, 23])
def test_all_values_are_counted_wherever_they_begin_in_memory(first, size):
    values = np.arange(40, dtype=np.uint16)[first : first + size]
    found = histogram(values)
    assert (found.lowest, found.counts.tolist()) == (first, [1] * size)


def peaks_of(counts):
    """Return the last place of each rise or level ground before a fall."""
    tops, rises = [], True
    for i, (before, here) in enumerate(pairwise(counts.tolist())):
        if rises and here < before:
            tops.append(i)
        rises = here > before if here != before else rises
    return tops

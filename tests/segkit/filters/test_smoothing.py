"""Filters: the same as the reference libraries, with and without the fast extras."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pytest
import skimage.restoration
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from segkit import filters, thresholding
from segkit.compiled import fallback
from segkit.morphology import h_maxima
from segkit.tiling.cutting import map_tiles
from segkit.tiling.reaches import reach

DTYPES = ["bool", "uint8", "int16", "uint16", "int64", "float16", "float32", "float64"]
TILED = [
    partial(filters.gaussian, sigma=0.8),
    partial(filters.gaussian, sigma=2.5, truncate=2),
    partial(filters.median, radius=1),
    partial(filters.median, radius=2),
    partial(filters.uniform, shape=4),
    partial(filters.uniform, shape=7),
    partial(filters.subtract_background, radius=2),
    partial(filters.subtract_background, radius=1, method="gaussian"),
    partial(filters.subtract_background, radius=2, method="ball"),
    partial(filters.distance_transform, limit=3.5),
    partial(filters.distance_transform, limit=2, spacing=0.7),
]


def random_image(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.7
    return (rng.random(shape) * 200 - (0 if dtype[0] == "u" else 90)).astype(dtype)


@st.composite
def images(draw):
    ndim = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 12)) for _ in range(ndim))
    return random_image(shape, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 99)))


@pytest.mark.parametrize("function", TILED)
@settings(deadline=None, max_examples=25)
@given(image=images(), data=st.data())
def test_tiled_equals_whole(function, image, data):
    tile = [data.draw(st.integers(1, 8)) for _ in image.shape]
    np.testing.assert_array_equal(
        map_tiles(function, image, tile=tile), function(image)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(50,), (37, 41), (9, 14, 21), (3, 4, 5, 6)])
@pytest.mark.parametrize("sigma", [0.5, 1.3, 6])
def test_gaussian_is_bit_by_bit_that_of_scipy(dtype, shape, sigma):
    image = random_image(shape, dtype)
    ours = filters.gaussian(image, sigma)
    theirs = ndimage.gaussian_filter(image.astype(ours.dtype), sigma)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("cached", [100, 2**19])
@pytest.mark.parametrize(
    "sigma", [(2, 2), (0, 2), (2, 0), (2, 1, 2), (2, 0, 1), (0, 2, 0), (1, 1, 0), (2,)]
)
def test_gaussian_along_some_axes_only_in_any_pieces(
    sigma, cached, workers, monkeypatch
):
    monkeypatch.setattr("segkit.filters.smoothing._CACHED_BYTES", cached)
    image = random_image((20, 30, 17)[: len(sigma)], "float32")
    expected = ndimage.gaussian_filter(image, sigma)
    found = filters.gaussian(image, sigma, workers=workers)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("function", [filters.gaussian, h_maxima])
def test_values_that_are_not_finite_are_refused_wherever_they_are(
    function, wrong, workers
):
    image = random_image((40, 30), "float32")
    image[37, 3] = wrong
    with pytest.raises(ValueError, match="NaN or infinite"):
        function(image, 2, workers=workers)


def test_gaussian_of_no_width_is_a_copy():
    image = random_image((5, 5), "float32")
    smooth = filters.gaussian(image, 0)
    np.testing.assert_array_equal(smooth, image)
    assert not np.may_share_memory(smooth, image)


@pytest.fixture(params=["compiled", "not compiled"])
def compiled(request, monkeypatch):
    """Run a test with kernels, and without."""
    if request.param == "not compiled":
        monkeypatch.setattr(fallback, "can_compile", lambda: False)


@pytest.fixture(params=["with extras", "without extras"])
def extras(request, monkeypatch):
    """Run a test with OpenCV, and as if it were not installed."""
    if request.param == "without extras":
        monkeypatch.setitem(sys.modules, "cv2", None)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("shape", [(60,), (40, 50), (12, 20, 22), (3, 4, 5, 6)])
@pytest.mark.parametrize("spacing", [1.0, 0.325])
def test_distances_are_those_of_the_definition(shape, spacing):
    mask = random_image(shape, "bool")
    voxels = np.argwhere(np.ones(shape, bool))
    background = np.argwhere(~mask)
    squared = [((background - v) ** 2).sum(axis=1).min() for v in voxels]
    expected = (np.sqrt(squared) * spacing).astype(np.float32).reshape(shape)
    found = filters.distance_transform(mask, spacing=spacing)
    np.testing.assert_array_equal(found, expected)


def test_distances_in_anisotropic_voxels():
    mask = random_image((10, 20, 20), "bool")
    expected = ndimage.distance_transform_edt(mask, (3, 1, 1.5)).astype(np.float32)
    found = filters.distance_transform(mask, spacing=(3, 1, 1.5))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(900,), (70, 90), (17, 40, 33), (1, 50), (50, 1)])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.998])
def test_distances_are_those_of_scipy_in_any_number_of_threads(shape, share):
    rng = np.random.default_rng(3)
    mask = rng.random(shape) < share
    mask[(-1,) * len(shape)] = False
    for part in (mask, mask[::-1], mask.T, mask[..., ::2]):
        if not part.all():
            expected = ndimage.distance_transform_edt(part).astype(np.float32)
            for workers in (1, 2, 5):
                found = filters.distance_transform(part, workers=workers)
                np.testing.assert_array_equal(found, expected)


def test_distances_beyond_32_bits_of_squares():
    mask = np.ones(70_000, bool)
    mask[0] = False
    found = filters.distance_transform(mask)
    np.testing.assert_array_equal(found, np.arange(70_000, dtype=np.float32))


@pytest.mark.usefixtures("compiled")
def test_distances_without_background_or_foreground():
    assert np.isinf(filters.distance_transform(np.ones((3, 4), bool))).all()
    assert (filters.distance_transform(np.ones((3, 4), bool), limit=2) == 2).all()
    assert (filters.distance_transform(np.zeros((3, 4), bool)) == 0).all()


def test_uniform_is_the_mean_of_what_is_in_the_image():
    image = random_image((30, 40), "int16")
    ones = ndimage.convolve(np.ones(image.shape), np.ones((5, 5)), mode="constant")
    sums = ndimage.convolve(image.astype(float), np.ones((5, 5)), mode="constant")
    np.testing.assert_allclose(filters.uniform(image, 5), sums / ones)


def test_uniform_is_exact_beyond_31_bits():
    image = np.full((300, 300), 2**32 - 1, np.uint32)
    assert (filters.uniform(image, 201) == 2**32 - 1).all()


@pytest.mark.parametrize(
    "image",
    [
        np.full(5, 2**62),
        np.full((3, 5), -(2**62)),
        np.full(5, 2**63, np.uint64),
        np.full((3, 5), 1e308),
        np.full((2, 3, 5), -1e308),
    ],
)
def test_sums_that_overflow_are_refused(image):
    with pytest.raises(ValueError, match=r"image holds values up to .* too|overflows"):
        filters.uniform(image, 3)
    with pytest.raises(ValueError, match=r"image holds values up to .* too|overflows"):
        thresholding.local_threshold(image, 3, method="mean")


def test_the_largest_sums_that_do_not_overflow_are_right():
    assert (filters.uniform(np.full(5, 2**61), 3) == 2**61).all()
    assert (filters.uniform(np.full(5, 2**63 - 1, np.uint64), 1) == 2.0**63).all()
    assert (filters.uniform(np.full(5, 1e307), 3) == 1e307).all()


@pytest.mark.parametrize("method", ["opening", "gaussian", "ball"])
def test_a_background_subtracted_leaves_the_objects(method):
    y, x = np.mgrid[:60, :60]
    background = 50 + x
    objects = 100 * ((y - 30) ** 2 + (x - 30) ** 2 < 9)
    found = filters.subtract_background(background + objects, 12, method=method)
    assert found[30, 30] > 80
    assert abs(found[10:15, 10:50]).max() < 15


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(60,), (25, 30)])
def test_a_ball_rolls_as_in_scikit_image(dtype, shape):
    image = random_image(shape, dtype)
    found = filters.subtract_background(image, 5, method="ball")
    expected = image - skimage.restoration.rolling_ball(image, radius=5)
    np.testing.assert_allclose(found, expected, atol=1e-4 if dtype[0] == "f" else 0)
    assert found.dtype == image.dtype


def test_a_ball_leaves_thin_objects_of_a_mask():
    mask = np.zeros((18, 18, 3), bool)  # no colour picture
    mask[4, 2:7, 1] = True
    found = filters.subtract_background(mask, 3, method="ball")
    np.testing.assert_array_equal(found, mask)


@pytest.mark.parametrize("method", ["opening", "ball"])
def test_differences_that_the_dtype_does_not_hold_are_refused(method):
    image = np.full(9, -128, np.int8)
    image[4] = 127
    with pytest.raises(ValueError, match="too large for int8; convert the image"):
        filters.subtract_background(image, 1, method=method)
    wide = filters.subtract_background(image.astype(np.int16), 1, method=method)
    assert wide[4] > 253


@pytest.mark.usefixtures("extras")
@pytest.mark.parametrize("function", TILED)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32"])
def test_images_may_be_read_only(function, dtype):
    image = random_image((12, 13), dtype)
    expected = function(image)
    image.flags.writeable = False
    np.testing.assert_array_equal(function(image), expected)


def test_distances_of_a_memory_mapped_mask(tmp_path):
    mask = random_image((6, 7, 8), "bool")
    np.save(tmp_path / "mask.npy", mask)
    mapped = np.load(tmp_path / "mask.npy", mmap_mode="r")
    expected = filters.distance_transform(mask)
    np.testing.assert_array_equal(filters.distance_transform(mapped), expected)


def test_the_image_is_left_as_it_is():
    for dtype in DTYPES:
        image = random_image((9, 9), dtype)
        before = image.copy()
        for function in TILED:
            function(image)[:] = 0
        np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("function", TILED)
@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 9), (1, 1, 5)])
def test_axes_of_one_voxel_work(function, shape):
    assert function(random_image(shape, "uint8")).shape == shape


def test_reach_follows_the_parameters():
    assert reach(filters.gaussian, 3, sigma=(1, 2, 2)) == (4, 8, 8)
    assert reach(filters.distance_transform, 2, limit=5, spacing=(2, 1)) == (3, 5)
    assert reach(filters.distance_transform, 2) is None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: filters.gaussian([1.0, np.inf], 1), ValueError, "NaN or infinite"),
        (lambda: filters.gaussian([1, 2], -1), ValueError, "sigma is -1"),
        (lambda: filters.gaussian([1, 2], np.nan), ValueError, "must be finite"),
        (lambda: filters.gaussian([1, 2], (1, 1)), ValueError, "has 2 numbers"),
        (lambda: filters.gaussian(np.zeros((99, 99, 4)), 1), ValueError, "colour"),
        (lambda: filters.median(np.zeros((0,))), ValueError, "is empty"),
        (lambda: filters.median(["a"]), TypeError, "give booleans, integers or"),
        (lambda: filters.uniform([1], 0), ValueError, "shape is 0"),
        (lambda: filters.uniform([1, np.nan], 1), ValueError, "image has NaN"),
        (lambda: filters.distance_transform([1], spacing=0), ValueError, "positive"),
        (lambda: filters.distance_transform([1], limit=-1), ValueError, "limit is -1"),
        (lambda: filters.distance_transform([1], limit=np.nan), ValueError, "limit is"),
        (lambda: reach(filters.distance_transform, 2, limit=-1), ValueError, "limit"),
        (
            lambda: filters.subtract_background([1], 1, method="x"),
            ValueError,
            "unknown method 'x'; use opening, gaussian or ball",
        ),
        (
            lambda: filters.subtract_background([2**53 + 1], 1, method="ball"),
            ValueError,
            "convert it to float64",
        ),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.sampled_from(["u1", "u2", "f4", "f8"]),
    st.sampled_from([0.5, 1.3, (3, 0.6, 2, 1)]),
    st.integers(2, 4),
)
def test_results_do_not_depend_on_threads(shape, dtype, sigma, workers):
    image = (np.random.default_rng(0).random(shape) * 100).astype(dtype)
    sigma = sigma[: image.ndim] if isinstance(sigma, tuple) else sigma
    for function, options in (
        (filters.gaussian, {"sigma": sigma}),
        (filters.distance_transform, {}),
        (filters.distance_transform, {"spacing": 0.3, "limit": 1}),
    ):
        given = image if function is filters.gaussian else image > 20
        found = function(given, workers=workers, **options)
        np.testing.assert_array_equal(found, function(given, workers=1, **options))

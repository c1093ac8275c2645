"""Morphology: as SciPy and scikit-image define it, and exact on tiles."""

from __future__ import annotations

import importlib
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import skimage.morphology
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from segkit import morphology
from segkit.tiling.cutting import map_tiles
from segkit.tiling.reaches import reach

DTYPES = ["bool", "uint8", "int16", "uint16", "int64", "float16", "float32", "float64"]
TILED = [
    morphology.erosion,
    morphology.dilation,
    morphology.opening,
    morphology.closing,
    morphology.white_tophat,
    morphology.black_tophat,
    morphology.binary_erosion,
    morphology.binary_dilation,
    morphology.binary_opening,
    morphology.binary_closing,
]


def random_image(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.6
    return (rng.random(shape) * 200 - (0 if dtype[0] == "u" else 90)).astype(dtype)


@st.composite
def cases(draw):
    ndim = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 12)) for _ in range(ndim))
    radius = tuple(draw(st.integers(0, 4)) for _ in range(ndim))
    footprint = draw(st.sampled_from(["ball", "box", "diamond"]))
    image = random_image(shape, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 99)))
    return image, radius, footprint


def by_scipy(image, footprint, best):
    """Return the extreme over the footprint, padded so that the outside never wins."""
    values = image.astype(np.float64)
    if best is np.minimum:
        return ndimage.minimum_filter(
            values, footprint=footprint, mode="constant", cval=np.inf
        ).astype(image.dtype)
    return ndimage.maximum_filter(
        values, footprint=footprint, mode="constant", cval=-np.inf
    ).astype(image.dtype)


@pytest.fixture(params=["with extras", "without extras"], autouse=True, scope="module")
def extras(request):
    """Run all tests with OpenCV and cc3d, and as if they were not installed."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without extras":
            patch.setitem(sys.modules, "cv2", None)
            patch.setitem(sys.modules, "cc3d", None)
        else:  # small images do not import it
            with suppress(ImportError):
                importlib.import_module("cv2")
        yield


@pytest.mark.parametrize("length", [600, 800])
def test_a_small_image_does_not_import_opencv(length):
    code = (
        "import importlib.util, sys, numpy, segkit; "
        f"segkit.binary_opening(numpy.ones(({length}, {length}), bool)); "
        "print('cv2' in sys.modules, importlib.util.find_spec('cv2') is not None)"
    )
    command = [sys.executable, "-c", code]

    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    is_imported, is_installed = found.split()
    assert is_imported == (is_installed if length == 800 else "False")


@settings(deadline=None, max_examples=100)
@given(cases())
def test_erosion_and_dilation_are_those_of_the_definition(case):
    image, radius, shape = case
    foot = morphology.footprint(radius, image.ndim, shape=shape)
    eroded = morphology.erosion(image, radius, shape=shape)
    dilated = morphology.dilation(image, radius, shape=shape)
    np.testing.assert_array_equal(eroded, by_scipy(image, foot, np.minimum))
    np.testing.assert_array_equal(dilated, by_scipy(image, foot, np.maximum))
    assert eroded.dtype == dilated.dtype == image.dtype


@pytest.mark.parametrize("function", TILED, ids=lambda f: f.__name__)
@settings(deadline=None, max_examples=25)
@given(case=cases(), data=st.data())
def test_tiled_equals_whole(function, case, data):
    image, radius, shape = case
    tile = [data.draw(st.integers(1, 8)) for _ in image.shape]
    bound = partial(function, radius=radius, shape=shape)
    np.testing.assert_array_equal(map_tiles(bound, image, tile=tile), bound(image))


@pytest.mark.parametrize("shape", [(200, 150), (60, 50, 40)])
def test_slabs_do_not_show(shape):
    """Large images are done slab by slab."""
    image = np.random.default_rng(0).integers(0, 99, (*shape[:-1], shape[-1] * 9))
    foot = morphology.footprint(2, image.ndim)
    np.testing.assert_array_equal(
        morphology.erosion(image, 2), by_scipy(image, foot, np.minimum)
    )


@pytest.mark.parametrize("radius", range(6))
def test_footprints_are_those_of_skimage(radius):
    ours = morphology.footprint
    theirs = skimage.morphology
    np.testing.assert_array_equal(ours(radius, 2), theirs.disk(radius))
    np.testing.assert_array_equal(ours(radius, 3), theirs.ball(radius))
    np.testing.assert_array_equal(
        ours(radius, 2, shape="diamond"), theirs.diamond(radius)
    )
    assert ours(radius, 2, shape="box").all()


def test_footprints_may_be_flat_on_an_axis():
    foot = morphology.footprint((0, 2, 1), 3)
    assert foot.shape == (1, 5, 3)
    np.testing.assert_array_equal(foot[0, :, 1], True)
    np.testing.assert_array_equal(foot[0, :, 0], [0, 0, 1, 0, 0])


def test_a_radius_beyond_the_image_is_the_whole_image():
    image = random_image((5, 6), "uint8")
    assert (morphology.dilation(image, 50) == image.max()).all()
    assert (morphology.erosion(image, (50, 60), shape="box") == image.min()).all()


@pytest.mark.parametrize("value", [False, True])
@pytest.mark.parametrize("function", TILED[-4:], ids=lambda f: f.__name__)
def test_empty_and_full_masks_stay_so(function, value):
    mask = np.full((9, 10), value)
    np.testing.assert_array_equal(function(mask, 3), mask)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float16"])
def test_top_hats_that_the_dtype_does_not_hold_are_refused(dtype):
    limits = np.iinfo(dtype) if dtype[0] == "i" else np.finfo(dtype)
    low, high = limits.min, limits.max
    with pytest.raises(ValueError, match=f"too large for {dtype}; convert the image"):
        morphology.white_tophat(np.array([low, high, low, low], dtype), 1)
    with pytest.raises(ValueError, match=f"too large for {dtype}; convert the image"):
        morphology.black_tophat(np.array([high, low, high, high], dtype), 1)


def test_top_hats_are_right_up_to_the_largest_value():
    image = np.array([[-1, 126, -1, -1], [-1, -1, -1, -1]], np.int8)
    expected = [[0, 127, 0, 0], [0, 0, 0, 0]]
    assert morphology.white_tophat(image, 1).tolist() == expected
    assert morphology.black_tophat(-image, 1).tolist() == expected
    wide = np.array([-128, 127, -128, -128], np.int16)
    assert morphology.white_tophat(wide, 1).tolist() == [0, 255, 0, 0]


@pytest.mark.parametrize("function", TILED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 9), (1, 1, 5)])
def test_axes_of_one_voxel_work(function, shape):
    image = random_image(shape, "uint8")
    assert function(image, 2).shape == shape


def test_masks_of_0_and_255_are_masks():
    mask = random_image((20, 20), "bool")
    np.testing.assert_array_equal(
        morphology.binary_opening(mask * np.uint8(255)), morphology.binary_opening(mask)
    )


def test_the_image_is_left_as_it_is():
    for dtype in DTYPES:
        image = random_image((9, 9), dtype)
        before = image.copy()
        for function in TILED:
            function(image, 0)[:] = 0
            function(image, 1)[:] = 0
        np.testing.assert_array_equal(image, before)


@settings(deadline=None, max_examples=60)
@given(cases(), st.integers(1, 3))
def test_holes_are_filled_as_by_scipy(case, connectivity):
    image, _, _ = case
    mask = image > np.median(image)
    connectivity = min(connectivity, mask.ndim)
    near = ndimage.generate_binary_structure(mask.ndim, connectivity)
    np.testing.assert_array_equal(
        morphology.fill_holes(mask, connectivity=connectivity),
        ndimage.binary_fill_holes(mask, near),
    )


@settings(deadline=None, max_examples=60)
@given(cases(), st.integers(1, 3), st.integers(0, 9))
def test_small_holes_are_those_of_skimage(case, connectivity, size):
    image, _, _ = case
    mask = image > np.median(image)
    options = {"connectivity": min(connectivity, mask.ndim)}
    most = size - 1  # scikit-image names the largest that is removed
    np.testing.assert_array_equal(
        morphology.remove_small_holes(mask, size, **options),
        skimage.morphology.remove_small_holes(mask, max_size=most, **options),
    )


@settings(deadline=None, max_examples=60)
@given(case=cases(), connectivity=st.integers(1, 3), size=st.integers(0, 9))
def test_holes_up_to_a_size_are_small_and_away_from_the_border(
    case, connectivity, size
):
    image, _, _ = case
    mask = image > np.median(image)
    options = {"connectivity": min(connectivity, mask.ndim)}
    small = morphology.remove_small_holes(mask, size + 1, **options)
    holes = morphology.fill_holes(mask, **options)
    filled = morphology.fill_holes(mask, size, **options)
    np.testing.assert_array_equal(filled, small & holes)


HOLES = [
    morphology.fill_holes,
    partial(morphology.fill_holes, max_size=3),
    partial(morphology.remove_small_holes, min_size=4),
]


@pytest.mark.parametrize("function", HOLES)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_hole_of_labels_belongs_to_the_one_object_around_it(function, data):
    shape = [data.draw(st.integers(1, 9)) for _ in range(data.draw(st.integers(1, 3)))]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    labels = rng.integers(0, 4, shape) * (rng.random(shape) < 0.7)
    filled, mask = function(labels), function(labels > 0)
    np.testing.assert_array_equal(filled[labels > 0], labels[labels > 0])
    holes, count = ndimage.label(mask & (labels == 0))
    cross = ndimage.generate_binary_structure(labels.ndim, 1)
    for hole in range(1, count + 1):
        rim = ndimage.binary_dilation(holes == hole, cross) & (holes != hole)
        around = set(labels[rim].tolist()) - {0}
        expected = around if len(around) == 1 else {0}
        assert set(filled[holes == hole].tolist()) == expected
    assert (filled[~mask] == 0).all()


@pytest.mark.parametrize("value", [1, 255])
@pytest.mark.parametrize("function", HOLES)
def test_holes_of_masks_of_8_bits_are_those_of_booleans(function, value):
    mask = random_image((20, 30), "bool") | random_image((20, 30), "bool", seed=1)
    filled = function(mask * np.uint8(value))
    np.testing.assert_array_equal(filled, function(mask) * np.uint8(value))
    assert filled.dtype == np.uint8


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32])
@pytest.mark.parametrize(
    "function",
    [
        partial(morphology.fill_holes, max_size=3),
        partial(morphology.remove_small_holes, min_size=4),
    ],
    ids=["fill_holes", "remove_small_holes"],
)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_small_holes_are_the_same_on_tiles(function, dtype, data):
    ndim = data.draw(st.integers(1, 3))
    shape = [data.draw(st.integers(1, (40, 14, 8)[ndim - 1])) for _ in range(ndim)]
    tile = [data.draw(st.integers(1, n)) for n in shape]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    mask = rng.random(shape) < data.draw(st.sampled_from([0.3, 0.5, 0.7]))
    image = mask if dtype is bool else dtype(mask * rng.choice([1, 2, 255], shape))
    bound = partial(function, connectivity=data.draw(st.integers(1, ndim)))
    found, expected = map_tiles(bound, image, tile=tile), bound(image)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("value", [False, True])
def test_masks_without_holes_stay_so(value):
    mask = np.full((5, 6), value)
    np.testing.assert_array_equal(morphology.fill_holes(mask), mask)


@pytest.mark.parametrize("h", [1, 30, 90])
def test_h_maxima_are_those_of_skimage(h):
    image = random_image((40, 50), "uint8")
    np.testing.assert_array_equal(
        morphology.h_maxima(image, h), skimage.morphology.h_maxima(image, h) > 0
    )


@pytest.mark.parametrize(
    ("image", "h", "tops"),
    [
        ([0, 1.0, 1 + 2**-52, 0, -300], 100, [2]),
        ([0, 1.0, 0.5, 1 + 2**-52, 0, -300], 100, [3]),
        ([0, 1.0, -200, 1 + 2**-52, 0, -300], 100, [1, 3]),
        ([0, 1e17, 2e17, 0], 1, [2]),
        ([0, 1e-200, 0, 1, 0], 0.5, [3]),
        ([-1e308, 1e308, -1e308, 1e308], 100, [1, 3]),
        ([-1e308, 1e308, 1e307, 1e308], 1.5e308, [1, 3]),
    ],
)
def test_h_maxima_do_not_depend_on_rounding(image, h, tops):
    assert np.flatnonzero(morphology.h_maxima(image, h)).tolist() == tops


def stands_out(image, place, h):
    """Return whether a voxel of a line is a maximum of prominence `h`, exactly."""
    values = [Fraction(v) for v in image]
    higher = [j for j, v in enumerate(values) if v > values[place]]
    paths = [values[min(j, place) : max(j, place) + 1] for j in higher]
    lowest = values[place] - Fraction(h)
    return max(values) - min(values) >= h and all(min(p) <= lowest for p in paths)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from([-300, 0, 0.5, 1, 1 + 2**-52, 2, 1e17, 1e17 + 16]),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([0.25, 1, 100]),
)
def test_h_maxima_are_those_of_the_definition(image, h):
    expected = [stands_out(image, place, h) for place in range(len(image))]
    np.testing.assert_array_equal(morphology.h_maxima(image, h), expected)


def test_nothing_stands_out_of_a_flat_image():
    assert not morphology.h_maxima(np.ones((5, 5)), 0.5).any()


def test_reach_of_an_opening_is_twice_its_radius():
    assert reach(morphology.erosion, 3, radius=(1, 2, 3)) == (1, 2, 3)
    assert reach(morphology.binary_opening, 2, radius=3) == (6, 6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: morphology.erosion(np.zeros((0, 3))), ValueError, "is empty: axis 0"),
        (lambda: morphology.erosion([1.0, np.nan]), ValueError, "NaN or infinite"),
        (lambda: morphology.erosion(np.zeros(3, complex)), TypeError, "complex128"),
        (lambda: morphology.erosion(np.zeros((64, 64, 3))), ValueError, "colour"),
        (lambda: morphology.erosion([1, 2], -1), ValueError, "radius is -1 on axis 0"),
        (lambda: morphology.erosion([1, 2], 1.5), TypeError, "must be an integer"),
        (lambda: morphology.erosion([1], shape="disc"), ValueError, "ball, box or"),
        (lambda: morphology.fill_holes([1], connectivity=2), ValueError, "from 1 to 1"),
        (lambda: morphology.fill_holes([1], -1), ValueError, "max_size is -1"),
        (lambda: morphology.h_maxima([1, 2], 0), ValueError, "h is 0"),
        (lambda: morphology.binary_opening([np.nan]), ValueError, "mask has NaN"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 1, 5), (3, 3, 3), (5, 5)])
def test_as_many_holes_as_fit_are_counted(shape):
    holes = np.all(np.indices(shape) % 2 == 0, axis=0)
    found = morphology.remove_small_holes(~holes, 1, connectivity=len(shape))
    np.testing.assert_array_equal(found, ~holes)
    assert morphology.remove_small_holes(~holes, 2, connectivity=len(shape)).all()

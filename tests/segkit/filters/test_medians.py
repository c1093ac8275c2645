"""Medians: the middle value of the box, by whichever way it is found."""

from __future__ import annotations

import sys
from functools import partial
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from segkit import filters
from segkit.filters import medians
from segkit.filters.median_network import median_network
from segkit.tiling.cutting import map_tiles

DTYPES = ["bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64"]
DTYPES += ["uint64", "float16", "float32", "float64", "longdouble", ">u2", ">f4"]
NEVER, ALWAYS = dict.fromkeys((1, 2, 4, 8), -1), dict.fromkeys((1, 2, 4, 8), 10**6)


@pytest.fixture(
    params=["OpenCV", "chosen", "networks", "counts", "SciPy"], autouse=True
)
def way(request, monkeypatch):
    """Run each test by each way to find medians, and by the one that is chosen."""
    if request.param != "OpenCV":
        monkeypatch.setitem(sys.modules, "cv2", None)
    if request.param == "SciPy":
        monkeypatch.setattr("segkit.compiled.fallback.can_compile", lambda: False)
    if request.param in ("networks", "counts"):
        largest = ALWAYS if request.param == "networks" else NEVER
        monkeypatch.setattr(medians, "_LARGEST", largest)
    monkeypatch.setattr(medians, "_SLAB_BYTES", 2000)  # so that there are some
    return request.param


def random_image(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.7
    low = -90 if np.dtype(dtype).kind in "if" else 0
    return (rng.random(shape) * 190 + low).astype(dtype)


def middle_of_box(image, radii):
    """Return the median by its definition: each box is sorted."""
    padded = np.pad(image, [(r, r) for r in radii], mode="edge")
    box = np.lib.stride_tricks.sliding_window_view(padded, [2 * r + 1 for r in radii])
    values = np.sort(box.reshape(*image.shape, -1), axis=-1)
    return values[..., values.shape[-1] // 2]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "radii"),
    [
        ((40,), (2,)),
        ((30, 33), (1, 1)),
        ((9, 1), (1, 1)),
        ((1, 2), (1, 1)),
        ((2, 4, 70), (0, 1, 1)),
        ((30, 33), (2, 2)),
        ((20, 23), (4, 4)),
        ((30, 33), (0, 2)),
        ((30, 33), (3, 0)),
        ((1, 33), (2, 2)),
        ((6, 9, 9), (1, 1, 1)),
        ((5, 6, 7), (2, 0, 1)),
        ((3, 4, 5, 6), (1, 1, 1, 1)),
    ],
)
def test_median_is_the_middle_value_of_the_box(dtype, shape, radii, way):
    if way == "SciPy" and dtype == "longdouble":
        pytest.skip("SciPy has no filters of long doubles")
    image = random_image(shape, dtype)
    found = filters.median(image, radii)
    np.testing.assert_array_equal(found, middle_of_box(image, radii))
    assert found.dtype == image.dtype


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_medians_of_strided_images_are_those_of_scipy(data):
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 40 // ndim**2)) for _ in range(ndim))
    radii = tuple(data.draw(st.integers(0, 6 - ndim)) for _ in range(ndim))
    dtype = data.draw(st.sampled_from(["uint8", "uint16", "int16", "float32"]))
    wide = random_image(
        tuple(2 * n for n in shape), dtype, data.draw(st.integers(0, 9))
    )
    layout = data.draw(st.sampled_from([np.asarray, np.asfortranarray]))
    image = layout(wide[(slice(None, None, -2),) * ndim].T)
    box = tuple(2 * r + 1 for r in radii)
    expected = ndimage.median_filter(image, box, mode="nearest")
    np.testing.assert_array_equal(filters.median(image, radii), expected)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_medians_of_tiles_are_those_of_the_whole(data):
    shape = (30, 40) if data.draw(st.booleans()) else (9, 12, 14)
    image = random_image(shape, data.draw(st.sampled_from(["uint8", "float32"])))
    bound = partial(filters.median, radius=data.draw(st.integers(1, 3)))
    tile = [data.draw(st.integers(3, n)) for n in shape]
    np.testing.assert_array_equal(map_tiles(bound, image, tile=tile), bound(image))


@pytest.mark.parametrize("shape", [(40, 50), (1, 90), (1, 30, 20), (9, 10, 11)])
def test_medians_do_not_depend_on_threads(shape):
    image = random_image(shape, "uint16")
    expected = filters.median(image, 2, workers=1)
    np.testing.assert_array_equal(filters.median(image, 2, workers=3), expected)


def test_values_far_apart_and_close_together_are_counted():
    """Counts skip what no voxel has, and step through what many have."""
    rng = np.random.default_rng(0)
    image = rng.choice([0, 1, 255, 256, 511, 512, 30000, 65535], (60, 70))
    image = np.where(rng.random(image.shape) < 0.5, image, image[::-1] // 3)
    image = image.astype(np.uint16)
    expected = middle_of_box(image, (5, 6))
    np.testing.assert_array_equal(filters.median(image, (5, 6)), expected)


def test_signed_zeros_and_extremes_are_values_like_others():
    image = np.array([[-0.0, 0.0, 1e308, -1e308, 5e-324, -5e-324, 0.0]] * 4)
    expected = middle_of_box(image, (1, 1))
    np.testing.assert_array_equal(filters.median(image, 1), expected)


@pytest.mark.parametrize("shape", [(40,), (12, 14), (5, 6, 7), (2, 3, 4, 5)])
@pytest.mark.parametrize(
    ("dtype", "offset"), [("int64", 2**53), ("int64", -(2**63)), ("uint64", 2**63)]
)
def test_medians_tell_64_bit_integers_apart(shape, dtype, offset):
    small = random_image(shape, "uint8")
    large = (small.astype(object) + offset).astype(dtype)
    found = filters.median(large, 1)
    expected = filters.median(small, 1).astype(object) + offset
    np.testing.assert_array_equal(found, expected.astype(dtype))
    assert found.dtype == dtype


def test_a_thin_volume_of_a_mask_has_a_median():
    mask = random_image((20, 20, 3), "bool")
    expected = filters.median(np.moveaxis(mask, -1, 0), 1)
    np.testing.assert_array_equal(np.moveaxis(filters.median(mask, 1), -1, 0), expected)


def test_the_image_is_left_as_it_is():
    image = random_image((20, 30), "float32")
    before = image.copy()
    filters.median(image, 0)[:] = 0
    filters.median(image, 2)[:] = 0
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("shape", [(1,), (3,), (9,), (3, 3), (5, 3), (7, 7), (3, 5, 7)])
def test_a_network_needs_no_more_rows_than_it_names(shape):
    steps = median_network(shape).steps
    assert steps[:, 4:6].max() < median_network(shape).rows
    assert steps[0, 6] == steps[:, 6].max()
    assert (steps[:, 2] < 0).sum() == prod(shape[:-1])


def test_a_median_beyond_memory_is_told_in_words():
    with pytest.raises(
        MemoryError, match=r"box of 2\d+1 x 2\d+1 voxels takes more mem"
    ):
        filters.median(np.zeros((80, 90), np.uint8), 10**7)

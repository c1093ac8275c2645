"""Maxima that stand out are those of a reconstruction, however they are found."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.morphology
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from segkit import morphology
from segkit.morphology import maxima

DTYPES = ["bool", "uint8", "int8", "uint16", "int32", "int64", "float16", "float32"]
LONGEST = {1: 60, 2: 14, 3: 7}


@st.composite
def images(draw):
    """Noise, plateaus, smooth hills, and values that lowering makes equal."""
    ndim = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, LONGEST[ndim])) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["noise", "plateaus", "hills", "close"]))
    if kind == "noise":
        return rng.random(shape) * 3
    if kind == "hills":
        return ndimage.gaussian_filter(rng.random(shape), 1) * 4
    if kind == "close":
        return rng.choice([-300, 0, 0.5, 1, 1 + 2**-52, 2, 1e17, 1e17 + 16], shape)
    return rng.integers(0, 5, shape).astype(draw(st.sampled_from(DTYPES)))


def by_reconstruction(image, h):
    with np.errstate(over="ignore"):
        if np.ptp(image.astype(np.float64)) < h:
            return np.zeros(image.shape, bool)
    return maxima._by_reconstruction(image, h, 1)


@settings(deadline=None, max_examples=150)
@given(images(), st.sampled_from([0.05, 0.5, 1, 2, 3, 100]), st.integers(1, 3))
def test_basins_and_reconstruction_give_the_same(image, h, workers):
    if image.ndim == 3 and image.shape[-1] in (3, 4):
        image = np.moveaxis(image, -1, 0)  # else taken for colours, unless thin, too
    if image.ndim == 3 and image.shape[-1] in (3, 4):
        image = image[..., :2]
    found = morphology.h_maxima(image, h, workers=workers)
    np.testing.assert_array_equal(found, by_reconstruction(image, h))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(150, 130), (20, 40, 50)])
@pytest.mark.parametrize("lately", [1, 2**12])
def test_many_maxima_are_those_of_skimage(shape, dtype, lately, monkeypatch):
    """More saddles than there is room for at first, in several spans."""
    monkeypatch.setattr(maxima, "_ROOM", 2**15)
    monkeypatch.setattr(maxima, "_LATELY", lately)
    noise = (np.random.default_rng(0).random(shape) * 250).astype(dtype)
    expected = skimage.morphology.h_maxima(noise, 40) > 0
    found = morphology.h_maxima(noise, 40, workers=3)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("few", [0, 1 / 8, 10**6])
@pytest.mark.parametrize("values", [3, 9, 40])
@pytest.mark.parametrize("shape", [(90, 70), (14, 23, 19)])
def test_maxima_that_are_as_high_share_their_fate(shape, values, few, monkeypatch):
    """Many saddles at each level, between maxima of equal heights, in several spans.

    Taken in their order as late as possible, and from the beginning.
    """
    monkeypatch.setattr(maxima, "_FEW", few)
    rng = np.random.default_rng(values)
    for smooth in (0, 0.7):
        noise = ndimage.gaussian_filter(rng.random(shape), smooth)
        image = (noise / noise.max() * values).astype(np.uint8)
        for h in (1, 2, values // 2):
            expected = by_reconstruction(image, h)
            for workers in (1, 2, 5):
                found = morphology.h_maxima(image, h, workers=workers)
                np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_levels_of_either_sign_are_put_in_order(dtype):
    rng = np.random.default_rng(0)
    levels = np.concatenate([rng.normal(0, 1, 999), rng.integers(-9, 9, 999), [-0.0]])
    levels = np.append(levels, [np.finfo(dtype).max, -1e-40, 1e-40]).astype(dtype)
    order = maxima._in_order(levels)
    np.testing.assert_array_equal(levels[order], np.sort(levels))
    np.testing.assert_array_equal(np.sort(order), np.arange(levels.size))


def test_all_voxels_of_a_plateau_are_its_maximum():
    image = np.zeros((20, 30), np.uint8)
    image[3:9, 4:20] = 7
    image[5, 6:15] = 5
    image[12:, :] = 7
    np.testing.assert_array_equal(morphology.h_maxima(image, 3), image == 7)
    image[15, 15] = 8
    expected = (image == 8) | ((image == 7) & (np.arange(20) < 10)[:, None])
    np.testing.assert_array_equal(morphology.h_maxima(image, 3), expected)


def test_four_axes_have_maxima():
    image = np.random.default_rng(0).random((4, 5, 6, 5))
    np.testing.assert_array_equal(
        morphology.h_maxima(image, 0.5), by_reconstruction(image, 0.5)
    )


def test_an_image_in_any_layout_has_the_same_maxima():
    image = np.random.default_rng(0).random((40, 50)).astype(">f4")[::2, ::-1].T
    found = morphology.h_maxima(image, 0.3)
    np.testing.assert_array_equal(found, by_reconstruction(image, 0.3))

"""Grey values changed one by one and by histogram; images cropped and padded."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import exposure, util

import segkit
from segkit.pipeline import Pipeline, PipelineError, Step

DTYPES = ["uint8", "uint16", "int16", "float32", "float64"]


def grey(dtype):
    image = np.random.default_rng(0).random((20, 30))
    image[0, :2] = 0, 1
    if np.dtype(dtype).kind == "f":
        return image.astype(dtype)
    return (image * np.iinfo(dtype).max).astype(dtype)


PAIRS = {
    "rescaled": (segkit.rescale_intensity, exposure.rescale_intensity),
    "rescaled to a range": (
        lambda i: segkit.rescale_intensity(i, (0, 1), (3, 9)),
        lambda i: exposure.rescale_intensity(i, (0, 1), (3, 9)),
    ),
    "gamma": (
        lambda i: segkit.adjust_gamma(i, 2.2, gain=0.9),
        lambda i: exposure.adjust_gamma(i, 2.2, 0.9),
    ),
    "log": (
        lambda i: segkit.adjust_log(i, inverse=True),
        lambda i: exposure.adjust_log(i, inv=True),
    ),
    "sigmoid": (segkit.adjust_sigmoid, exposure.adjust_sigmoid),
    "inverted": (segkit.invert, util.invert),
    "equalized": (segkit.equalize_hist, exposure.equalize_hist),
    "uint8": (lambda i: segkit.convert(i, "uint8"), util.img_as_ubyte),
    "float32": (lambda i: segkit.convert(i, "float32"), util.img_as_float32),
    "int16": (lambda i: segkit.convert(i, "int16"), util.img_as_int),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PAIRS)
def test_grey_values_are_those_of_scikit_image(dtype, name):
    image = grey(dtype)
    ours, theirs = PAIRS[name]
    found, expected = ours(image), theirs(image)
    assert found.dtype == expected.dtype
    rounded = found.dtype.kind in "iu" and name in ("gamma", "log", "sigmoid")
    np.testing.assert_allclose(found, expected, atol=rounded, rtol=1e-6)
    assert rounded or name == "sigmoid" or (found == expected).all()


@pytest.mark.parametrize("before", ["bool", "uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("after", ["bool", "uint8", "uint16", "int16", "float64"])
def test_a_dark_image_is_converted_as_a_bright_one_is(before, after):
    image = grey("float32") > 0.5 if before == "bool" else grey(before)
    both = segkit.convert(image, after)
    assert both.dtype == after
    dark = image < image.max() / 200
    np.testing.assert_array_equal(segkit.convert(image[dark], after), both[dark])


def test_what_goes_beyond_a_dtype_ends_there():
    image = np.array([0, 200, 255], np.uint8)
    assert segkit.adjust_gamma(image, 1, gain=2).tolist() == [0, 255, 255]
    assert segkit.adjust_log(image.astype(np.int32), -1).tolist() == [0, 0, 0]


@pytest.mark.parametrize("function", ["adjust_gamma", "rescale_intensity"])
def test_ranges_that_no_image_fills_are_refused(function):
    with pytest.raises(TypeError, match="image has dtype int64"):
        getattr(segkit, function)(np.arange(4))
    with pytest.raises(TypeError, match="image has dtype int32, whose range"):
        segkit.convert(np.arange(4, dtype=np.int32), "uint8")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_clahe_is_that_of_scikit_image(dtype):
    image = grey(dtype)
    expected = exposure.equalize_adapthist(image, kernel_size=8, clip_limit=0.03)
    found = segkit.equalize_adapthist(image, kernel_size=8, clip_limit=0.03)
    np.testing.assert_allclose(found, expected, atol=2e-4)  # of 2**14 grey values


def test_clahe_takes_floats_of_any_range():
    image = grey("float64")
    expected = segkit.equalize_adapthist(image)
    np.testing.assert_allclose(segkit.equalize_adapthist(image * 900 - 70), expected)
    assert not segkit.equalize_adapthist(np.full((9, 9), 7)).any()


def test_a_histogram_counts_every_voxel_once():
    image = np.array([[3, 5, 5], [-1, 3, 3]])
    counts, values = segkit.histogram(image)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {
        **dict.fromkeys(range(-1, 6), 0),
        -1: 1,
        3: 3,
        5: 2,
    }
    shares, _ = segkit.cumulative_distribution(grey("float64"), 10)
    assert len(shares) == 10
    assert shares[-1] == 1


def test_an_image_of_one_value_is_rescaled_to_the_lowest():
    found = segkit.rescale_intensity(np.full((3, 3), 7, np.uint8))
    assert not found.any()


@pytest.mark.parametrize("margins", [1, (1, 2), [(0, 2), (3, 1)]])
def test_what_is_padded_is_cropped_again(margins):
    image = grey("int16")
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
        padded = segkit.pad(image, margins, mode=mode)
        np.testing.assert_array_equal(segkit.crop(padded, margins), image, strict=True)


def test_cropping_and_padding_are_no_steps_and_say_so():
    for name in ("crop", "pad"):
        with pytest.raises(PipelineError, match=f"run the pipeline on what {name}"):
            Pipeline(Step(name, (1,)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: segkit.rescale_intensity(i, (5, 1)), "give the lower value first"),
        (lambda i: segkit.rescale_intensity(i, 3), "in_range is 3; give the lowest"),
        (lambda i: segkit.adjust_gamma(i, -1), "gamma is -1"),
        (lambda i: segkit.adjust_gamma(i - 300, 1), "holds values below 0"),
        (lambda i: segkit.convert(i, "uint8"), "have a place in another dtype's range"),
        (lambda i: segkit.convert(i, "uint4"), "unknown dtype 'uint4'"),
        (lambda i: segkit.equalize_adapthist(i, clip_limit=2), "clip_limit is 2"),
        (lambda i: segkit.equalize_hist(i, bins=0), "bins is 0"),
        (lambda i: segkit.crop(i, 10), "leave nothing of the 20 voxels along axis 0"),
        (lambda i: segkit.crop(i, [(1, 1)]), "margins has 1 pairs, but the image has"),
        (lambda i: segkit.pad(i, -1), "margins is -1"),
        (lambda i: segkit.pad(i, 1, mode="mirror"), "unknown mode 'mirror'"),
        (lambda i: segkit.pad(i.astype("u1"), 1, value=300), "value is 300, which uin"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call(grey("float64") * 200)

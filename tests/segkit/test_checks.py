"""Arguments are refused with a sentence, or passed on without a copy."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from segkit import checks


@pytest.mark.parametrize("dtype", ["bool", "u1", "i2", ">u4", "i8", "f2", "f4", "f8"])
def test_real_images_pass_without_a_copy(dtype):
    image = np.zeros((3, 4), dtype)
    assert checks.as_image(image) is image


@pytest.mark.parametrize("dtype", ["c8", "S1", "U1", "O", "M8[s]"])
def test_what_is_no_real_number_is_refused(dtype):
    with pytest.raises(TypeError, match=r"image has dtype .*; give booleans, integers"):
        checks.as_image(np.zeros(3, dtype))


def test_a_mask_that_would_be_ignored_is_refused():
    image = np.ma.masked_array(np.zeros((4, 4)), np.eye(4))
    with pytest.raises(TypeError, match=r"masked array.*image\.filled"):
        checks.as_image(image)
    with pytest.raises(TypeError, match="labels is a masked array"):
        checks.require_labels(image.astype(int))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_a_single_value_that_is_not_finite_is_found(value, dtype):
    image = np.zeros((40, 40), dtype)
    image[17, 23] = value
    with pytest.raises(ValueError, match="weights has NaN or infinite values"):
        checks.as_image(image, name="weights")


@pytest.mark.parametrize("shape", [(64, 64, 3), (16, 99, 4)])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_colour_pictures_are_refused(shape, dtype):
    with pytest.raises(ValueError, match="looks like a colour picture"):
        checks.as_image(np.zeros(shape, dtype))


@pytest.mark.parametrize("shape", [(3, 64, 64), (64, 64, 5), (9, 9, 3), (64, 64)])
def test_volumes_are_no_colour_pictures(shape):
    assert checks.as_image(np.zeros(shape)).shape == shape


def test_a_mask_is_no_colour_picture():
    assert checks.as_image(np.zeros((64, 64, 3), bool)).shape == (64, 64, 3)


def test_inside_a_tile_nothing_is_a_colour_picture_and_only_in_this_thread():
    failed = []

    def elsewhere():
        try:
            checks.require_grey(np.zeros((64, 64, 3)))
        except ValueError as error:
            failed.append(error)

    with checks.inside_tile():
        checks.require_grey(np.zeros((64, 64, 3)))
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert len(failed) == 1
    with pytest.raises(ValueError, match="colour"):
        checks.require_grey(np.zeros((64, 64, 3)))


def test_masks_of_any_number_become_boolean():
    assert checks.as_mask([0, 0.5, -1, 255]).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: checks.per_axis((1, 2), 3, name="tile"), ValueError, "has 2 numbers"),
        (lambda: checks.per_axis(1.0, 1, name="tile"), TypeError, "must be an integer"),
        (lambda: checks.per_axis("12", 2, name="tile"), TypeError, "holds '12'"),
        (lambda: checks.per_axis(-1, 1, name="halo"), ValueError, "at least 0"),
        (lambda: checks.per_axis_real(np.inf, 1, name="s"), ValueError, "be finite"),
        (lambda: checks.require_fraction(15), ValueError, r"15 percent is 0\.15"),
        (lambda: checks.require_fraction(np.nan), ValueError, "from 0 to 1"),
        (lambda: checks.one_of("c", ("a", "b"), name="x"), ValueError, "one of a, b"),
        (lambda: checks.require_labels([0.5]), TypeError, r"converted by \.astype"),
        (lambda: checks.require_labels([True]), TypeError, "becomes labels by"),
        (lambda: checks.require_labels([-1]), ValueError, "holds negative numbers"),
        (lambda: checks.require_nonempty(np.zeros((2, 0))), ValueError, "axis 1"),
    ],
)
def test_wrong_arguments_are_refused_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_numpy_integers_are_integers():
    assert checks.per_axis(np.int64(4), 2, name="tile") == (4, 4)
    assert checks.per_axis(np.array([4, 5]), 2, name="tile") == (4, 5)
    assert checks.as_integer(np.uint8(4), name="workers", least=1) == 4


@pytest.mark.parametrize("four", [4, np.uint8(4), np.float16(4), np.array(4.0)])
def test_numpy_scalars_are_numbers(four):
    assert checks.as_number(four, name="beta") == 4.0
    assert checks.as_positive(four, name="beta") == 4.0
    assert checks.per_axis_real(four, 2, name="spacing") == (4.0, 4.0)


@pytest.mark.parametrize("value", ["5", None, {}, True, np.True_, 1j], ids=repr)
def test_what_is_no_number_is_refused_wherever_one_is_expected(value):
    with pytest.raises(TypeError, match=r"beta is .* must be a number"):
        checks.as_number(value, name="beta")
    with pytest.raises(TypeError, match=r"beta is .* must be an integer"):
        checks.as_integer(value, name="beta")
    with pytest.raises(TypeError, match=r"spacing is .* must be a number"):
        checks.per_axis_real([1.0, value], 2, name="spacing")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_where_a_finite_number_is_expected_no_other_is_taken(value):
    with pytest.raises(ValueError, match=r"beta is .* must be a finite number"):
        checks.as_finite(value, name="beta")
    with pytest.raises(ValueError, match=r"beta is .* finite number above 0"):
        checks.as_positive(value, name="beta")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: checks.as_finite(-0.1, name="a", least=0), "number of at least 0"),
        (lambda: checks.as_positive(0, name="a"), "a is 0, .* finite number above 0"),
        (lambda: checks.as_positive(1, name="a", below=1), "number below 1 and above"),
        (lambda: checks.as_integer(-1, name="a"), "a is -1, but must be at least 0"),
        (lambda: checks.as_integer(0, name="a", least=1), "must be at least 1"),
    ],
)
def test_numbers_out_of_range_are_refused_with_the_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("value", [[1, 2], (3.0,), np.ones(1)], ids=repr)
def test_several_numbers_are_not_one(value):
    with pytest.raises(TypeError, match=r"beta is .* must be a number"):
        checks.as_number(value, name="beta")
    with pytest.raises(TypeError, match=r"beta is .* must be an integer"):
        checks.as_integer(value, name="beta")


def test_flags_are_no_sizes():
    with pytest.raises(TypeError, match="tile holds True, but must be an integer"):
        checks.per_axis(True, 2, name="tile")

"""NDNT of floats: whole numbers decide as the sums do that define the result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from segkit.compiled.fallback import can_compile
from segkit.thresholding.nearby import ndnt
from segkit.windows import (
    floats,
    pieces as window_pieces,
    rule as window_rule,
    sums as window_sums,
)


def test_floats_are_summed_accurately():
    """A float32 sum of these would be off by more than the margin."""
    image = np.full((200, 200), 1e6, np.float32)
    image[100, 100] = 1e6 - 8
    mask = ndnt(image, 101, 7e-6)
    assert np.argwhere(mask).tolist() == [[100, 100]]


def on_one_side(image):
    return np.arange(image.shape[-1]) > image.shape[-1] // 2


FLOATS = {
    "normal": lambda noise: noise,
    "positive": lambda noise: noise + 6,
    "half is zero": lambda noise: np.where(noise > 0, noise, 0),
    "zero on one side": lambda noise: noise * on_one_side(noise),
    "negative zeros": lambda noise: np.where(noise > 1, noise, -0.0),
    "whole numbers": lambda noise: np.round(noise * 100),
    "level": lambda noise: np.full_like(noise, 0.1),
    "two levels": lambda noise: np.where(on_one_side(noise), 0.7, 0.1),
    "long tail": lambda noise: np.exp(6 * noise),
    "long tails": lambda noise: np.exp(6 * np.abs(noise)) * np.sign(noise),
    "one is hot": lambda noise: np.where(noise == noise.max(), 1e9, noise),
    "denormal": lambda noise: noise * 1e-41,
    "huge": lambda noise: noise * 4e37,
}


def rule_for(image, size, threshold, polarity="dark", window="centred"):
    return window_rule.WindowRule(
        *window_rule.extent(size, image.shape, window),
        *window_rule.factors(threshold, polarity, window),
    )


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(sorted(FLOATS)),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([(17, 40), (9, 8, 33), (40, 300), (5, 4, 200)]),
    st.sampled_from([2, 5, 8, 16]),
    st.sampled_from([1, 2, 5, 16]),
    st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    st.sampled_from(["dark", "bright"]),
    st.sampled_from(["centred", "florin"]),
    st.integers(1, 3),
)
def test_floats_of_all_kinds_are_those_of_the_definition(
    kind, dtype, shape, size, along, threshold, polarity, window, threads
):
    noise = np.random.default_rng(size).standard_normal(shape)
    size = (size,) * (len(shape) - 1) + (max(along, 1 + (window == "florin")),)
    image = np.broadcast_to(FLOATS[kind](noise), shape).astype(dtype)
    rule = rule_for(image, size, threshold, polarity, window)
    mask = ndnt(
        image, size, threshold, polarity=polarity, window=window, workers=threads
    )
    np.testing.assert_array_equal(mask, window_sums.numpy_mask(image, rule))


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(sorted(FLOATS)),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([(3, 9, 40), (4, 30, 50), (29, 30, 33), (1, 20, 20)]),
    st.tuples(*[st.sampled_from([2, 3, 8, 16])] * 3),
    st.sampled_from([0.0, 0.1, 0.3]),
    st.sampled_from(["centred", "florin"]),
    st.integers(1, 3),
)
def test_windows_may_slide_along_y_first(
    kind, dtype, shape, size, threshold, window, threads
):
    """As they do where a plane is larger than the cache."""
    noise = np.random.default_rng(sum(size)).standard_normal(shape)
    image = np.broadcast_to(FLOATS[kind](noise), shape).astype(dtype)
    rule = rule_for(image, size, threshold, window=window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_pieces, "_CACHED", 0)
        if threads == 1:
            whole = (0, shape[0]), (0, shape[1])
            assert window_pieces.slide(image, rule, whole, image).turned
        mask = ndnt(image, size, threshold, window=window, workers=threads)
    np.testing.assert_array_equal(mask, window_sums.numpy_mask(image, rule))


def test_a_plane_that_the_cache_does_not_hold_is_not_summed_along_z():
    image = np.zeros((3, 800, 800), np.float32)
    rule = rule_for(image, 5, 0.25)
    assert window_pieces.slide(image, rule, ((0, 3), (0, 800)), image).turned
    assert not window_pieces.slide(image, rule, ((0, 3), (0, 400)), image).turned
    assert not window_pieces.slide(image[:, :2], rule, ((0, 3), (0, 2)), image).turned


@pytest.mark.skipif(not can_compile(), reason="no whole numbers without compiling")
@pytest.mark.parametrize(
    ("kind", "dtype", "threshold", "ways"),
    [
        ("positive", np.float32, 0.3, ["32 bits"]),
        ("positive", np.float64, 0.3, ["32 bits"]),
        ("whole numbers", np.float32, 0.0, ["32 bits"]),
        ("one is hot", np.float32, 0.3, ["32 bits", "53 bits"]),
        ("level", np.float32, 0.0, ["32 bits", "53 bits"]),
        ("level", np.float64, 0.0, ["32 bits", "53 bits", "doubled"]),
        ("zero on one side", np.float64, 0.3, ["32 bits", "53 bits", "doubled"]),
    ],
)
def test_floats_take_no_slower_way_than_they_need(
    kind, dtype, threshold, ways, monkeypatch
):
    taken = []

    def watch(name, called):
        function = getattr(floats, name)

        def watched(*arguments):
            taken.append(called(*arguments))
            return function(*arguments)

        monkeypatch.setattr(floats, name, watched)

    watch("_sum_whole_numbers", lambda *a: "53 bits" if a[3].shift == 0 else "32 bits")
    watch("_double", lambda part: "doubled")
    noise = np.random.default_rng(0).standard_normal((300, 400))
    image = FLOATS[kind](noise).astype(dtype)
    mask = ndnt(image, 33, threshold)
    expected = window_sums.numpy_mask(image, rule_for(image, 33, threshold))
    np.testing.assert_array_equal(mask, expected)
    assert list(dict.fromkeys(taken)) == ways


def test_zeros_around_objects_are_decided_by_whole_numbers(monkeypatch):
    """No part of an image is zero more often than the background of a stain."""
    image = np.zeros((20, 60, 64), np.float32)
    image[:, 20:40, 20:40] = np.random.default_rng(0).random((20, 20, 20)) + 0.1
    expected = window_sums.numpy_mask(image, rule_for(image, 7, 0.2, "dark", "florin"))
    monkeypatch.delattr(floats, "_double")
    np.testing.assert_array_equal(ndnt(image, 7, 0.2, window="florin"), expected)


@pytest.mark.parametrize("odd", [1e20, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(40, 50), (6, 40, 50)])
def test_a_value_beyond_what_a_sample_of_rows_tells_is_seen(odd, shape):
    image = np.random.default_rng(0).random(shape, np.float32)
    image[..., 3, 7] = odd
    if np.isfinite(odd):
        expected = window_sums.numpy_mask(image, rule_for(image, 5, 0.25))
        np.testing.assert_array_equal(ndnt(image, 5), expected)
    else:
        with pytest.raises(ValueError, match="NaN or infinite"):
            ndnt(image, 5)

"""Masks are the voxels on one side of the levels that thresholding computes."""

from functools import partial
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from segkit.thresholding.binarizing import binarize, binarize_local
from segkit.thresholding.methods import Method, threshold
from segkit.thresholding.nearby import local_threshold
from segkit.tiling.cutting import map_tiles

IMAGE = np.random.default_rng(0).integers(0, 200, (40, 50)).astype(np.uint8)


@pytest.mark.parametrize("method", get_args(Method))
def test_the_two_sides_of_a_threshold_are_the_whole_image(method):
    bright = binarize(IMAGE, method)
    np.testing.assert_array_equal(bright, threshold(IMAGE, method) < IMAGE)
    np.testing.assert_array_equal(binarize(IMAGE, method, polarity="dark"), ~bright)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["mean", "gaussian", "median"]),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.sampled_from(["bright", "dark"]),
)
def test_tiled_equals_whole(method, tile, polarity):
    options = {"method": method, "offset": 3.0, "polarity": polarity}
    whole = binarize_local(IMAGE, 9, **options)
    level = local_threshold(IMAGE, 9, method=method, offset=3.0)
    np.testing.assert_array_equal(whole, (level < IMAGE) == (polarity == "bright"))
    tiled = map_tiles(partial(binarize_local, shape=9, **options), IMAGE, tile=tile)
    np.testing.assert_array_equal(tiled, whole)


def test_an_unknown_side_is_refused():
    with pytest.raises(ValueError, match="unknown polarity 'up'"):
        binarize(IMAGE, polarity="up")

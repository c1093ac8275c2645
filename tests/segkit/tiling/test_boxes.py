"""Boxes share exactly the voxels that lie in both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from segkit.tiling.boxes import Box

SHAPE = (7, 8)


@st.composite
def boxes(draw):
    starts = [draw(st.integers(0, n - 1)) for n in SHAPE]
    stops = [draw(st.integers(a + 1, n)) for a, n in zip(starts, SHAPE, strict=True)]
    return Box(tuple(starts), tuple(stops))


def voxels(box):
    mask = np.zeros(SHAPE, bool)
    if box is not None:
        mask[box.slices] = True
    return mask


@settings(deadline=None)
@given(boxes(), boxes())
def test_the_common_box_holds_the_voxels_of_both(one, other):
    both = voxels(one) & voxels(other)
    np.testing.assert_array_equal(voxels(one.common(other)), both)
    assert (one.common(other) is None) == (not both.any())


@settings(deadline=None)
@given(boxes(), boxes())
def test_a_box_inside_of_another_is_what_they_share(one, other):
    inside = not (voxels(one) & ~voxels(other)).any()
    assert (one.common(other) == one) == inside


def test_boxes_that_only_touch_share_nothing():
    assert Box((0,), (3,)).common(Box((3,), (5,))) is None


def test_boxes_of_different_images_raise():
    with pytest.raises(ValueError, match="argument 2 is longer"):
        Box((0,), (3,)).common(Box((0, 0), (3, 3)))

"""Neighbouring labels get different colours."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from segkit import pictures


@settings(deadline=None, max_examples=50)
@given(
    hnp.arrays(
        np.int32,
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=8),
        elements=st.integers(0, 5),
    )
)
def test_touching_labels_differ_in_colour(labels):
    painted = pictures.label_colours(labels).astype(int)
    assert not painted[labels == 0].any()
    assert painted[labels > 0].any(axis=-1).all()
    for axis in range(labels.ndim):
        numbers = np.diff(labels, axis=axis) != 0
        colours = np.diff(painted, axis=axis).any(axis=-1)
        np.testing.assert_array_equal(numbers, colours)


def test_colours_follow_the_shapes_not_the_run():
    labels = np.random.default_rng(0).integers(0, 2**40, (12, 12))
    np.testing.assert_array_equal(
        pictures.label_colours(labels), pictures.label_colours(labels.copy())
    )


def test_no_labels_have_no_colours():
    assert pictures.label_colours(np.zeros((0, 5), int)).shape == (0, 5, 3)

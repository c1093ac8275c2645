"""Neighbouring labels get different colours."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from segkit import pictures
from segkit.pictures.colouring import PALETTE, _greedy


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


def least_used_first(near, last):
    """Return colours label by label, those with the most neighbours first."""
    chosen, uses = np.zeros(last + 1, int), np.zeros(len(PALETTE) + 1, int)
    for label in sorted(range(1, last + 1), key=lambda one: -len(near[one])):
        taken = {chosen[other] for other in near[label]}
        colours = range(1, len(PALETTE) + 1)
        free = [colour for colour in colours if colour not in taken] or colours
        chosen[label] = min(free, key=lambda colour: uses[colour])
        uses[chosen[label]] += 1
    return chosen


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 60), st.integers(0, 150), st.data())
def test_each_label_gets_the_colour_that_is_used_least(crowded, alone, data):
    last = crowded + alone
    numbers = st.integers(1, max(crowded, 1))
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), max_size=4 * crowded))
    near = [set() for _ in range(last + 1)]
    for first, second in pairs if crowded else []:
        if first != second:
            near[first].add(second)
            near[second].add(first)
    chosen = _greedy(
        {label: near[label] for label in range(last + 1) if near[label]}, last
    )
    np.testing.assert_array_equal(chosen[1:] + 1, least_used_first(near, last)[1:])


def test_colours_follow_the_shapes_not_the_run():
    labels = np.random.default_rng(0).integers(0, 2**40, (12, 12))
    np.testing.assert_array_equal(
        pictures.label_colours(labels), pictures.label_colours(labels.copy())
    )


def test_no_labels_have_no_colours():
    assert pictures.label_colours(np.zeros((0, 5), int)).shape == (0, 5, 3)

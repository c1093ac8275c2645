"""Results of tiles add up to those of the whole, or are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

import segkit as ev

from .evaluation.examples import (
    label_pairs,
    unhurried,
)


@unhurried
@given(label_pairs(), st.data())
def test_tables_of_tiles_add_to_the_table_of_the_whole(pair, data):
    axis = data.draw(st.integers(0, pair[0].ndim - 1))
    step = data.draw(st.integers(1, 7))
    cuts = range(step, pair[0].shape[axis], step)
    parts = zip(*(np.split(image, cuts, axis=axis) for image in pair), strict=True)

    combined = ev.combine(ev.contingency(a, b) for a, b in parts)

    whole = ev.contingency(*pair)
    assert combined == whole
    assert ev.table_scores(combined) == ev.table_scores(whole)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ev.combine([]), ValueError, "nothing to combine"),
        (lambda: ev.combine([1]), TypeError, "parts are of int"),
        (
            lambda: ev.combine([ev.label_runs([1], [1]), ev.contingency([1], [1])]),
            TypeError,
            "Contingency, LabelRuns",
        ),
        (
            lambda: ev.combine([ev.label_runs([1] * n, [1] * n) for n in (1, 2)]),
            ValueError,
            "two shapes",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()

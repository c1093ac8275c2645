"""Every overlap of two label images is counted once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

import segkit as ev
from segkit.overlaps.contingency_table import _count_by_numpy

from ..evaluation.examples import (
    label_pairs,
    unhurried,
)


@unhurried
@given(label_pairs(max_label=2**31 - 1))
def test_numpy_counts_what_the_compiled_loop_counts(pair):
    assert _count_by_numpy(*pair) == ev.contingency(*pair)


def test_strided_and_sliced_volumes_count_alike():
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 5, (2, 12, 40, 30), np.int32)
    whole = ev.contingency(first.copy(), second.copy())
    assert ev.contingency(first.T, second.T) == whole
    halves = [ev.contingency(first[k::2], second[k::2]) for k in (0, 1)]
    assert ev.combine(halves) == whole


def test_many_pairs_make_the_table_grow():
    ids = np.arange(100_000, dtype=np.int64) * 2**40
    table = ev.contingency(ids, ids[::-1])
    assert table.voxels.size == 100_000
    assert (table.segmentation + table.reference == ids[-1]).all()


@pytest.mark.parametrize(
    ("segmentation", "reference", "error", "sentence"),
    [
        ([1, 2], [1, 2, 3], ValueError, "same box"),
        ([1.5, 2], [1, 2], TypeError, "float64"),
        ([-1, 2], [1, 2], ValueError, "id -1"),
        (np.array([2**63], np.uint64), np.array([1]), ValueError, "2\\^63-1"),
    ],
)
def test_what_is_no_label_image_is_refused(segmentation, reference, error, sentence):
    with pytest.raises(error, match=sentence):
        ev.contingency(segmentation, reference)

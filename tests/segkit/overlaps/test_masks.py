"""A mask that is compared as labels is told; what is right is not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import segkit

BLOBS = np.kron(np.array([[1, 0, 2], [0, 0, 0], [3, 0, 4]]), np.ones((6, 6), int))
MASKS = [np.uint8(BLOBS > 0) * np.uint8(255), np.uint16(BLOBS > 0), BLOBS > 0]


@pytest.mark.parametrize("mask", MASKS, ids=["255", "1", "bool"])
@pytest.mark.parametrize("compare", [segkit.contingency, segkit.scores])
def test_a_mask_for_a_reference_is_told(compare, mask):
    with pytest.warns(UserWarning, match=r"reference holds 0 .* 4 pieces.* has 4"):
        compare(BLOBS, mask)
    with pytest.warns(UserWarning, match="segmentation holds .* by segkit.label"):
        compare(mask, BLOBS)


def test_what_the_warning_says_scores_the_objects():
    made = segkit.label(MASKS[0] > 0)
    assert segkit.scores(BLOBS, made)["average_precision"] == 1


def test_two_masks_one_object_and_specks_are_not_told():
    one = np.where(BLOBS == 1, 255, 0)
    specked = one.copy()
    specked[0, -1] = 255
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for found, known in [
            (MASKS[0], MASKS[2]),
            (BLOBS, one),
            (BLOBS, specked),
            (BLOBS, BLOBS),
            (BLOBS, np.where(BLOBS > 0, 37, 0)),  # a box with a part of one object
            (BLOBS * 0, MASKS[0]),
        ]:
            segkit.scores(found, known)

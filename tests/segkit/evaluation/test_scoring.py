"""All scores of a segmentation at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

import segkit as ev

from .examples import (
    label_pairs,
    unhurried,
)


@unhurried
@given(label_pairs())
def test_a_segmentation_agrees_with_itself(pair):
    image = pair[0]
    own = ev.scores(image, image)
    for name in ("dice", "jaccard", "rand_index", "adjusted_rand_index"):
        assert own[name] == 1
    assert own["average_precision"] == own["foreground_rand"] == 1
    assert own["adapted_rand_error"] == own["variation_of_information"] == 0
    assert own["split"] == own["merged"] == own["spurious"] == own["missing"] == 0
    assert own["nsd"] == 0
    assert own["hausdorff"] == 0 or not image.any()


@pytest.mark.parametrize("shape", [(0,), (3, 0), (1, 1, 1)])
def test_empty_images_agree(shape):
    nothing = np.zeros(shape, np.int32)
    own = ev.scores(nothing, nothing)
    assert own["dice"] == own["rand_index"] == own["average_precision"] == 1
    assert math.isnan(own["hausdorff"])


@unhurried
@given(label_pairs())
def test_inputs_are_never_changed(pair):
    before = [image.copy() for image in pair]
    ev.scores(*pair)
    ev.published_scores(*pair)
    for image, copy in zip(pair, before, strict=True):
        np.testing.assert_array_equal(image, copy)


@pytest.mark.parametrize("score", ["scores", "contingency", "object_distances"])
def test_an_id_beyond_int64_is_named_as_it_is(score):
    labels = np.array([[0, 2**63 + 5]], np.uint64)
    with pytest.raises(ValueError, match="holds the id 9223372036854775813"):
        getattr(ev, score)(labels, labels)

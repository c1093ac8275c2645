"""Each rule joins the results of overlapping tiles in its way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from segkit import tiling

from .grids import grids


@pytest.mark.parametrize("rule", ["own", "max", "mean", "vote"])
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_joining_equal_pieces_gives_the_image(rule, data):
    shape, sizes, _ = data.draw(grids())
    strides = [data.draw(st.integers(1, size)) for size in sizes]
    image = np.random.default_rng(0).integers(0, 5, shape)
    pieces = [
        (tile, image[tile.read.slices])
        for tile in tiling.overlapping_tiles(shape, sizes, strides)
    ]
    np.testing.assert_array_equal(tiling.join(pieces, shape, rule=rule), image)


def _disagreeing(rule, values):
    grid = tiling.overlapping_tiles((4,), 2, 1)
    pieces = [(tile, np.array(value)) for tile, value in zip(grid, values, strict=True)]
    return tiling.join(pieces, (4,), rule=rule).tolist()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("own", [1, 4, 6, 7]),
        ("max", [1, 4, 6, 7]),
        ("mean", [1.0, 3.0, 5.5, 7.0]),
        ("vote", [1, 4, 6, 7]),
    ],
)
def test_each_rule_settles_disagreement_its_way(rule, expected):
    assert _disagreeing(rule, [[1, 2], [4, 5], [6, 7]]) == expected


def test_overlapping_masks_join_to_a_mask():
    """FLoRIN adds them up, to 2 and 4."""
    grid = tiling.overlapping_tiles((6, 6), 4, 2)
    pieces = [(tile, np.ones(tile.read.shape, bool)) for tile in grid]
    joined = tiling.join(pieces, (6, 6), rule="max")
    assert joined.dtype == bool
    assert joined.all()


@pytest.mark.parametrize(
    ("rule", "expected"), [("own", [7, 7, 2, 7, 7]), ("vote", [7, 7, 7, 7, 7])]
)
def test_the_majority_outvotes_the_owner(rule, expected):
    grid = tiling.overlapping_tiles((5,), 3, 1)
    values = [np.full(3, 7), np.full(3, 2), np.full(3, 7)]
    joined = tiling.join(zip(grid, values, strict=True), (5,), rule=rule)
    assert joined.tolist() == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:-1], "give each tile of the image once"),
        (lambda p: [*p, p[0]], r"tile \(0, 0\) is given twice"),
        (lambda p: [(p[0][0], p[0][1][1:]), *p[1:]], "but its result has shape"),
        (lambda p: [*p[:-1], (p[-1][0], p[-1][1] * 1.0)], "convert the pieces"),
    ],
)
def test_wrong_pieces_are_refused(change, message):
    grid = tiling.tiles((4, 4), 2)
    pieces = [(tile, np.zeros(tile.read.shape, int)) for tile in grid]
    with pytest.raises(ValueError, match=message):
        tiling.join(change(pieces), (4, 4))


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="unknown rule 'sum'; use one of own, max"):
        tiling.join([], (0,), rule="sum")

"""Seeds that are written down: by grey values, and drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

import segkit
from segkit.pipeline import Pipeline, watershed
from segkit.regions.seeds import moved, painted

IMAGE = np.array([[1, 1, 5, 9, 9], [1, 2, 5, 8, 9]], np.uint8)


@pytest.mark.parametrize("grow", [segkit.watershed, segkit.random_walker])
def test_seeds_of_grey_values_grow_as_an_array_of_them_does(grow):
    markers = np.where(IMAGE < 2, 1, 0) + np.where(IMAGE > 8, 2, 0)
    found = grow(IMAGE, {"below": 2, "above": 8})
    np.testing.assert_array_equal(found, grow(IMAGE, markers))
    assert set(np.unique(found)) == {1, 2}


def test_a_pipeline_with_seeds_is_saved_and_runs_the_same(tmp_path):
    strokes = [{"label": 4, "radius": 0, "points": [[0, 0], [1, 1]]}]
    steps = Pipeline(watershed(markers={"above": 8, "strokes": strokes}))
    again = Pipeline.load(steps.save(tmp_path / "p.toml"))
    assert again == steps
    found = again.run(IMAGE).array
    np.testing.assert_array_equal(found, steps.run(IMAGE).array)
    assert set(np.unique(found)) == {2, 4}


def test_tiles_grow_from_the_seeds_of_the_whole():
    image = np.zeros((6, 12))
    seeds = {
        "strokes": [{"label": 1, "points": [[2, 1]]}, {"label": 2, "points": [[2, 9]]}]
    }
    whole = segkit.watershed(image, seeds)
    tiled = segkit.watershed(image, seeds, tile=6, halo=6)
    np.testing.assert_array_equal(tiled, whole)


def test_later_strokes_lie_over_earlier_ones_and_0_wipes_out():
    strokes = [
        {"label": 1, "radius": 2, "points": [[2, 2]]},
        {"label": 3, "radius": 0, "points": [[2, 2]]},
        {"label": 0, "radius": 0, "points": [[2, 1]]},
    ]
    found = painted({"strokes": strokes}, np.zeros((5, 5)))
    assert found.tolist() == [
        [0, 0, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [1, 0, 3, 1, 1],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
    ]


@pytest.mark.parametrize(
    ("seeds", "word"),
    [
        ({"bellow": 3}, "below"),
        ({"below": "dark"}, "below"),
        ({"strokes": [3]}, "stroke"),
        ({"strokes": [{"points": [[1, 2, 3]]}]}, "2 coordinates"),
        ({"strokes": [{"label": -1, "points": [[1, 2]]}]}, "label"),
        ({"strokes": [{"lable": 1, "points": [[1, 2]]}]}, "label"),
    ],
    ids=["key", "text", "number", "axes", "negative", "stroke"],
)
def test_seeds_written_otherwise_are_refused(seeds, word):
    with pytest.raises((TypeError, ValueError), match=word):
        segkit.watershed(IMAGE, seeds)


@given(
    st.lists(
        st.tuples(st.integers(-5, 25), st.integers(-5, 25)), min_size=1, max_size=4
    ),
    st.integers(0, 6),
    st.integers(0, 10),
    st.integers(0, 10),
)
def test_seeds_of_a_part_are_that_part_of_the_seeds(points, radius, top, left):
    seeds = {"strokes": [{"label": 1, "radius": radius, "points": points}]}
    whole = painted(seeds, np.zeros((20, 20)))
    part = painted(moved(seeds, (top, left), 1), np.zeros((9, 8)))
    np.testing.assert_array_equal(part, whole[top : top + 9, left : left + 8])

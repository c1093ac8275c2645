"""Runs of tiles give what whole images give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

import segkit as ev
from segkit.evaluation import runs
from segkit.tiling.cutting import tiles

from .examples import (
    distances_by_maps,
    label_pairs,
    unhurried,
)


def runs_of_tiles(pair, data):
    shape = pair[0].shape
    tile = [data.draw(st.integers(1, n)) for n in shape]
    grid = data.draw(st.permutations(tiles(shape, tile)))
    boxes = [[image[one.write.slices] for image in pair] for one in grid]
    return ev.combine(
        ev.label_runs(*box, one, shape) for box, one in zip(boxes, grid, strict=True)
    )


@unhurried
@given(label_pairs(), st.data())
def test_runs_of_tiles_give_the_scores_of_the_whole_to_the_last_bit(pair, data):
    spacing = data.draw(st.none() | st.just((0.3, 1.7, 2.1)[: pair[0].ndim]))
    runs = runs_of_tiles(pair, data)
    assert runs.contingency() == ev.contingency(*pair)
    np.testing.assert_equal(
        ev.scores_of_runs(runs, spacing=spacing), ev.scores(*pair, spacing=spacing)
    )
    tiled = ev.distances_of_runs(runs, spacing=spacing)
    whole = ev.object_distances(*pair, spacing=spacing)
    np.testing.assert_array_equal(tiled.segmentation, whole.segmentation)
    np.testing.assert_array_equal(tiled.hausdorff, whole.hausdorff)
    np.testing.assert_array_equal(tiled.nsd, whole.nsd)


@st.composite
def mask_pairs(draw):
    """Return masks with large pieces, some of them far from each other."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=14))
    masks = np.zeros((2, *shape), bool)
    for mask in masks:
        for _ in range(draw(st.integers(0, 4))):
            ends = [sorted(draw(st.tuples(*[st.integers(0, n)] * 2))) for n in shape]
            mask[tuple(slice(a, b) for a, b in ends)] ^= True
    return masks


@settings(deadline=None, max_examples=150)
@given(mask_pairs(), st.data())
def test_hausdorff_of_runs_of_tiles_is_that_of_the_whole(pair, data):
    runs = runs_of_tiles(pair, data)
    for spacing in (None, (0.3, 1.7, 2.1)[: pair[0].ndim]):
        whole = ev.hausdorff_distance(*pair, spacing=spacing)
        assert ev.hausdorff_of_runs(runs, spacing=spacing) == whole
        if pair.any(axis=tuple(range(1, pair.ndim))).all():
            expected, _ = distances_by_maps(*pair, spacing)
            assert whole == pytest.approx(expected, rel=1e-12)


def test_runs_of_strided_images_larger_than_a_slab_are_those_of_copies(monkeypatch):
    rng = np.random.default_rng(5)
    pair = rng.integers(0, 3, (2, 9, 11, 13))
    whole = ev.label_runs(*pair)
    monkeypatch.setattr(runs, "_SLAB", 30)
    strided = ev.label_runs(*np.asfortranarray(pair))
    for name in ("first", "length", "segmentation", "reference"):
        np.testing.assert_array_equal(getattr(strided, name), getattr(whole, name))


def test_a_tile_in_the_place_of_another_of_its_size_is_noticed():
    labels = np.arange(1, 7).reshape(2, 3)
    a, _ = (
        ev.label_runs(labels[t.write.slices], labels[t.write.slices], t, (2, 3))
        for t in tiles((2, 3), (1, 3))
    )
    with pytest.raises(ValueError, match=r"the voxel at \(0, 0\) is in two"):
        ev.combine([a, a])


def test_runs_grow_with_the_surface_not_with_the_volume():
    def runs(side):
        ball = np.hypot(*(np.indices((side, side)) - side // 2)) < side / 3
        return len(ev.label_runs(ball, ball).first)

    assert runs(200) < 2.2 * runs(100)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ev.label_runs([1], [1, 2]), ValueError, "give two label images"),
        (lambda: ev.label_runs([1.5], [1]), TypeError, "float64"),
        (lambda: ev.label_runs([-1], [1]), ValueError, "segmentation holds the id -1"),
        (lambda: ev.label_runs(1, 1), ValueError, "single numbers"),
        (
            lambda: ev.label_runs([1], [1], tiles((3,), 1)[2], (2,)),
            ValueError,
            "not within",
        ),
        (
            lambda: ev.hausdorff_of_runs(ev.label_runs([1], [1]), spacing=(1, 2)),
            ValueError,
            "1 axes",
        ),
    ],
)
def test_label_images_and_spacings_that_do_not_fit_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()

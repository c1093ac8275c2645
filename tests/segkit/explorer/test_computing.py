"""What is computed of what is seen: exact where it says so, once, not when stale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import segkit
from segkit.explorer import regions
from segkit.explorer.cache import Cache
from segkit.explorer.computing import Computer, StaleError
from segkit.explorer.levels import Levels
from segkit.io import as_image
from segkit.pipeline import (
    Pipeline,
    binarize,
    binary_opening,
    clear_border,
    gaussian,
    keep_within,
    label,
    median,
    ndnt,
    regionprops,
    remove_small_objects,
    tile,
    uniform,
    watershed,
    white_tophat,
)
from segkit.pipeline.steps import written

RNG = np.random.default_rng(3)
PLANE = (RNG.random((200, 230)) ** 4 * 255).astype(np.uint8)
VOLUME = (RNG.random((24, 40, 36)) ** 4 * 255).astype(np.uint8)
NEAR = [
    gaussian(sigma=1.5),
    median(radius=2),
    uniform(shape=5),
    white_tophat(radius=3),
    ndnt(shape=9, threshold=0.3, polarity="bright"),
]


def computer(array, limit=2**26):
    return Computer(Levels.of(as_image(array)), Cache(limit))


def run(one, steps, view, **options):
    places = list(enumerate(steps))
    return one.run(places, one.region(steps, view, **options))


@pytest.fixture
def small_whole(monkeypatch):
    """Images of some thousand voxels are too large to be computed whole."""
    monkeypatch.setattr(regions, "WHOLE", 100)
    monkeypatch.setattr(regions, "_GRID", 8)


def view_of(shape):
    def bounds(length):
        starts = st.integers(0, length - 2)
        return starts.flatmap(
            lambda a: st.integers(a + 1, length).map(lambda b: (float(a), float(b)))
        )

    return st.tuples(*map(bounds, shape))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([PLANE, VOLUME]).flatmap(
        lambda array: st.tuples(st.just(array), view_of(array.shape))
    ),
    st.lists(st.sampled_from(NEAR[:4]), max_size=2),
    st.sampled_from(NEAR),
)
def test_what_is_seen_is_that_part_of_the_whole(seen, before, last):
    array, view = seen
    steps = [*before, last]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "WHOLE", 100)
        patch.setattr(regions, "_GRID", 8)
        outcome = run(computer(array), steps, view)
    made = outcome.steps[-1]
    assert made.exact
    whole = Pipeline(*steps).run(array).array
    box = tuple(slice(a, b) for a, b in outcome.region.shown)
    np.testing.assert_array_equal(made.value[outcome.region.inner], whole[box])
    for (a, b), (c, d) in zip(view, outcome.region.shown, strict=True):
        assert c <= a < b <= d


def test_steps_that_look_at_everything_say_that_they_saw_a_part(small_whole):
    steps = [gaussian(sigma=1), binarize(), label(), remove_small_objects(min_size=4)]
    outcome = run(computer(PLANE), steps, [(20, 60), (30, 90)])
    assert not outcome.region.whole
    assert [one.exact for one in outcome.steps] == [True, False, False, False]


STEPS = [gaussian(sigma=1), binarize(), label(), remove_small_objects(min_size=4)]
VIEW = [(20, 60), (30, 90)]


def test_the_whole_of_a_large_image_is_known_once_it_was_computed(small_whole):
    one = computer(PLANE)
    part = run(one, STEPS, VIEW)
    assert one.wholes.affordable(STEPS, part)
    whole = run(one, STEPS, VIEW, whole=True)
    assert not one.wholes.affordable(STEPS, whole)
    expected = Pipeline(*STEPS).run(PLANE)
    np.testing.assert_array_equal(whole.last("labels").value, expected.labels)
    assert all(made.exact for made in whole.steps)
    again = run(one, STEPS[:3], [(0, 9), (0, 9)])  # somewhere else, one step less
    assert again.region.whole
    assert all(made.exact and made.seconds == 0 for made in again.steps)
    other = run(one, [*STEPS[:3], remove_small_objects(min_size=9)], VIEW)
    assert not other.region.whole


def test_a_whole_that_was_let_go_is_not_known(small_whole):
    one = computer(PLANE, limit=12 * PLANE.size)
    assert one.wholes.affordable(STEPS[:1], run(one, STEPS[:1], VIEW))
    run(one, STEPS[:1], VIEW, whole=True)
    assert one.wholes.known(STEPS[:1])
    run(one, [gaussian(sigma=2), uniform(shape=3)], VIEW, whole=True)
    assert not one.wholes.known(STEPS[:1])


@pytest.mark.parametrize(
    "steps",
    [STEPS, [gaussian(sigma=1), label()], []],
    ids=["memory", "a step that raises", "no steps"],
)
def test_a_whole_that_cannot_be_kept_or_made_is_not_begun(small_whole, steps):
    one = computer(PLANE, limit=12 * PLANE.size)
    assert not one.wholes.affordable(steps, run(one, steps, VIEW))


def test_a_whole_that_would_take_long_is_not_begun(small_whole, monkeypatch):
    one = computer(PLANE)
    part = run(one, STEPS, VIEW)
    monkeypatch.setattr("segkit.explorer.whole._PATIENCE", 1e-9)
    assert not one.wholes.affordable(STEPS, part)


@given(view_of(PLANE.shape), st.integers(10, 5000))
@settings(max_examples=20, deadline=None)
def test_of_a_whole_every_nth_voxel_is_shown_where_it_lies(view, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "_COARSE", most)
        region = regions.whole_for(Levels.of(as_image(PLANE)), view)
    part = PLANE[region.inner]
    assert part.size <= most
    for axis, (start, stop) in enumerate(region.box((1, 1))):
        places = np.arange(part.shape[axis]) * (stop - start) / part.shape[axis]
        np.testing.assert_array_equal(
            places + start, np.arange(PLANE.shape[axis])[region.inner[axis]]
        )


def test_a_small_image_is_what_a_run_over_all_of_it_makes():
    steps = [gaussian(sigma=1), binarize(), label(), remove_small_objects(min_size=4)]
    steps += [clear_border(), keep_within(area=(5.0, 100.0)), regionprops()]
    outcome = run(computer(PLANE), steps, [(20, 60), (30, 90)])
    expected = Pipeline(*steps).run(PLANE)
    np.testing.assert_array_equal(outcome.last("labels").value, expected.labels)
    table = outcome.last("table").value
    assert table.keys() == expected.table.keys()
    np.testing.assert_array_equal(table["label"], expected.table["label"])
    assert all(one.exact and not one.error for one in outcome.steps)


def test_tiles_that_are_joined_by_or_are_those_of_a_run():
    steps = [tile(shape=50, stride=25, join="or"), ndnt(shape=9, polarity="bright")]
    steps += [binary_opening(), label()]
    outcome = run(computer(PLANE), steps, [(0, 200), (0, 230)])
    expected = Pipeline(*steps).run(PLANE)
    np.testing.assert_array_equal(outcome.last("labels").value, expected.labels)
    whole = Pipeline(*steps[1:]).run(PLANE)
    assert (whole.labels != expected.labels).any()


def test_other_tiles_are_computed_anew():
    one = computer(PLANE)
    for shape, stride in ((50, 25), (80, 40), (80, 20), (50, 25)):
        steps = [tile(shape=shape, stride=stride, join="or"), ndnt(shape=9), label()]
        outcome = run(one, steps, [(0, 200), (0, 230)])
        expected = Pipeline(*steps).run(PLANE)
        np.testing.assert_array_equal(outcome.last("labels").value, expected.labels)


def test_tiles_that_are_joined_by_or_are_refused_for_a_part(small_whole):
    steps = [tile(shape=50, stride=25, join="or"), ndnt(shape=9)]
    outcome = run(computer(PLANE), steps, [(0, 50), (0, 50)])
    assert "tiles are those of the whole image" in outcome.steps[0].error


def test_tiles_that_keep_their_own_change_nothing():
    steps = [tile(shape=50), gaussian(sigma=1), binarize(), label()]
    outcome = run(computer(PLANE), steps, [(0, 200), (0, 230)])
    expected = Pipeline(*steps).run(PLANE)
    np.testing.assert_array_equal(outcome.last("labels").value, expected.labels)


def test_a_changed_last_step_runs_only_that_step():
    one = computer(PLANE)
    view = [(0, 200), (0, 230)]
    first = run(
        one, [gaussian(sigma=1), binarize(), label(), remove_small_objects(4)], view
    )
    again = run(
        one, [gaussian(sigma=1), binarize(), label(), remove_small_objects(9)], view
    )
    assert [made.seconds > 0 for made in first.steps] == [True] * 4
    assert [made.seconds > 0 for made in again.steps] == [False] * 3 + [True]


def test_a_measuring_step_in_between_is_no_reason_to_compute_anew():
    one, view = computer(PLANE), [(0, 200), (0, 230)]
    run(one, [binarize(), label(), remove_small_objects(4)], view)
    steps = [binarize(), label(), regionprops(), remove_small_objects(4)]
    again = run(one, steps, view)
    assert [made.seconds > 0 for made in again.steps] == [False, False, True, False]


def test_results_take_no_more_memory_than_they_may():
    one = computer(PLANE, limit=3 * PLANE.nbytes * 4)
    for sigma in range(1, 12):
        run(one, [gaussian(sigma=sigma), binarize()], [(0, 200), (0, 230)])
        assert one.cache.nbytes <= one.cache.limit


def test_a_step_that_raises_has_the_message_and_those_before_it_their_results():
    steps = [gaussian(sigma=1), label(), remove_small_objects(4)]
    outcome = run(computer(PLANE), steps, [(0, 200), (0, 230)])
    assert [made.place for made in outcome.steps] == [0, 1]
    assert outcome.steps[0].value is not None
    assert "label() was given grey values" in outcome.steps[1].error


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (written("gausian"), "gaussian"),
        (written("gaussian", sigma="x"), "sigma"),
        (written("remove_small_objects", min_size=-3), "min_size"),
        (written("watershed", markers={"bellow": 3}), "below"),
        (written("binarize", method="best"), "best"),
    ],
    ids=["name", "kind", "value", "seeds", "method"],
)
def test_a_wrong_step_is_told_where_it_stands(step, word):
    steps = [gaussian(sigma=1), step, label()]
    outcome = run(computer(PLANE), steps, [(0, 200), (0, 230)])
    assert [bool(made.error) for made in outcome.steps] == [False, True]
    assert word in outcome.steps[1].error
    assert not outcome.steps[1].error.startswith("step ")


def test_a_request_that_is_out_of_date_is_dropped_between_two_steps():
    one, asked = computer(PLANE), []

    def stale():
        asked.append(len(asked))
        return len(asked) > 3

    steps = [gaussian(sigma=k) for k in range(1, 9)]
    with pytest.raises(StaleError):
        one.run(list(enumerate(steps)), one.region(steps, [(0, 200), (0, 230)]), stale)
    assert len(asked) == 4


def test_a_slice_of_a_volume_is_computed_with_its_neighbours(small_whole):
    steps = [gaussian(sigma=2)]
    view = [(11.0, 12.0), (0.0, 40.0), (0.0, 36.0)]
    outcome = run(computer(VOLUME), steps, view)
    assert outcome.region.shown[0] == (11, 12)
    assert outcome.steps[0].exact
    whole = segkit.gaussian(VOLUME, 2)
    np.testing.assert_array_equal(
        outcome.steps[0].value[outcome.region.inner], whole[11:12]
    )


def test_only_what_is_seen_of_a_large_image_is_read():
    class Counting:
        shape, dtype = (60_000, 50_000), np.dtype(np.uint8)
        read_voxels = 0

        def read(self, box):
            lengths = [
                len(range(*s.indices(n))) for s, n in zip(box, self.shape, strict=True)
            ]
            Counting.read_voxels += int(np.prod(lengths))
            return np.zeros(lengths, np.uint8)

    from dataclasses import replace

    image = replace(as_image(np.zeros((2, 2), np.uint8)), source=Counting())
    one = Computer(Levels.of(image), Cache(2**26))
    run(one, [median(radius=2)], [(30_000, 30_800), (20_000, 21_000)])
    assert Counting.read_voxels < 1.3 * 900 * 1100
    Counting.read_voxels = 0
    far = run(one, [median(radius=2)], [(0, 60_000), (0, 50_000)])
    assert far.region.level >= 5
    assert not far.steps[0].exact
    assert far.steps[0].value.size < 2**21


def test_distances_and_seeds_shrink_at_a_coarser_level(small_whole):
    stroke = {"label": 1, "radius": 2.0, "points": ((100, 100), (100, 140))}
    steps = [watershed(markers={"strokes": (stroke,), "above": 200.0})]
    outcome = run(computer(PLANE), steps, [(0, 200), (0, 230)], coarse=1)
    assert outcome.region.level == 1
    found = outcome.steps[0]
    assert not found.error
    assert found.value[50, 60] == 1


def test_a_stored_level_is_taken_for_a_coarser_one(tmp_path):
    path = tmp_path / "a.ome.zarr"
    segkit.save(path, np.tile(PLANE, (3, 3)), levels=3)
    levels = Levels.of(segkit.open_image(path))
    assert len(levels.stored) == 2
    assert levels.shape(1) == levels.stored[0].shape
    assert levels.factors(1) == pytest.approx((2, 2), rel=0.01)
    box = ((3, 9), (0, 7))
    np.testing.assert_array_equal(
        levels.read(1, box), levels.stored[0].read()[3:9, 0:7]
    )


@pytest.mark.parametrize("band", [7, 100, 10_000])
@pytest.mark.parametrize("every", [2, 4, 8])
def test_a_coarser_level_is_every_nth_voxel(monkeypatch, band, every):
    monkeypatch.setattr("segkit.explorer.levels._BAND", band)
    levels = Levels.of(as_image(PLANE))
    level = every.bit_length() - 1
    shape = levels.shape(level)
    box = ((1, shape[0]), (0, shape[1] - 1))
    expected = PLANE[::every, ::every][1:, : shape[1] - 1]
    np.testing.assert_array_equal(levels.read(level, box), expected)

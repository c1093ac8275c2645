"""A plan says which steps run together, on what, as data that any process can read."""

import pickle
import pickletools
from typing import get_args

import numpy as np
import pytest
import scipy.ndimage

import segkit.names
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    bounds_classifier,
    classify,
    fill_holes,
    florinate,
    keep_largest,
    label,
    load,
    ndnt,
    reconstruct,
    regionprops,
    save,
    save_overlay,
    tile,
)
from segkit.pipeline.plan import plan
from segkit.pipeline.spacings import ImageSpec
from segkit.pipeline.stages import OverlappingStage, Stage, TilesStage

SPEC = ImageSpec((100, 200, 200), "uint8", (1.0,) * 3, ("pixel",) * 3)
EVERY_STAGE = Pipeline(
    load(),
    tile(64, 32, join="or"),
    ndnt(shape=8),
    tile(64),
    ndnt(shape=8),
    fill_holes(),
    label(),
    keep_largest(9),
    regionprops(),
    classify(bounds_classifier("cell")),
    save_overlay("objects.png"),
    save("objects.csv"),
    reconstruct(),
    save("classes.tif"),
)


def smooth(image, size=3):
    return scipy.ndimage.uniform_filter(image, size)


def invert(image):
    return 255 - image


def test_neighbouring_steps_are_one_pass_with_the_sum_of_their_reaches():
    stages = plan(
        Pipeline(
            tile(50),
            florinate(smooth, reach=2)(),
            florinate(smooth, reach=(0, 3, 3))(),
            save("a.tif"),
            florinate(smooth, reach=1)(),
            invert,
            label(),
        ).steps,
        SPEC,
    )
    kinds = ["load", "tiles", "save", "tiles", "whole", "label"]
    assert [stage.kind for stage in stages] == kinds
    assert stages[1].halo == (2, 5, 5)
    assert stages[3].halo == (1, 1, 1)
    assert [stage.array for stage in stages[1:]] == [0, 1, 1, 3, 4]


def test_tiles_grow_only_where_the_halo_would_cost_more():
    spec = ImageSpec((64, 512, 512), "uint8", (1.0,) * 3, ("pixel",) * 3)
    small = Pipeline(tile((10, 64, 64)), florinate(smooth, reach=(5, 32, 32))())
    grown = plan(small.steps, spec)[1]
    read = [one.read.shape for one in grown.tiles()]
    assert sum(np.prod(shape) for shape in read) <= 1.6 * 64 * 512 * 512
    assert grown.tile[1] % 64 == 0
    near = Pipeline(tile((10, 64, 64)), florinate(smooth, reach=1)())
    assert plan(near.steps, spec)[1].tile == (10, 64, 64)


def test_each_stage_names_what_it_reads():
    stages = EVERY_STAGE.plan(SPEC)
    read = [
        {
            name: getattr(stage, name)
            for name in ("array", "labels", "table")
            if hasattr(stage, name)
        }
        for stage in stages
    ]
    assert read == [
        {},
        {"array": 0},
        {"array": 1},
        {"array": 2},
        {"array": 3},
        {"labels": 4},
        {"labels": 5},
        {"table": 6},
        {"array": 5},
        {"table": 7},
        {"labels": 5, "table": 7},
        {"array": 10},
    ]
    assert [stage.number for stage in stages] == list(range(12))


def test_overlapping_tiles_of_one_kind_are_one_stage():
    steps = (tile(64, 32, join="or"), ndnt(shape=8), invert, tile(32, join="or"), ndnt)
    first, second = plan(Pipeline(*steps).steps, SPEC)[1:]
    assert isinstance(first, OverlappingStage)
    assert isinstance(second, OverlappingStage)
    assert (len(first.steps), first.stride) == (2, (32, 32, 32))
    assert (len(second.steps), second.stride) == (1, (32, 32, 32))
    assert first.tiles()[1].write != second.tiles()[1].write


def test_exact_tiles_without_a_halo_partition_the_image():
    (_, only) = plan(Pipeline(tile(64), florinate(invert, reach=0)()).steps, SPEC)
    assert isinstance(only, TilesStage)
    assert sum(one.write.size for one in only.tiles()) == np.prod(SPEC.shape)
    assert all(one.read == one.write for one in only.tiles())


def test_a_plan_survives_pickling_under_names_that_last():
    stages = EVERY_STAGE.plan(SPEC)
    assert {type(stage) for stage in stages} == set(get_args(Stage))
    data = pickle.dumps((SPEC, stages))
    assert pickle.loads(data) == (SPEC, stages)
    words = {argument for _, argument, _ in pickletools.genops(data)}
    modules = {str(word) for word in words if str(word).startswith("segkit")}
    assert modules == {"segkit", "segkit.names", "segkit.pipeline"}


def test_every_stage_is_listed_among_the_names_that_last():
    for stage in get_args(Stage):
        assert segkit.names.HOMES[stage.__name__] == "segkit.pipeline.stages"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((ndnt(), load()), r"step 2 \(load\): an image is loaded once"),
        ((ndnt(), regionprops()), r"step 2 \(regionprops\): needs labelled objects"),
        ((label(), ndnt(), regionprops()), r"step 3 .*needs labelled objects"),
        ((label(), save("a.csv")), r"step 2 \(save\): needs a table of objects"),
        ((label(), regionprops(), reconstruct()), r"step 3 .*needs classes"),
        ((tile(8, 9), ndnt()), r"step 1 \(tile\): stride"),
    ],
)
def test_a_step_without_what_it_works_on_is_named(steps, message):
    with pytest.raises(PipelineError, match=message):
        Pipeline(*steps).plan(SPEC)

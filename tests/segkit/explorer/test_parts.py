"""A pipeline of frames and channels is explored on the first frame and channel."""

import numpy as np
import pytest

import segkit
from segkit.explorer.cache import Cache
from segkit.explorer.computing import Computer
from segkit.explorer.exploration import Exploration
from segkit.explorer.levels import Levels
from segkit.explorer.opening import opened
from segkit.napari.editing import run_on
from segkit.pipeline import Pipeline, binarize, label, load, regionprops

BRIGHT = {"properties": ["label", "intensity_mean"]}


@pytest.fixture
def movie(tmp_path):
    image = np.zeros((3, 2, 20, 24), np.uint8)
    image[:, 1, 4:9, 5:11] = 200
    return segkit.save(tmp_path / "a.tif", image, axes="tcyx")


def explored(movie, pipeline):
    found = opened(movie, pipeline.steps)
    exploration = Exploration.of(found, Computer(Levels.of(found.image), Cache(10**7)))
    steps = list(enumerate(found.steps))
    region = exploration.computer.region(found.steps, [(0, 20), (0, 24)])
    return exploration, exploration.computer.run(steps, region)


def test_the_first_frame_and_channel_are_seen_and_all_is_saved(movie):
    first = binarize(method="otsu").having(channel=1)
    pipeline = Pipeline(load(per="t"), first, label(), regionprops(**BRIGHT, channel=1))
    exploration, outcome = explored(movie, pipeline)
    assert exploration.opened.note == "t = 0, channel 1"
    table = outcome.last("table")
    assert table is not None
    assert table.value["intensity_mean"].tolist() == [200.0]
    start = exploration.start()
    request = {"steps": start["steps"], "view": [[0, 20], [0, 24]]}
    steps = [step for _, step in exploration.request(request).steps]
    assert Pipeline(*steps) == pipeline


def test_a_step_of_several_channels_says_where_it_runs(movie):
    first = binarize(method="otsu").having(channel=1)
    several = regionprops(**BRIGHT, channel=[0, 1])
    _, outcome = explored(movie, Pipeline(load(per="t"), first, label(), several))
    assert "reads channel 0, and of" in outcome.steps[-1].error


def test_a_layer_of_napari_is_taken_frame_by_frame(movie):
    layer = segkit.open_image(movie, channel=1).read()
    options = {"axis_labels": ("t", "y", "x")}
    steps = [load(per="t"), binarize(method="otsu"), label(), regionprops()]
    [(labels, made, kind)] = run_on(layer, options, steps)
    assert kind == "labels"
    assert labels.shape == (3, 20, 24)
    assert made["features"]["t"].tolist() == [0, 1, 2]

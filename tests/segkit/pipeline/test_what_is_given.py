"""What may be given for an image, the same in memory and as tasks."""

from __future__ import annotations

import os

import numpy as np
import pytest

import segkit
import taskgraph
from segkit.io import as_image
from segkit.pipeline import Pipeline, PipelineError, label, regionprops, save
from segkit.workflows import pipeline_tasks

PICTURE = np.zeros((20, 24), np.uint8)
PICTURE[3:8, 3:8] = PICTURE[12:16, 12:20] = 200
STEPS = (label(), regionprops())
BOTH = [
    lambda image: Pipeline(*STEPS).run(image),
    lambda image: pipeline_tasks(Pipeline(*STEPS), image),
]


@pytest.mark.parametrize("go", BOTH, ids=["in memory", "as tasks"])
@pytest.mark.parametrize(
    ("image", "words"),
    [
        ({"a": 1}, r"image is \{'a': 1\} \(dict\); give a path, an opened image or an"),
        ({"a.tif"}, r"image is \{'a.tif'\} \(set\)"),
        (os.fsencode("a.tif"), r"image is b'a.tif' \(bytes\); give a path"),
        (np.array(["a.tif"]), r"\(ndarray\); give a path"),
        (np.array([None, 1]), r"\(ndarray\); give a path"),
        (np.ma.masked_equal(PICTURE, 200), "masked array, whose mask would be ignored"),
    ],
)
def test_what_is_no_image_is_told(go, image, words):
    with pytest.raises(PipelineError, match=words):
        go(image)


def test_masked_arrays_in_a_list_are_told():
    with pytest.raises(PipelineError, match=r"image 2: .*masked array"):
        Pipeline(*STEPS).run([PICTURE, np.ma.masked_equal(PICTURE, 200)])


def test_an_array_with_a_spacing_is_an_image_for_tasks_too(tmp_path):
    image = as_image(PICTURE, spacing=(0.5, 0.2), units="um")
    pipeline = Pipeline(*STEPS, save("{name}.csv"))
    alone = pipeline.run(image, out=tmp_path / "alone")
    outputs = pipeline_tasks(pipeline, image, out=tmp_path / "tasks")
    taskgraph.run([outputs.table, *outputs.saved])
    for column, values in outputs.table.value().items():
        np.testing.assert_array_equal(values, alone.table[column])
    np.testing.assert_allclose(alone.table["area"], [2.5, 3.2])
    (file,) = alone.saved
    assert file.name == outputs.files[0].name == "image.csv"
    assert file.read_text() == outputs.files[0].read_text()
    named = as_image(PICTURE, path="cells")
    assert pipeline.run(named, out=tmp_path).saved[0].name == "cells.csv"


def test_a_file_that_was_opened_is_a_path_for_tasks(tmp_path):
    path = segkit.save(tmp_path / "a.png", PICTURE)
    with pytest.raises(PipelineError, match="give the path instead of an opened image"):
        pipeline_tasks(Pipeline(*STEPS), segkit.open_image(path))

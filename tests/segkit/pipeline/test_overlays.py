"""A pipeline saves a picture to look at: the objects over the image."""

import numpy as np
import pytest

import segkit
import taskgraph
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    keep_largest,
    label,
    load,
    ndnt,
    regionprops,
    save_overlay,
)
from segkit.workflows import pipeline_tasks
from taskgraph import open_store
from taskgraph.tasks.recording import Recording, recorded_in

VOLUME = np.random.default_rng(3).integers(0, 255, (5, 30, 40), np.uint8)
STEPS = (load(axes="zyx"), ndnt(shape=9, threshold=0.3), label())
PICTURE = save_overlay("{name}.png")


def run_as_tasks(folder, pipeline, path):
    results = open_store(folder / "store")
    with recorded_in(Recording(results)) as recording:
        outputs = pipeline_tasks(pipeline, path, out=folder, block=2_000)
    taskgraph.run(recording.tasks, store=results, workers=0)
    return outputs


@pytest.mark.parametrize("options", [{}, {"plane": -1, "fill": 0.5}, {"plane": 0}])
@pytest.mark.parametrize("more", [(), (keep_largest(5),), (regionprops(),)])
def test_both_ways_save_the_picture_of_the_objects(tmp_path, options, more):
    path = segkit.save(tmp_path / "a.npy", VOLUME)
    pipeline = Pipeline(*STEPS, *more, save_overlay("{name}.png", **options))
    found = pipeline.run(path, out=tmp_path / "memory")
    assert found.saved == [tmp_path / "memory" / "a.png"]
    run_as_tasks(tmp_path, pipeline, path)
    expected = segkit.overlay(VOLUME, found.labels, **options)
    for file in (*found.saved, tmp_path / "a.png"):
        np.testing.assert_array_equal(segkit.open_image(file).read(), expected)


def test_an_own_picture_is_replaced_and_another_is_not(tmp_path):
    path = segkit.save(tmp_path / "a.npy", VOLUME)
    for number in (1, 5):
        run_as_tasks(tmp_path, Pipeline(*STEPS, keep_largest(number), PICTURE), path)
    (tmp_path / "a.png").write_text("mine")
    for work in (run_as_tasks, lambda out, one, path: one.run(path, out=out)):
        with pytest.raises((taskgraph.TaskgraphError, FileExistsError), match="exists"):
            work(tmp_path, Pipeline(*STEPS, PICTURE), path)
    assert (tmp_path / "a.png").read_text() == "mine"


def test_a_mask_has_a_picture_and_grey_values_have_none(tmp_path):
    Pipeline(*STEPS[:2], PICTURE).run(VOLUME, out=tmp_path)
    mask = segkit.ndnt(VOLUME, 9, 0.3)
    found = segkit.open_image(tmp_path / "image.png").read()
    np.testing.assert_array_equal(found, segkit.overlay(VOLUME, mask))
    with pytest.raises(
        PipelineError, match=r"\(save_overlay\): needs labels or a mask"
    ):
        Pipeline(segkit.pipeline.gaussian(1), PICTURE).run(VOLUME[0])


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("{name}.jpg", {}, "end the name in .png"),
        ("{what}.png", {}, "{what} is not known"),
        ("a.png", {"file": 1}, "unexpected keyword argument 'file'"),
        ("a.png", {"plane": "2"}, "plane is '2', but must be an integer"),
        ("a.png", {"overwrite": 1}, "overwrite is 1, but must be true or false"),
    ],
)
def test_what_a_picture_cannot_have_is_told_before_a_run(path, options, words):
    with pytest.raises(PipelineError, match=words):
        Pipeline(*STEPS, save_overlay(path, **options))


def test_the_function_that_makes_pictures_is_told_to_be_another_step():
    with pytest.raises(PipelineError, match=r"save_overlay\(path\) makes and saves"):
        Pipeline(segkit.pipeline.Step("overlay"))

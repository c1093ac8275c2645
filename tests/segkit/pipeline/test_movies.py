"""Movies and channels: taken apart on request, the same named or not; never joined."""

from __future__ import annotations

import numpy as np
import pytest

import segkit
import taskgraph
from segkit.io import ColourError, as_image
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    label,
    load,
    regionprops,
    remove_small_objects,
    save,
    segment_nuclei,
)
from segkit.workflows import PipelineJugfile, pipeline_tasks

MOVIE = np.zeros((5, 24, 32), np.uint8)
for time in range(5):
    MOVIE[time, 6:14, 3 + 2 * time : 11 + 2 * time] = 200
SPACING = {"spacing": (2.5, 0.5, 0.5), "units": ("second", "um", "um")}


def frames(axes="tyx"):
    return Pipeline(
        segment_nuclei(axes=axes),
        remove_small_objects(9),
        regionprops(),
        save("{name}.tif"),
        save("{name}.csv"),
    )


def made(tmp_path, pipeline, image):
    """Yield labels and tables, made in memory and by tasks."""
    alone = pipeline.run(image, out=tmp_path / "alone")
    yield alone.labels, alone.table, alone.saved
    outputs = pipeline_tasks(pipeline, image, out=tmp_path / "tasks")
    taskgraph.run([outputs.table, *outputs.saved])
    labels = segkit.open_image(outputs.files[0]).read()
    yield labels, outputs.table.value(), outputs.files


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.h5", "a.zarr"])
def test_a_movie_that_says_so_is_taken_frame_by_frame(tmp_path, name):
    path = segkit.save(tmp_path / name, MOVIE, axes="tyx", **SPACING)
    by_hand = [Pipeline(segment_nuclei()).run(frame).labels for frame in MOVIE]
    for labels, table, files in made(tmp_path, frames(), path):
        assert [n for n in np.unique(labels) if n] == [1, 2, 3, 4, 5]
        for one, own in zip(labels, by_hand, strict=True):
            np.testing.assert_array_equal(one > 0, own > 0)
        assert table["label"].tolist() == [1, 2, 3, 4, 5]
        assert table["frame"].tolist() == [0, 1, 2, 3, 4]
        np.testing.assert_allclose(table["area"], table["count"] / 4)  # no seconds
        saved = segkit.open_image(files[0])
        assert (saved.axes, saved.stated, saved.spacing) == (
            "tyx",
            True,
            (2.5, 0.5, 0.5),
        )
        header, *rows = files[1].read_text().splitlines()
        assert {"frame", "unit"} <= {*header.split(",")}
        assert len(rows) == 5


def test_one_rule_for_movies_that_say_so_and_that_do_not(tmp_path):
    np.save(tmp_path / "a.npy", MOVIE)
    segkit.save(tmp_path / "a.tif", MOVIE, axes="tyx")
    given = [tmp_path / "a.npy", tmp_path / "a.tif", MOVIE, as_image(MOVIE, axes="tyx")]
    first, *others = [
        frames().run(one, out=tmp_path / str(k)) for k, one in enumerate(given)
    ]
    for one in others:
        np.testing.assert_array_equal(one.labels, first.labels)
        assert {k: v.tolist() for k, v in one.table.items()} == {
            k: v.tolist() for k, v in first.table.items()
        }


def test_a_file_of_steps_takes_movies_too(tmp_path):
    segkit.save(tmp_path / "a.tif", MOVIE, axes="tyx")
    np.save(tmp_path / "b.npy", MOVIE)
    frames().save(tmp_path / "steps.toml")
    images = [str(tmp_path / name) for name in ("a.tif", "b.npy")]
    for axes in (None, "tyx"):
        out = tmp_path / str(axes)
        source = PipelineJugfile(tmp_path / "steps.toml", images, out, axes=axes)
        loaded = source.load(taskgraph.open_store("memory://"))
        taskgraph.run(list(loaded.graph.tasks), store=loaded.results, workers=0)
        for name in ("a", "b"):
            assert segkit.open_image(out / f"{name}.tif").axes == "tyx"
            assert len((out / f"{name}.csv").read_text().splitlines()) == 6


def test_channels_and_length_one(tmp_path):
    stack = np.stack([MOVIE[0], MOVIE[1]])[None]
    path = segkit.save(tmp_path / "a.ome.tif", stack, axes="tcyx")
    found = frames("cyx").run(path, out=tmp_path)
    assert found.table["channel"].tolist() == [0, 1]
    assert "frame" not in found.table


@pytest.mark.parametrize(
    "steps", [(label(),), (segment_nuclei(),), (segment_nuclei(axes="zyx"),)]
)
def test_a_movie_that_says_so_is_never_taken_for_a_volume(tmp_path, steps):
    path = segkit.save(tmp_path / "a.tif", MOVIE, axes="tyx")
    for go in (
        Pipeline(*steps).run,
        lambda image: pipeline_tasks(Pipeline(*steps), image),
    ):
        with pytest.raises(ColourError, match="several time points"):
            go(path)


def test_steps_that_would_join_frames_are_refused(tmp_path):
    path = segkit.save(tmp_path / "a.tif", MOVIE, axes="tyx")
    with pytest.raises(PipelineError, match="looks along axis 0, which is 't'"):
        Pipeline(segment_nuclei(axes="tyx"), label(by_value=True)).run(path)
    with pytest.raises(PipelineError, match="'frame' is for images with an axis 't'"):
        Pipeline(load(axes="zyx"), label(), regionprops(properties=["frame"])).run(path)


PER_ABOVE = """
format = 1
per = "t"

[[step]]
run = "binarize"
with = { method = "otsu" }

[[step]]
run = "label"

[[step]]
run = "WRONG"
arguments = [WITH]
"""


@pytest.mark.parametrize(
    ("run", "given"),
    [
        ("ndnt", '"text"'),
        ("classify", '{ class = "cell", area = [1, 2] }'),
        ("tile", "[1, 2, 3, 4]"),
        ("reconstruct", ""),
        ("save", '"a.tif", "b"'),
    ],
)
@pytest.mark.parametrize("per", ["above", "in load", "nowhere"])
def test_steps_are_counted_as_the_file_has_them(tmp_path, per, run, given):
    text = PER_ABOVE.replace("WRONG", run).replace("WITH", given)
    count = 3
    if per != "above":
        text = text.replace('per = "t"\n', "")
    if per == "in load":
        count += 1
        first = '[[step]]\nrun = "load"\nwith = { per = "t" }\n\n'
        text = text.replace("[[step]]", first + "[[step]]", 1)
    path = tmp_path / "steps.toml"
    path.write_text(text)
    movie = np.zeros((3, 24, 24), np.uint8)
    axes = "tyx" if per != "nowhere" else "zyx"
    image = as_image(movie, axes=axes)
    with pytest.raises(PipelineError, match=rf"step {count} \({run}\)"):
        pipeline_tasks(Pipeline.load(path), image)


def test_what_is_wrong_with_per_itself_is_no_step(tmp_path):
    path = tmp_path / "steps.toml"
    path.write_text(PER_ABOVE.replace('"t"', '"y"').replace("WITH", "1"))
    with pytest.raises(
        PipelineError, match=r"steps.toml: load, beside the steps: .*per"
    ):
        Pipeline.load(path)

"""A file that does not say its axes is asked; objects extend along those of space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

import segkit
import taskgraph
from segkit.io import ColourError, as_image
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    binarize,
    binary_opening,
    bounds_classifier,
    classify,
    clear_border,
    fill_holes,
    florinate,
    gaussian,
    keep_within,
    label,
    load,
    median,
    ndnt,
    reconstruct,
    regionprops,
    remove_small_objects,
    save,
    segment_nuclei,
    tile,
)
from segkit.workflows import PipelineJugfile, pipeline_tasks

MOVIE = np.zeros((5, 24, 32), np.uint8)
for time in range(5):
    MOVIE[time, 6:14, 3 + 2 * time : 11 + 2 * time] = 200
MASKS = (MOVIE > 0).astype(np.uint8)
ASKED = r"image has 3 axes: a volume, a movie or channels\?.*segkit run --axes zyx"
STEPS = {
    "label": (label(),),
    "ndnt": (ndnt(shape=(3, 9, 9), threshold=0.3), label()),
    "in a tile": (tile((2, 8, 8)), ndnt(shape=9), label(), regionprops()),
    "gaussian": (gaussian(1), save("blurred.tif")),
    "median": (median(1),),
    "opening": (binary_opening(),),
    "mask": (binarize(), save("mask.tif")),
    "holes": (fill_holes(),),
    "small": (remove_small_objects(3),),
    "own": (florinate(np.negative)(),),
    "copy": (save("copy.tif"),),
}


@pytest.fixture(params=["npy", "npz", "tif"])
def unnamed(tmp_path, request):
    path = tmp_path / f"movie.{request.param}"
    if request.param == "tif":
        tifffile.imwrite(path, MASKS, metadata=None)
    else:
        {"npy": np.save, "npz": np.savez}[request.param](path, MASKS)
    return path


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_no_step_takes_a_file_for_a_volume_unasked(unnamed, steps, tmp_path):
    pipeline = Pipeline(*steps)
    for go in (
        pipeline.run,
        lambda path: pipeline_tasks(pipeline, path, out=tmp_path),
        lambda path: pipeline.plan(segkit.open_image(path)),
    ):
        with pytest.raises(PipelineError, match=ASKED):
            go(unnamed)
    assert not [*tmp_path.glob("*.tif")] or unnamed.suffix == ".tif"

    assert pipeline.plan(segkit.open_image(unnamed, axes="zyx"))
    assert pipeline.plan(segkit.open_image(unnamed, spacing=(2, 1, 1)))
    assert pipeline.plan(MASKS)  # of an array, its owner knows
    assert Pipeline(load(axes="zyx"), *steps).run(unnamed, out=tmp_path / "out")
    with pytest.raises(ColourError, match="several time points"):
        Pipeline(load(axes="tyx"), *steps).run(unnamed)
    frame = Pipeline(load(axes="tyx", select={"t": 1}), label()).run(unnamed)
    assert frame.labels.shape == MOVIE.shape[1:]


def test_planes_are_asked_nothing(tmp_path):
    np.save(tmp_path / "plane.npy", MASKS[0])
    assert Pipeline(label(), regionprops()).run(tmp_path / "plane.npy").labels.max()


def test_axes_are_said_for_all_images_of_a_run(tmp_path):
    Pipeline(load(select={}), label(), save("{name}.tif")).save(tmp_path / "a.toml")
    Pipeline(label(), save("{name}.tif")).save(tmp_path / "b.toml")
    for number in range(2):
        np.save(tmp_path / f"{number}.npy", MASKS)
    images = [str(tmp_path / f"{number}.npy") for number in range(2)]
    for name in ("a.toml", "b.toml"):
        jugfile = (tmp_path / name, images, tmp_path / "out")
        results = taskgraph.open_store("memory://")
        with pytest.raises(PipelineError, match=f"0.npy: .*{ASKED}"):
            PipelineJugfile(*jugfile).load(results)
        with pytest.raises(PipelineError, match="several time points"):
            PipelineJugfile(*jugfile, axes="tyx").load(results)
        said = PipelineJugfile(*jugfile, axes="zyx")
        said.load(results)
        assert [one.source.image.axes for one in said.outputs] == ["zyx", "zyx"]
        assert said.arguments[-2:] == ("--axes", "zyx")


FRAMES = segment_nuclei(axes="tyx")


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((gaussian(1), FRAMES), r"step 1 \(gaussian\)"),
        ((FRAMES, median(1)), r"step 2 \(median\)"),
        ((label(), FRAMES), r"step 1 \(label\)"),
        ((FRAMES, fill_holes()), r"step 2 \(fill_holes\)"),
        ((FRAMES, clear_border()), r"step 2 \(clear_border\)"),
    ],
)
def test_what_is_taken_apart_by_one_step_is_joined_by_none(tmp_path, steps, words):
    np.save(tmp_path / "movie.npy", MOVIE)
    words += ": looks along axis 0, which is 't' as another step says"
    for image in (tmp_path / "movie.npy", MOVIE):
        with pytest.raises(PipelineError, match=words):
            Pipeline(*steps).run(image)


def test_steps_within_frames_go_together(tmp_path):
    np.save(tmp_path / "movie.npy", MOVIE)
    steps = (gaussian((0, 1, 1)), FRAMES, remove_small_objects(9), regionprops())
    found = Pipeline(*steps).run(tmp_path / "movie.npy")
    assert found.table["label"].tolist() == [1, 2, 3, 4, 5]
    assert "depth" not in found.table  # time is no depth


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.h5", "a.zarr", "a.npy"])
def test_what_is_saved_of_frames_states_that_they_are_frames(tmp_path, name):
    pipeline = Pipeline(FRAMES, save(name))
    pipeline.run(MOVIE, out=tmp_path / "arrays")
    taskgraph.run(pipeline_tasks(pipeline, MOVIE, out=tmp_path / "tasks").saved)
    for folder in ("arrays", "tasks"):
        opened = segkit.open_image(tmp_path / folder / name)
        assert opened.axes == "tyx" or (name == "a.npy" and not opened.stated)
        assert opened.read().max() == 5


def test_a_zarr_of_tasks_is_described_as_the_step_says(tmp_path):
    said = save("a.zarr", axes="yx", spacing=(2, 0.5), units="um")
    pipeline = Pipeline(binarize(), said)
    taskgraph.run(pipeline_tasks(pipeline, MOVIE[0], out=tmp_path / "tasks").saved)
    pipeline.run(MOVIE[0], out=tmp_path / "arrays")
    one, two = (segkit.open_image(tmp_path / d / "a.zarr") for d in ("arrays", "tasks"))
    assert (one.axes, one.spacing, one.units) == (two.axes, two.spacing, two.units)
    assert (one.axes, one.spacing) == ("yx", (2, 0.5))


@pytest.mark.parametrize("axes", ["xyz", "yxz", "zyx"])
def test_sides_of_objects_go_by_the_axes_that_an_image_states(tmp_path, axes):
    labels = np.zeros((9, 10, 11), np.uint8)
    labels[1:3, 1:4, 1:6] = 1  # sides 2, 3, 5
    labels[5:8, 5:7, 1:6] = 1  # sides 3, 2, 5
    sides = [dict(zip(axes, one, strict=True)) for one in ((2, 3, 5), (3, 2, 5))]
    flat = classify(bounds_classifier("flat", depth=(0, 2)), bounds_classifier("high"))
    image = as_image(labels, axes=axes)
    pipeline = Pipeline(label(), regionprops(), flat)
    outputs = pipeline_tasks(pipeline, image)
    taskgraph.run(outputs.table)

    for table in (pipeline.run(image).table, outputs.table.value()):
        for name, letter in (("depth", "z"), ("height", "y"), ("width", "x")):
            assert table[name].tolist() == [one[letter] for one in sides]
        expected = ["flat" if one["z"] <= 2 else "high" for one in sides]
        assert table["class_name"].tolist() == expected

    kept = Pipeline(label(), keep_within(height=(3, 3)), regionprops())
    outputs = pipeline_tasks(kept, image)
    taskgraph.run(outputs.table)
    expected = [n for n, one in enumerate(sides, 1) if one["y"] == 3]
    for table in (kept.run(image).table, outputs.table.value()):
        assert table["label"].tolist() == expected
    by_hand = Pipeline(label(), regionprops(axes="zyx")).run(image)
    assert by_hand.table["depth"].tolist() == [2, 3]


def test_sides_that_an_image_has_not_are_refused_before_the_run(tmp_path):
    section = as_image(np.eye(8, dtype=np.uint8), axes="zy")
    found = Pipeline(label(), regionprops()).run(section).table
    assert "width" not in found
    assert {"depth", "height"} <= set(found)
    bounds = classify(bounds_classifier("cell", width=(1, 2)))
    with pytest.raises(PipelineError, match=r"'width'.* which the object table will"):
        Pipeline(label(), regionprops(), bounds).run(section)
    with pytest.raises(PipelineError, match="with an axis 'x', not for 'zy'"):
        Pipeline(label(), regionprops(properties=["width"])).run(section)
    assert Path(section.path).name == "<array>"


NAMES = ["a.tif", "a.ome.tif", "a.h5", "a.zarr", "a.npy"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("colours", [False, True])
def test_what_nobody_said_of_axes_is_not_stated_by_what_is_saved(
    tmp_path, name, colours
):
    steps = (label(), regionprops(), classify(bounds_classifier("all")))
    if colours and name in ("a.npy", "a.zarr"):
        pytest.skip("holds no colours")
    pipeline = Pipeline(*steps, reconstruct(colours=colours), save(name))
    pipeline.run(MASKS, out=tmp_path / "arrays")
    taskgraph.run(pipeline_tasks(pipeline, MASKS, out=tmp_path / "tasks").saved)
    if not colours:
        (tmp_path / "saved").mkdir()
        segkit.save(tmp_path / "saved" / name, MASKS)
    for path in tmp_path.glob(f"*/{name}"):
        options = {"to_grey": True} if colours else {}
        opened = segkit.open_image(path, **options)
        assert (opened.axes, opened.stated) == ("zyx", False)
        with pytest.raises(PipelineError, match=ASKED):
            Pipeline(load(**options), label()).run(path)
        said = segkit.open_image(path, axes="tyxs" if colours else "tyx", **options)
        assert (said.axes, said.stated) == ("tyx", True)
    assert len([*tmp_path.glob(f"*/{name}")]) == 3 - colours


@pytest.mark.filterwarnings("ignore:nobody says how far")  # planes of few voxels
@pytest.mark.parametrize("name", NAMES[:-1])
@pytest.mark.parametrize(
    "steps",
    [
        (segment_nuclei(axes="zyx"),),
        (segment_nuclei(spacing=(2, 1, 1)),),
        (label(), regionprops(spacing=(2, 1, 1))),
    ],
)
def test_what_a_step_said_of_axes_is_stated_by_what_is_saved(tmp_path, name, steps):
    pipeline = Pipeline(*steps, save(name))
    pipeline.run(MASKS, out=tmp_path / "arrays")
    taskgraph.run(pipeline_tasks(pipeline, MASKS, out=tmp_path / "tasks").saved)
    for path in tmp_path.glob(f"*/{name}"):
        opened = segkit.open_image(path)
        assert (opened.axes, opened.stated) == ("zyx", True)


def test_planes_and_what_is_said_are_stated(tmp_path):
    for name, array, options in (
        ("plane", MASKS[0], {}),
        ("named", MASKS, {"axes": "tyx"}),
        ("spaced", MASKS, {"spacing": (3, 1, 1), "units": "um"}),
        ("opened", as_image(MASKS, axes="tyx"), {}),
        ("other", as_image(MASKS), {"axes": "tyx"}),
    ):
        for suffix in (".tif", ".ome.tif", ".h5", ".zarr"):
            path = segkit.save(tmp_path / f"{name}{suffix}", array, **options)
            assert segkit.open_image(path).stated or array.ndim == 2

"""The worked example runs as a jugfile and by the command, with the same results."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

import segkit
import taskgraph
from segkit.cli import run_pipeline
from segkit.io import ColourError, ImageRequestError
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    binarize,
    gaussian,
    hysteresis,
    keep_largest,
    label,
    load,
    ndnt,
    regionprops,
    save,
)
from segkit.workflows import PipelineJugfile, pipeline_tasks
from segkit.workflows.plan_report import planned
from segkit.workflows.sizing import aligned_block, block_shape, chunks_for
from segkit.workflows.telling import failures, without_objects
from taskgraph import open_store
from taskgraph.execution.options import RunOptions, WorkerOptions

EXAMPLE = Path(__file__).parents[3] / "jugfiles" / "pipeline.py"
JUGFILE = """
from segkit.workflows import pipeline_tasks
from taskgraph import TaskGenerator

outputs = pipeline_tasks("cells.toml", "cells.npy", out="out", block=2_000)


@TaskGenerator
def foreground(labels):
    return int((labels.read() > 0).sum())


count = foreground(outputs.labels)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image = np.random.default_rng(0).integers(0, 255, (10, 30, 40), dtype=np.uint8)
    np.save("cells.npy", image)
    steps = (load(axes="zyx"), ndnt(shape=8, threshold=0.4), label())
    Pipeline(*steps, save("labels.npy")).save("cells.toml")
    return tmp_path


def test_example_counts_objects_and_runs_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = taskgraph.run(EXAMPLE, store=tmp_path / "store", workers=0)
    mask = segkit.open_image(tmp_path / "out" / "blobs-mask.tif").read()
    classes = segkit.open_image(tmp_path / "out" / "blobs-classes.tif").read()
    assert mask[classes > 0].all()
    assert set(np.unique(classes)) <= {0, 1, 2}
    keys = set(report.store.backend.keys())
    names = {report.store.record(key).name for key in keys}
    assert {
        "segkit.workflows.run_tile",
        "pipeline.count",
        "pipeline.make_volume",
    } <= names
    again = taskgraph.run(EXAMPLE, store=tmp_path / "store", workers=0)
    assert set(again.store.backend.keys()) == keys


def test_labels_are_an_argument_of_ones_own_tasks(here):
    Path("job.py").write_text(JUGFILE)
    taskgraph.run(here / "job.py", store=here / "store", workers=0)
    _, space = taskgraph.init(here / "job.py", here / "store", on_error="propagate")
    labels = np.load("out/labels.npy")
    assert taskgraph.value(space["count"]) == int((labels > 0).sum())


@pytest.mark.parametrize("axes", ["xyz", "zxy", "yzx"])
def test_axes_in_another_order_than_a_file_states_are_refused(here, axes):
    volume = np.load("cells.npy")
    segkit.save("cells.tif", volume, axes="zyx")
    run = partial(PipelineJugfile, Path("cells.toml"), out=Path("out"), axes=axes)
    with pytest.raises(PipelineError, match=r"cells.tif: states its axes, 'zyx'; --ax"):
        run(("cells.tif",)).load(open_store("memory://"))
    said = run(("cells.npy",))
    said.load(open_store("memory://"))
    assert said.outputs[0].source.image.axes == axes  # of files that do not say


def test_images_without_objects_are_told(here):
    steps = (hysteresis(100, 100), label(), regionprops(), save("{name}.csv"))
    Pipeline(*steps).save("count.toml")
    images = [f"{number}.npy" for number in range(3)]
    for number, name in enumerate(images):
        np.save(name, np.full((8, 9), 200 if number == 1 else 0, np.uint8))
    for some, words in (
        (images, "no objects were found in 2 of 3 images: 0.npy, 2.npy"),
        (images[:1], "no objects were found in 0.npy"),
        (images[1:2], ""),
    ):
        out = Path(f"out-{len(some)}-{some[0]}")
        source = PipelineJugfile(Path("count.toml"), some, out=out)
        loaded = source.load(open_store("memory://"))
        assert without_objects(source) == ""  # nobody has looked yet
        taskgraph.run(list(loaded.graph.tasks), store=loaded.results, workers=0)
        assert without_objects(source) == words


def test_command_and_jugfile_share_their_results(here):
    Path("job.py").write_text(JUGFILE)
    taskgraph.run(here / "job.py", store=here / "store", workers=0)
    source = PipelineJugfile(
        Path("cells.toml"), ("cells.npy",), out=Path("out"), block=2_000
    )
    assert all(stage.done == stage.tasks for stage in planned(source, "store"))
    code, report = run_pipeline(
        source, "store", RunOptions(per_worker=WorkerOptions(debug=True), quiet=True)
    )
    assert (code, report.open) == (0, 0)


def test_workers_give_what_one_gives(here):
    one = PipelineJugfile(Path("cells.toml"), ("cells.npy",), Path("one"), block=2_000)
    two = PipelineJugfile(Path("cells.toml"), ("cells.npy",), Path("two"), block=2_000)
    assert run_pipeline(one, "first", RunOptions(quiet=True))[0] == 0
    assert run_pipeline(two, "second", RunOptions(workers=2, quiet=True))[0] == 0
    assert Path("one/labels.npy").read_bytes() == Path("two/labels.npy").read_bytes()


def test_pipeline_that_names_no_image_says_so(here):
    with pytest.raises(segkit.pipeline.PipelineError, match="no image"):
        pipeline_tasks("cells.toml")


@pytest.mark.parametrize(
    ("shape", "tile", "halo", "budget", "expected"),
    [
        ((64, 512, 512), (10, 64, 64), (7, 34, 34), 1 << 22, (64, 256, 256)),
        ((512, 512, 512), (64, 64, 64), (0, 0, 0), 1 << 24, (256, 256, 256)),
        ((7, 9), (3, 4), (0, 0), 1, (3, 4)),
        ((7, 9), (3, 4), (9, 0), 36, (7, 4)),
        ((1, 1, 5), (64, 64, 64), (0, 0, 0), 1, (1, 1, 5)),
    ],
)
def test_blocks_are_whole_tiles_within_the_budget(shape, tile, halo, budget, expected):
    assert block_shape(shape, tile, halo, budget) == expected


@pytest.mark.parametrize("block", [(250, 300, 7), (64, 256, 256), (509, 1, 64)])
def test_chunks_divide_blocks(block):
    shape = tuple(3 * n for n in block)
    chunks = chunks_for(block, shape)
    assert all(size % chunk == 0 for size, chunk in zip(block, chunks, strict=True))
    assert aligned_block(block, chunks, shape) == block


def test_all_images_that_cannot_be_taken_are_named_at_once(tmp_path):
    file = segkit.Pipeline(save("{name}.tif")).save(tmp_path / "p.toml")
    colours = np.zeros((30, 40, 3), np.uint8)
    names = [f"{letter}.png" for letter in "abcdefgh"]
    for name in names:
        voxels, axes = (colours[..., 0], "yx") if name == "b.png" else (colours, "yxs")
        segkit.save(tmp_path / name, voxels, axes=axes)
    (tmp_path / "text.png").write_text("no picture")
    images = [str(tmp_path / name) for name in [*names, "text.png"]]
    source = PipelineJugfile(file, images, out=tmp_path)
    with pytest.raises(PipelineError) as caught:
        source.load(open_store(tmp_path / "s"))
    said = str(caught.value).replace(f"{tmp_path}/", "")
    assert said.startswith(
        "8 images cannot be taken: a.png, c.png, d.png, e.png, f.png and 2 more: is a"
        " colour picture"
    )
    assert "; text.png: is not an image that can be read here" in said
    one = PipelineJugfile(file, images[:2], out=tmp_path)
    with pytest.raises(ColourError, match=r"a\.png: is a colour picture"):
        one.load(open_store(tmp_path / "s"))


def test_one_cause_of_many_images_is_told_once(tmp_path):
    names = [f"{letter}.npy" for letter in "abcdefg"]
    images = [str(segkit.save(tmp_path / name, np.eye(9))) for name in names]
    for name in ("p", "q"):
        file = segkit.Pipeline(save("{name}.tif")).save(tmp_path / f"{name}.toml")
        source = PipelineJugfile(file, images, out=tmp_path / "out")
        store = str(tmp_path / name)
        _, report = run_pipeline(source, store, RunOptions(quiet=True))
    (line,) = failures(source, report)
    said = line.replace(f"{tmp_path}/", "")
    assert said.startswith(
        "7 x step 1 (save): FileExistsError: out/a.tif, out/b.tif,"
        " out/c.tif, out/d.tif, out/e.tif and 2 more: exists already, and is of"
        " somebody else or of another store"
    )


def test_files_of_images_that_are_given_no_more_are_told(tmp_path, capsys):
    names = [f"{letter}.npy" for letter in "abc"]
    images = [str(segkit.save(tmp_path / name, np.eye(9))) for name in names]
    file = segkit.Pipeline(save("{name}.tif")).save(tmp_path / "p.toml")
    said = []
    for given in (images, images, images[:1], images):
        source = PipelineJugfile(file, given, out=tmp_path / "out")
        run_pipeline(source, str(tmp_path / "s"), RunOptions())
        lines = capsys.readouterr().err.splitlines()
        said.append([line for line in lines if "from the last run" in line])
    assert [len(lines) for lines in said] == [0, 0, 1, 0]
    out = tmp_path / "out"
    assert said[2][0].endswith(
        f"2 files are left from the last run, of images or steps that this one"
        f" does not have: {out}/b.tif, {out}/c.tif"
    )


def test_files_of_a_run_into_another_folder_are_not_left_over(tmp_path, capsys):
    image = str(segkit.save(tmp_path / "a.npy", np.eye(9)))
    file = segkit.Pipeline(save("{name}.tif")).save(tmp_path / "p.toml")
    for out in ("one", "two", "one"):
        source = PipelineJugfile(file, [image], out=tmp_path / out)
        run_pipeline(source, str(tmp_path / "s"), RunOptions())
    assert "from the last run" not in capsys.readouterr().err


def test_one_cause_of_many_images_that_changed_is_told_once(tmp_path):
    images = [str(segkit.save(tmp_path / f"{n}.npy", np.eye(9))) for n in "ab"]
    file = segkit.Pipeline(save("{name}.tif")).save(tmp_path / "p.toml")
    source = PipelineJugfile(file, images, out=tmp_path / "out")
    results = open_store(tmp_path / "s")
    source.load(results)
    tasks = [task for one in source.outputs for task in one.saved]
    for path in images:
        np.save(path, np.eye(12))
    report = taskgraph.run(tasks, store=results, workers=0, check=False)
    (line,) = failures(source, report)
    assert line.startswith("2 x step 1 (save): ImageChangedError: ")


def test_a_failure_names_the_steps_and_the_image(tmp_path):
    segkit.save(tmp_path / "good.npy", np.zeros((9, 9), np.uint8))
    bad = segkit.save(tmp_path / "bad.npy", np.full((9, 9), np.nan))
    file = segkit.Pipeline(gaussian(1), binarize(), label()).save(tmp_path / "p.toml")
    images = [str(tmp_path / "good.npy"), str(bad)]
    source = PipelineJugfile(file, images, out=tmp_path / "out")
    _, report = run_pipeline(source, str(tmp_path / "s"), RunOptions(quiet=True))
    (line,) = failures(source, report)
    assert line.startswith(f"1 x step 1 (gaussian): PipelineError: {bad}: ")
    assert "workflows" not in line


@pytest.mark.parametrize("more", [(), (regionprops(),), (keep_largest(1),)])
def test_images_without_objects_are_told_of_labels_alone_too(tmp_path, more):
    images = [
        str(segkit.save(tmp_path / f"{n}.npy", np.eye(9, dtype=np.uint8) * n))
        for n in (0, 1)
    ]
    steps = (label(), *more, save("{name}.tif"))
    file = segkit.Pipeline(*steps).save(tmp_path / "p.toml")
    source = PipelineJugfile(file, images, out=tmp_path / "out", block=30)
    source.load(open_store(tmp_path / "s"))
    assert without_objects(source) == ""
    assert run_pipeline(source, str(tmp_path / "s"), RunOptions(quiet=True))[0] == 0
    words = f"no objects were found in 1 of 2 images: {images[0]}"
    assert without_objects(source) == words


def test_of_a_folder_whose_channels_are_asked_for_the_ways_out_are_said(tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    for n in range(3):
        segkit.save(shots / f"{n}.png", np.zeros((8, 9), np.uint8))
    file = tmp_path / "cells.toml"
    file.write_text('format = 1\n[[step]]\nrun = "binarize"\nchannel = "DAPI"\n')
    source = PipelineJugfile(file, [str(shots)], out=tmp_path / "out")
    with pytest.raises(ImageRequestError, match="segkit run --axes cyx") as caught:
        source.load(open_store(tmp_path / "s"))
    said = str(caught.value)
    assert f"give {shots}/*.png; if it is a plate, say by --pattern" in said

"""A pipeline as tasks gives what it gives as arrays, and runs nothing twice."""

import itertools
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings, strategies as st

import segkit
import taskgraph
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    binary_opening,
    bounds_classifier,
    classify,
    clear_border,
    fill_holes,
    keep_within,
    label,
    load,
    ndnt,
    reconstruct,
    regionprops,
    remove_small_objects,
    save,
    tile,
)
from segkit.workflows import FileStamp, pipeline_tasks, reserving, saving
from segkit.workflows.frames import open_input
from segkit.workflows.inputs import ImageChangedError
from taskgraph import open_store
from taskgraph.tasks.recording import Recording, recorded_in


def blobs(shape=(20, 60, 70), seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = scipy.ndimage.gaussian_filter(noise, 2)
    return np.uint8(np.clip(150 - 900 * np.maximum(smooth - 0.01, 0), 0, 255))


IMAGE = blobs()
SEGMENT = (tile((5, 16, 16)), ndnt(shape=(6, 16, 16), threshold=0.2), binary_opening())
CLASSES = classify(bounds_classifier("cell", area=(20, 90)), bounds_classifier("rest"))
WHOLE_WAY = (
    *SEGMENT,
    save("{name}-mask.tif"),
    label(),
    remove_small_objects(20),
    regionprops(),
    save("objects.csv"),
    CLASSES,
    reconstruct(),
    save("classes.tif"),
)


def run_in(store, pipeline, image, **options):
    """Run a pipeline as tasks with a store; return its outputs and what ran."""
    results = open_store(store)
    results.backend.poll()
    before = set(results.backend.keys())
    with recorded_in(Recording(results)) as recording:
        outputs = pipeline_tasks(pipeline, image, **options)
    taskgraph.run(recording.tasks, store=results, workers=0)
    ran = [t for t in recording.tasks if t.key not in before]
    return outputs, Counter(t.name.removeprefix("segkit.workflows.") for t in ran)


def assert_same(outputs, result):
    found = outputs.array.read()
    np.testing.assert_array_equal(found, result.array)
    assert found.dtype == result.array.dtype
    if result.table is not None:
        table = outputs.table.value()
        assert list(table) == list(result.table)
        for name, column in result.table.items():
            np.testing.assert_array_equal(table[name], column, err_msg=name)


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 14), st.integers(1, 30), st.integers(1, 30)),
    size=st.tuples(st.integers(1, 15), st.integers(1, 32), st.integers(1, 32)),
    block=st.integers(1, 20_000),
    connectivity=st.integers(1, 3),
    seed=st.integers(0, 3),
)
def test_tasks_give_what_arrays_give(shape, size, block, connectivity, seed):
    image = np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    pipeline = Pipeline(
        tile(size),
        ndnt(shape=(3, 8, 8), threshold=0.2),
        label(connectivity=connectivity),
        clear_border(),
        remove_small_objects(3),
        regionprops(properties=["area", "centroid", "intensity_sum"]),
        classify(bounds_classifier("small", area=(0, 9)), bounds_classifier("large")),
        reconstruct(),
    )
    block = max(block, np.prod(shape) // 40)  # some dozens of tasks at most
    outputs = pipeline_tasks(pipeline, image, block=int(block))
    taskgraph.run(outputs.tasks[-1])
    assert_same(outputs, pipeline.run(image))


@pytest.mark.parametrize("join", ["own", "or"])
def test_overlapping_tiles_give_what_arrays_give(join):
    steps = (ndnt(shape=(6, 16, 16), threshold=0.2), binary_opening())
    pipeline = Pipeline(tile((10, 32, 32), (5, 16, 16), join=join), *steps)
    outputs = pipeline_tasks(pipeline, IMAGE, block=12_000)
    assert len(outputs.array.parts) > 4
    taskgraph.run(outputs.tasks[-1])
    assert_same(outputs, pipeline.run(IMAGE))


def test_steps_without_reach_and_surfaces_give_what_arrays_give():
    measure = regionprops(properties=["surface", "area", "intensity_mean"])
    pipeline = Pipeline(*SEGMENT, fill_holes(), label(), clear_border(), measure)
    outputs = pipeline_tasks(pipeline, IMAGE, block=12_000)
    taskgraph.run(outputs.table)
    assert_same(outputs, pipeline.run(IMAGE))


def test_files_are_those_of_the_array_functions(tmp_path):
    path = segkit.save(tmp_path / "cells.tif", IMAGE, spacing=(2, 0.5, 0.5))
    pipeline = Pipeline(load(), *WHOLE_WAY)
    pipeline.run(path, out=tmp_path / "arrays")
    outputs, _ = run_in(
        tmp_path / "s", pipeline, path, out=tmp_path / "tasks", block=12_000
    )
    assert [file.name for file in outputs.files] == [
        "cells-mask.tif",
        "objects.csv",
        "classes.tif",
    ]
    for file in outputs.files:
        assert file.read_bytes() == (tmp_path / "arrays" / file.name).read_bytes()


def test_zarr_is_written_by_many_tasks_in_whole_chunks(tmp_path):
    pytest.importorskip("zarr")
    pipeline = Pipeline(*SEGMENT, label(), save("labels.zarr", labels=True))
    options = {"out": tmp_path, "block": 12_000}
    _, ran = run_in(tmp_path / "s", pipeline, IMAGE, **options)
    assert ran["write_tile"] > 4
    stored = segkit.open_image(tmp_path / "labels.zarr").read()
    np.testing.assert_array_equal(stored, pipeline_labels(pipeline))
    assert not list(tmp_path.glob("*.partial"))


def pipeline_labels(pipeline):
    return Pipeline(*pipeline.steps[:-1]).run(IMAGE).labels


def test_chunks_that_do_not_divide_blocks_are_written_all_the_same(tmp_path):
    pytest.importorskip("zarr")
    pipeline = Pipeline(*SEGMENT, label(), save("l.zarr", chunks=(7, 25, 9)))
    run_in(tmp_path / "s", pipeline, IMAGE, out=tmp_path, block=12_000)
    stored = segkit.open_image(tmp_path / "l.zarr").read()
    np.testing.assert_array_equal(stored, pipeline_labels(pipeline))


def test_colours_are_painted(tmp_path):
    steps = [*WHOLE_WAY[:-2], reconstruct(colours=True), save("c.tif")]
    pipeline = Pipeline(*steps)
    run_in(tmp_path / "s", pipeline, IMAGE, out=tmp_path / "tasks")
    pipeline.run(IMAGE, out=tmp_path / "arrays")
    ours, theirs = (
        segkit.open_image(tmp_path / way / "c.tif").read()
        for way in ("tasks", "arrays")
    )
    np.testing.assert_array_equal(ours, theirs)


# what runs again


def test_a_second_run_runs_nothing(tmp_path):
    options = {"out": tmp_path, "block": 12_000}
    _, first = run_in(tmp_path / "s", Pipeline(*WHOLE_WAY), IMAGE, **options)
    _, second = run_in(tmp_path / "s", Pipeline(*WHOLE_WAY), IMAGE, **options)
    assert first["run_tile"] > 4
    assert not second


def test_a_changed_last_step_runs_the_last_step_only(tmp_path):
    options = {"out": tmp_path, "block": 12_000}
    run_in(tmp_path / "s", Pipeline(*WHOLE_WAY), IMAGE, **options)
    changed = Pipeline(*WHOLE_WAY[:-1], save("other.tif"))
    _, ran = run_in(tmp_path / "s", changed, IMAGE, **options)
    assert ran == {"reserve": 1, "save_image": 1}


def test_other_classes_measure_nothing_again(tmp_path):
    options = {"out": tmp_path, "block": 12_000}
    run_in(tmp_path / "s", Pipeline(*WHOLE_WAY), IMAGE, **options)
    other = classify(bounds_classifier("all"))
    changed = Pipeline(*WHOLE_WAY[:-3], other, reconstruct(), save("other.tif"))
    _, ran = run_in(tmp_path / "s", changed, IMAGE, **options)
    assert ran == {"classify": 1, "reconstruct": 1, "reserve": 1, "save_image": 1}


def test_a_changed_image_is_computed_anew(tmp_path):
    path = tmp_path / "image.npy"
    pipeline = Pipeline(load(axes="zyx"), *SEGMENT)
    np.save(path, IMAGE)
    _, first = run_in(tmp_path / "s", pipeline, path)
    np.save(path, IMAGE[::-1])
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10**9))
    outputs, second = run_in(tmp_path / "s", pipeline, path)
    assert first == second
    assert_same(outputs, Pipeline(*SEGMENT).run(IMAGE[::-1]))


def test_a_moved_image_known_by_content_is_not(tmp_path):
    pipeline = Pipeline(load(axes="zyx"), *SEGMENT)
    np.save(tmp_path / "a.npy", IMAGE)
    content = {"known_by": "content"}
    run_in(tmp_path / "s", pipeline, tmp_path / "a.npy", **content)
    (tmp_path / "a.npy").rename(tmp_path / "b.npy")
    _, again = run_in(tmp_path / "s", pipeline, tmp_path / "b.npy", **content)
    _, by_stamp = run_in(tmp_path / "s", pipeline, tmp_path / "b.npy")
    assert not again
    assert by_stamp["run_tile"] > 0


def test_a_removed_or_replaced_file_is_written_again_from_the_store(tmp_path):
    pytest.importorskip("zarr")
    pipeline = Pipeline(*WHOLE_WAY[:-1], save("classes.zarr"))
    options = {"out": tmp_path, "block": 12_000}
    run_in(tmp_path / "s", pipeline, IMAGE, **options)
    whole = segkit.open_image(tmp_path / "classes.zarr").read()
    (tmp_path / "classes.zarr").rename(tmp_path / "moved.zarr")
    (tmp_path / "objects.csv").unlink()
    for _ in range(2):
        _, ran = run_in(tmp_path / "s", pipeline, IMAGE, **options)
        assert set(ran) == {"reserve", "create_file", "write_tile", "finish_file"} | {
            "save_table"
        }
        again = segkit.open_image(tmp_path / "classes.zarr").read()
        np.testing.assert_array_equal(again, whole)
        _, ran = run_in(tmp_path / "s", pipeline, IMAGE, **options)
        assert not ran
        (tmp_path / "classes.zarr").rename(tmp_path / f"{time.time_ns()}.zarr")
        (tmp_path / "objects.csv").unlink()


def test_a_file_that_lies_there_is_not_replaced_unasked(tmp_path):
    (tmp_path / "objects.csv").write_text("mine")
    pipeline = Pipeline(*WHOLE_WAY)
    with pytest.raises(taskgraph.TaskgraphError, match=r"objects\.csv: exists"):
        run_in(tmp_path / "s", pipeline, IMAGE, out=tmp_path)
    assert (tmp_path / "objects.csv").read_text() == "mine"
    run_in(tmp_path / "s", pipeline, IMAGE, out=tmp_path, overwrite=True)
    assert (tmp_path / "objects.csv").read_text().startswith("label")


def test_a_file_out_of_the_way_is_noticed(tmp_path):
    (tmp_path / "objects.csv").write_text("mine")
    pipeline = Pipeline(*WHOLE_WAY)
    with pytest.raises(taskgraph.TaskgraphError, match="exists"):
        run_in(tmp_path / "s", pipeline, IMAGE, out=tmp_path)
    (tmp_path / "objects.csv").unlink()
    _, ran = run_in(tmp_path / "s", pipeline, IMAGE, out=tmp_path)
    assert ran == {"reserve": 1, "save_table": 1}


def test_an_unfinished_file_that_was_removed_is_begun_again(tmp_path):
    pytest.importorskip("zarr")
    pipeline = Pipeline(*SEGMENT, label(), save("labels.zarr"))
    options = {"out": tmp_path, "block": 12_000}
    results = open_store(tmp_path / "s")
    with recorded_in(Recording(results)) as recording:
        pipeline_tasks(pipeline, IMAGE, **options)
    last = [task for task in recording.tasks if "finish" in task.name]
    taskgraph.run(last[0].args[1][:2], store=results, workers=0)
    (partial,) = tmp_path.glob("*.partial")
    shutil.rmtree(partial)
    _, ran = run_in(tmp_path / "s", pipeline, IMAGE, **options)
    assert ran["create_file"] == ran["finish_file"] == 1
    stored = segkit.open_image(tmp_path / "labels.zarr").read()
    np.testing.assert_array_equal(stored, pipeline_labels(pipeline))


def test_finishing_twice_is_finishing_once(tmp_path):
    pytest.importorskip("zarr")
    name = str(tmp_path / "a.zarr")
    box = segkit.Box((0,) * 3, IMAGE.shape)
    image = open_input(IMAGE, {}, "stamp")
    described = saving.Described.of(image.image)
    reserved = reserving.reserve(name, overwrite=False, attempt=0)
    created = saving.create_file(reserved, image, described, IMAGE.shape, ())
    saving.write_tile(created, image, box, colours=False)
    first = saving.finish_file(created, [1], ())
    assert saving.finish_file(created, [1], ()) == first
    assert first.there


# inputs


def test_a_stamp_tells_files_and_folders_apart(tmp_path):
    file = tmp_path / "f" / "a.bin"
    file.parent.mkdir()
    file.write_bytes(b"one")
    stamps = [FileStamp.of(file), FileStamp.of(file.parent)]
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    stamps += [FileStamp.of(file), FileStamp.of(file.parent)]
    file.rename(tmp_path / "f" / "b.bin")
    stamps.append(FileStamp.of(tmp_path / "f"))
    assert all(a != b for a, b in itertools.combinations(stamps, 2))


def test_an_image_that_changes_under_way_is_refused(tmp_path):
    path = tmp_path / "image.npy"
    np.save(path, IMAGE)
    stamp = FileStamp.of(path)
    os.utime(path, ns=(5, 5))
    with pytest.raises(ImageChangedError, match="was changed"):
        stamp.require_same()
    path.unlink()
    with pytest.raises(ImageChangedError, match="is gone"):
        stamp.require_same()


def test_the_tasks_of_several_images_are_written_down_one_by_one():
    with pytest.raises(PipelineError, match=r"for image in images\]"):
        pipeline_tasks(Pipeline(label()), ["a.tif", "b.tif"])


def test_an_image_without_voxels_is_refused():
    with pytest.raises(PipelineError, match="no voxels"):
        pipeline_tasks(Pipeline(*SEGMENT), np.zeros((0, 5), np.uint8))


@pytest.mark.parametrize(
    "bounds",
    [
        {"area": (20, 90)},
        {"area": (5, 90), "spacing": 0.5},
        {"surface": (0, 60), "centroid_0": (5, None)},
        {"intensity_mean": (0, 70)},
    ],
)
def test_objects_within_bounds_are_those_of_arrays(bounds):
    steps = Pipeline(*SEGMENT, label(), keep_within(**bounds), regionprops())
    expected = steps.run(IMAGE).table["label"]
    table = pipeline_tasks(steps, IMAGE, block=4000).table
    taskgraph.run(table)
    assert len(expected) > 0
    np.testing.assert_array_equal(table.value()["label"], expected)


def test_results_are_small(tmp_path):
    run_in(tmp_path / "s", Pipeline(*SEGMENT, label()), IMAGE, block=12_000)
    stored = sum(p.stat().st_size for p in Path(tmp_path / "s").rglob("*.npy*"))
    assert stored < IMAGE.size


def test_threads_are_in_no_key():
    overlapping = tile((5, 16, 16), stride=(4, 8, 8), join="or")
    for steps in ((), (tile((5, 16, 16)),), (overlapping,)):
        keys = []
        for workers in (1, 2):
            pipeline = Pipeline(*steps, ndnt(shape=3, workers=workers), label())
            with recorded_in(Recording(open_store("memory://"))) as recording:
                pipeline_tasks(pipeline, IMAGE)
            keys.append([task.key for task in recording.tasks])
        assert keys[0] == keys[1]

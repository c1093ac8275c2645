"""Files that tasks save replace what this store's tasks wrote, and nothing else."""

import os
import shutil
from functools import partial

import h5py
import numpy as np
import pytest

import segkit
import taskgraph
from segkit.io import UnfinishedImageError
from segkit.pipeline import (
    Pipeline,
    binarize,
    label,
    ndnt,
    regionprops,
    save,
    save_overlay,
)
from segkit.workflows import pipeline_tasks, reserving, saving
from segkit.workflows.frames import open_input
from taskgraph import open_store
from taskgraph.tasks.recording import Recording, recorded_in

IMAGE = np.random.default_rng(0).integers(0, 255, (8, 30, 40), np.uint8)


def run_in(store, pipeline, image, **options):
    """Run a pipeline as tasks with a store."""
    results = open_store(store)
    with recorded_in(Recording(results)) as recording:
        pipeline_tasks(pipeline, image, **options)
    taskgraph.run(recording.tasks, store=results, workers=0)


def segmented(path, size, **options):
    return Pipeline(ndnt(shape=size, threshold=0.2), save(path, **options))


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.zarr", "planes", "a.h5::mask"])
def test_an_own_file_is_replaced_when_steps_change(tmp_path, name):
    pytest.importorskip({"a.zarr": "zarr", "a.h5::mask": "h5py"}.get(name, "numpy"))
    path = tmp_path / "out" / name
    for size in (9, 11, 9, 5):
        run_in(tmp_path / "s", segmented(name, size), IMAGE, out=tmp_path / "out")
        found = segkit.open_image(path).read()
        np.testing.assert_array_equal(found > 0, segkit.ndnt(IMAGE, size, 0.2))
    assert [file.name for file in path.parent.iterdir()] == [name.split("::")[0]]


@pytest.mark.parametrize("name", ["a.tif", "a.zarr", "a.h5::mask"])
@pytest.mark.parametrize("change", ["step", "image", "options"])
def test_a_users_file_at_the_place_of_ours_is_never_replaced(tmp_path, name, change):
    pytest.importorskip({"a.zarr": "zarr", "a.h5::mask": "h5py"}.get(name, "numpy"))
    run_in(tmp_path / "s", segmented(name, 9), IMAGE, out=tmp_path)
    path = tmp_path / name.partition("::")[0]
    path.rename(tmp_path / "old")
    path.write_text("MY PRECIOUS FILE")
    pipeline = segmented(name, 11 if change == "step" else 9)
    if change == "options":
        pipeline = segmented(name, 9, durable=False)
    image = IMAGE[:, ::-1] if change == "image" else IMAGE
    for _ in range(2):
        with pytest.raises(taskgraph.TaskgraphError, match="exists already"):
            run_in(tmp_path / "s", pipeline, image, out=tmp_path)
        assert path.read_text() == "MY PRECIOUS FILE"
    path.unlink()
    run_in(tmp_path / "s", pipeline, image, out=tmp_path)
    assert segkit.open_image(path).shape == IMAGE.shape


@pytest.mark.parametrize(
    "name", ["{name}.tif", "{name}.zarr", "{name}.csv", "{name}.png", "a.h5::mask"]
)
def test_what_was_made_of_another_image_is_never_replaced_unasked(tmp_path, name):
    pytest.importorskip({"r": "zarr", "k": "h5py"}.get(name[-1], "numpy"))
    steps = segmented(name, 9)
    if name.endswith("csv"):
        steps = Pipeline(binarize(), label(), regionprops(), save(name))
    if name.endswith("png"):
        steps = Pipeline(binarize(), label(), save_overlay(name))
    images = [tmp_path / folder / "pic 1.tif" for folder in "ab"]
    for image, voxels in zip(images, (IMAGE, IMAGE[:, ::-1]), strict=True):
        image.parent.mkdir()
        segkit.save(image, voxels, axes="zyx")
    given = {"out": tmp_path / "out"}
    run_in(tmp_path / "s", steps, images[0], **given)
    saved = tmp_path / "out" / name.format(name="pic 1").partition("::")[0]
    before = reserving.mark_of(saved)
    with pytest.raises(FileExistsError, match=r"was made of .*/a/pic 1\.tif;"):
        run_in(tmp_path / "s", steps, images[1], **given)
    run_in(tmp_path / "s", steps, images[0], **given)
    assert reserving.mark_of(saved) == before
    run_in(tmp_path / "s", steps, images[1], overwrite=True, **given)
    run_in(tmp_path / "s", steps, images[1], **given)  # which is its own from now on
    ours = reserving.mark_of(saved)
    assert ours != before
    images[1].parent.rename(tmp_path / "c")  # whose files are no other image's now
    run_in(tmp_path / "s", steps, tmp_path / "c" / "pic 1.tif", **given)
    assert reserving.mark_of(saved) != ours


@pytest.mark.parametrize("name", ["a.tif", "a.zarr", "a.h5::raw"])
@pytest.mark.parametrize("run", [partial(run_in, "memory://"), Pipeline.run])
def test_the_image_itself_is_never_replaced(tmp_path, name, run):
    pytest.importorskip({"a.zarr": "zarr", "a.h5::raw": "h5py"}.get(name, "numpy"))
    segkit.save(tmp_path / name, IMAGE[0])
    (tmp_path / "link").symlink_to(tmp_path)
    options = {"out": tmp_path / "link", "overwrite": True}
    with pytest.raises(FileExistsError, match="is the image itself"):
        run(segmented(name, 9), tmp_path / name, **options)
    assert (segkit.open_image(tmp_path / name).read() == IMAGE[0]).all()


@pytest.mark.parametrize("name", ["a.tif", "a.zarr", "{name}/a.csv"])
def test_a_moved_folder_takes_its_own_files_along(tmp_path, name):
    if name == "a.zarr":
        pytest.importorskip("zarr")
    steps = segmented(name, 9)
    if name.endswith(".csv"):
        steps = Pipeline(
            ndnt(shape=9, threshold=0.2), label(), regionprops(), save(name)
        )
    (tmp_path / "here").mkdir()
    run_in(tmp_path / "here" / "s", steps, IMAGE, out=tmp_path / "here" / "out")
    there = (tmp_path / "here").rename(tmp_path / "there")
    run_in(there / "s", steps, IMAGE, out=there / "out")
    assert not (tmp_path / "here").exists()
    run_in(there / "s", steps, IMAGE, out=there / "out")


def test_a_copy_of_an_own_file_is_not_replaced(tmp_path):
    run_in(tmp_path / "s", segmented("a.tif", 9), IMAGE, out=tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "kept")
    before = (tmp_path / "kept" / "a.tif").read_bytes()
    with pytest.raises(
        taskgraph.TaskgraphError, match=r"exists already, and is of .* another store"
    ):
        run_in(tmp_path / "s", segmented("a.tif", 11), IMAGE, out=tmp_path / "kept")
    assert (tmp_path / "kept" / "a.tif").read_bytes() == before


@pytest.mark.parametrize("moved", [False, True])
def test_an_own_file_that_was_changed_is_told_as_that(tmp_path, moved):
    folder = tmp_path / "here"
    folder.mkdir()
    run_in(folder / "s", segmented("a.tif", 9), IMAGE, out=folder)
    if moved:
        folder = folder.rename(tmp_path / "there")
    os.truncate(folder / "a.tif", 100)
    with pytest.raises(
        taskgraph.TaskgraphError, match="changed since segkit wrote it; choose another"
    ):
        run_in(folder / "s", segmented("a.tif", 11), IMAGE, out=folder)
    assert (folder / "a.tif").stat().st_size == 100


def saving_a_mask(tmp_path):
    """Return a reservation and what is to be written with it."""
    image = open_input(np.arange(12, dtype=np.uint8).reshape(3, 4), {}, "stamp")
    reserved = reserving.reserve(str(tmp_path / "a.tif"), overwrite=False, attempt=0)
    return reserved, (image, saving.Described.of(image.image), ())


def test_a_file_that_appears_after_the_reservation_is_not_replaced(tmp_path):
    reserved, what = saving_a_mask(tmp_path)
    (tmp_path / "a.tif").write_text("mine")
    with pytest.raises(FileExistsError, match=r"a\.tif: exists already"):
        saving.save_image(reserved, *what)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tif"]
    assert (tmp_path / "a.tif").read_text() == "mine"


def test_a_worker_that_died_after_naming_its_file_is_no_obstacle(tmp_path):
    reserved, what = saving_a_mask(tmp_path)
    first = saving.save_image(reserved, *what)
    assert saving.save_image(reserved, *what) == first


def test_a_folder_that_cannot_be_made_is_found_when_the_name_is_reserved(tmp_path):
    (tmp_path / "file").write_text("in the way")
    name = str(tmp_path / "file" / "a.tif")
    with pytest.raises(OSError, match="cannot be made"):
        reserving.reserve(name, overwrite=False, attempt=0)


def begun(store, out, value, **options):
    """Begin to write a Zarr as the tasks of one store do, up to its last task."""
    pytest.importorskip("zarr")
    image = np.full((4, 6), value, np.uint8)
    given = open_input(image, {}, "stamp")
    described = saving.Described.of(given.image)
    path = str(out / "a.ome.zarr")
    reserved = reserving.reserve(path, False, 0, store=store, **options)
    created = saving.create_file(reserved, given, described, image.shape, ())
    saving.write_tile(created, given, segkit.Box((0, 0), (4, 6)), colours=False)
    return created


def test_runs_with_two_stores_do_not_write_into_each_others_file(tmp_path):
    first = begun("0" * 12, tmp_path, 1)
    second = begun("1" * 12, tmp_path, 2)
    with pytest.raises(UnfinishedImageError, match="is not finished: its writers"):
        segkit.open_image(first.path)
    saved = saving.finish_file(first, [24], ())
    for _ in range(2):  # also when it is tried again
        with pytest.raises((FileExistsError, UnfinishedImageError)):
            saving.finish_file(second, [24], ())
        assert [file.name for file in tmp_path.iterdir()] == ["a.ome.zarr"]
    assert saved.there
    assert (segkit.open_image(saved.path).read() == 1).all()
    assert saving.is_lost(second)


def test_the_loser_does_not_remove_what_the_winner_still_writes(tmp_path):
    winner = begun("0" * 12, tmp_path, 1)
    loser = begun("1" * 12, tmp_path, 2)
    (tmp_path / "a.ome.zarr").write_text("of somebody else")
    with pytest.raises(FileExistsError, match="exists already"):
        saving.finish_file(loser, [24], ())
    assert winner.partial.is_dir()
    assert not loser.partial.exists()
    (tmp_path / "a.ome.zarr").unlink()
    saving.finish_file(winner, [24], ())
    assert [file.name for file in tmp_path.iterdir()] == ["a.ome.zarr"]


def test_of_one_store_only_the_last_content_that_was_begun_is_written(tmp_path):
    first = begun("0" * 12, tmp_path, 1, content="a" * 32)
    second = begun("0" * 12, tmp_path, 2, content="b" * 32)
    assert [file.name for file in tmp_path.iterdir()] == [second.partial.name]
    with pytest.raises(UnfinishedImageError, match="was removed while it was written"):
        saving.finish_file(first, [24], ())
    saved = saving.finish_file(second, [24], ())
    assert (segkit.open_image(saved.path).read() == 2).all()
    with pytest.raises(FileExistsError):
        saving.finish_file(first, [24], ())


def test_two_stores_are_told_apart(tmp_path):
    stores = [open_store(tmp_path / name) for name in ("a", "b", "a")]
    first, second, again = map(reserving.known_by, stores)
    assert first == again != second


def test_the_same_voxels_give_the_same_zarr_whatever_it_was_called(tmp_path):
    pytest.importorskip("zarr")
    for folder in ("one", "two"):
        segkit.save(tmp_path / folder / "a.ome.zarr", IMAGE)
    files = [tmp_path / f / "a.ome.zarr" / "zarr.json" for f in ("one", "two")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_files_are_reserved_for_the_same_content_as_ever():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    files = (save("a.tif"), save("a.zarr"), save("a.csv"))
    outputs = pipeline_tasks(
        Pipeline(ndnt(shape=3), label(), regionprops(), *files), image
    )
    # Part of keys: if it changes, all files of all stores are written again.
    assert [some[0].args[3] for some in outputs.tasks[-3:]] == [
        "7efe4a4a6f1b8d16a2cac4cdbf09fa92b7978abb",
        "f22bf54e03266e1f15a3569d649f252b9e42b62a",
        "60ddb80c755ad8e9a456af43df5f7cc8b044c911",
    ]


def test_the_key_of_an_image_in_several_files_knows_all_of_them(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["v"] = np.zeros((4, 5))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["v"] = h5py.ExternalLink("other.h5", "/v")
    stamps = {}
    for value in (0, 1):
        with h5py.File(tmp_path / "other.h5", "a") as file:
            file["v"][...] = value
        os.utime(tmp_path / "other.h5", ns=(value, value))
        for known_by in ("stamp", "content"):
            known = open_input(tmp_path / "a.h5", {}, known_by)
            stamps.setdefault(known_by, set()).add(known.stamp)
    assert {name: len(found) for name, found in stamps.items()} == {
        "stamp": 2,
        "content": 2,
    }


@pytest.mark.parametrize("change", ["gone", "cut", "other bytes"])
def test_a_zarr_with_a_damaged_chunk_is_written_again(tmp_path, change):
    pytest.importorskip("zarr")
    steps = segmented("a.zarr", 9, chunks=(4, 30, 40))
    run_in(tmp_path / "s", steps, IMAGE, out=tmp_path)
    before = segkit.open_image(tmp_path / "a.zarr").read()
    chunk = max(
        (file for file in (tmp_path / "a.zarr" / "0").rglob("*") if file.is_file()),
        key=lambda file: file.stat().st_size,
    )
    if change == "gone":
        chunk.unlink()
    elif change == "cut":
        os.truncate(chunk, chunk.stat().st_size // 2)
    else:
        chunk.write_bytes(bytes(chunk.stat().st_size))

    run_in(tmp_path / "s", steps, IMAGE, out=tmp_path)

    np.testing.assert_array_equal(segkit.open_image(tmp_path / "a.zarr").read(), before)


def test_labels_that_others_add_to_a_saved_zarr_stay(tmp_path):
    pytest.importorskip("zarr")
    run_in(tmp_path / "s", segmented("a.zarr", 9), IMAGE, out=tmp_path)
    added = tmp_path / "a.zarr" / "labels" / "zarr.json"
    added.parent.mkdir()
    added.write_text("{}")
    run_in(tmp_path / "s", segmented("a.zarr", 9), IMAGE, out=tmp_path)
    assert added.read_text() == "{}"

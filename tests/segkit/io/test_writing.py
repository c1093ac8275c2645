"""Many processes write one image, and no voxel is lost."""

import multiprocessing
import pickle

import numpy as np
import pytest
import zarr

import segkit
from segkit.io import (
    DamagedImageError,
    ImageRequestError,
    MisalignedWriteError,
    UnfinishedImageError,
)
from segkit.tiling.boxes import Box
from segkit.tiling.cutting import tiles

SHAPE = (20, 70, 90)
TILE = (8, 32, 32)
VOXELS = np.random.default_rng(0).integers(0, 2**31 - 1, SHAPE, dtype=np.int32)


def write_share(path, number, count):
    """Write every `count`-th tile, as one worker of several does."""
    writer = segkit.open_writer(path)
    for tile in tiles(SHAPE, TILE)[number::count]:
        writer.write(tile.write, VOXELS[tile.write.slices])


def run_workers(path, count):
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=write_share, args=(path, number, count))
        for number in range(count)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * count


@pytest.mark.parametrize(
    ("name", "count"), [("a.zarr", 3), ("a.tif", 2), ("a.npy", 2), ("a.ome.tif", 1)]
)
def test_processes_write_one_image_without_locks(tmp_path, name, count):
    path = tmp_path / name
    options = {} if name == "a.npy" else {"spacing": (2, 1, 1), "units": "micrometer"}
    writer = segkit.create_image(path, SHAPE, np.int32, chunks=TILE, **options)
    run_workers(path, count)
    with pytest.raises(UnfinishedImageError, match="not finished"):
        segkit.open_image(path)
    writer.finish()
    image = segkit.open_image(path)
    np.testing.assert_array_equal(image.read(), VOXELS)
    assert name == "a.npy" or image.spacing == (2, 1, 1)
    assert [child.name for child in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "box",
    [
        Box((0, 0, 0), (8, 32, 31)),
        Box((4, 0, 0), (8, 32, 32)),
        Box((0, 0, 64), (8, 32, 89)),
        Box((0, 16, 0), (20, 70, 90)),
    ],
)
def test_a_box_that_shares_a_chunk_is_refused(tmp_path, box):
    writer = segkit.create_image(tmp_path / "a.zarr", SHAPE, np.int32, chunks=TILE)
    with pytest.raises(MisalignedWriteError, match="chunks of shape"):
        writer.write(box, VOXELS[box.slices])
    assert not writer.aligned(box)


@pytest.mark.parametrize(
    "box", [Box((16, 64, 64), SHAPE), Box((8, 0, 32), (16, 64, 90))]
)
def test_boxes_of_whole_chunks_are_written(tmp_path, box):
    writer = segkit.create_image(tmp_path / "a.zarr", SHAPE, np.int32, chunks=TILE)
    assert writer.aligned(box)
    writer.write(box, VOXELS[box.slices])
    with pytest.raises(DamagedImageError, match="chunks have not been written"):
        writer.finish()


def test_hdf5_is_not_written_by_box(tmp_path):
    with pytest.raises(ImageRequestError, match="several writers"):
        segkit.create_image(tmp_path / "a.h5", SHAPE, np.int32)


def test_a_label_that_overflows_is_refused(tmp_path):
    writer = segkit.create_image(tmp_path / "a.tif", (2, 2), np.uint16)
    with pytest.raises(ImageRequestError, match="70000 of type int64 do not fit"):
        writer.write((slice(0, 2), slice(0, 2)), np.full((2, 2), 70_000))
    with pytest.raises(ImageRequestError, match="shape"):
        writer.write((slice(0, 2), slice(0, 2)), np.zeros((2, 3), np.uint16))


def test_a_failed_block_leaves_nothing(tmp_path):
    def fail():
        with segkit.create_image(tmp_path / "a.zarr", SHAPE, np.int32):
            raise RuntimeError("worker failed")

    with pytest.raises(RuntimeError, match="worker failed"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_pyramid_is_built_from_what_the_workers_wrote(tmp_path):
    path = tmp_path / "a.zarr"
    writer = segkit.create_image(path, SHAPE, np.int32, chunks=TILE, labels=True)
    for tile in tiles(SHAPE, TILE):
        writer.write(tile.write, VOXELS[tile.write.slices])
    writer.finish(levels=3)
    coarse = segkit.open_image(path, level=1).read()
    np.testing.assert_array_equal(coarse, VOXELS[::2, ::2, ::2])
    coarser = segkit.open_image(path, level=2).read()
    np.testing.assert_array_equal(coarser, VOXELS[::4, ::4, ::4])


def test_an_unfinished_image_is_replaced_and_a_finished_one_is_kept(tmp_path):
    path = tmp_path / "a.npy"
    segkit.create_image(path, (2, 2), np.uint8)
    with segkit.create_image(path, (3, 3), np.uint8) as writer:
        writer.write((slice(0, 3), slice(0, 3)), np.ones((3, 3), np.uint8))
    assert segkit.open_image(path).read().sum() == 9
    with pytest.raises(FileExistsError):
        segkit.create_image(path, (2, 2), np.uint8)
    with segkit.create_image(path, (1, 1), np.uint8, overwrite=True):
        assert segkit.open_image(path).shape == (3, 3)
    assert segkit.open_image(path).shape == (1, 1)


def test_messages_name_the_path_that_was_given(tmp_path):
    path = tmp_path / "z.tif"
    with pytest.raises(ImageRequestError, match="empty shape") as caught:
        segkit.save(path, np.zeros((0, 4)))
    assert caught.value.path == str(path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_box_or_no_path_is_refused(tmp_path):
    image = segkit.open_image(segkit.save(tmp_path / "a.npy", np.zeros((8, 8))))
    for box in (((0, 5), (0, 5)), [0, 5], "0:5", 1.5):
        with pytest.raises(ImageRequestError, match="give a Box, or a slice"):
            image.read(box)
    for path in ("", "::stack"):
        with pytest.raises(ImageRequestError, match="path is empty"):
            segkit.open_image(path)


def test_nobody_writes_what_was_not_created(tmp_path):
    with pytest.raises(UnfinishedImageError, match="call create_image"):
        segkit.open_writer(tmp_path / "a.zarr")


def test_writer_pickles(tmp_path):
    writer = segkit.create_image(tmp_path / "a.zarr", (4, 4), np.uint8, chunks=(4, 4))
    again = pickle.loads(pickle.dumps(writer))
    again.write((slice(0, 4), slice(0, 4)), np.ones((4, 4), np.uint8))
    assert np.asarray(segkit.open_image(writer.finish())).sum() == 16


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.zarr"])
def test_finished_writer_writes_no_more(tmp_path, name):
    writer = segkit.create_image(tmp_path / name, (4, 4), np.uint8)
    writer.write(..., np.zeros((4, 4), np.uint8))
    writer.finish()
    with pytest.raises(ValueError, match="nothing more to write"):
        writer.write((slice(0, 4), slice(0, 4)), np.ones((4, 4), np.uint8))
    assert [child.name for child in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.npy", "a.zarr"])
def test_a_name_that_was_taken_meanwhile_can_be_made_free(tmp_path, name):
    writer = segkit.create_image(tmp_path / name, (4, 4), np.uint8)
    writer.write(..., np.ones((4, 4), np.uint8))
    other = segkit.save(tmp_path / name, np.zeros((4, 4), np.uint8))
    with pytest.raises(FileExistsError, match="exists already"):
        writer.finish()
    other.rename(tmp_path / "other")
    assert segkit.open_image(writer.finish()).read().all()


def test_a_pyramid_that_a_dead_process_left_half_is_made_anew(tmp_path):
    image = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    writer = segkit.create_image(tmp_path / "a.ome.zarr", image.shape, image.dtype)
    writer.write(Box((0, 0), image.shape), image)
    (half,) = tmp_path.iterdir()
    zarr.open_group(str(half), mode="r+").create_array(
        "1", shape=(3, 3), chunks=(3, 3), dtype=np.uint8
    )
    path = writer.finish(levels=2)
    for level, step in ((0, 1), (1, 2)):
        found = segkit.open_image(path, level=level).read()
        np.testing.assert_array_equal(found, image[::step, ::step])

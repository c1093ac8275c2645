"""A full disk is told in words, of the path that was given; nothing stays behind."""

import errno
import os
import resource
from contextlib import contextmanager

import numpy as np
import pytest

import segkit
from segkit.tiling.threads import at_most
from segkit.workflows import reserving, saving
from segkit.workflows.frames import open_input

VOLUME = np.random.default_rng(0).integers(0, 255, (64, 64, 64), np.uint8)
SENTENCE = "the disk or its inodes are full; free some and start again: '(.*)'"


@contextmanager
def small_files(size):
    """Let no file grow beyond `size` bytes, as if there were no space for more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def full(monkeypatch):
    def no_space(descriptor, start, length):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", no_space)


@pytest.mark.parametrize("threads", [1, 2])
def test_no_chunk_is_written_after_the_first_that_failed(tmp_path, threads):
    folder = tmp_path / "out"
    half = VOLUME.copy()
    half[32:] //= 64  # chunks that compress well enough
    options = {"chunks": (8, 32, 32), "durable": False}
    too_large = pytest.raises(OSError, match="File too large")
    with at_most(threads), small_files(4000), too_large:
        segkit.save(folder / "a.ome.zarr", half, **options)
    segkit.save(tmp_path / "later.zarr", VOLUME, **options)  # takes its time
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["a.npy", "a.tif"])
@pytest.mark.usefixtures("full")
def test_the_message_says_which_path_and_what_to_do(tmp_path, name):
    path = tmp_path / "out" / name
    for write in (
        lambda: segkit.save(path, VOLUME),
        lambda: segkit.create_image(path, VOLUME.shape, VOLUME.dtype),
    ):
        with pytest.raises(OSError, match=SENTENCE) as caught:
            write()
        assert caught.value.filename == str(path)
        assert caught.value.errno == errno.ENOSPC
        assert list(path.parent.iterdir()) == []


@pytest.mark.usefixtures("full")
def test_a_task_that_saves_says_it_of_the_users_path(tmp_path):
    image = open_input(VOLUME, {}, "stamp")
    path = tmp_path / "a.npy"
    reserved = reserving.reserve(str(path), overwrite=False, attempt=0)
    with pytest.raises(OSError, match=SENTENCE) as caught:
        saving.save_image(reserved, image, saving.Described.of(image.image), ())
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []

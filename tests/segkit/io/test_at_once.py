"""Files that others write while they are read or written are refused, never mixed."""

import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest

import segkit
from segkit.io import DamagedImageError, UnfinishedImageError

VOLUME = np.random.default_rng(4).integers(1, 4000, (8, 64, 64)).astype(np.uint16)
TOP, BELOW = ((slice(None), slice(k, k + 32), slice(None)) for k in (0, 32))
FORMATS = ["a.zarr", "a.tif", "a.npy", "a.n5", "a.precomputed"]


def begun(path, **options):
    chunks = {} if path.suffix in (".tif", ".npy") else {"chunks": (8, 32, 32)}
    return segkit.create_image(
        path, VOLUME.shape, VOLUME.dtype, axes="zyx", **chunks, **options
    )


@pytest.mark.parametrize("name", FORMATS)
def test_two_creators_do_not_write_into_one_image(tmp_path, name):
    first = begun(tmp_path / name)
    first.write(TOP, VOLUME[TOP])
    second = begun(tmp_path / name)
    second.write(TOP, VOLUME[TOP] + 1)
    for _ in range(2):
        with pytest.raises(UnfinishedImageError, match="begun anew by another create"):
            first.write(BELOW, VOLUME[BELOW])
    with pytest.raises(UnfinishedImageError, match="begun anew by another create"):
        first.finish()
    first.abandon()  # of which the other one is not
    segkit.open_writer(tmp_path / name).write(BELOW, VOLUME[BELOW] + 1)
    pickle.loads(pickle.dumps(second)).finish()
    assert (segkit.open_image(tmp_path / name).read() == VOLUME + 1).all()
    with pytest.raises(UnfinishedImageError, match="was removed, or begun anew"):
        second.write(TOP, VOLUME[TOP])


KILLED = """
import os, signal, sys
import numpy as np, segkit
writer = segkit.open_writer(sys.argv[1])
writer.write((slice(0, 8), slice(0, 32), slice(0, 64)), np.ones((8, 32, 64), "u2"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_killed_writer_has_written_stays_for_the_next(tmp_path, name):
    writer = begun(tmp_path / name)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / name)], check=False
    )
    assert run.returncode == -signal.SIGKILL
    with pytest.raises(UnfinishedImageError, match="is not finished"):
        segkit.open_image(tmp_path / name)
    writer.write(BELOW, VOLUME[BELOW])
    writer.finish()
    voxels = segkit.open_image(tmp_path / name).read()
    assert (voxels[TOP] == 1).all()
    assert (voxels[BELOW] == VOLUME[BELOW]).all()


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path):
    other = segkit.save(path.with_name(f"b{path.name}"), VOLUME[:, ::2, ::2])
    path.write_bytes(other.read_bytes())


@pytest.mark.parametrize("change", [cut, overwritten])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("a.npy", {}), ("a.tif", {}), ("a.ome.tif", {}), ("a.h5", {})),
        ("a.tif", {"compression": "zlib"}),
    ],
)
def test_a_file_that_is_written_to_between_two_reads_is_refused(
    tmp_path, name, options, change
):
    path = segkit.save(tmp_path / name, VOLUME, **options)
    image = segkit.open_image(path)
    assert (image.read(0) == VOLUME[0]).all()
    sent = pickle.dumps(image)
    change(path)
    for one in (image, pickle.loads(sent)):
        with pytest.raises(DamagedImageError, match="was written to since it was open"):
            one.read()


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.h5"])
def test_a_file_that_is_replaced_keeps_its_voxels_where_it_is_open(tmp_path, name):
    image = segkit.open_image(segkit.save(tmp_path / name, VOLUME))
    image.read(0)
    segkit.save(tmp_path / name, VOLUME[:2] + 1, overwrite=True)
    assert (image.read() == VOLUME).all()
    with pytest.raises(DamagedImageError, match="was written to since it was opened"):
        pickle.loads(pickle.dumps(image)).read()

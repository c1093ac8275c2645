"""Coarser levels are the same wherever and in whatever format an image is written."""

import json
import subprocess
import sys

import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError
from segkit.io.arranged.coarser import downscaled
from segkit.pipeline import Pipeline, gaussian, hysteresis, label, save
from segkit.workflows import pipeline_tasks
from taskgraph import run

from .test_writing import CHUNKS, VOLUME, WORKERS

ABOUT = {"axes": "zyx", "spacing": (40, 8, 8), "units": "nanometer"}
SHAPES = [(12, 20, 24), (6, 10, 12), (3, 5, 6)]


@pytest.fixture(
    params=[
        *("s3 a.zarr", "s3 a.precomputed", "gs a.n5"),
        *("folder a.precomputed", "folder a.n5", "folder a.zarr"),
    ]
)
def target(request, tmp_path):
    """Where an image of a format is written."""
    kind, name = request.param.split()
    if kind == "folder":
        return str(tmp_path / name)
    return request.getfixturevalue(kind)(name)


def coarser(voxels, downscale):
    """Return a volume and its two coarser levels, of lengths that two divides."""
    found = [voxels]
    for _ in range(2):
        finer = found[-1]
        odd = [(0, n % 2) for n in finer.shape]
        found.append(downscaled(np.pad(finer, odd, mode="edge"), (2, 2, 2), downscale))
    return found


@pytest.mark.parametrize("downscale", ["mean", "nearest", "mode"])
def test_levels_of_what_many_wrote_are_found_by_number_and_by_spacing(
    target, tmp_path, downscale
):
    segkit.create_image(target, VOLUME.shape, VOLUME.dtype, chunks=CHUNKS, **ABOUT)
    np.save(tmp_path / "volume.npy", VOLUME)
    command = [sys.executable, "-c", WORKERS, target, str(tmp_path / "volume.npy")]
    subprocess.run(command, check=True)
    segkit.open_writer(target).finish(levels=3, downscale=downscale)
    for level, voxels in enumerate(coarser(VOLUME, downscale)):
        steps = tuple(step * 2**level for step in ABOUT["spacing"])
        for image in (
            segkit.open_image(target, mip=level),
            segkit.open_image(target, mip=steps),
        ):
            assert (image.levels, image.shape) == (3, SHAPES[level])
            assert (image.spacing, image.unit) == (steps, "nanometer")
            assert (image.read() == voxels).all()


def test_labels_are_saved_with_levels_of_labels(target):
    labels = VOLUME.astype(np.int32) // 30
    segkit.save(target, labels, labels=True, levels=2, chunks=CHUNKS, **ABOUT)
    found = segkit.open_image(target, level=1).read()
    assert (found == coarser(labels, "mode")[1]).all()
    segkit.save(target, labels, labels=True, overwrite=True, **ABOUT)
    assert segkit.open_image(target).levels == 1


def test_a_level_on_the_web_is_read(web):
    segkit.save(web.folder / "a.precomputed", VOLUME, levels=2, downscale="mean")
    image = segkit.open_image(f"{web.url}/a.precomputed", mip=1)
    assert (image.read() == coarser(VOLUME, "mean")[1]).all()


def test_neuroglancer_finds_where_each_level_begins(tmp_path):
    path = tmp_path / "a.precomputed"
    segkit.save(path, VOLUME, levels=2, offset=(4, 8, 2), **ABOUT)
    scales = json.loads((path / "info").read_bytes())["scales"]
    assert [one["voxel_offset"] for one in scales] == [[2, 8, 4], [1, 4, 2]]
    assert [one["resolution"] for one in scales] == [[8, 8, 40], [16, 16, 80]]
    with pytest.raises(ImageRequestError, match=r"begins at voxel \(4, 8, 3\) of its"):
        segkit.save(path, VOLUME, levels=2, offset=(4, 8, 3), overwrite=True, **ABOUT)


@pytest.mark.parametrize("name", ["a.zarr", "a.precomputed"])
def test_a_pipeline_writes_levels_elsewhere(s3, tmp_path, name):
    address = s3(name)
    segmented = gaussian(1), hysteresis(low=30, high=40), label()
    steps = Pipeline(*segmented, save(address, levels=2))
    image = segkit.save(tmp_path / "v.tif", VOLUME, **ABOUT)
    for computed in (True, False):
        tasks = pipeline_tasks(steps, image, out=tmp_path / "out", block=2000)
        report = run(tasks.saved, store=tmp_path / "store", workers=0)
        assert bool(report.done) or not computed
    found = segkit.open_image(address)
    assert found.levels == 2
    expected = coarser(found.read(), "mode")[1]
    assert segkit.open_image(address, level=1).shape == expected.shape

"""Images that are given together are counted once each, whatever they are called."""

from __future__ import annotations

import os
import re
import uuid

import h5py
import numpy as np
import pytest
import tifffile

import segkit
from segkit.pipeline import Pipeline, PipelineError, label, load, regionprops, save
from segkit.workflows.pipeline_jugfile import PipelineJugfile
from segkit.workflows.plan_report import planned
from taskgraph import open_store

PLANE = np.zeros((20, 24), np.uint8)
PLANE[3:8, 3:8] = PLANE[12:16, 12:20] = 200
STEPS = (label(), regionprops())


def write_set(folder, planes, *, images=1):
    """Write a set of OME-TIFFs, one plane in each file, as camera software does."""
    ids = [uuid.uuid4() for _ in planes]
    size = f'SizeX="{PLANE.shape[1]}" SizeY="{PLANE.shape[0]}" SizeC="1" SizeT="1"'
    each = [
        f'<TiffData IFD="0" FirstZ="{{}}" FirstC="0" FirstT="0" PlaneCount="1">'
        f'<UUID FileName="z{n}.ome.tif">urn:uuid:{one}</UUID></TiffData>'
        for n, one in enumerate(ids)
    ]
    per_image = len(planes) // images
    parts = [each[n : n + per_image] for n in range(0, len(each), per_image)]
    described = "".join(
        f'<Image ID="Image:{n}"><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT"'
        f' Type="uint8" {size} SizeZ="{per_image}">'
        f'<Channel ID="Channel:{n}:0" SamplesPerPixel="1"/>'
        + "".join(one.format(z) for z, one in enumerate(part))
        + "</Pixels></Image>"
        for n, part in enumerate(parts)
    )
    paths = []
    for n, one in enumerate(ids):
        xml = (
            '<?xml version="1.0"?><OME xmlns='
            '"http://www.openmicroscopy.org/Schemas/OME/2016-06"'
            f' UUID="urn:uuid:{one}">{described}</OME>'
        )
        path = folder / f"z{n}.ome.tif"
        tifffile.imwrite(path, planes[n], description=xml, metadata=None, ome=False)
        paths.append(path)
    return paths


def write_tasks_down(pipeline, images, folder):
    """Do what `segkit run` does with images before it runs a task."""
    file = pipeline.save(folder / "cells.toml")
    source = PipelineJugfile(file, [*map(str, images)], out=folder)
    source.require_usable()
    source.load(open_store("memory://"))


@pytest.fixture
def refused(tmp_path):
    """Return a function that runs images in both ways, and returns why neither did."""

    def run(images):
        with pytest.raises(PipelineError) as caught:
            Pipeline(*STEPS).run(images)
        with pytest.raises(PipelineError, match=re.escape(str(caught.value))):
            write_tasks_down(Pipeline(*STEPS), images, tmp_path)
        return str(caught.value)

    return run


def test_files_of_one_set_are_one_image(tmp_path, refused):
    paths = write_set(tmp_path, [PLANE] * 3)
    words = refused(sorted(tmp_path.glob("z*.ome.tif")))
    assert "z0.ome.tif and " in words
    assert "z1.ome.tif are one image, which lies in 3 files, or share a part" in words
    assert "give one of them" in words
    (one,) = Pipeline(*STEPS).run([paths[1]])
    assert len(one.table["label"]) == 2


def test_files_of_a_set_that_hold_an_image_each_are_several(tmp_path):
    paths = write_set(tmp_path, [PLANE, PLANE[::-1]], images=2)
    opened = [segkit.open_image(path, series=n) for n, path in enumerate(paths)]
    assert len(Pipeline(*STEPS).run(opened)) == 2
    with pytest.raises(PipelineError, match=r"z0\.ome\.tif and .*z1\.ome\.tif are one"):
        Pipeline(load(series=0), *STEPS).run(paths)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5", ".zarr", ".tif", ".png"])
def test_one_file_by_two_names_is_one_image(tmp_path, monkeypatch, suffix, refused):
    path = segkit.save(tmp_path / f"cells{suffix}", PLANE)
    (tmp_path / "sub").mkdir()
    link = tmp_path / "sub" / f"linked{suffix}"
    link.symlink_to(path)
    monkeypatch.chdir(tmp_path)
    other = f"{tmp_path}/sub/../cells{suffix}" + "/" * path.is_dir()
    for names in ([path, path], [str(path), other], [path, path.name], [path, link]):
        with pytest.raises(PipelineError, match="twice"):
            Pipeline(*STEPS).run(names)
    if path.is_file():
        os.link(path, tmp_path / f"hard{suffix}")
        with pytest.raises(PipelineError, match="are one image"):
            Pipeline(*STEPS).run([path, tmp_path / f"hard{suffix}"])
    assert "give one of them" in refused([path, link])


def test_one_array_by_two_names_in_a_file_is_one_image(tmp_path, refused):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["raw"], file["other"] = PLANE, PLANE
        file["alias"] = h5py.SoftLink("/raw")
        file["twin"] = file["raw"]
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["far"] = h5py.ExternalLink("a.h5", "/raw")
    a, b = tmp_path / "a.h5", tmp_path / "b.h5"
    for name in (f"{a}::/raw/", f"{a}::alias", f"{a}::twin", f"{b}::far", str(b)):
        with pytest.raises(PipelineError, match="are one image"):
            Pipeline(*STEPS).run([f"{a}::raw", name])
    assert "give one of them" in refused([f"{a}::raw", f"{b}::far"])
    assert len(Pipeline(*STEPS).run([f"{a}::raw", f"{a}::other"])) == 2


def test_a_level_of_an_image_is_that_image(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", PLANE)
    for name in (f"{path}/0", f"{path}::0"):
        with pytest.raises(PipelineError, match="are one image"):
            Pipeline(*STEPS).run([path, name])


def test_a_folder_and_a_plane_of_it_share_a_part(tmp_path, refused):
    folder = segkit.save(tmp_path / "planes", np.stack([PLANE] * 3), axes="zyx")
    plane = sorted(folder.iterdir())[1]
    assert "or share a part of it" in refused([folder, plane])


def test_channels_of_one_file_are_several_images(tmp_path):
    path = segkit.save(tmp_path / "a.ome.tif", np.stack([PLANE] * 2), axes="cyx")
    first, second = (segkit.open_image(path, channel=n) for n in range(2))
    assert len(Pipeline(*STEPS).run([first, second])) == 2
    with pytest.raises(PipelineError, match="is given twice"):
        Pipeline(*STEPS).run([first, segkit.open_image(path).select(c=0)])


def test_copies_and_arrays_are_as_many_as_are_given(tmp_path):
    paths = [segkit.save(tmp_path / f"{name}.tif", PLANE) for name in "ab"]
    assert len(Pipeline(*STEPS).run([*paths, PLANE, PLANE])) == 4


def test_images_of_one_name_are_told_before_a_run_and_in_a_dry_one(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "x" / "a.png"]
    for path in paths:
        segkit.save(path, PLANE)
    pipeline = Pipeline(*STEPS, save("{name}.csv"))
    words = "two images are both called 'a'; rename one, or run them apart"
    with pytest.raises(PipelineError, match=words):
        pipeline.run(paths, out=tmp_path)
    file = pipeline.save(tmp_path / "cells.toml")
    source = PipelineJugfile(file, [*map(str, paths)], out=tmp_path / "out")
    with pytest.raises(PipelineError, match=words):
        planned(source, None)
    source.images = source.images[:1]
    assert planned(source, None)
    assert not (tmp_path / "out").exists()


def test_one_number_of_a_tile_is_for_all_axes(tmp_path):
    path = segkit.save(tmp_path / "a.png", PLANE)
    file = Pipeline(*STEPS).save(tmp_path / "cells.toml")
    stages = [
        planned(PipelineJugfile(file, [str(path)], tile=tile), None)
        for tile in ((10,), (10, 10))
    ]
    assert stages[0] == stages[1]

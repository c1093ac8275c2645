"""Voxels that hold no data are read as stored, and never taken for measurements."""

from __future__ import annotations

import pickle
from functools import partial

import h5py
import numpy as np
import pytest
import tifffile
import zarr

import segkit
import taskgraph
from segkit.io import ImageRequestError
from segkit.pipeline import Pipeline, binarize, label, load, regionprops, save
from segkit.workflows import pipeline_tasks

GDAL_NODATA = 42113
PICTURE = np.full((12, 14), 5, np.int16)
PICTURE[2:6, 2:6] = 90
HOLES = PICTURE.copy()
HOLES[8:10, 9:12] = -9999


def write_tiff(path, array, value, **options):
    tag = (GDAL_NODATA, "s", 0, str(value), True)
    tifffile.imwrite(path, array, extratags=[tag], **options)


def write_hdf5(path, array, value, name="_FillValue"):
    with h5py.File(path, "w") as file:
        file["image"] = array
        file["image"].attrs[name] = np.array([value], array.dtype)


def write_zarr(path, array, value, version=2):
    node = zarr.create_array(
        path, shape=array.shape, dtype=array.dtype, zarr_format=version
    )
    node[...] = array
    node.attrs["_FillValue"] = np.asarray(value, array.dtype).item()


WRITERS = {
    "a.tif": write_tiff,
    "packed.tif": partial(write_tiff, compression="zlib", tile=(16, 16)),
    "a.h5": write_hdf5,
    "missing.h5": partial(write_hdf5, name="missing_value"),
    "two.zarr": write_zarr,
    "three.zarr": partial(write_zarr, version=3),
}
each_writer = pytest.mark.parametrize("name", WRITERS)
COMPUTE = {
    "gaussian": lambda image: segkit.gaussian(image, 1),
    "otsu": lambda image: segkit.threshold(image, "otsu"),
    "label": lambda image: segkit.label(image, by_value=True),
    "nuclei": segkit.segment_nuclei,
    "nuclei by axes": lambda image: segkit.segment_nuclei(image, axes="yx"),
    "cells": segkit.segment_cells,
    "slic": lambda image: segkit.slic(image, 4),
    "slic of channels": lambda image: segkit.slic(image, 4, channel_axis=1),
    "tiles": lambda image: segkit.map_tiles(np.negative, image, tile=5, halo=0),
    "intensity": lambda image: segkit.region_properties(
        np.ones(PICTURE.shape, int), image
    ),
    "pipeline": Pipeline(binarize(), label(), regionprops()).run,
    "tiled pipeline": partial(Pipeline(binarize(), label()).run, tile=5),
}


@each_writer
def test_voxels_without_data_are_read_as_stored(tmp_path, name):
    WRITERS[name](tmp_path / name, HOLES, -9999)
    image = segkit.open_image(tmp_path / name)
    np.testing.assert_array_equal(image.read(), HOLES)
    assert image.nodata == -9999


@each_writer
@pytest.mark.parametrize("compute", COMPUTE)
def test_who_computes_with_them_is_told_how_to_go_on(tmp_path, name, compute):
    WRITERS[name](tmp_path / name, HOLES, -9999)
    words = r"no data \(the value -9999\) in \d+ .* nodata=0.* nodata='keep'"
    with pytest.raises(Exception, match=words):
        COMPUTE[compute](segkit.open_image(tmp_path / name))
    filled = np.where(HOLES == -9999, 5, HOLES).astype(HOLES.dtype)
    for nodata, array in ((5, filled), ("keep", HOLES)):
        opened = segkit.open_image(tmp_path / name, nodata=nodata)
        np.testing.assert_array_equal(opened.read(), array)
        require_equal(COMPUTE[compute](opened), COMPUTE[compute](array))


def require_equal(found, expected):
    if isinstance(found, dict):
        assert found.keys() == expected.keys()
        for column in found:
            np.testing.assert_array_equal(found[column], expected[column])
    elif hasattr(found, "array"):
        np.testing.assert_array_equal(found.array, expected.array)
    else:
        np.testing.assert_array_equal(found, expected)


@each_writer
def test_where_all_is_measured_nobody_is_asked(tmp_path, name):
    WRITERS[name](tmp_path / name, PICTURE, -9999)
    image = segkit.open_image(tmp_path / name)
    np.testing.assert_array_equal(
        segkit.gaussian(image, 1), segkit.gaussian(PICTURE, 1)
    )
    whole = segkit.open_image(segkit.save(tmp_path / "copy.npy", image))
    np.testing.assert_array_equal(whole.read(), PICTURE)


def test_tasks_and_files_of_steps_are_told_too(tmp_path):
    path = tmp_path / "a.tif"
    write_tiff(path, HOLES, -9999)
    steps = (binarize(), label(), regionprops(), save("{name}.csv"))
    outputs = pipeline_tasks(Pipeline(*steps), path, out=tmp_path)
    with pytest.raises(taskgraph.TasksFailedError, match="no data"):
        taskgraph.run(outputs.table)
    filled = Pipeline(load(nodata=5), *steps).save(tmp_path / "filled.toml")
    outputs = pipeline_tasks(filled, path, out=tmp_path)
    taskgraph.run(outputs.table)
    assert outputs.table.value()["count"].tolist() == [16]
    assert Pipeline.load(Pipeline(load(nodata="keep")).save(tmp_path / "keep.toml"))


def test_what_is_saved_holds_measurements_only(tmp_path):
    write_tiff(tmp_path / "a.tif", HOLES, -9999)
    image = segkit.open_image(tmp_path / "a.tif")
    for name in ("b.tif", "b.ome.tif", "b.zarr", "b.h5", "b.npy"):
        with pytest.raises(ImageRequestError, match="no data"):
            segkit.save(tmp_path / name, image)
        assert not [*tmp_path.glob("b*")]


@pytest.mark.parametrize(
    ("dtype", "value", "known"),
    [
        ("u1", "-9999", None),
        ("u1", "255", 255),
        ("u1", "0.5", None),
        ("u8", str(2**64 - 1), 2**64 - 1),
        ("f4", "-3.4028234663852886e+38", -3.4028234663852886e38),
        ("f4", "0.1", float(np.float32(0.1))),
        ("f8", "nan", "nan"),
        ("f8", "none", None),
        ("i2", "nan", None),
        ("i2", "inf", None),
        ("i2", "", None),
    ],
)
def test_a_value_that_no_voxel_can_have_means_none(tmp_path, dtype, value, known):
    write_tiff(tmp_path / "a.tif", np.zeros((4, 5), dtype), value)
    found = segkit.open_image(tmp_path / "a.tif").nodata
    assert found == known or str(found) == known


def test_nan_may_be_no_data(tmp_path):
    array = np.ones((6, 7), np.float32)
    array[2, 3] = np.nan
    write_tiff(tmp_path / "a.tif", array, "nan")
    image = segkit.open_image(tmp_path / "a.tif")
    with pytest.raises(ImageRequestError, match=r"the value nan\) in 1 of"):
        segkit.gaussian(image, 1)
    filled = segkit.open_image(tmp_path / "a.tif", nodata=1)
    assert (segkit.gaussian(filled, 1) == 1).all()
    assert (pickle.loads(pickle.dumps(filled)).read() == 1).all()


def test_a_fill_that_does_not_fit_the_voxels_is_refused(tmp_path):
    write_tiff(tmp_path / "a.tif", HOLES.astype(np.int8), 7)
    for fill in (1000, 0.5, float("nan")):
        with pytest.raises(ImageRequestError, match="does not fit"):
            segkit.open_image(tmp_path / "a.tif", nodata=fill)


def test_colours_without_data_are_not_mixed(tmp_path):
    array = np.full((20, 22, 3), 100, np.uint8)
    array[4, 5] = 0
    write_tiff(tmp_path / "a.tif", array, 0, photometric="rgb")
    with pytest.raises(ImageRequestError, match="no data"):
        segkit.open_image(tmp_path / "a.tif", to_grey=True).read()
    grey = segkit.open_image(tmp_path / "a.tif", to_grey=True, nodata=100)
    assert (grey.read() == 100).all()
    with pytest.raises(ImageRequestError, match="no data"):
        segkit.gaussian(segkit.open_image(tmp_path / "a.tif", channel=1), 1)


def test_attributes_of_xarray_are_read(tmp_path):
    write_zarr(tmp_path / "a.zarr", HOLES.astype(float), -9999, version=3)
    zarr.open_array(tmp_path / "a.zarr").attrs["_FillValue"] = "AAAAAICHw8A="
    assert segkit.open_image(tmp_path / "a.zarr").nodata == -9999


def test_a_key_knows_what_becomes_of_them(tmp_path):
    write_tiff(tmp_path / "a.tif", HOLES, -9999)
    keys = {
        taskgraph.Task(np.mean, segkit.open_image(tmp_path / "a.tif", nodata=n)).key
        for n in (None, "keep", 0, 5)
    }
    assert len(keys) == 4

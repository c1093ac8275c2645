"""Zarr of other programs: plain arrays, series, labels, shards."""

import pickle

import numpy as np
import pytest
import zarr

import segkit
from segkit.io import DamagedImageError

from ..samples import BOX, VOLUME


def test_plain_zarr_arrays_of_both_formats(tmp_path):
    for version in (2, 3):
        array = zarr.create_array(
            str(tmp_path / f"{version}.zarr"),
            data=VOLUME,
            chunks=(2, 32, 32),
            zarr_format=version,
        )
        image = segkit.open_image(tmp_path / f"{version}.zarr")
        np.testing.assert_array_equal(image.read(BOX), array[BOX.slices])


def test_series_of_a_converted_file(tmp_path):
    path = tmp_path / "converted.zarr"
    root = zarr.create_group(store=str(path), zarr_format=3)
    root.attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
    for series in (0, 1):
        segkit.save(path / f"{series}.zarr", VOLUME + series).rename(path / str(series))
    np.testing.assert_array_equal(segkit.open_image(path, series=1)[:], VOLUME + 1)


def test_labels_inside_an_image(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", VOLUME)
    (path / "labels").mkdir()
    labels = segkit.save(path / "labels" / "nuclei.zarr", VOLUME // 2, labels=True)
    labels.rename(path / "labels" / "nuclei")
    image = segkit.open_image(f"{path}::labels/nuclei")
    np.testing.assert_array_equal(image[:], VOLUME // 2)


def test_sharded_zarr_and_its_missing_shard(tmp_path):
    path = tmp_path / "a.zarr"
    shards = {"chunks": (2, 16, 16), "shards": (4, 32, 48)}
    zarr.create_array(str(path), data=VOLUME, **shards)
    np.testing.assert_array_equal(segkit.open_image(path).read(BOX), VOLUME[BOX.slices])
    (path / "c" / "0" / "1" / "0").unlink()
    with pytest.raises(DamagedImageError, match="'c/0/1/0' is missing"):
        segkit.open_image(path).read(BOX)


def test_an_array_that_was_replaced_is_not_mixed_with_the_new_one(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", VOLUME)
    image = segkit.open_image(path)
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])
    segkit.save(path, VOLUME + 1, overwrite=True)
    for known in (image, pickle.loads(pickle.dumps(image))):
        with pytest.raises(DamagedImageError, match="another array since it was"):
            known.read(BOX)
    np.testing.assert_array_equal(segkit.open_image(path)[:], VOLUME + 1)

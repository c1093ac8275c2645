"""Options that no image can have are named, with what to give instead."""

import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError

IMAGE = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        (
            "a.tif",
            {"compression": "foo"},
            ValueError,
            "'foo' is unknown; use one of zli",
        ),
        ("a.npy", {"compression": "zlib"}, ValueError, "is for TIFF; leave it out"),
        ("a.tif", {"spacing": "a"}, ValueError, "'a' must be a sequence of numbers"),
        ("a.tif", {"spacing": "111"}, ValueError, "must be a sequence of numbers"),
        ("a.tif", {"spacing": 0.5}, ValueError, "0.5 must be a sequence of numbers"),
        ("a.tif", {"spacing": [1, 2]}, ValueError, "has 2 values for axes 'zyx'"),
        ("a.tif", {"units": ["nanometer"]}, ValueError, "has 1 values for axes 'zyx'"),
        ("a.zarr", {"levels": "3"}, TypeError, "levels is '3', but must be an integer"),
        ("a.zarr", {"levels": -3}, ValueError, "levels is -3, but must be at least 1"),
        ("a.zarr", {"levels": 0}, ValueError, "levels is 0, but must be at least 1"),
        ("a.tif", {"levels": 2}, ValueError, "only OME-Zarr or .* has levels"),
        ("raw", {"levels": 2}, ValueError, "only OME-Zarr or .* has levels"),
        ("a.zarr", {"chunks": (5, 5)}, ValueError, "chunks .5, 5. has 2 numbers"),
        ("a.zarr", {"chunks": (0, 5, 5)}, ValueError, "chunks is 0 on axis 0"),
        ("a.zarr", {"chunks": "a"}, TypeError, "chunks holds 'a', but must be an int"),
        ("a.zarr::labels", {}, ValueError, "leave out '::labels'"),
    ],
)
def test_options_that_make_no_sense_are_named(tmp_path, name, options, error, message):
    with pytest.raises(error, match=message):
        segkit.save(tmp_path / name, IMAGE, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("levels", ["3", -3, 0])
def test_a_writer_asks_for_levels_that_there_can_be(tmp_path, levels):
    writer = segkit.create_image(tmp_path / "a.zarr", IMAGE.shape, np.uint8)
    writer.write(..., IMAGE)
    with pytest.raises((TypeError, ValueError), match=f"levels is {levels!r}, but"):
        writer.finish(levels=levels)
    writer.finish(levels=1)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_a_single_axis_is_no_tiff(tmp_path, name):
    with pytest.raises(ImageRequestError, match=r"one axis; save \.npy"):
        segkit.save(tmp_path / name, np.zeros(5, np.uint8))
    with pytest.raises(ImageRequestError, match=r"one axis; save \.npy"):
        segkit.create_image(tmp_path / name, 5, np.uint8)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((-3, 3), np.uint8, "shape is -3 on axis 0, but must be at least 0"),
        ((2.5, 3), np.uint8, "shape holds 2.5, but must be an integer"),
        ("ab", np.uint8, "shape holds 'ab', but must be an integer"),
        ((3, 3), object, "cannot hold object; choose a dtype of numbers"),
    ],
)
def test_a_shape_is_of_lengths(tmp_path, shape, dtype, message):
    with pytest.raises((TypeError, ValueError), match=message):
        segkit.create_image(tmp_path / "a.npy", shape, dtype)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("table", [None, 5, [1, 2]])
def test_what_is_no_table_is_named(tmp_path, table):
    with pytest.raises(ImageRequestError, match="a table is a mapping of column names"):
        segkit.save_table(tmp_path / "a.csv", table)


def test_the_mask_of_an_array_is_not_dropped_in_silence(tmp_path):
    masked = np.ma.masked_greater(IMAGE, 9)
    writer = segkit.create_image(tmp_path / "b.npy", IMAGE.shape, np.uint8)
    for write in (
        lambda: segkit.save(tmp_path / "a.npy", masked),
        lambda: writer.write(..., masked),
        lambda: segkit.save_table(tmp_path / "a.csv", {"area": masked[0, 0]}),
    ):
        with pytest.raises(TypeError, match="is a masked array"):
            write()


def test_units_are_given_by_axis_of_space_as_spacing_is(tmp_path):
    options = {"axes": "tyx", "spacing": (2, 3), "units": ("nm", "nanometer")}
    path = segkit.save(tmp_path / "a.zarr", IMAGE, **options)
    assert segkit.open_image(path).units == ("pixel", "nanometer", "nanometer")


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.zarr", "a.png"])
def test_a_single_number_is_no_image(tmp_path, name):
    with pytest.raises(ImageRequestError, match="a single number is no image"):
        segkit.save(tmp_path / name, np.uint8(5))
    with pytest.raises(ImageRequestError, match="a single number is no image"):
        segkit.create_image(tmp_path / name, (), np.uint8)
    assert list(tmp_path.iterdir()) == []


def test_one_length_of_chunks_is_that_of_all_axes(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", IMAGE, chunks=2)
    assert (path / "0" / "c" / "0" / "1" / "1").is_file()
    assert not (path / "0" / "c" / "1").exists()

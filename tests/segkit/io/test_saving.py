"""Every format gives back the voxels, the axes and the spacing that were written."""

import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError

from .samples import BOX, SPACING, VOLUME


@pytest.mark.parametrize(
    "name", ["a.npy", "a.tif", "a.ome.tif", "a.zarr", "a.h5", "planes"]
)
def test_saved_volume_reads_back_by_box(volume, name):
    image = segkit.open_image(volume(name))
    assert (image.shape, image.axes, image.dtype) == (VOLUME.shape, "zyx", VOLUME.dtype)
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])
    np.testing.assert_array_equal(np.asarray(image), VOLUME)
    np.testing.assert_array_equal(image[2, :5], VOLUME[2, :5])


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr", "a.h5"])
def test_spacing_and_units_are_carried_along(volume, name):
    path = volume(name, spacing=SPACING, units="micrometer")
    image = segkit.open_image(path)
    assert image.spacing == pytest.approx(SPACING)
    assert image.units == ("micrometer",) * 3


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int32", "int64", "float32", "float64"]
)
@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.zarr", "a.h5"])
def test_dtypes_are_kept(volume, name, dtype):
    array = (VOLUME[:, :9, :11] % 100).astype(dtype)
    image = segkit.open_image(volume(name, array))
    assert image.dtype == dtype
    np.testing.assert_array_equal(image.read(), array)


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.zarr", "a.h5"])
@pytest.mark.parametrize("shape", [(1, 40, 40), (3, 1, 7), (3, 7, 1), (1, 1, 1)])
def test_axes_of_length_one_survive(volume, name, shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    image = segkit.open_image(volume(name, array))
    assert image.axes == "zyx"
    np.testing.assert_array_equal(image.read(), array)


def test_empty_axis(volume):
    empty = np.zeros((0, 4, 5), np.uint8)
    assert segkit.open_image(volume("a.npy", empty)).read().shape == (0, 4, 5)
    with pytest.raises(ImageRequestError, match="empty shape"):
        volume("a.tif", empty)


def test_a_lazy_image_is_copied_with_what_it_knows(volume, tmp_path):
    first = volume("a.tif", spacing=SPACING, units="micrometer")
    second = segkit.save(tmp_path / "b.zarr", segkit.open_image(first))
    copy = segkit.open_image(second)
    assert copy.spacing == SPACING
    assert copy.units == ("micrometer",) * 3
    np.testing.assert_array_equal(copy.read(), VOLUME)


@pytest.mark.parametrize(("suffix", "mark"), [(".csv", ","), (".tsv", "\t")])
def test_a_spreadsheet_calculates_nothing_of_a_table(tmp_path, suffix, mark):
    table = {"=class": ["=1+1", "cell", "@x"], "shift": [-1.5, 2.0, -3.0]}
    lines = segkit.save_table(tmp_path / f"t{suffix}", table).read_text().splitlines()
    assert lines == [
        mark.join(row)
        for row in [
            ("'=class", "shift"),
            ("'=1+1", "-1.5"),
            ("cell", "2.0"),
            ("'@x", "-3.0"),
        ]
    ]

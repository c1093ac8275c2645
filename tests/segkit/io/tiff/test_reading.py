"""TIFF files of any layout read by box, with the axes and spacing that they say."""

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings, strategies as st

import segkit
from segkit.tiling.boxes import Box

from ..samples import BOX, SPACING, VOLUME


@pytest.mark.parametrize(
    "options",
    [
        {"tile": (32, 48), "compression": "zlib"},
        {"rowsperstrip": 7, "compression": "zstd"},
        {"tile": (32, 48), "compression": "lzw", "bigtiff": True},
        {"tile": (32, 48)},
        {"rowsperstrip": 11, "byteorder": ">"},
        {"bigtiff": True},
        {"compression": "zlib", "predictor": True, "byteorder": ">"},
    ],
    ids=str,
)
def test_tiff_of_any_layout_reads_by_box(tmp_path, options):
    tifffile.imwrite(tmp_path / "a.tif", VOLUME, metadata={"axes": "ZYX"}, **options)
    image = segkit.open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])
    np.testing.assert_array_equal(np.asarray(image), VOLUME)
    assert image.read().dtype.isnative


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_every_box_of_a_tiled_tiff_is_right(tmp_path, data):
    path = tmp_path / "tiled.tif"
    if not path.exists():
        tifffile.imwrite(path, VOLUME, tile=(16, 32), compression="zlib")
    bounds = []
    for length in VOLUME.shape:
        start = data.draw(st.integers(0, length))
        bounds.append((start, data.draw(st.integers(start, length))))
    box = Box(tuple(a for a, _ in bounds), tuple(b for _, b in bounds))
    voxels = segkit.open_image(path).read(box.slices)
    np.testing.assert_array_equal(voxels, VOLUME[box.slices])


def test_separate_tiff_stack_of_pages_is_a_volume(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for plane in VOLUME:
            writer.write(plane, contiguous=False, metadata=None, compression="zlib")
    image = segkit.open_image(tmp_path / "a.tif")
    assert image.axes == "zyx"
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])


def test_imagej_stack_keeps_its_spacing(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        VOLUME,
        imagej=True,
        resolution=(1 / 0.25, 1 / 0.3),
        metadata={"spacing": 2.0, "unit": "um", "axes": "ZYX"},
    )
    image = segkit.open_image(tmp_path / "a.tif")
    assert image.spacing == pytest.approx(SPACING, rel=1e-4)
    assert image.units == ("micrometer",) * 3


def test_foreign_ome_tiff_in_five_axes(tmp_path):
    movie = np.arange(2 * 3 * 4 * 8 * 9, dtype=np.uint16).reshape(2, 3, 4, 8, 9)
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        movie,
        metadata={
            "axes": "TCZYX",
            "PhysicalSizeZ": 500.0,
            "PhysicalSizeZUnit": "nm",
            "PhysicalSizeX": 0.1,
            "PhysicalSizeXUnit": "µm",
        },
    )
    image = segkit.open_image(tmp_path / "a.ome.tif", channel=1, select={"t": 1})
    assert (image.axes, image.spacing) == ("zyx", (0.5, 1.0, 0.1))
    assert image.units == ("micrometer", "pixel", "micrometer")
    np.testing.assert_array_equal(np.asarray(image), movie[1, 1])


def test_tiff_pyramid_levels(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        options = {"tile": (16, 16), "compression": "zlib"}
        writer.write(VOLUME[0], subifds=1, **options)
        writer.write(VOLUME[0, ::2, ::2], subfiletype=1, **options)
    image = segkit.open_image(tmp_path / "a.tif", level=1)
    assert (image.levels, image.spacing) == (2, (2.0, 2.0))
    np.testing.assert_array_equal(np.asarray(image), VOLUME[0, ::2, ::2])


def test_planar_colour_tiff(tmp_path):
    planes = np.random.default_rng(1).integers(0, 255, (3, 40, 50), dtype=np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif",
        planes,
        photometric="rgb",
        planarconfig="separate",
        rowsperstrip=7,
        compression="zlib",
    )
    image = segkit.open_image(tmp_path / "a.tif", channel=2)
    np.testing.assert_array_equal(image.read((slice(3, 20),)), planes[2, 3:20])

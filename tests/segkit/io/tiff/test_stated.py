"""Axes, spacing and fill of a TIFF are those that it states, by whatever program."""

import json
import warnings

import numpy as np
import pytest
import tifffile

import segkit
from segkit.io import ColourError, DamagedImageError, ImageRequestError

from ..samples import write_lsm, write_stk

VOLUME = np.arange(4 * 16 * 20, dtype=np.uint16).reshape(4, 16, 20)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("RCYX", "rcyx"),
        ("TRZCYX", "trzcyx"),
        ("HTYX", "htyx"),
        ("LYX", "lyx"),
        ("EYX", "eyx"),
        ("WYX", "wyx"),
        ("TQYX", "tqyx"),
        ("IYX", "zyx"),
        ("QYX", "zyx"),
        ("QQYX", "czyx"),
        ("QQQQYX", "atczyx"),
        ("ZYX", "zyx"),
    ],
)
def test_letters_that_are_stated_are_kept_and_others_are_no_space(
    tmp_path, stated, expected
):
    path = tmp_path / "a.tif"
    array = np.zeros([2] * (len(stated) - 2) + [8, 9], np.uint8)
    options = {"metadata": {"axes": stated}, "photometric": "minisblack"}
    tifffile.imwrite(path, array, **options)
    image = segkit.open_image(path)
    assert image.axes == expected
    assert image.stated == (stated.lower() == expected)
    if set(expected) - set("zyx"):
        with pytest.raises(ColourError):
            image.spatial()
    given = "zabcdefg"[: len(stated) - 2] + "yx"
    assert segkit.open_image(path, axes=given).axes == given
    assert segkit.open_image(path, axes=given).stated


def test_inks_are_channels_and_not_colours(tmp_path):
    path = tmp_path / "a.tif"
    inks = np.zeros((8, 9, 4), np.uint8)
    tifffile.imwrite(path, inks, photometric="separated", planarconfig="contig")
    with pytest.raises(ColourError, match="choose one by channel=0"):
        segkit.open_image(path, to_grey=True)
    assert segkit.open_image(path, channel=3).axes == "yx"


@pytest.mark.parametrize(
    ("metadata", "resolution", "spacing", "unit"),
    [
        ({"spacing": 3.0, "unit": "um"}, (4, 4), (3, 0.25, 0.25), "micrometer"),
        ({"spacing": -3.0, "unit": "um"}, (4, 4), (3, 0.25, 0.25), "micrometer"),
        ({"spacing": 3.0, "unit": "nm"}, (0.5, 0.5), (3, 2, 2), "nanometer"),
        ({"spacing": 3.0, "unit": "pixel"}, None, (3, 1, 1), "pixel"),
        ({"spacing": 3.0}, None, (3, 1, 1), "pixel"),
        ({"spacing": 3.0}, (4, 4), (3, 0.25, 0.25), "pixel"),
        ({"spacing": 0.5, "unit": "inch"}, (4, 4), (2, 1, 1), "pixel"),
    ],
)
def test_imagej_voxels_have_the_shape_that_it_shows(
    tmp_path, metadata, resolution, spacing, unit
):
    path = tmp_path / "a.tif"
    known = {"axes": "ZYX", **metadata}
    tifffile.imwrite(path, VOLUME, imagej=True, resolution=resolution, metadata=known)
    image = segkit.open_image(path)
    assert image.spacing == pytest.approx(spacing)
    assert image.units == (unit,) * 3


METASERIES = (
    '<MetaData><PlaneInfo><prop id="spatial-calibration-state" type="bool" value="on"/>'
    '<prop id="spatial-calibration-x" type="float" value="1.3668"/>'
    '<prop id="spatial-calibration-y" type="float" value="1.3668"/>'
    '<prop id="spatial-calibration-units" type="string" value="um"/>'
    "</PlaneInfo></MetaData>"
)


@pytest.mark.parametrize(
    ("description", "software", "step"),
    [
        (METASERIES, "MetaSeries", 1.3668),
        (METASERIES.replace('"on"', '"off"'), "MetaSeries", None),
        ("Aperio Image Library v1\r\n20x16|AppMag = 20|MPP = 0.4990", "Aperio", 0.499),
        ("Aperio Image Library v1\r\n20x16|AppMag = 20", "Aperio", None),
    ],
)
def test_programs_of_microscopes_state_the_size_of_a_pixel(
    tmp_path, description, software, step
):
    path = tmp_path / "a.tif"
    options = {"description": description, "metadata": None, "software": software}
    tifffile.imwrite(path, VOLUME[0], **options)
    image = segkit.open_image(path)
    assert image.spacing == (step or 1,) * 2
    assert image.units == ("micrometer" if step else "pixel",) * 2


def test_a_zeiss_electron_microscope_states_the_size_of_a_pixel(tmp_path):
    path = tmp_path / "a.tif"
    header = "1\r\n2\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 2.5 nm\r\n"
    tag = (34118, "s", 0, header, True)
    tifffile.imwrite(path, VOLUME[0], metadata=None, extratags=[tag])
    image = segkit.open_image(path)
    assert (image.spacing, image.units) == ((2.5, 2.5), ("nanometer",) * 2)


def test_an_electron_microscope_of_fei_states_the_size_of_a_pixel(tmp_path):
    path = tmp_path / "a.tif"
    tag = (34682, "s", 0, "[Scan]\r\nPixelWidth=2e-009\r\nPixelHeight=3e-009\r\n", True)
    tifffile.imwrite(path, VOLUME[0], metadata=None, extratags=[tag])
    image = segkit.open_image(path)
    assert (image.spacing, image.units) == ((0.003, 0.002), ("micrometer",) * 2)


def test_a_laser_scanning_microscope_states_voxels_beside_its_thumbnails(tmp_path):
    steps = {"X": 2e-7, "Y": 2e-7, "Z": 1e-6}
    path = write_lsm(tmp_path / "a.lsm", VOLUME, steps)
    image = segkit.open_image(path)
    np.testing.assert_array_equal(image.read(), VOLUME)
    assert (image.spacing, image.units) == ((1, 0.2, 0.2), ("micrometer",) * 3)


def test_a_stack_of_metamorph_states_its_voxels(tmp_path):
    path = write_stk(tmp_path / "a.stk", VOLUME // 8, 0.25, 1.5)
    image = segkit.open_image(path)
    np.testing.assert_array_equal(image.read(), VOLUME // 8)
    assert (image.spacing, image.units) == ((1.5, 0.25, 0.25), ("micrometer",) * 3)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DamagedImageError):
        segkit.open_image(path)


def test_micro_manager_states_the_size_of_a_pixel(tmp_path):
    path = tmp_path / "a.tif"
    tag = (51123, "s", 0, json.dumps({"PixelSizeUm": 0.65}), True)
    tifffile.imwrite(path, VOLUME[0], metadata=None, extratags=[tag])
    image = segkit.open_image(path)
    assert (image.spacing, image.units) == ((0.65, 0.65), ("micrometer",) * 2)


@pytest.mark.parametrize("bad", ["", "0,5", 0, -1, "nan"])
def test_a_step_that_cannot_be_is_unknown_and_can_be_given(tmp_path, bad):
    path = tmp_path / "a.ome.tif"
    known = {"axes": "ZYX", "PhysicalSizeX": bad, "PhysicalSizeZ": 2}
    tifffile.imwrite(path, VOLUME, metadata=known)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        image = segkit.open_image(path)
    told = [str(one.message).partition(";")[0] for one in found]
    why = f"{path}: states a step of '{bad}' micrometer along 'x', which none can be"
    assert told == ([] if bad == "" else [why])
    assert image.spacing == (2, 1, 1)
    with pytest.raises(ImageRequestError, match="along 'z' and none along 'yx'"):
        image.physical_spacing()
    assert segkit.open_image(path, spacing=(2, 0.5, 0.5)).spacing == (2, 0.5, 0.5)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiles_left_out_hold_the_no_data_value(tmp_path, compression):
    path = tmp_path / "a.tif"
    tile = np.full((32, 32), 7, np.int16)
    no_data = (42113, "s", 0, "-9999", True)
    tifffile.imwrite(
        path,
        iter([tile, None, None, tile]),
        shape=(64, 64),
        dtype="int16",
        tile=(32, 32),
        compression=compression,
        extratags=[no_data],
    )
    voxels = segkit.open_image(path).read()
    np.testing.assert_array_equal(voxels, tifffile.imread(path))
    assert np.unique(voxels).tolist() == [-9999, 7]

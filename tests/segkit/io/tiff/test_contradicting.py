"""TIFF files that contradict themselves are refused, never read as something else."""

import struct

import numpy as np
import pytest
import tifffile

import segkit
from segkit.io import DamagedImageError, ImageRequestError

STACK = np.random.default_rng(2).integers(0, 4000, (3, 4, 5, 20, 30)).astype(np.uint16)


def with_xml(path, *changes):
    """Return an OME-TIFF of `STACK` with other OME-XML."""
    tifffile.imwrite(path, STACK, metadata={"axes": "TZCYX"})
    with tifffile.TiffFile(path) as tif:
        xml = tif.pages[0].description
    for old, new in changes:
        assert old in xml
        xml = xml.replace(old, new)
    tifffile.tiffcomment(path, xml.encode())
    return path


def test_axes_in_an_odd_order_are_read_as_stated(tmp_path):
    image = segkit.open_image(with_xml(tmp_path / "a.ome.tif"))
    assert image.axes == "tzcyx"
    assert (image.read() == STACK).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([('SizeZ="4"', 'SizeZ="2"')], "30 planes by SizeC, .* 60 by PlaneCount"),
        ([('SizeZ="4"', 'SizeZ="9"')], "page 60 is missing"),
        (
            [('SizeX="30"', 'SizeX="20"'), ('SizeY="20"', 'SizeY="30"')],
            r"OME-XML of planes of 30 x 20 pixels, which its pages of \(20, 30\) are",
        ),
        ([("</OME>", "")], "OME-XML that is damaged"),
        ([("<Pixels", "<Pixel")], "OME-XML that is damaged"),
        ([(' SizeC="5"', "")], "SizeC"),
        ([('DimensionOrder="', 'DimensionOrder="Q')], "SizeQ"),
    ],
)
def test_xml_that_does_not_fit_the_pages_is_damage(tmp_path, changes, message):
    path = with_xml(tmp_path / "a.ome.tif", *changes)
    with pytest.raises(DamagedImageError, match=message):
        segkit.open_image(path).read()


def patched(path, **tags):
    """Return a file of one tile whose tags say something else."""
    tile = np.ones((64, 64), np.uint8)
    tifffile.imwrite(path, tile, compression="zlib", tile=(64, 64), metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as tif:
        for name, value in tags.items():
            tif.pages[0].tags[name].overwrite(value)
    return path


def test_tiles_that_a_page_does_not_list_are_not_zeros(tmp_path):
    path = patched(tmp_path / "a.tif", ImageLength=10**6, ImageWidth=10**6)
    image = segkit.open_image(path)
    assert (image.read((slice(0, 64), slice(0, 64))) == 1).all()
    with pytest.raises(DamagedImageError, match="lists 1 strips or tiles of a page of"):
        image.read((slice(640, 704), slice(0, 64)))


def test_tiles_larger_than_memory_are_refused(tmp_path):
    size = dict.fromkeys(
        ("TileLength", "TileWidth", "ImageLength", "ImageWidth"), 1 << 20
    )
    image = segkit.open_image(patched(tmp_path / "a.tif", **size))
    with pytest.raises(
        ImageRequestError, match=r"1\.1e\+03 GB each, which are decoded"
    ):
        image.read((slice(0, 4), slice(0, 4)))


def test_a_chain_of_pages_that_leads_back_is_damage(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK[0, 0, :2], metadata=None)
    with tifffile.TiffFile(path) as tif:
        first, second = (page.offset for page in tif.pages)
    data = bytearray(path.read_bytes())
    (count,) = struct.unpack_from("<H", data, second)
    struct.pack_into("<I", data, second + 2 + 12 * count, first)
    path.write_bytes(data)
    with pytest.raises(DamagedImageError, match="leads back after 2 of them"):
        segkit.open_image(path)


@pytest.mark.parametrize("pages", [b"\0\0\0\0", b"\x08\0\0\0\0\0\0\0\0\0"])
def test_a_file_without_pages_holds_no_picture(tmp_path, pages):
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0" + pages)
    with pytest.raises(DamagedImageError, match="a TIFF file without a picture"):
        segkit.open_image(path)

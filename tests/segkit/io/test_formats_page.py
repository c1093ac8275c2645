"""Each row of the page of formats is true of a file that is made here."""

import json
import re
from pathlib import Path

import h5py
import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

import segkit
from segkit.io.pictures.foreign import FOREIGN

from .samples import write_lsm, write_stk

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"
MOVIE = np.arange(2 * 16 * 20, dtype=np.uint8).reshape(2, 16, 20)
COLOUR = np.arange(16 * 20 * 3, dtype=np.uint16).reshape(16, 20, 3) * 50
UM = {"spacing": (0.5, 0.25), "units": "micrometer"}

pytestmark = pytest.mark.skipif(
    not PAGE.exists(), reason="tested away from the checkout"
)


def rows(heading):
    """Return the cells of each row of the table whose header begins so."""
    text = PAGE.read_text() if PAGE.exists() else ""
    table = text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    lines = [line.strip("|\n ").split(" | ") for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line] for line in lines if line[0]]


def tiff(path, array, **options):
    tifffile.imwrite(path, array, **options)
    return segkit.open_image(path)


def vendor(path, description, software):
    options = {"description": description, "metadata": None, "software": software}
    return tiff(path, MOVIE[0], **options)


def metaseries(path):
    props = (
        f'<prop id="spatial-calibration-{name}" type="float" value="{step}"/>'
        for name, step in (("x", 0.25), ("y", 0.5))
    )
    unit = '<prop id="spatial-calibration-units" type="string" value="um"/>'
    text = f"<MetaData><PlaneInfo>{''.join(props)}{unit}</PlaneInfo></MetaData>"
    return vendor(path / "a.tif", text, "MetaSeries")


def lsm(path):
    steps = {"X": 2.5e-7, "Y": 5e-7, "Z": 1e-6}
    return segkit.open_image(write_lsm(path / "a.lsm", MOVIE, steps))


def sem(path):
    text = "[Scan]\r\nPixelWidth=2.5e-007\r\nPixelHeight=5e-007\r\n"
    tags = [(34682, "s", 0, text, True)]
    return tiff(path / "a.tif", MOVIE[0], metadata=None, extratags=tags)


def zarr_array(path):
    names = ("time", "y", "x")
    zarr.create_array(str(path / "a.zarr"), data=MOVIE, dimension_names=names)
    return segkit.open_image(path / "a.zarr")


def plate(path):
    root = zarr.create_group(store=str(path / "p.zarr"), zarr_format=3)
    root.attrs["ome"] = {"version": "0.5", "plate": {"wells": [{"path": "A/1"}]}}
    well = root.create_group("A/1")
    well.attrs["ome"] = {"version": "0.5", "well": {"images": [{"path": "0"}]}}
    segkit.save(path / "p.zarr/A/1/0.zarr", MOVIE, axes="tyx", **UM).rename(
        path / "p.zarr/A/1/0"
    )
    return segkit.open_image(path / "p.zarr", well="A/1")


def hdf5(path, attributes):
    with h5py.File(path / "a.h5", "w") as file:
        file["v"] = MOVIE
        file["v"].attrs.update(attributes)
    return segkit.open_image(path / "a.h5")


def ilastik(path):
    steps = {"t": 0, "y": 0.5, "x": 0.25}
    tags = [{"key": k, "resolution": v, "unit": "um"} for k, v in steps.items()]
    return hdf5(path, {"axistags": json.dumps({"axes": tags})})


def array(path, name):
    {"a.npy": np.save, "a.npz": np.savez}[name](path / name, MOVIE)
    return segkit.open_image(path / name)


def picture(path, name, **options):
    Image.fromarray(COLOUR.astype(np.uint8)).save(path / name, **options)
    return segkit.open_image(path / name)


def encoded(path, name, data):
    (path / name).write_bytes(data)
    image = segkit.open_image(path / name)
    assert image.dtype == np.uint16
    return image


def folder(path):
    (path / "planes").mkdir()
    for number, plane in enumerate(MOVIE):
        tifffile.imwrite(
            path / f"planes/t{number}.tif",
            plane,
            resolution=(4e4, 2e4),
            resolutionunit="CENTIMETER",
        )
    return segkit.open_image(path / "planes")


def saved(path, name):
    return segkit.open_image(segkit.save(path / name, MOVIE, axes="tyx", **UM))


def precomputed(path):
    about = {"axes": "zyx", "spacing": (1, 0.5, 0.25), "units": "nanometer"}
    return segkit.open_image(segkit.save(path / "a.precomputed", MOVIE, **about))


# For each row: how a file is made and opened, its axes, and whether it has a spacing.
CHECKS = {
    "OME-TIFF": (lambda p: saved(p, "a.ome.tif"), "tyx", True),
    "TIFF of ImageJ": (
        lambda p: tiff(
            p / "a.tif",
            MOVIE,
            imagej=True,
            resolution=(4, 2),
            metadata={"axes": "TYX", "unit": "um"},
        ),
        "tyx",
        True,
    ),
    "TIFF of segkit or tifffile": (lambda p: saved(p, "a.tif"), "tyx", True),
    "TIFF, plain": (
        lambda p: tiff(
            p / "a.tif",
            MOVIE,
            metadata=None,
            resolution=(4e4, 2e4),
            resolutionunit="CENTIMETER",
        ),
        "zyx",
        True,
    ),
    "TIFF of MetaMorph, MetaXpress": (metaseries, "yx", True),
    "STK of MetaMorph": (
        lambda p: segkit.open_image(write_stk(p / "a.stk", MOVIE, 0.25, 1.5)),
        "zyx",
        None,
    ),
    "TIFF of Micro-Manager": (
        lambda p: tiff(
            p / "a.tif",
            MOVIE[0],
            metadata=None,
            extratags=[(51123, "s", 0, '{"PixelSizeUm": 0.25}', True)],
        ),
        "yx",
        None,
    ),
    "TIFF of Zeiss LSM": (lsm, "zyx", True),
    "TIFF of Aperio (SVS)": (
        lambda p: vendor(p / "a.svs", "Aperio Image Library v1|MPP = 0.25", "Aperio"),
        "yx",
        None,
    ),
    "TIFF of FEI, Zeiss SEM": (sem, "yx", True),
    "TIFF of GDAL": (
        lambda p: tiff(
            p / "a.tif",
            MOVIE[0],
            metadata=None,
            extratags=[(33550, "d", 3, (0.25, 0.5, 0.0), True)],
        ),
        "yx",
        False,
    ),
    "OME-Zarr 0.1 to 0.6": (lambda p: saved(p, "a.zarr"), "tyx", True),
    "OME-Zarr plate": (plate, "tyx", True),
    "precomputed (Neuroglancer)": (precomputed, "zyx", True),
    "N5": (lambda p: saved(p, "a.n5"), "tyx", True),
    "Zarr array": (zarr_array, "tyx", False),
    "HDF5": (
        lambda p: hdf5(p, {"axes": "tyx", "element_size_um": (1, 0.5, 0.25)}),
        "tyx",
        True,
    ),
    "HDF5 of ilastik": (ilastik, "tyx", True),
    "npy": (lambda p: array(p, "a.npy"), "zyx", False),
    "npz": (lambda p: array(p, "a.npz"), "zyx", False),
    "PNG, BMP": (lambda p: picture(p, "a.png", dpi=(99, 99)), "yxs", False),
    "JPEG": (lambda p: picture(p, "a.jpg", dpi=(99, 99)), "yxs", False),
    "WebP, GIF": (lambda p: picture(p, "a.webp"), "yxs", False),
    "JPEG 2000, AVIF": (
        lambda p: encoded(p, "a.jp2", imagecodecs.jpeg2k_encode(COLOUR, level=0)),
        "yxs",
        False,
    ),
    "PGM, PPM": (
        lambda p: encoded(
            p, "a.ppm", b"P6 20 16 65535\n" + COLOUR.astype(">u2").tobytes()
        ),
        "yxs",
        False,
    ),
    "folder of pictures": (folder, "tyx", True),
}


@pytest.mark.parametrize("row", rows("format | axes"), ids=lambda row: row[0])
def test_a_row_is_true(tmp_path, row):
    make, axes, spaced = CHECKS[row[0]]
    image = make(tmp_path)
    assert image.axes == axes
    numbered = ("npy", "npz", "TIFF, plain", "Zarr array", "HDF5", "N5")
    assert ("by number" in row[1]) == (row[0] in numbered)
    if "stated" not in row[1] and image.ndim == 3:
        assert image.stated == (row[0] not in numbered)
    expected = {True: (0.5, 0.25), False: (1, 1), None: (0.25, 0.25)}[spaced]
    known = [image.spacing[axes.index(name)] for name in "yx"]
    assert tuple(known) == pytest.approx(expected)
    said = not re.match("no$|only within", row[2])
    assert said == (spaced is not False)


def test_no_row_is_untested():
    assert [row[0] for row in rows("format | axes")] == list(CHECKS)


def test_each_foreign_format_stands_in_its_table_with_its_packages():
    listed = {row[0]: tuple(row[1].split(", ")) for row in rows("format | package")}
    first = {}
    for one in FOREIGN:
        kind = re.sub(r"-2$|^Analyze or ", "", one.title)
        if not one.title.startswith("an OLE file"):
            first.setdefault(kind, one.packages)
    assert listed == first

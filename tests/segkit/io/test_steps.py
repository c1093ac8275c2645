"""Steps that no file can mean are told, whatever the format, and can be given."""

import json
import warnings

import h5py
import numpy as np
import pytest
import tifffile

import segkit
from segkit.io import ImageError, SpacingWarning

from .samples import write_lsm

VOLUME = np.arange(2 * 20 * 20, dtype=np.uint16).reshape(2, 20, 20)
ABOUT = {"spacing": (3, 2, 2), "units": "micrometer", "axes": "zyx"}
BAD = [0, -1, float("nan"), float("inf")]


def ome_tiff(folder, bad):
    known = {"axes": "ZYX", "PhysicalSizeX": 2, "PhysicalSizeY": 2}
    known |= {"PhysicalSizeZ": bad, "PhysicalSizeZUnit": "um"}
    tifffile.imwrite(folder / "a.ome.tif", VOLUME, metadata=known)
    return folder / "a.ome.tif"


def imagej(folder, bad):
    known = {"axes": "ZYX", "spacing": bad, "unit": "um"}
    tifffile.imwrite(
        folder / "a.tif", VOLUME, imagej=True, resolution=(0.5, 0.5), metadata=known
    )
    return folder / "a.tif"


def own_tiff(folder, bad):
    known = {"axes": "ZYX", "spacing": [bad, 2, 2], "units": ["micrometer"] * 3}
    tifffile.imwrite(folder / "a.tif", VOLUME, metadata=known)
    return folder / "a.tif"


def hdf5(folder, bad):
    with h5py.File(folder / "a.h5", "w") as file:
        file["a"] = VOLUME
        file["a"].attrs["element_size_um"] = [bad, 2, 2]
    return folder / "a.h5"


def _edited(path, file, edit):
    segkit.save(path, VOLUME, **ABOUT)
    found = json.loads((path / file).read_text())
    edit(found)
    (path / file).write_text(json.dumps(found))
    return path


def ome_zarr(folder, bad):
    def edit(found):
        of = found["attributes"]["ome"]["multiscales"][0]["datasets"][0]
        of["coordinateTransformations"][0]["scale"][0] = bad

    return _edited(folder / "a.zarr", "zarr.json", edit)


def n5(folder, bad):
    def edit(found):
        found["resolution"][2] = bad

    return _edited(folder / "a.n5", "attributes.json", edit)


def precomputed(folder, bad):
    def edit(found):
        found["scales"][0]["resolution"][2] = bad

    return _edited(folder / "a.precomputed", "info", edit)


WRITERS = [ome_tiff, imagej, own_tiff, hdf5, ome_zarr, n5, precomputed]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("write", WRITERS)
def test_a_step_that_cannot_be_is_told_in_every_format(tmp_path, write, bad):
    path = write(tmp_path, bad)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            image = segkit.open_image(path)
        except ImageError:
            return  # a refusal is told, too
    said = [str(one.message) for one in told if one.category is SpacingWarning]
    if write is imagej and bad == -1:  # a depth has no sign: planes went downwards
        assert (said, image.spacing) == ([], (1, 2, 2))
        return
    assert len(said) == 1
    assert said[0].startswith(f"{path}: states a step of ")
    assert "along 'z'" in said[0]
    assert image.units[0] == "pixel"
    again = segkit.open_image(path, spacing=(3, 2, 2))  # nothing is told
    assert again.spacing == (3, 2, 2)


def test_a_resolution_of_a_printer_is_told_if_it_cannot_be(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, VOLUME[0], resolution=((1, 1), (0, 1)), resolutionunit=3)
    with pytest.warns(SpacingWarning, match="inf micrometer along 'y'"):
        assert segkit.open_image(path).spacing == (1, 1e4)


def test_programs_that_write_0_do_not_know(tmp_path):
    path = write_lsm(tmp_path / "a.lsm", VOLUME, {"Z": 0.0, "Y": 5e-7, "X": 5e-7})
    assert segkit.open_image(path).spacing == (1, 0.5, 0.5)  # without a warning
    tag = (51123, "s", 0, json.dumps({"PixelSizeUm": 0.0}), True)
    tifffile.imwrite(tmp_path / "a.tif", VOLUME[0], metadata=None, extratags=[tag])
    assert segkit.open_image(tmp_path / "a.tif").spacing == (1, 1)


def _n5(folder, **own):
    segkit.save(folder / "a.n5", VOLUME, axes="zyx")
    file = folder / "a.n5/s0/attributes.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **own}))
    return folder / "a.n5"


def _hdf5(folder, **attributes):
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("a", data=VOLUME).attrs.update(attributes)
    return folder / "a.h5"


def _own(folder, **known):
    tifffile.imwrite(folder / "a.tif", VOLUME, metadata={"axes": "ZYX", **known})
    return folder / "a.tif"


@pytest.mark.parametrize(
    ("write", "known"),
    [
        (_hdf5, {"spacing": [1, 2, 3, 4]}),
        (_hdf5, {"element_size_um": [1, 2, 3, 4, 5]}),
        (_hdf5, {"spacing": [1, 2, 3], "units": ["um", "nm"]}),
        (_n5, {"pixelResolution": {"dimensions": [1, 2, 3, 4]}}),
        (_n5, {"transform": {"axes": ["z", "y"], "scale": [1, 2, 3]}}),
        (_own, {"spacing": [3, 2], "units": ["um", "um"]}),
    ],
)
def test_steps_for_another_number_of_axes_are_told(tmp_path, write, known):
    path = write(tmp_path, **known)
    with pytest.warns(SpacingWarning, match="states a step of .* along .* give spacin"):
        image = segkit.open_image(path)
    assert image.units == ("pixel",) * 3
    with warnings.catch_warnings(action="error"):
        assert segkit.open_image(path, spacing=(3, 2, 2)).spacing == (3, 2, 2)


def test_inches_and_feet_are_lengths_as_others(tmp_path):
    path = tmp_path / "a.ome.tif"
    stated = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "in"}
    stated |= {"PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "ft"}
    stated |= {"PhysicalSizeZ": 25.4, "PhysicalSizeZUnit": "mm", "axes": "ZYX"}
    tifffile.imwrite(path, np.zeros((3, 4, 5), np.uint8), metadata=stated)
    image = segkit.open_image(path)
    assert image.units == ("inch",) * 3
    assert image.spacing == pytest.approx((1, 3, 0.5), rel=1e-15)
    millimeters = image.physical_spacing("millimeter")
    assert millimeters == pytest.approx((25.4, 76.2, 12.7), rel=1e-15)
    again = segkit.save(tmp_path / "b.ome.tif", image)
    assert segkit.open_image(again).spacing == image.spacing

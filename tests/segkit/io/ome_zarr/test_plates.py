"""A plate is read per well and field."""

import numpy as np
import pytest
import zarr

import segkit
from segkit.io import ImageRequestError

from ..samples import SPACING, VOLUME


@pytest.fixture(params=["0.4", "0.5"])
def plate(tmp_path, request):
    """A plate of two wells with two fields each, as other programs write it."""
    path = tmp_path / "plate.zarr"
    wrap = (lambda x: x) if request.param == "0.4" else (lambda x: {"ome": x})
    root = zarr.create_group(
        store=str(path), zarr_format=2 if request.param == "0.4" else 3
    )
    root.attrs.update(wrap({"plate": {"wells": [{"path": "A/1"}, {"path": "B/12"}]}}))
    for number, name in enumerate(("A/1", "B/12")):
        well = root.create_group(name)
        well.attrs.update(wrap({"well": {"images": [{"path": "0"}, {"path": "1"}]}}))
        for field in (0, 1):
            voxels = VOLUME[None, :2] + number * 10 + field
            segkit.save(
                path / name / f"{field}.zarr",
                voxels,
                axes="czyx",
                spacing=SPACING,
                units="micrometer",
                ome_version=request.param,
            ).rename(path / name / str(field))
    return path


def test_plate_is_read_per_well(plate):
    found = segkit.open_plate(plate)
    assert found.wells == ("A/1", "B/12")
    assert found.fields("B/12") == ("0", "1")
    image = found.open("B/12", 1)
    assert (image.axes, image.spacing) == ("czyx", (1.0, *SPACING))
    np.testing.assert_array_equal(image.read()[0], VOLUME[:2] + 11)
    same = segkit.open_image(plate, well="B/12", series=1)
    np.testing.assert_array_equal(same.read(), image.read())


def test_plate_asks_for_a_well(plate):
    with pytest.raises(ImageRequestError, match=r"plate.*well='...': A/1, B/12"):
        segkit.open_image(plate)
    with pytest.raises(ImageRequestError, match=r"no well 'C/1', only A/1"):
        segkit.open_image(plate, well="C/1")
    with pytest.raises(ImageRequestError, match="2 fields"):
        segkit.open_image(plate, well="A/1", series=2)

"""A dataset of an HDF5 file is chosen by its name, with the axes that it states."""

import json
import pickle

import h5py
import numpy as np
import pytest

import segkit
from segkit.io import DamagedImageError, ImageRequestError

from .samples import BOX, SPACING, VOLUME


def test_hdf5_dataset_by_key_or_path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["raw/volume"] = VOLUME
        file["other"] = VOLUME[0]
        file["raw/volume"].attrs["element_size_um"] = SPACING
    image = segkit.open_image(f"{tmp_path}/a.h5::raw/volume")
    assert image.spacing == SPACING
    np.testing.assert_array_equal(image.read(BOX), VOLUME[BOX.slices])
    assert segkit.open_image(tmp_path / "a.h5", key="other").axes == "yx"
    with pytest.raises(ImageRequestError, match=r"2 datasets .*key="):
        segkit.open_image(tmp_path / "a.h5")
    with pytest.raises(ImageRequestError, match="no dataset 'nothing'"):
        segkit.open_image(tmp_path / "a.h5", key="nothing")


def tags(axes, step=0.0, **more):
    each = {"typeFlags": 2, "resolution": step, "description": "", **more}
    return json.dumps({"axes": [{"key": axis, **each} for axis in axes]})


@pytest.mark.parametrize(
    ("attributes", "ndim", "axes", "spacing"),
    [
        ({"axistags": tags("zyxc")}, 4, "zyxc", None),
        ({"axistags": tags("tyx")}, 3, "tyx", None),
        ({"axistags": tags("yxc").encode()}, 3, "yxc", None),
        ({"axistags": tags("zyx", 0.5, unit="um")}, 3, "zyx", (0.5,) * 3),
        ({"axistags": tags("eyx", typeFlags=32)}, 3, "eyx", None),
        ({"axes": "tyx"}, 3, "tyx", None),
        ({"axes": ["T", "Y", "X"]}, 3, "tyx", None),
        ({"axes": np.array([b"time", b"y", b"x"])}, 3, "tyx", None),
        ({"element_size_um": [2, 0.5, 0.5]}, 3, "zyx", (2, 0.5, 0.5)),
        ({"element_size_um": [2, 0.5, 0.25]}, 2, "yx", (0.5, 0.25)),
        ({"spacing": [2, 0.5, 0.5], "units": ["um"]}, 3, "zyx", (2, 0.5, 0.5)),
    ],
)
def test_what_a_dataset_states_is_kept_and_can_be_replaced(
    tmp_path, attributes, ndim, axes, spacing
):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["v"] = np.zeros(range(2, 2 + ndim))
        file["v"].attrs.update(attributes)
    image = segkit.open_image(path)
    assert image.axes == axes
    assert image.spacing == (spacing or (1,) * ndim)
    assert set(image.units) == {"micrometer" if spacing else "pixel"}
    given = segkit.open_image(path, axes="czyx"[-ndim:], spacing=(3, 2, 1)[-ndim:])
    assert (given.axes, given.spacing[-2:]) == ("czyx"[-ndim:], (2, 1))


def test_names_of_scales_are_axes(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["v"] = np.zeros((2, 3, 4))
        for number, name in enumerate(("time", "y", "x")):
            file[name] = np.arange(file["v"].shape[number])
            file[name].make_scale()
            file["v"].dims[number].attach_scale(file[name])
    assert segkit.open_image(tmp_path / "a.nc", key="v").axes == "tyx"


def test_labels_of_dimensions_are_axes(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["v"] = np.zeros((2, 3, 4))
        for dimension, label in zip(file["v"].dims, ("time", "y", "x"), strict=True):
            dimension.label = label
    assert segkit.open_image(tmp_path / "a.h5").axes == "tyx"


@pytest.mark.parametrize(
    "attributes", [{"axes": "yx"}, {"axistags": tags("zyxc")}, {"axistags": "no json"}]
)
def test_axes_that_are_not_those_of_the_dataset_are_asked_for(tmp_path, attributes):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["v"] = np.zeros((2, 3, 4))
        file["v"].attrs.update(attributes)
    with pytest.raises(ImageRequestError, match=r"give axes=, one letter for each"):
        segkit.open_image(tmp_path / "a.h5")
    assert segkit.open_image(tmp_path / "a.h5", axes="tyx").axes == "tyx"


def test_what_ilastik_exported_is_found_beside_others(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["raw"], file["exported_data"] = np.zeros((4, 5)), np.ones((4, 5, 2))
        file["exported_data"].attrs["axistags"] = tags("yxc")
    assert segkit.open_image(tmp_path / "a.h5").read().all()
    assert segkit.open_image(tmp_path / "a.h5", channel=1).axes == "yx"


@pytest.fixture
def linked(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["v"] = VOLUME
        file["group/v"] = VOLUME
    with h5py.File(tmp_path / "master.h5", "w") as file:
        file["raw/v"] = VOLUME
        file["soft"] = h5py.SoftLink("/raw/v")
        file["far"] = h5py.ExternalLink("other.h5", "/v")
        file["folder"] = h5py.ExternalLink("other.h5", "/group")
        file["lost"] = h5py.ExternalLink("nothing.h5", "/v")
        file["nowhere"] = h5py.SoftLink("/nothing")
    return tmp_path / "master.h5"


@pytest.mark.parametrize(
    ("key", "files"), [("soft", 0), ("/far", 1), ("folder/v", 1), ("raw/v", 0)]
)
def test_links_lead_to_datasets(linked, key, files):
    image = segkit.open_image(linked, key=key)
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(again.read(BOX), VOLUME[BOX.slices])
    assert len(image.files) == files


@pytest.mark.parametrize("key", ["lost", "nowhere", "folder"])
def test_a_link_that_leads_to_no_dataset_is_named(linked, key):
    with pytest.raises(ImageRequestError, match=f"no dataset '{key}'.*only .'raw/v'"):
        segkit.open_image(linked, key=key)


def test_a_file_of_a_link_alone_needs_no_key(tmp_path, linked):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = h5py.ExternalLink("other.h5", "/v")
    np.testing.assert_array_equal(segkit.open_image(tmp_path / "a.h5").read(), VOLUME)


def test_a_virtual_dataset_misses_a_file_instead_of_filling_it(tmp_path):
    layout = h5py.VirtualLayout(shape=(2, 4, 5), dtype="u2")
    for number in range(2):
        with h5py.File(tmp_path / f"{number}.h5", "w") as file:
            file["v"] = np.full((4, 5), number + 1, "u2")
        layout[number] = h5py.VirtualSource(f"{number}.h5", "v", shape=(4, 5))
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_virtual_dataset("data", layout, fillvalue=0)
    image = segkit.open_image(tmp_path / "all.h5")
    assert image.read()[:, 0, 0].tolist() == [1, 2]
    assert len(image.files) == 2
    (tmp_path / "1.h5").unlink()
    with pytest.raises(
        DamagedImageError, match=r"lies in 1\.h5 too, which is not ther"
    ):
        segkit.open_image(tmp_path / "all.h5")

"""Channels have the names that their file states, or that they are given."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings, strategies as st

import segkit
from segkit.io import ColourError, ImageRequestError, as_image
from segkit.io.arranged.views import at_channel, in_order, with_names

STACK = np.arange(3 * 2 * 5 * 6, dtype=np.uint16).reshape(3, 2, 5, 6)  # t, c, y, x
NAMES = ("DAPI", "GFP")


def ome_tiff(path):
    metadata = {"axes": "TCYX", "Channel": {"Name": [*NAMES]}}
    tifffile.imwrite(path, STACK, metadata=metadata, ome=True)


def imagej(path):
    labels = [f"c:{c + 1}/2 t:{t + 1}/3 - {NAMES[c]}" for t in range(3) for c in (0, 1)]
    metadata = {"axes": "TCYX", "Labels": labels}
    tifffile.imwrite(path, STACK, imagej=True, metadata=metadata)


def ome_zarr(path):
    zarr = pytest.importorskip("zarr")
    segkit.save(path, STACK, axes="tcyx", ome_version="0.4")
    labels = [{"label": name} for name in NAMES]
    zarr.open_group(path, mode="r+").attrs["omero"] = {"channels": labels}


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.ome.tif", ome_tiff), ("a.tif", imagej), ("a.zarr", ome_zarr)],
)
def test_a_file_states_the_names_of_its_channels(tmp_path, name, write):
    path = tmp_path / name
    write(path)
    image = segkit.open_image(path)
    assert (image.axes, image.channels) == ("tcyx", NAMES)
    green = segkit.open_image(path, channel="GFP")
    np.testing.assert_array_equal(green.read(), STACK[:, 1])
    assert green.channels == ()
    np.testing.assert_array_equal(image.select(t=2, c="DAPI").read(), STACK[2, 0])
    given = segkit.open_image(path, channels=["A", "B"], channel="B")
    np.testing.assert_array_equal(given.read(), STACK[:, 1])


def test_one_channel_may_be_called_by_its_name(tmp_path):
    metadata = {"axes": "YX", "Channel": {"Name": ["DAPI"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK[0, 0], metadata=metadata, ome=True)
    image = segkit.open_image(tmp_path / "a.ome.tif", channel="DAPI")
    np.testing.assert_array_equal(image.read(), STACK[0, 0])
    with pytest.raises(ImageRequestError, match="has no channel 'GFP'"):
        segkit.open_image(tmp_path / "a.ome.tif", channel="GFP")


def test_labels_that_do_not_tell_channels_apart_are_no_names(tmp_path):
    metadata = {"axes": "TCYX", "Labels": ["cells.tif"] * 6}
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, metadata=metadata)
    assert segkit.open_image(tmp_path / "a.tif").channels == ()


def named(*names):
    return with_names(as_image(STACK[0], axes="cyx"), names)


def test_doubled_names_mean_none_of_the_channels(tmp_path):
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "DAPI"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK[0], metadata=metadata, ome=True)
    with pytest.raises(ImageRequestError, match="channels 0 and 1 that are both call"):
        segkit.open_image(tmp_path / "a.ome.tif", channel="DAPI")
    second = segkit.open_image(tmp_path / "a.ome.tif", channel=1)
    np.testing.assert_array_equal(second.read(), STACK[0, 1])
    with pytest.raises(ImageRequestError, match="calls two channels the same"):
        named("A", "A")


@pytest.mark.parametrize(
    ("image", "channel", "words"),
    [
        (named("DAPI", "GFP"), "GPF", "did you mean GFP"),
        (named("DAPI", "GFP"), 2, "has no channel 2; it has 0 'DAPI', 1 'GFP'"),
        (named("1", "2"), 1, "may be the one called '1' or the second"),
        (as_image(STACK[0], axes="cyx"), "GFP", "names no channels"),
        (as_image(STACK[0, 0]), "GFP", "has no channels"),
        (as_image(STACK[0], axes="syx"), "red", "samples of a colour"),
    ],
)
def test_a_channel_that_is_not_meant_for_sure_is_refused(image, channel, words):
    with pytest.raises((ImageRequestError, ColourError), match=words):
        at_channel(image, channel)


def test_names_are_one_for_each_channel(tmp_path):
    segkit.save(tmp_path / "a.tif", STACK, axes="tcyx")
    with pytest.raises(ImageRequestError, match="is not a name for each"):
        segkit.open_image(tmp_path / "a.tif", channels=["A"])


def test_a_key_knows_the_names_of_channels():
    assert named("A", "B").__taskgraph_hash__() != named("A", "C").__taskgraph_hash__()


def test_axes_in_order_are_the_same_voxels():
    image = in_order(as_image(STACK, axes="ytxc"), "tcyx")
    assert image.axes == "tcyx"
    np.testing.assert_array_equal(image.read(), STACK.transpose(1, 3, 0, 2))
    box = (slice(0, 1), slice(2, 4), slice(1, 3), slice(1, 5))
    np.testing.assert_array_equal(image.read(box), image.read()[box])


HOLDING = ("a.tif", "a.ome.tif", "a.zarr", "a.h5")
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1
).filter(str.strip)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("name", HOLDING)
@given(
    names=st.lists(WORDS, min_size=1, max_size=3, unique_by=str.strip),
    version=st.sampled_from(["0.4", "0.5"]),
    levels=st.integers(1, 2),
    other=st.sampled_from(HOLDING),
)
def test_names_of_channels_are_saved_and_read_back(name, names, version, levels, other):
    own = {"ome_version": version, "levels": levels} if name == "a.zarr" else {}
    voxels = np.arange(len(names) * 30, dtype=np.uint16).reshape(len(names), 5, 6)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, name), Path(folder, f"b{other}")
        about = {"axes": "cyx", "channels": names, "durable": False}
        segkit.save(first, voxels, **about, **own)
        image = segkit.open_image(first)
        assert image.channels == tuple(one.strip() for one in names)
        np.testing.assert_array_equal(image.read(), voxels)
        segkit.save(second, image, durable=False)
        assert segkit.open_image(second).channels == image.channels


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.png", "planes"])
def test_what_holds_no_names_refuses_those_that_are_given(tmp_path, name):
    plane = STACK[0, 0] if name == "a.png" else STACK[0]
    axes = "yx" if name == "a.png" else "cyx"
    names = NAMES[: plane.ndim - 1]
    with pytest.raises(ImageRequestError, match="holds no names of channels; save"):
        segkit.save(tmp_path / name, plane, axes=axes, channels=names)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["a\x01b", "a\nb", "\ufffe"])
def test_names_that_xml_cannot_write_are_refused(tmp_path, name):
    with pytest.raises(ImageRequestError, match="cannot hold the names of channels"):
        segkit.save(
            tmp_path / "a.ome.tif", STACK[0], axes="cyx", channels=["DAPI", name]
        )
    assert [*tmp_path.iterdir()] == []


def test_a_zarr_says_to_viewers_how_channels_are_shown(tmp_path):
    path = tmp_path / "a.zarr"
    segkit.save(path, STACK, axes="tcyx", channels=NAMES, levels=2)
    shown = json.loads((path / "zarr.json").read_text())["attributes"]["ome"]["omero"]
    assert [one["label"] for one in shown["channels"]] == [*NAMES]
    for number, one in enumerate(shown["channels"]):
        middle = STACK[1, number]
        limits = {"start": int(middle.min()), "end": int(middle.max())}
        assert one["window"] == {"min": 0, "max": 65535, **limits}
        assert len(one["color"]) == 6


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr"])
def test_an_image_that_is_written_by_box_names_its_channels(tmp_path, name):
    where = {"axes": "tcyx", "channels": NAMES}
    path = tmp_path / name
    with segkit.create_image(path, STACK.shape, STACK.dtype, **where) as writer:
        for t, c in np.ndindex(3, 2):
            box = (slice(t, t + 1), slice(c, c + 1), slice(None), slice(None))
            segkit.open_writer(path).write(box, STACK[t : t + 1, c : c + 1])
    assert writer.path == path
    assert segkit.open_image(path).channels == NAMES
    np.testing.assert_array_equal(
        segkit.open_image(path, channel="GFP").read(), STACK[:, 1]
    )
    if name == "a.zarr":  # shown as bright as what was written at last
        shown = json.loads((path / "zarr.json").read_bytes())["attributes"]["ome"]
        windows = [one["window"] for one in shown["omero"]["channels"]]
        middle = STACK[1]
        assert [w["start"] for w in windows] == middle.min((1, 2)).tolist()
        assert [w["end"] for w in windows] == middle.max((1, 2)).tolist()
    with pytest.raises(ImageRequestError, match="is not a name for each"):
        segkit.create_image(path, STACK.shape, "u2", axes="tcyx", channels=["A"])


@pytest.mark.parametrize("name", ["a.npy", "a.n5"])
def test_names_of_channels_are_refused_where_no_box_can_keep_them(tmp_path, name):
    about = {"axes": "cyx", "channels": NAMES}
    with pytest.raises(ImageRequestError, match="holds no names of channels"):
        segkit.create_image(tmp_path / name, (2, 5, 6), "u1", **about)

"""Files as layers and back, compared with what segkit itself opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import segkit
from segkit.io import ImageRequestError, as_image
from segkit.napari.files import read, reader_of, write_labels
from segkit.napari.layer_data import image_of, layers_of

if TYPE_CHECKING:
    from pathlib import Path

VOLUME = np.arange(4 * 6 * 8, dtype=np.uint16).reshape(4, 6, 8)
LABELS = (VOLUME % 5).astype(np.int32)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr", "a.h5"])
def test_a_volume_is_a_lazy_layer_as_the_file_states_it(
    tmp_path: Path, name: str
) -> None:
    path = segkit.save(
        tmp_path / name, VOLUME, axes="zyx", spacing=(2, 0.5, 0.5), units="um"
    )
    [(data, options, kind)] = read(str(path))
    assert isinstance(data, segkit.Image)
    assert kind == "image"
    assert options["scale"] == (2.0, 0.5, 0.5)
    assert options["units"] == ("micrometer",) * 3
    assert options["axis_labels"] == ("z", "y", "x")
    np.testing.assert_array_equal(data[1, :, 2:99], VOLUME[1, :, 2:])


def test_resolutions_of_a_pyramid_are_those_of_one_layer(tmp_path: Path) -> None:
    plane = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    path = segkit.save(tmp_path / "a.zarr", plane, levels=3)
    [(data, options, _)] = read(str(path))
    assert options["multiscale"]
    assert [one.shape for one in data] == [(64, 64), (32, 32), (16, 16)]


def test_channels_are_layers_of_their_own_and_time_is_an_axis() -> None:
    movie = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    found = layers_of([as_image(movie, axes="tcyx")], "m")
    assert [options["name"] for _, options, _ in found] == ["m 0", "m 1", "m 2"]
    assert len({options["colormap"] for _, options, _ in found}) == 3
    for k, (data, options, _) in enumerate(found):
        assert options["axis_labels"] == ("t", "y", "x")
        np.testing.assert_array_equal(np.asarray(data), movie[:, k])


def test_a_colour_picture_is_one_layer_of_two_axes() -> None:
    picture = as_image(np.zeros((5, 6, 3), np.uint8), axes="yxs")
    [(data, options, _)] = layers_of([picture], "p")
    assert options["rgb"]
    assert len(options["scale"]) == 2
    assert data.shape == (5, 6, 3)


def test_layers_have_the_names_of_channels(tmp_path: Path) -> None:
    path, stains = tmp_path / "m.ome.tif", np.zeros((2, 3, 8, 8), np.uint16)
    segkit.save(path, stains, axes="czyx", channels=["DAPI", "GFP"])
    found = layers_of([segkit.open_image(path)], "m")
    assert [options["name"] for _, options, _ in found] == ["m DAPI", "m GFP"]


def test_axes_that_nobody_named_stay_nameless_and_together() -> None:
    [(data, options, _)] = layers_of([as_image(np.zeros((2, 3, 4, 5)))], "n")
    assert "axis_labels" not in options
    assert data.shape == (2, 3, 4, 5)


def test_hundreds_of_channels_are_an_axis() -> None:
    [(data, _, _)] = layers_of([as_image(np.zeros((99, 4, 5)), axes="cyx")], "n")
    assert data.shape == (99, 4, 5)


def test_a_unit_that_napari_may_not_know_is_left_out() -> None:
    image = as_image(np.zeros((4, 5)), spacing=(2, 2), units="furlong")
    [(_, options, _)] = layers_of([image], "n")
    assert "units" not in options
    assert options["scale"] == (2.0, 2.0)


@pytest.mark.parametrize(
    "array", [np.zeros(5), np.zeros((0, 5)), np.zeros((4, 5), np.complex64)]
)
def test_what_napari_cannot_show_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ImageRequestError, match="napari shows real numbers"):
        layers_of([as_image(array)], "n")


def test_other_files_are_left_to_others(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    assert reader_of(str(table)) is None
    assert reader_of(str(tmp_path / "lacking.tif")) is None


def test_an_image_that_cannot_be_opened_is_ours_and_says_why(tmp_path: Path) -> None:
    path = segkit.save(tmp_path / "a.tif", VOLUME, axes="zyx")
    path.write_bytes(path.read_bytes()[:200])
    assert reader_of(str(path)) is read
    with pytest.raises(segkit.io.ImageError, match=r"a\.tif"):
        read(str(path))


@pytest.mark.parametrize("name", ["l.tif", "l.ome.tif", "l.zarr", "l.h5"])
def test_labels_come_back_with_their_spacing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    options = {
        "scale": np.array([2, 0.5, 0.5]),
        "units": ("micrometer",) * 3,
        "axis_labels": ("z", "y", "x"),
    }
    assert write_labels(str(path), np.zeros_like(LABELS), options) == [str(path)]
    write_labels(str(path), LABELS, options)  # napari asks whether it may
    image = segkit.open_image(path)
    np.testing.assert_array_equal(image.read(), LABELS)
    assert (image.axes, image.spacing) == ("zyx", (2.0, 0.5, 0.5))
    assert image.unit == "micrometer"


def test_of_labels_of_several_resolutions_the_full_one_is_saved(tmp_path: Path) -> None:
    levels = [LABELS[0], LABELS[0, ::2, ::2]]
    write_labels(str(tmp_path / "l.npy"), levels, {"multiscale": True})
    np.testing.assert_array_equal(np.load(tmp_path / "l.npy"), LABELS[0])


@pytest.mark.parametrize("axes", ["yx", "zyx", "tyx", "tzyx"])
def test_a_layer_is_the_image_that_it_was_made_of(axes: str) -> None:
    array = np.zeros((3,) * len(axes), np.uint8)
    image = as_image(array, axes=axes, spacing=(2.0,) * len(axes))
    [(data, options, _)] = layers_of([image], "n")
    for voxels in (data, array):
        again = image_of(voxels, options)
        assert (again.axes, again.spacing, again.units) == (
            image.axes,
            image.spacing,
            image.units,
        )


def test_a_volume_of_three_columns_is_no_colour() -> None:
    assert image_of(np.zeros((9, 9, 3), np.uint8), {}).axes == "zyx"
    assert image_of(np.zeros((9, 9, 3), np.uint8), {"rgb": True}).axes == "yxs"


def test_a_layer_that_is_flipped_has_no_spacing() -> None:
    with pytest.raises(ImageRequestError, match="spacing"):
        image_of(np.zeros((4, 5)), {"scale": (-1, 1)})

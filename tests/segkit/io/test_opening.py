"""An opened image travels, and says what to do with its colours."""

import os
import pickle
import socket
from pathlib import Path

import imageio.v3
import numpy as np
import pytest

import segkit
from segkit.io import ColourError, ImageRequestError
from segkit.io.plates.opening import is_plate

from .samples import VOLUME


@pytest.mark.parametrize(
    "name", ["a.tif", "a.ome.tif", "a.npy", "a.zarr", "a.h5", "a.png"]
)
def test_image_pickles_and_reads_after(volume, name):
    array = VOLUME[0] if name.endswith("png") else VOLUME
    image = segkit.open_image(volume(name, array))
    np.testing.assert_array_equal(image.read(), array)
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(again.read(), array)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_colour_where_grey_is_expected_says_what_to_do(tmp_path, suffix):
    picture = np.random.default_rng(1).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    path = (
        segkit.save(tmp_path / f"a.{suffix}", picture, axes="yxs")
        if (suffix != "bmp")
        else tmp_path / "a.bmp"
    )
    if suffix == "bmp":
        imageio.v3.imwrite(path, picture)
    image = segkit.open_image(path)
    assert image.axes == "yxs"
    with pytest.raises(ColourError, match=r"channel=0, or mix them by to_grey=True"):
        image.spatial()
    green = segkit.open_image(path, channel=1)
    np.testing.assert_array_equal(green.spatial().read(), picture[..., 1])
    grey = segkit.open_image(path, to_grey=True).read()
    expected = picture @ np.array([0.2125, 0.7154, 0.0721])
    assert grey.dtype == np.uint8
    assert np.abs(grey - expected).max() <= 0.5


@pytest.mark.skipif("SEGKIT_DATA" not in os.environ, reason="no data set")
def test_real_nuclei_open_as_grey():
    folder = Path(os.environ["SEGKIT_DATA"], "coelho2009", "ic100")
    picture = min(folder.rglob("*.png"))
    image = segkit.open_image(picture)
    grey = image if image.axes == "yx" else segkit.open_image(picture, channel=0)
    assert min(grey.spatial().shape) > 500


def _pipe(path):
    os.mkfifo(path)
    return path


def _socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    return path


@pytest.mark.parametrize("made", [_pipe, _socket, lambda _: Path(os.devnull)])
def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path, monkeypatch, made):
    monkeypatch.chdir(tmp_path)
    path = made(Path("p.png"))
    with pytest.raises(ImageRequestError, match="a pipe, a socket or a device"):
        segkit.open_image(path)
    Path("link.png").symlink_to(path)
    with pytest.raises(ImageRequestError, match="a pipe, a socket or a device"):
        segkit.open_image("link.png")


def test_a_file_that_is_not_there_is_told_without_numbers_of_errors(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        segkit.open_image(tmp_path / "x.png")
    assert str(caught.value) == f"{tmp_path / 'x.png'}: no image there"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("circle.png", "circle.png: cannot be read: Too many levels of symbolic links"),
        (f"{'long' * 70}.png", ".png: cannot be read: File name too long"),
    ],
)
def test_what_no_system_can_look_at_is_told_in_a_sentence(tmp_path, name, said):
    (tmp_path / "circle.png").symlink_to("circle.png")
    with pytest.raises(ImageRequestError, match=f"{said}$"):
        segkit.open_image(tmp_path / name)
    assert not is_plate(tmp_path / name)


def test_a_folder_without_pictures_is_told_in_a_sentence(tmp_path):
    with pytest.raises(ImageRequestError, match=r"is a folder without files$"):
        segkit.open_image(tmp_path)
    with pytest.raises(ImageRequestError, match=r"without files named \*\.png$"):
        segkit.open_image(tmp_path, pattern="*.png")

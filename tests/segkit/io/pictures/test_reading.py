"""A picture gives the pixels that it stores: as deep, as indices, the right way up."""

import io
import threading

import imagecodecs
import numpy as np
import pytest
from PIL import Image

import segkit
from segkit.io import ColourError, DamagedImageError, ImageRequestError

DEEP = (np.arange(24 * 32 * 3).reshape(24, 32, 3) * 25 % 60000).astype(np.uint16)
RGBA = np.concatenate([DEEP, DEEP[..., :1] // 2 + 9000], axis=-1)


@pytest.mark.parametrize(
    ("stored", "axes"),
    [(DEEP, "yxs"), (RGBA, "yxs"), (RGBA[..., 2:], "yxs"), (DEEP[..., 0], "yx")],
    ids=["RGB", "RGBA", "grey and alpha", "grey"],
)
def test_a_png_of_16_bits_is_read_with_all_of_them(tmp_path, stored, axes):
    path = tmp_path / "a.png"
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(stored)))
    image = segkit.open_image(path)
    assert (image.axes, image.dtype) == (axes, np.uint16)
    np.testing.assert_array_equal(image.read(), stored)


def test_frames_and_planes_of_16_bits_are_read_with_all_of_them(tmp_path):
    frames = np.stack([DEEP, DEEP // 2])
    (tmp_path / "a.png").write_bytes(imagecodecs.apng_encode(frames))
    image = segkit.open_image(tmp_path / "a.png")
    assert (image.axes, image.dtype) == ("tyxs", np.uint16)
    np.testing.assert_array_equal(image.read(), frames)
    (tmp_path / "planes").mkdir()
    for number, frame in enumerate(frames):
        name = tmp_path / "planes" / f"{number}.png"
        name.write_bytes(imagecodecs.png_encode(frame))
    np.testing.assert_array_equal(segkit.open_image(tmp_path / "planes")[:], frames)


@pytest.mark.parametrize(
    ("name", "data", "stored"),
    [
        ("a.jp2", imagecodecs.jpeg2k_encode(DEEP, level=0), DEEP),
        (
            "b.jp2",
            imagecodecs.jpeg2k_encode(
                np.ascontiguousarray(DEEP[..., 0] >> 4), level=0, bitspersample=12
            ),
            DEEP[..., 0] >> 4,
        ),
        (
            "a.pgm",
            b"P5\n# 12\n2 2\n4095\n\0\1\0\2\x0f\xff\0\0",
            [[1, 2], [4095, 0]],
        ),
        ("b.pgm", b"P5 2 2 3\n\0\1\2\3", [[0, 1], [2, 3]]),
        ("c.pgm", b"P2 2 2 9\n1 2\n# a comment\n9 0\n", [[1, 2], [9, 0]]),
        ("a.ppm", b"P6 1 1 65535\n\1\0\2\0\3\0", [[[256, 512, 768]]]),
        ("d.pgm", b"P5 2 1 255\n\7\x08", [[7, 8]]),
    ],
)
def test_samples_of_other_depths_are_as_stored(tmp_path, name, data, stored):
    (tmp_path / name).write_bytes(data)
    np.testing.assert_array_equal(segkit.open_image(tmp_path / name).read(), stored)


def test_an_avif_of_10_bits_keeps_them(tmp_path):
    data = imagecodecs.avif_encode(DEEP >> 6, bitspersample=10, level=100)
    (tmp_path / "a.avif").write_bytes(data)
    image = segkit.open_image(tmp_path / "a.avif")
    assert image.dtype == np.uint16
    assert image.read().max() > 255


def test_a_cut_deep_picture_is_damaged(tmp_path):
    data = imagecodecs.png_encode(DEEP)
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(DamagedImageError, match="cannot be decoded"):
        segkit.open_image(tmp_path / "a.png")


IDS = np.zeros((16, 20), np.uint8)
IDS[2:8, 2:8], IDS[10:14, 5:19] = 1, 2


def palette_picture(colours):
    picture = Image.fromarray(IDS).convert("P")
    picture.putdata(IDS.ravel().tolist())
    picture.putpalette(colours)
    return picture


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.gif", "a.tif"])
def test_a_palette_gives_the_ids_of_labels(tmp_path, name):
    palette_picture([0, 0, 0, 128, 0, 0, 0, 128, 0]).save(tmp_path / name)
    image = segkit.open_image(tmp_path / name)
    assert image.axes == "yx"
    np.testing.assert_array_equal(image.read(), IDS)
    same = segkit.open_image(tmp_path / name, to_grey=True)
    np.testing.assert_array_equal(same.read(), IDS)


def test_many_objects_in_a_palette_are_labels(tmp_path):
    ids = np.kron(np.arange(200).reshape(10, 20), np.ones((8, 8))).astype(np.uint8)
    picture = Image.fromarray(ids).convert("P")
    picture.putdata(ids.ravel().tolist())
    picture.putpalette(np.random.default_rng(0).integers(0, 255, 768).tolist())
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(segkit.open_image(tmp_path / "a.png").read(), ids)


def test_of_a_photograph_in_a_palette_it_has_to_be_said_what_is_meant(tmp_path):
    path = tmp_path / "a.png"
    noise = np.random.default_rng(0).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    picture = Image.fromarray(noise).quantize(200)
    picture.save(path)
    with pytest.raises(ImageRequestError, match="colours of a palette; say axes='yxs'"):
        segkit.open_image(path)
    colours = segkit.open_image(path, axes="yxs")
    np.testing.assert_array_equal(colours.read(), np.asarray(picture.convert("RGB")))
    assert colours.to_grey().axes == "yx"
    indices = segkit.open_image(path, axes="yx").read()
    np.testing.assert_array_equal(indices, np.asarray(picture))


def test_a_palette_of_greys_gives_greys(tmp_path):
    palette_picture([9, 9, 9, 200, 200, 200, 100, 100, 100]).save(tmp_path / "a.png")
    expected = np.array([9, 200, 100])[IDS]
    np.testing.assert_array_equal(segkit.open_image(tmp_path / "a.png"), expected)


def test_inks_are_channels_and_not_colours(tmp_path):
    inks = Image.fromarray(np.zeros((8, 9, 4), np.uint8), mode="CMYK")
    inks.save(tmp_path / "a.jpg")
    image = segkit.open_image(tmp_path / "a.jpg")
    assert image.axes == "yxc"
    with pytest.raises(ColourError, match="choose one by channel=0"):
        segkit.open_image(tmp_path / "a.jpg", to_grey=True)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_is_turned_as_it_says(tmp_path, orientation):
    path = tmp_path / "a.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(IDS).save(path, exif=exif)
    read = segkit.open_image(path).read()
    upright = IDS if orientation < 5 else IDS.T
    assert read.shape == upright.shape
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}
    expected = np.flip(upright, flips[orientation]) if orientation in flips else upright
    np.testing.assert_array_equal(read, expected)


def test_frames_of_a_movie_are_along_time(tmp_path):
    frames = [Image.fromarray(np.full((8, 9, 3), k, np.uint8)) for k in (10, 200, 90)]
    for name in ("a.gif", "a.png", "a.webp"):
        options = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(
            tmp_path / name, save_all=True, append_images=frames[1:], **options
        )
        image = segkit.open_image(tmp_path / name)
        assert image.axes == "tyxs"
        assert image.read()[:, 0, 0, 0].tolist() == [10, 200, 90]


def test_a_large_picture_is_read_and_a_huge_one_refused(tmp_path, monkeypatch):
    # Pillow's own limit is lowered, so that small pictures are large.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = segkit.save(tmp_path / "a.png", np.zeros((40, 40), np.uint8))
    opened = []

    def read():
        opened.append(segkit.open_image(path).shape)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [(40, 40)] * 4
    assert Image.MAX_IMAGE_PIXELS == 100
    stream = io.BytesIO()
    Image.fromarray(np.zeros((1, 1), np.uint8)).save(stream, format="BMP")
    header = bytearray(stream.getvalue())
    header[18:26] = (70_000).to_bytes(4, "little") * 2
    (tmp_path / "a.bmp").write_bytes(header)
    with pytest.raises(ImageRequestError, match=r"4 GB \(70000 x 70000 pixels\)"):
        segkit.open_image(tmp_path / "a.bmp")

"""PNG files of ours are read by every other reader, and do not depend on threads."""

import io
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from segkit.io.pictures import png
from segkit.io.pictures.png import encoded_png

RNG = np.random.default_rng(0)


def pixels_of(shape, dtype=np.uint8, kind="noise"):
    noise = RNG.integers(0, np.iinfo(dtype).max + 1, shape)
    return (noise if kind == "noise" else noise // 50).astype(dtype)


def by_opencv(data):
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
    return found[..., order[found.shape[2]]] if found.ndim == 3 else found


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([(), (3,), (4,)]),
    st.sampled_from([np.uint8, np.uint16]),
    st.sampled_from(["noise", "dark"]),
    st.sampled_from([1, 50, 2**21]),
    st.integers(1, 3),
)
def test_others_read_the_pixels(size, samples, dtype, kind, block, workers):
    pixels = pixels_of((*size, *samples), dtype, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png, "_BLOCK", block)
        data = encoded_png(pixels, workers)

    np.testing.assert_array_equal(by_opencv(data), pixels)
    if dtype == np.uint8 or not samples:  # Pillow has no deep colours
        with Image.open(io.BytesIO(data)) as picture:
            np.testing.assert_array_equal(np.asarray(picture), pixels)


def test_grey_with_alpha_is_read():
    pixels = pixels_of((9, 7, 2))
    with Image.open(io.BytesIO(encoded_png(pixels))) as picture:
        assert picture.mode == "LA"
        np.testing.assert_array_equal(np.asarray(picture), pixels)


def test_the_bytes_do_not_depend_on_threads():
    pixels = pixels_of((1500, 1000, 3), kind="dark")
    data = encoded_png(pixels, workers=1)

    assert data == encoded_png(pixels, workers=2) == encoded_png(pixels, workers=5)
    assert data.count(b"IDAT") > 2
    np.testing.assert_array_equal(by_opencv(data), pixels)


def test_any_strides_and_byte_order_are_written():
    pixels = pixels_of((40, 50, 3), np.uint16)
    for one in (pixels[::2, ::-1], pixels.transpose(1, 0, 2), pixels.astype(">u2")):
        np.testing.assert_array_equal(by_opencv(encoded_png(one)), one)


def test_the_stream_is_whole():
    pixels = pixels_of((1500, 1000, 3), kind="dark")
    data, place, stream = encoded_png(pixels), 8, b""
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunk = data[place + 4 : place + 8 + length]
        check = data[place + 8 + length : place + 12 + length]
        assert zlib.crc32(chunk) == int.from_bytes(check, "big")
        stream += chunk[4:] * (chunk[:4] == b"IDAT")
        place += 12 + length

    assert len(zlib.decompress(stream)) == 1500 * (1 + 3000)

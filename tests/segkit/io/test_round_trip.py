"""What was saved is read back, voxel by voxel and with what was said of it, or refused.

Every writer, axes in any order and of length 1 too, types, compression, spacing, units.
"""

import pickle
import tempfile
from pathlib import Path

import h5py
import imageio.v3
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings, strategies as st

import segkit
from segkit.io import ImageRequestError

NAMES = (
    "a.tif",
    "a.ome.tif",
    "a.zarr",
    "a.h5",
    "a.npy",
    "a.npz",
    "a.png",
    "a.bmp",
    "a.webp",
    "planes",
)
AXES = (
    *("yx", "zyx", "tyx", "cyx", "czyx", "tzyx", "tcyx", "tczyx", "rczyx", "ryx"),
    *("yxs", "zyxs", "tyxs", "cyxs", "tczyxs", "syx", "zyxc", "yxc", "xyz", "yzx"),
)
DTYPES = ("bool", "u1", "i1", "u2", ">u2", "i4", "i8", "u8", "f2", "f4", "f8", "c8")
PICTURES = ("a.png", "a.bmp", "a.webp", "planes")
each_writer = pytest.mark.parametrize("name", NAMES)
by_example = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def images(draw):
    """An array with the options that describe it."""
    axes = draw(st.sampled_from(AXES))
    lengths = {"y": (1, 20), "x": (1, 20), "s": (1, 5)}
    shape = [draw(st.integers(*lengths.get(name, (1, 3)))) for name in axes]
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    low, high = (0, 2) if dtype.kind == "b" else (0, 200)
    array = np.random.default_rng(len(axes)).integers(low, high, shape).astype(dtype)
    options = {"axes": axes}
    space = [name for name in axes if name in "zyx"]
    if draw(st.booleans()):
        steps = st.floats(1e-3, 1e3, allow_subnormal=False)
        options["spacing"] = [draw(steps) for _ in space]
        options["units"] = draw(st.sampled_from(["micrometer", "nm", "pixel", "\xb5m"]))
        if "t" in axes and draw(st.booleans()):
            by_name = dict(zip(space, options["spacing"], strict=True))
            options["spacing"] = [by_name.get(n, 2.5 if n == "t" else 1) for n in axes]
            unit = options["units"]
            units = {"t": "second", **dict.fromkeys("zyx", unit)}
            options["units"] = [units.get(name, "pixel") for name in axes]
    return array, options


def save_by_box(path, array, options):
    """Write an image in two boxes."""
    with segkit.create_image(path, array.shape, array.dtype, **options) as writer:
        first = writer.chunks[0] if writer.chunks else max(1, array.shape[0] // 2)
        for part in (slice(0, first), slice(first, array.shape[0])):
            if len(array[part]):
                writer.write((part,), array[part])


def by_its_own_library(path):
    """Return the voxels as who knows only the format reads them."""
    if path.suffix == ".tif":
        return tifffile.imread(path, is_ome=False, is_shaped=False)
    if path.suffix == ".zarr":
        return zarr.open_array(str(path / "0"), mode="r")[...]
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            return file["image"][...]
    if path.suffix == ".npz":
        return np.load(path)["image"]
    if path.suffix == ".npy":
        return np.load(path)
    if path.is_dir():
        return np.stack([imageio.v3.imread(plane) for plane in sorted(path.iterdir())])
    return imageio.v3.imread(path)


def require_same(image, array, known, *, picture):
    assert (image.axes, image.shape) == (known.axes, array.shape)
    assert image.spacing == pytest.approx(known.spacing, rel=1e-12)
    assert image.units == known.units
    stored = array * np.uint8(255) if picture and array.dtype == bool else array
    assert picture or image.dtype == known.dtype
    np.testing.assert_array_equal(np.asarray(image.read()), stored)
    box = tuple(slice(n // 3, n // 3 + (n + 1) // 2) for n in array.shape)
    np.testing.assert_array_equal(image.read(box), stored[box])


@each_writer
@by_example
@given(
    drawn=images(),
    compression=st.sampled_from([None, None, "zlib", "lzw", "zstd"]),
    by_box=st.booleans(),
    version=st.sampled_from(["0.4", "0.5"]),
)
def test_what_was_saved_is_read_or_was_refused(
    name, drawn, compression, by_box, version
):
    array, options = drawn
    known = segkit.io.as_image(array, **options)
    if name == "a.zarr":
        options["ome_version"] = version
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        try:
            if by_box:
                save_by_box(path, array, options)
            else:
                packed = {"compression": compression} if ".tif" in name else {}
                segkit.save(path, array, durable=False, **options, **packed)
        except ImageRequestError:
            assert list(Path(folder).iterdir()) == []
            return
        image = segkit.open_image(path)
        require_same(image, array, known, picture=name in PICTURES)
        stored = array * np.uint8(255) if array.dtype == bool else array
        if not (name in PICTURES and array.dtype.itemsize > 1 and "s" in image.axes):
            # Others cut 16 bits of colour to 8.
            other = by_its_own_library(path).reshape(array.shape)
            expected = stored if name in PICTURES else array
            np.testing.assert_array_equal(other, expected)
        require_same(
            pickle.loads(pickle.dumps(image)), array, known, picture=name in PICTURES
        )


@by_example
@given(drawn=images(), names=st.lists(st.sampled_from(NAMES[:4]), min_size=2))
def test_an_image_that_travels_through_formats_stays_what_it_is(drawn, names):
    array, options = drawn
    known = image = segkit.io.as_image(array, **options)
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(names):
            path = Path(folder, f"{number}{name}")
            try:
                segkit.save(path, image, durable=False)
            except ImageRequestError:
                continue
            image = segkit.open_image(path)
        require_same(image, array, known, picture=False)

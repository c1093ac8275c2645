"""A damaged, foreign or unreadable file is refused in words, never read wrongly."""

import os
import pickle
import re
import shlex
import sys

import h5py
import imageio.v3
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings, strategies as st

import segkit
from segkit.io import (
    DamagedImageError,
    ImageError,
    ImageRequestError,
    MissingExtraError,
    NotAnImageError,
    UnfinishedImageError,
)
from segkit.tiling.boxes import Box

VOLUME = np.random.default_rng(0).integers(1, 255, (6, 64, 80)).astype(np.uint8)


def cut(path, keep):
    """Keep a fraction of the file's bytes."""
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * keep))


@pytest.mark.parametrize("keep", [0.001, 0.3, 0.9, 0.999])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.npy", {}),
        ("a.tif", {}),
        ("a.ome.tif", {}),
        ("a.tif", {"compression": "zlib"}),
        ("a.h5", {}),
    ],
)
def test_a_file_cut_anywhere_is_refused(tmp_path, name, options, keep):
    path = segkit.save(tmp_path / name, VOLUME, **options)
    cut(path, keep)
    with pytest.raises((DamagedImageError, NotAnImageError), match=name):
        segkit.open_image(path).read()


@settings(
    max_examples=100,
    deadline=None,
    # The same bytes in every run: the HDF5 library is known to crash on some.
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
@pytest.mark.parametrize(
    ("name", "options"),
    [("a.npy", {}), ("a.tif", {}), ("b.tif", {"compression": "zlib"}), ("a.h5", {})],
)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::ResourceWarning")
def test_changed_bytes_give_an_image_or_an_image_error(tmp_path, name, options, data):
    path = tmp_path / name
    small = VOLUME[:2, :20, :20]
    stored = bytearray(
        segkit.save(path, small, overwrite=True, durable=False, **options).read_bytes()
    )
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, min(len(stored), 400) - 1))
        stored[place] = data.draw(st.integers(0, 255))
    path.write_bytes(stored)
    try:
        image = segkit.open_image(path)
        voxels = image.read() if image.nbytes < 1 << 24 else np.zeros(image.shape[:0])
    except ImageError as error:
        assert name in str(error)  # noqa: PT017 (either outcome is right)
    else:
        assert voxels.dtype == image.dtype or image.nbytes >= 1 << 24


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.8, 0.95])
def test_a_cut_stack_of_pages_is_not_a_thinner_volume(tmp_path, keep):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for plane in VOLUME:
            writer.write(plane, contiguous=False, metadata=None, compression="zlib")
    cut(path, keep)
    with pytest.raises(DamagedImageError, match="cut short"):
        segkit.open_image(path).read()


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_cut_picture_is_refused(tmp_path, name):
    path = tmp_path / name
    imageio.v3.imwrite(path, VOLUME[0])
    cut(path, 0.5)
    with pytest.raises(DamagedImageError, match="cannot be decoded"):
        segkit.open_image(path).read()


def test_a_flipped_bit_in_a_chunk_is_refused(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", VOLUME, chunks=(6, 32, 40))
    chunk = path / "0" / "c" / "0" / "1" / "1"
    stored = bytearray(chunk.read_bytes())
    stored[len(stored) // 2] ^= 1
    chunk.write_bytes(stored)
    image = segkit.open_image(path)
    np.testing.assert_array_equal(image[:, :32], VOLUME[:, :32])
    with pytest.raises(DamagedImageError, match="damaged"):
        image.read()


@pytest.mark.parametrize("version", [2, 3])
def test_a_missing_chunk_is_an_error_unless_declared_a_fill(tmp_path, version):
    path = tmp_path / "a.zarr"
    options = {"chunks": (6, 32, 40), "zarr_format": version}
    zarr.create_array(str(path), data=VOLUME, **options)
    (path / ("c/0/0/1" if version == 3 else "0.0.1")).unlink()
    image = segkit.open_image(path)
    np.testing.assert_array_equal(image[:, 32:], VOLUME[:, 32:])
    with pytest.raises(DamagedImageError, match=r"chunk .* missing.*missing='fill'"):
        image.read()
    filled = segkit.open_image(path, missing="fill").read()
    assert not filled[:, :32, 40:].any()


def test_damaged_zarr_metadata(tmp_path):
    path = segkit.save(tmp_path / "a.zarr", VOLUME)
    cut(path / "zarr.json", 0.5)
    with pytest.raises(DamagedImageError, match="damaged"):
        segkit.open_image(path)


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.npy", "a.h5", "a"])
@pytest.mark.parametrize("content", [b"", b"hello, this is a letter", bytes(300)])
def test_what_is_no_image_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NotAnImageError, match=f"{name}: is (not an image|an empty)"):
        segkit.open_image(path)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no image there"):
        segkit.open_image(tmp_path / "none.tif")
    with pytest.raises(ImageRequestError, match="without files"):
        segkit.open_image(tmp_path)


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.zarr"])
def test_no_permission(tmp_path, name):
    path = segkit.save(tmp_path / name, VOLUME)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # root may read everything, so become nobody for a moment
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionError):
            segkit.open_image(path)
    finally:
        os.seteuid(user)
        path.chmod(0o700)


def test_no_permission_to_write(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    user = os.geteuid()
    if user == 0:
        tmp_path.chmod(0o755)
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionError):
            segkit.save(folder / "a.tif", VOLUME)
    finally:
        os.seteuid(user)


def test_folder_with_a_plane_of_another_shape(tmp_path):
    imageio.v3.imwrite(tmp_path / "1.png", VOLUME[0])
    imageio.v3.imwrite(tmp_path / "2.png", VOLUME[0, :10])
    image = segkit.open_image(tmp_path)
    np.testing.assert_array_equal(image[0], VOLUME[0])
    with pytest.raises(DamagedImageError, match=r"2.png: has shape \(10, 80\)"):
        image.read()


def test_folder_of_several_kinds_asks_which(tmp_path):
    imageio.v3.imwrite(tmp_path / "1.png", VOLUME[0])
    tifffile.imwrite(tmp_path / "1.tif", VOLUME[0])
    with pytest.raises(ImageRequestError, match=r"several kinds .*pattern='\*\."):
        segkit.open_image(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"series": 3}, "series=3"),
        ({"level": 2}, "level=2"),
        ({"channel": 0}, "no channels"),
        ({"select": {"t": 0}}, "no axis 't'"),
        ({"select": {"z": 6}}, "outside axis 'z'"),
        ({"spacing": (1, 2)}, "2 values"),
        ({"spacing": (1, 0, 1)}, "must be positive"),
        ({"axes": "yx"}, "do not name"),
    ],
)
def test_a_choice_that_does_not_fit_is_named(tmp_path, options, message):
    path = segkit.save(tmp_path / "a.tif", VOLUME)
    with pytest.raises(ImageRequestError, match=message):
        segkit.open_image(path, **options)


@pytest.mark.parametrize(
    "box",
    [
        Box((0, 0, 0), (6, 64, 81)),
        Box((0, 0), (6, 64)),
        (slice(0, 1),) * 4,
        (slice(0, 6, 2),),
    ],
)
def test_a_box_beyond_the_image_is_refused(tmp_path, box):
    image = segkit.open_image(segkit.save(tmp_path / "a.npy", VOLUME))
    with pytest.raises(ImageRequestError, match="box"):
        image.read(box)


@pytest.mark.parametrize("name", ["a.tif", "a.zarr", "a.npy", "a.png", "a.h5", "a"])
def test_nothing_is_replaced_unless_asked(tmp_path, name):
    array = VOLUME[0] if name == "a.png" else VOLUME
    path = segkit.save(tmp_path / name, array)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        segkit.save(path, array // 2)
    np.testing.assert_array_equal(segkit.open_image(path).read(), array)
    segkit.save(path, array // 2, overwrite=True)
    np.testing.assert_array_equal(segkit.open_image(path).read(), array // 2)
    assert [child.name for child in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.tif", "a.zarr", "a.npy", "a.h5"])
def test_a_failed_save_leaves_nothing(tmp_path, name):
    class Source:
        shape = VOLUME.shape
        dtype = VOLUME.dtype

        def read(self, box):
            raise OSError("the disk is gone")

    image = segkit.Image("broken", Source(), "zyx", (1.0,) * 3, ("pixel",) * 3)
    with pytest.raises(OSError, match="the disk is gone"):
        segkit.save(tmp_path / name, image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("a.png", VOLUME, "cannot hold shape"),
        ("a.png", VOLUME[0] / 2, "scale to uint8"),
        ("a.png", VOLUME[0].astype(int) + 70_000, "do not fit uint16"),
        ("a.jpg", VOLUME[0].astype(np.int32), "loses details"),
        ("a.ome.tif", VOLUME.astype(np.int64), "OME-TIFF cannot hold"),
        ("a.doc", VOLUME, "means no format"),
        ("a.zarr", VOLUME[0, 0], "cannot be held by OME-Zarr"),
        ("a.npy", np.array(["text"]), "cannot save"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, name, array, message):
    with pytest.raises(ImageRequestError, match=message):
        segkit.save(tmp_path / name, array)
    assert list(tmp_path.iterdir()) == []


def test_npy_of_objects_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(NotAnImageError, match="not numbers"):
        segkit.open_image(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("module", "package", "name"),
    [
        ("zarr", "zarr", "a.zarr"),
        ("h5py", "h5py", "a.h5"),
        ("tifffile", "tifffile", "a.tif"),
        ("PIL", "pillow", "a.bmp"),
    ],
)
def test_a_missing_library_is_named_with_what_installs_it_here(
    tmp_path, monkeypatch, module, package, name
):
    voxels = np.uint8(VOLUME[0]) if name == "a.bmp" else VOLUME
    path = segkit.save(tmp_path / name, voxels)
    monkeypatch.setitem(sys.modules, module, None)
    command = f"pip --python {shlex.quote(sys.executable)} install {package}"
    with pytest.raises(MissingExtraError, match=f"{re.escape(command)}$"):
        segkit.open_image(path).read()
    with pytest.raises(MissingExtraError, match=f"{re.escape(command)}$"):
        segkit.save(tmp_path / f"b{name}", voxels)


@pytest.mark.parametrize(
    "fault",
    ["raise ImportError('libz.so.9: not there')", "raise ValueError('dtype changed')"],
)
@pytest.mark.parametrize(
    ("module", "name"), [("tifffile", "a.tif"), ("h5py", "a.h5"), ("zarr", "a.zarr")]
)
def test_a_broken_library_is_no_damage_of_the_file(
    tmp_path, monkeypatch, module, name, fault
):
    path = segkit.save(tmp_path / name, VOLUME)
    for known in [one for one in sys.modules if one.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, known)
    (tmp_path / f"{module}.py").write_text(fault)
    monkeypatch.syspath_prepend(tmp_path)
    reason = fault.partition("'")[2].partition("'")[0]
    with pytest.raises(MissingExtraError, match=f"needs {module}.*{reason}.*install"):
        segkit.open_image(path)


def test_hdf5_of_text_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["words"] = ["a", "b"]
    with pytest.raises(NotAnImageError, match="words"):
        segkit.open_image(tmp_path / "a.h5")


@pytest.mark.parametrize(
    "kind", [DamagedImageError, MissingExtraError, UnfinishedImageError]
)
def test_errors_travel_between_processes(kind):
    error = pickle.loads(pickle.dumps(kind("a.tif", "is cut short")))
    assert isinstance(error, kind)
    assert isinstance(error, ImageError)
    assert (str(error), error.path) == ("a.tif: is cut short", "a.tif")

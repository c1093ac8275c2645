"""Every value comes back as it was stored, in another process too."""

import dataclasses
import datetime
import gc
import pathlib
import resource
import subprocess
import sys
import types
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from backends.errors import DamagedError
from taskgraph import UnstorableError, open_store
from taskgraph.results import codec


@dataclasses.dataclass
class Point:
    x: float
    image: np.ndarray


@pytest.fixture
def results(tmp_path):
    return open_store(tmp_path / "store")


def native(dtype):
    """Pickle itself turns dates, and only these, into the machine's byte order."""
    return dtype.newbyteorder("=") if dtype.kind in "mM" else dtype


def there_and_back(results, value):
    return results.decode(results.encode(value, b"k" * 20), b"k" * 20)


SMALL = [
    None, 1, 2.5, "text", b"bytes", [1, [2]], {"a": {1, 2}}, (1, None), 2**300,
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), np.float32(2), np.bool_(1),
    range(3),
]  # fmt: skip


@pytest.mark.parametrize("value", SMALL, ids=repr)
def test_plain_values_come_back(results, value):
    back = there_and_back(results, value)
    assert back == value
    assert type(back) is type(value)


LAYOUTS = {
    "C": lambda a: a,
    "F": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "reversed": lambda a: a[::-1],
    "transposed": lambda a: a.T.copy().T,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "empty": lambda a: a[:0],
    "scalar": lambda a: a[0, 0].reshape(()),
    "readonly": lambda a: np.broadcast_to(a[:1], a.shape),
}
DTYPES = ["?", "u1", "<i2", "<u4", "<i8", "<f2", "<f4", "<f8", "<c16", "U3", "S3",
          "M8[s]", "m8[ms]", "i4,f8"]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_of_every_kind_come_back(results, dtype, layout):
    if layout == "big-endian" and dtype == "i4,f8":
        dtype = ">i4,>f8"
    array = LAYOUTS[layout](np.zeros((300, 40), dtype=dtype))
    back = there_and_back(results, {"deep": [(array, 1)]})["deep"][0][0]
    assert native(back.dtype) == native(array.dtype)
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


@settings(max_examples=40)
@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(max_dims=4, max_side=5)))
def test_small_arrays_come_back(array):
    back = there_and_back(open_store("memory://"), [array])[0]
    np.testing.assert_array_equal(back, array)
    assert native(back.dtype) == native(array.dtype)


@given(st.recursive(st.integers() | st.text(), st.lists))
def test_nested_lists_come_back(value):
    assert there_and_back(open_store("memory://"), value) == value


def test_object_arrays_come_back(results):
    array = np.array([{"a": 1}, None, np.arange(3)], dtype=object)
    back = there_and_back(results, array)
    assert back[0] == {"a": 1}
    assert list(back[2]) == [0, 1, 2]


def test_a_large_array_is_a_file_that_numpy_reads(results, tmp_path):
    array = np.random.default_rng(0).random((200, 100))
    there_and_back(results, {"image": array, "n": 1})
    (path,) = (tmp_path / "store" / "blobs").glob("*/*.npy")
    np.testing.assert_array_equal(np.load(path), array)


def test_a_large_array_is_memory_mapped_and_private(results):
    array = np.random.default_rng(0).random((200, 100))
    payload = results.encode((array, 1), b"k" * 20)
    first, second = (results.decode(payload, b"k" * 20)[0] for _ in range(2))
    first[:] = 0
    np.testing.assert_array_equal(second, array)


@pytest.mark.parametrize("more", [(), (len,)], ids=["plain", "pickled"])
def test_arrays_end_with_their_value(results, more):
    array = np.random.default_rng(0).random((200, 100))
    gone = [weakref.ref(array)]
    gc.disable()
    try:
        payload = results.encode([array, *more], b"k" * 20)
        del array
        (found, *_) = results.decode(payload, b"k" * 20)
        gone.append(weakref.ref(found.base))
        del found
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


def test_what_compresses_well_is_compressed(results):
    labels = np.zeros((500, 500), np.int32)
    labels[100:200, 100:200] = 7
    payload = results.encode(labels, b"k" * 20)
    assert codec.stored_size(payload) < labels.nbytes / 50
    np.testing.assert_array_equal(results.decode(payload, b""), labels)


def test_what_does_not_compress_is_left_alone(results):
    noise = np.random.default_rng(0).integers(0, 255, 100_000, dtype=np.uint8)
    (ref,) = codec.blob_refs(results.encode(noise, b"k" * 20))
    assert not ref.compressed


@pytest.mark.parametrize("size", [32_768, 32_769, 40_000, 50_000, 70_000])
def test_noise_of_any_size_is_left_alone(results, size):
    noise = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    (ref,) = codec.blob_refs(results.encode(noise, b"k" * 20))
    assert not ref.compressed


@pytest.mark.parametrize("spare", [0, 60])
def test_more_arrays_than_files_may_be_open_come_back(results, spare):
    arrays = np.random.default_rng(1).random((100, 5000))
    payload = results.encode(list(arrays), b"k" * 20)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 20 + spare, before[1]))
    try:
        back = results.decode(payload, b"k" * 20)
        more = results.decode(payload, b"k" * 20)
        back[99][0] = more[0][0] = 7  # each its reader's own
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    np.testing.assert_array_equal(back[:99], arrays[:99])
    np.testing.assert_array_equal(more[1:], arrays[1:])


def test_a_large_text_is_a_blob(results):
    text = "lorem ipsum " * 100_000
    payload = results.encode(text, b"k" * 20)
    assert len(payload) < 1000
    assert results.decode(payload, b"") == text


def test_dataframes_come_back(results):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"a": np.arange(10_000.0), "b": ["x", "y"] * 5000, "c": pandas.NaT}
    )
    pandas.testing.assert_frame_equal(there_and_back(results, frame), frame)


def test_objects_with_arrays_come_back(results):
    point = there_and_back(results, Point(1.5, np.arange(20_000)))
    assert point.x == 1.5
    assert point.image[-1] == 19_999


def test_what_pickle_refuses_is_refused_with_advice(results):
    with pytest.raises(UnstorableError, match=r"cannot be stored.*plain data"):
        results.encode({"f": lambda x: x}, b"k" * 20)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "gone"])
@pytest.mark.parametrize("compressible", [True, False])
def test_a_damaged_blob_is_never_handed_on(results, tmp_path, damage, compressible):
    array = np.random.default_rng(0).integers(0, 255, 100_000, dtype=np.uint8)
    if compressible:
        array[:] = 1
    payload = results.encode(array, b"k" * 20)
    (path,) = (tmp_path / "store" / "blobs").glob("*/*")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {"flipped": data, "cut": data[: len(data) // 2], "empty": b""}[damage]
        )
    with pytest.raises(DamagedError):
        results.decode(payload, b"k" * 20)


def test_arrays_come_back_in_another_process(results, tmp_path):
    array = np.asfortranarray(np.random.default_rng(0).random((300, 50)))
    payload = results.encode([array, np.array(["a", None], object)], b"k" * 20)
    script = (
        "import sys, numpy as np; from taskgraph import open_store\n"
        f"r = open_store({str(tmp_path / 'store')!r})\n"
        f"a, o = r.decode(bytes.fromhex({payload.hex()!r}), b'')\n"
        "print(a.sum(), a.flags.f_contiguous, list(o))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert run.stdout.split(maxsplit=2) == [str(array.sum()), "True", "['a', None]\n"]


@pytest.mark.parametrize(
    "value",
    [
        pathlib.Path("a/b.tif"),
        [pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("c:\\a")] * 2,
        {pathlib.Path("\udc80"): {pathlib.Path("a")}},
        [pathlib.Path("a"), datetime.date(2026, 1, 2), pathlib.Path],
    ],
    ids=["path", "pure", "in containers", "beside what is pickled"],
)
def test_paths_are_stored_as_every_python_has_them(value):
    payload = codec.encode(value, str, None)
    assert codec.decode(payload, None) == value
    assert b"_local" not in payload


class Moved:
    """A class that this Python alone has in a private module of another."""


def test_a_class_in_a_private_module_goes_by_its_public_name(monkeypatch):
    monkeypatch.setattr(pathlib, "Moved", Moved, raising=False)
    private = types.ModuleType("pathlib._inside")
    private.Moved = Moved
    monkeypatch.setitem(sys.modules, "pathlib._inside", private)
    monkeypatch.setattr(Moved, "__module__", "pathlib._inside")
    payload = codec.encode([Moved()], str, None)
    assert b"_inside" not in payload
    assert type(codec.decode(payload, None)[0]) is Moved

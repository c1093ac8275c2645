"""Values to bytes and back: ``.npy`` files for arrays, a structure around them.

The structure is that of `taskgraph.results.plain`, in which no code can hide, if the
value is plain, else a pickle with protocol 5; its first byte tells which. Buffers of a
value (arrays, wherever they are in it, and the columns of data frames) go out of band:
each large one becomes a blob of its own, with an ``.npy`` header where it is an array,
so that it is stored at the speed of the disk, memory-mapped when it is loaded, and
readable by any program. Blobs are compressed (zstd level 1) only where a sample of them
shows that it pays.

A payload starts with a byte for its kind: ``P`` the structure alone; ``B`` a msgpack
array of blob references and the structure that needs them; ``Z`` this in a blob, too.
"""

from __future__ import annotations

import io
import pickle
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import msgpack
from xxhash import xxh3_64_intdigest

from backends.errors import DamagedError
from taskgraph.compression import zstd
from taskgraph.errors import TaskgraphError
from taskgraph.identity.functions import function_at
from taskgraph.identity.naming import public_module
from taskgraph.names import known_as
from taskgraph.results import plain

BLOB_SIZE = 1 << 15
"""A buffer of so many bytes or more becomes a blob."""
INLINE_SIZE = 1 << 18
"""A structure of so many bytes or fewer stays in the segment."""
_SAMPLE = 1 << 15
_PAYS = 1.5
_PIECE = 1 << 24
PLAIN = b"\xc1"
"""What a plain structure begins with, and no pickle."""

WriteBlob = Callable[[str, Iterable[Any]], int]
OpenBlob = Callable[[str], memoryview]


@known_as("taskgraph")
class UnstorableError(TaskgraphError):
    """A result cannot be pickled."""


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Where a buffer is: blob, whether compressed, size and checksum as stored."""

    name: str
    compressed: bool
    offset: int
    size: int
    check: int


def encode(value: object, stem: str, write_blob: WriteBlob) -> bytes:
    """Return the payload of a value; large buffers are written as blobs at once.

    Parameters
    ----------
    value : object
        Anything that pickle can carry.
    stem : str
        What the names of its blobs begin with; unique to this call.
    write_blob : callable
        Stores a named blob.

    Raises
    ------
    UnstorableError
        Pickle refuses the value; says what to return instead.

    Examples
    --------
    >>> decode(encode({"a": [1, 2]}, "ab/cd", None), None)
    {'a': [1, 2]}
    """
    data, buffers = _structure(value)
    if len(data) > INLINE_SIZE:
        refs = _write_all(buffers, stem, write_blob)
        chunks: list[Any] = [data]
        suffix = ".msgpack" if data[:1] == PLAIN else ".pickle"
        main = _write(f"{stem}{suffix}", chunks, 0, write_blob)
        return b"Z" + bytes(msgpack.packb([_plain(main), [_plain(r) for r in refs]]))
    if buffers:
        refs = _write_all(buffers, stem, write_blob)
        return b"B" + bytes(msgpack.packb([[_plain(r) for r in refs], data]))
    return b"P" + data


def decode(payload: bytes, open_blob: OpenBlob) -> Any:
    """Return the value of a payload.

    Arrays in blobs are memory-mapped, private to the caller: changing one in place
    changes neither the store nor anybody else's copy.

    Raises
    ------
    DamagedError
        A blob is gone or has another checksum.
    """
    kind = payload[:1]
    if kind == b"P":
        return _value(memoryview(payload)[1:], [])
    if kind == b"B":
        refs, data = msgpack.unpackb(memoryview(payload)[1:])
    else:
        main, refs = msgpack.unpackb(memoryview(payload)[1:])
        data = _read(BlobRef(*main), open_blob)
    buffers = [_read(BlobRef(*ref), open_blob) for ref in refs]
    return _value(data, buffers)


def is_plain(payload: bytes, open_blob: OpenBlob) -> bool:
    """Return whether a value is loaded without pickle: no code in the store can run."""
    if payload[:1] == b"Z":
        main, _ = msgpack.unpackb(memoryview(payload)[1:])
        return bytes(_read(BlobRef(*main), open_blob)[:1]) == PLAIN
    if payload[:1] == b"B":
        _, data = msgpack.unpackb(memoryview(payload)[1:])
        return bytes(data[:1]) == PLAIN
    return payload[1:2] == PLAIN


def _value(data: Any, buffers: list[Any]) -> Any:
    if data[:1] == PLAIN:
        return plain.unpack(data[1:], buffers)
    return pickle.loads(data, buffers=buffers)  # noqa: S301 - what a task returned


def blob_refs(payload: bytes) -> list[BlobRef]:
    """Return the blobs that a payload needs.

    Raises
    ------
    DamagedError
        It is no payload.
    """
    kind = payload[:1]
    if kind == b"P":
        return []
    try:
        first, second = msgpack.unpackb(memoryview(payload)[1:])
        listed = first if kind == b"B" else [first, *second]
        refs = [BlobRef(*ref) for ref in listed]
        if not all(isinstance(ref.name, str) for ref in refs):
            raise TypeError("no name")
        if not all(0 <= min(ref.offset, ref.size) < 1 << 60 for ref in refs):
            raise ValueError("no size")
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise DamagedError("a result", f"it makes no sense: {error}") from error
    return refs


def stored_size(payload: bytes) -> int:
    """Return the bytes that a value takes in the store, blobs included."""
    return len(payload) + sum(ref.offset + ref.size for ref in blob_refs(payload))


def check_blob(ref: BlobRef, open_blob: OpenBlob) -> None:
    """Compare a blob with its checksum.

    Raises
    ------
    DamagedError
        It is gone, has another size or another checksum.
    """
    stored = open_blob(ref.name)[ref.offset :]
    if len(stored) != ref.size:
        raise DamagedError(f"blob {ref.name}", f"{len(stored)} bytes for {ref.size}")
    if xxh3_64_intdigest(stored) != ref.check:
        raise DamagedError(f"blob {ref.name}", "it has another checksum")


def _plain(ref: BlobRef) -> tuple[str, bool, int, int, int]:
    return ref.name, ref.compressed, ref.offset, ref.size, ref.check


def _structure(value: object) -> tuple[bytes, list[Any]]:
    """Return a value's structure and the arrays and buffers that it lies around."""
    buffers: list[Any] = []

    def keep(array: Any) -> int | None:
        if array.nbytes < BLOB_SIZE:
            return None
        buffers.append(array)
        return len(buffers) - 1

    try:
        return PLAIN + plain.pack(value, keep), buffers
    except plain.NotPlainError:
        return _pickle(value)


def _pickle(value: object) -> tuple[bytes, list[Any]]:
    buffers: list[Any] = []

    def keep_in_band(buffer: pickle.PickleBuffer) -> bool:
        if memoryview(buffer).nbytes < BLOB_SIZE:
            return True
        buffers.append(buffer)
        return False

    try:
        file = io.BytesIO()
        _Pickler(file, 5, buffer_callback=keep_in_band).dump(value)
        return file.getvalue(), buffers
    except MemoryError:
        raise
    except Exception as error:  # a task's own __reduce__ may raise anything
        raise UnstorableError(
            f"the result of type {type(value).__qualname__} cannot be stored: {error}; "
            "return plain data, arrays, or objects of classes defined at the top level"
        ) from error


class _Pickler(pickle.Pickler):
    """Hands out every large array as a buffer, whatever its layout.

    numpy itself pickles what is neither C- nor Fortran-contiguous in band. Classes that
    only this Python has in a private module (paths in 3.13) go by their public names.
    """

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type):
            module, name = obj.__module__, obj.__qualname__
            if (
                "._" in module
                and (public := public_module(module, name, obj)) != module
            ):
                return function_at, (public, name)
            return NotImplemented
        numpy = sys.modules.get("numpy")
        if numpy is None or type(obj) is not numpy.ndarray or obj.nbytes < BLOB_SIZE:
            return NotImplemented
        if obj.flags.forc or obj.dtype.hasobject:
            return NotImplemented
        return numpy.ascontiguousarray(obj).__reduce_ex__(5)


def _write_all(buffers: list[Any], stem: str, write_blob: WriteBlob) -> list[BlobRef]:
    refs = []
    for place, buffer in enumerate(buffers):
        header, data = _npy_parts(buffer)
        chunks: list[Any] = [header, data]
        suffix = ".npy" if header else ".bin"
        refs.append(_write(f"{stem}-{place}{suffix}", chunks, len(header), write_blob))
    return refs


def _write(name: str, chunks: list[Any], offset: int, write_blob: WriteBlob) -> BlobRef:
    """Write chunks, the last of which is the data, compressed if that pays."""
    data = chunks[-1]
    if _pays(data):
        packed = list(_compressed(chunks))
        whole = b"".join(packed)
        write_blob(f"{name}.zst", [whole])
        check = xxh3_64_intdigest(whole)
        return BlobRef(f"{name}.zst", True, 0, len(whole), check)
    write_blob(name, chunks)
    return BlobRef(name, False, offset, len(data), xxh3_64_intdigest(data))


def _read(ref: BlobRef, open_blob: OpenBlob) -> Any:
    stored = open_blob(ref.name)[ref.offset :]
    if len(stored) != ref.size:
        raise DamagedError(f"blob {ref.name}", f"{len(stored)} bytes for {ref.size}")
    if xxh3_64_intdigest(stored) != ref.check:
        raise DamagedError(f"blob {ref.name}", "it has another checksum")
    if not ref.compressed:
        return stored
    raw = bytearray(zstd.decompress(stored))
    return memoryview(raw)[_npy_size(raw) if ".npy" in ref.name else 0 :]


def _npy_parts(buffer: Any) -> tuple[bytes, Any]:
    """Return an ``.npy`` header and the bytes of an array, or of that behind a buffer.

    The header is empty if there is no array.
    """
    raw = buffer.raw() if isinstance(buffer, pickle.PickleBuffer) else None
    array = buffer if raw is None else memoryview(buffer).obj
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(array, numpy.ndarray):
        return b"", raw
    if raw is None:
        array = array if array.flags.forc else numpy.ascontiguousarray(array)
        raw = memoryview(array.ravel(order="K").view(numpy.uint8))
    file = io.BytesIO()
    with _quiet(array.dtype):
        about = numpy.lib.format.header_data_from_array_1_0(array)
    numpy.lib.format.write_array_header_2_0(file, about)
    return file.getvalue(), raw


def _quiet(dtype: Any) -> AbstractContextManager[None]:
    """Return what hides that ``.npy`` leaves metadata out: the structure has them.

    Nothing, where there can be none: it makes Python repeat a task's own warnings.
    """
    if dtype.names is None and dtype.metadata is None:
        return nullcontext()
    return warnings.catch_warnings(action="ignore")


def _npy_size(raw: bytearray) -> int:
    """Return how long the header of an ``.npy`` file of version 2 is."""
    return 12 + int.from_bytes(raw[8:12], "little")


def _pays(data: Any) -> bool:
    """Return whether compressing would, judged by a sample of three places."""
    size, piece = len(data), _SAMPLE // 4
    if size < _SAMPLE:
        return False
    last = size - piece
    # Not one byte twice: zstd would find it again, and random numbers seem to shrink.
    sample = b"".join(
        bytes(data[start : start + piece]) for start in (0, last // 2, last)
    )
    return len(sample) > _PAYS * len(zstd.compress(sample, 1))


def _compressed(chunks: list[Any]) -> Iterator[bytes]:
    compressor = zstd.ZstdCompressor(level=1)
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE):
            yield compressor.compress(chunk[start : start + _PIECE])
    yield compressor.flush()

"""Values to bytes and back: a structure, and blobs for the large buffers in it.

The structure is that of `taskgraph.results.plain`, in which no code can hide, if the
value is plain, else a pickle with protocol 5; its first byte tells which. Buffers of a
value (arrays, wherever they are in it, long bytes, and the columns of data frames) go
out of band: see `taskgraph.results.blobs`.

A payload starts with a byte for its kind: ``P`` the structure alone; ``B`` a msgpack
array of blob references and the structure that needs them; ``Z`` this in a blob, too;
``F`` a msgpack array of the files that a result names, and its payload.
"""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any, TypeAlias

import msgpack

from backends.errors import DamagedError
from taskgraph.results import plain, short
from taskgraph.results.blobs import (
    BlobRef,
    OpenBlob,
    Unpack,
    WriteBlob,
    as_ref,
    read_buffers,
    read_data,
    size_of,
    unpacked,
    write_buffers,
    write_data,
)
from taskgraph.results.outlines import NeedsArraysError, outlined_pickle, outlined_plain
from taskgraph.results.pickled import pickled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BLOB_SIZE = 1 << 15
"""A buffer of so many bytes or more becomes a blob."""
INLINE_SIZE = 1 << 18
"""A structure of so many bytes or fewer stays in the segment."""
PLAIN = b"\xc1"
"""What a plain structure begins with, and no pickle."""
PLAIN_ALONE = b"P" + PLAIN
"""And its payload, if there are no buffers around it."""
FileThere: TypeAlias = tuple[str, int, str, tuple[int, ...], bytes]
"""Path, size, digest, times of a file that a result names; names in a folder."""


def encode(value: object, stem: Callable[[], str], write_blob: WriteBlob) -> bytes:
    """Return the payload of a value; large buffers are written as blobs at once.

    Parameters
    ----------
    value : object
        Anything that pickle can carry.
    stem : callable
        Returns what the names of its blobs begin with, if there are any; unique to
        this call.
    write_blob : callable
        Stores a named blob.

    Raises
    ------
    UnstorableError
        Pickle refuses the value, or could not load it again; says what to return
        instead.

    Examples
    --------
    >>> decode(encode({"a": [1, 2]}, str, None), None)
    {'a': [1, 2]}
    """
    brief = short.pack(value)
    if brief is not None:
        return PLAIN_ALONE + brief
    mark, data, buffers = _structure(value)
    large = len(data) > INLINE_SIZE
    if not (large or buffers):
        return b"P" + mark + data
    name = stem()
    refs = [ref.fields() for ref in write_buffers(buffers, name, write_blob)]
    if large:
        suffix = ".msgpack" if mark else ".pickle"
        main = write_data(f"{name}{suffix}", [mark, data], write_blob)
        return b"Z" + bytes(msgpack.packb([main.fields(), refs]))
    return b"B" + bytes(msgpack.packb([refs, mark + data]))


def with_files(payload: bytes, files: Sequence[FileThere]) -> bytes:
    """Return a payload that says what the files were that the result names.

    Parameters
    ----------
    payload : bytes
        Of the result.
    files : sequence of tuple
        Path, size, digest and times of each, and the names of what is in a folder.

    Examples
    --------
    >>> files = [("a.txt", 4, "c642", (7, 8, 9), b"")]
    >>> payload = with_files(encode("text", str, None), files)
    >>> decode(payload, None), files_in(payload) == files
    ('text', True)
    """
    listed = [(os.fsencode(path), *what) for path, *what in files]
    return b"F" + bytes(msgpack.packb([listed, payload]))


def files_in(payload: bytes) -> list[FileThere]:
    """Return what `with_files` was told; empty if it was not called.

    Raises
    ------
    DamagedError
        It is no payload.
    """
    if payload[:1] != b"F":
        return []
    try:
        listed, _ = msgpack.unpackb(memoryview(payload)[1:])
        return [
            (os.fsdecode(path), int(size), str(digest), tuple(times), bytes(within))
            for path, size, digest, times, within in listed
        ]
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise DamagedError("a result", f"it makes no sense: {error}") from error


def _bare(payload: bytes) -> bytes:
    """Return a payload without what it says of files."""
    if payload[:1] != b"F":
        return payload
    try:
        _, inner = msgpack.unpackb(memoryview(payload)[1:])
        if type(inner) is bytes and inner[:1] != b"F":
            return inner
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise DamagedError("a result", f"it makes no sense: {error}") from error
    raise DamagedError("a result", "it makes no sense: files of nothing")


def decode(payload: bytes, open_blob: OpenBlob, unpack: Unpack = unpacked) -> Any:
    """Return the value of a payload.

    Arrays in blobs are memory-mapped, private to the caller: changing one in place
    changes neither the store nor anybody else's copy.

    Raises
    ------
    DamagedError
        A blob is gone or has another checksum.
    """
    if payload[:2] == PLAIN_ALONE and len(payload) > 2:
        return short.unpack(payload[2:])
    payload = _bare(payload)
    if payload[:1] == b"P":
        return _value(memoryview(payload)[1:], [])
    data, refs = _parted(payload, open_blob, unpack)
    return _value(data, read_buffers(refs, open_blob, unpack))


def outline(payload: bytes, open_blob: OpenBlob, unpack: Unpack = unpacked) -> Any:
    """Return the value of a payload with an `Outline` for each array in a blob.

    What cannot be made without its arrays, as a data frame, comes with them.

    Raises
    ------
    DamagedError
        A blob that has to be read is gone or has another checksum.
    """
    if payload[:2] == PLAIN_ALONE and len(payload) > 2:
        return short.unpack(payload[2:])
    payload = _bare(payload)
    if payload[:1] == b"P":
        return _value(memoryview(payload)[1:], [])
    data, refs = _parted(payload, open_blob, unpack)
    if data[:1] == PLAIN:
        return outlined_plain(data[1:])
    try:
        return outlined_pickle(data)
    except NeedsArraysError:
        return _value(data, read_buffers(refs, open_blob, unpack))


def _parted(
    payload: bytes, open_blob: OpenBlob, unpack: Unpack
) -> tuple[Any, list[BlobRef]]:
    """Return the structure of a value, and where the buffers are that it needs."""
    first, second = msgpack.unpackb(memoryview(payload)[1:])
    if payload[:1] == b"B":
        return second, [*map(as_ref, first)]
    return read_data(as_ref(first), open_blob, unpack), [*map(as_ref, second)]


def is_plain(payload: bytes, open_blob: OpenBlob) -> bool:
    """Return whether a value is loaded without pickle: no code in the store can run."""
    payload = _bare(payload)
    if payload[:1] == b"Z":
        main, _ = msgpack.unpackb(memoryview(payload)[1:])
        return bytes(read_data(as_ref(main), open_blob, unpacked)[:1]) == PLAIN
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
    payload = _bare(payload)
    kind = payload[:1]
    if kind == b"P":
        return []
    try:
        first, second = msgpack.unpackb(memoryview(payload)[1:])
        listed = first if kind == b"B" else [first, *second]
        return [as_ref(ref) for ref in listed]
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise DamagedError("a result", f"it makes no sense: {error}") from error


def same_result(one: bytes, other: bytes) -> bool:
    """Return whether two payloads are of one value, stored in the same way.

    What their blobs are called does not count, nor when the files were written that
    they name.

    Raises
    ------
    DamagedError
        One of them is no payload.

    Examples
    --------
    >>> same_result(encode([1, 2], str, None), encode([1, 2], str, None))
    True
    """
    return one == other or _contents(one) == _contents(other)


def _contents(payload: bytes) -> tuple[Any, ...]:
    """Return what a payload says of a value, without names of blobs and times."""
    files = [(*what[:3], what[-1]) for what in files_in(payload)]
    blobs = [ref.fields()[1:] for ref in blob_refs(payload)]
    bare = _bare(payload)
    if not blobs:
        return files, bare
    _, second = msgpack.unpackb(memoryview(bare)[1:])
    return files, blobs, bare[:1], second if bare[:1] == b"B" else None


def stored_size(payload: bytes) -> int:
    """Return the bytes that a value takes in the store, blobs included."""
    return len(payload) + sum(ref.offset + ref.size for ref in blob_refs(payload))


def _structure(value: object) -> tuple[bytes, bytes, list[Any]]:
    """Return the mark of a plain value, its structure, and the buffers around it."""
    buffers: list[Any] = []

    def keep(buffer: Any) -> int | None:
        if size_of(buffer) < BLOB_SIZE:
            return None
        buffers.append(buffer)
        return len(buffers) - 1

    try:
        return PLAIN, plain.pack(value, keep), buffers
    except plain.NotPlainError:
        return b"", *pickled(value, BLOB_SIZE)

"""Buffers of values as blobs: ``.npy`` files for arrays, many small ones in one.

A large buffer is a blob of its own, with an ``.npy`` header where it is an array: it is
stored at the speed of the disk, memory-mapped when it is loaded, and readable by any
program. Smaller ones of one value lie in one blob together, each at a multiple of 64
bytes: a list of a thousand arrays costs one file. Numbers that lie close together are
made narrow (`taskgraph.results.narrowed`). Blobs are compressed (zstd level 1) only
where a sample of them shows that it pays: to unpack what shrinks to more than a third
takes longer than to read it from a disk.
"""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Any

from xxhash import xxh3_64, xxh3_64_intdigest

from backends.errors import DamagedError
from backends.interface.frozen import frozen
from taskgraph.loaded import loaded
from taskgraph.results.compressed import ALIGNED, compressed, pays, unpack
from taskgraph.results.narrowed import WORD, Narrowing, narrowed, widen

OWN_SIZE = 1 << 20
"""A buffer of so many bytes or more becomes a blob of its own."""
_PIECE = 1 << 20
"""Bytes that are written and go into a checksum while they are in the cache."""
_THIRD = 3
"""Of eight bytes: from so many on, narrow numbers are to be compressed, too."""

WriteBlob = Callable[[str, Iterable[Any]], int]
OpenBlob = Callable[[str], memoryview]
Part = tuple[int, int, int, Narrowing | None]


@frozen
class BlobRef:
    """Where buffers are: blob, whether compressed, place, size and checksum as stored.

    Attributes
    ----------
    parts : tuple of (int, int, int, Narrowing or None)
        Of a blob with several buffers, or with narrow numbers: the number of each
        buffer, where it begins, its size, and how its numbers were made narrow.
    """

    name: str
    compressed: bool
    offset: int
    size: int
    check: int
    parts: tuple[Part, ...] = ()

    def fields(self) -> tuple[Any, ...]:
        """Return what msgpack can carry; `as_ref` makes a reference of it again."""
        always = (self.name, self.compressed, self.offset, self.size, self.check)
        if not self.parts:
            return always
        return (*always, [part if part[3] else part[:3] for part in self.parts])


Unpack = Callable[[BlobRef, memoryview], memoryview]


def as_ref(fields: Sequence[Any]) -> BlobRef:
    """Return the reference of `BlobRef.fields`.

    Raises
    ------
    ValueError, TypeError
        They make no sense.
    """
    name, compressed, offset, size, check, *more = fields
    (parts,) = more or [()]
    listed = tuple(_as_part(*part) for part in parts)
    ref = BlobRef(name, compressed, offset, size, check, listed)
    if not isinstance(ref.name, str):
        raise TypeError("no name")
    numbers = [ref.offset, ref.size, *(n for part in ref.parts for n in part[:3])]
    if not all(0 <= number < 1 << 60 for number in numbers):
        raise ValueError("no size")
    return ref


def _as_part(number: int, at: int, length: int, how: Sequence[Any] = ()) -> Part:
    if not how:
        return number, at, length, None
    narrowing = Narrowing(*how)
    added = (narrowing.base, narrowing.step or 0)
    if narrowing.width not in {1, 2, 4} or not all(0 <= n < 1 << 64 for n in added):
        raise ValueError("no numbers")
    return number, at, length, narrowing


# writing


def size_of(buffer: Any) -> int:
    """Return how many bytes an array, bytes or a pickle buffer have."""
    if isinstance(buffer, pickle.PickleBuffer):
        return memoryview(buffer).nbytes
    return len(buffer) if isinstance(buffer, bytes) else int(buffer.nbytes)


def write_buffers(
    buffers: Sequence[Any], stem: str, write_blob: WriteBlob
) -> list[BlobRef]:
    """Write the buffers of a value as blobs whose names begin with `stem`."""
    small = [at for at, buffer in enumerate(buffers) if size_of(buffer) < OWN_SIZE]
    together = small if len(small) > 1 else []
    refs = [
        _write_alone(at, buffers[at], f"{stem}-{at}", write_blob)
        for at in sorted(set(range(len(buffers))).difference(together))
    ]
    if together:
        refs.append(_write_together(buffers, together, f"{stem}.bin", write_blob))
    return refs


def write_data(
    name: str,
    data: Sequence[Any],
    write_blob: WriteBlob,
    *,
    header: bytes = b"",
    parts: tuple[Part, ...] = (),
) -> BlobRef:
    """Write chunks of bytes as one blob, compressed if that pays."""
    if pays(data):
        packed = b"".join(compressed([header, *data]))
        write_blob(f"{name}.zst", [packed])
        check = xxh3_64_intdigest(packed)
        return BlobRef(f"{name}.zst", True, 0, len(packed), check, parts)
    digest = xxh3_64()
    write_blob(name, chain([header], _digested(data, digest)))
    size = sum(map(len, data))
    return BlobRef(name, False, len(header), size, digest.intdigest(), parts)


def _digested(data: Sequence[Any], digest: xxh3_64) -> Iterator[memoryview]:
    """Yield chunks of bytes in pieces that have just gone into a checksum.

    Who writes them finds them in the cache: memory is read once, not twice.
    """
    for chunk in data:
        whole = memoryview(chunk)
        for at in range(0, len(whole), _PIECE):
            piece = whole[at : at + _PIECE]
            digest.update(piece)
            yield piece


def _write_alone(number: int, buffer: Any, name: str, write_blob: WriteBlob) -> BlobRef:
    array, whole = _contents(buffer)
    how, data = _narrow(array, whole)
    if how is not None:
        parts = ((number, 0, len(data), how),)
        return write_data(f"{name}.bin", [data], write_blob, parts=parts)
    if array is None:
        return write_data(f"{name}.bin", [data], write_blob)
    header = _npy_header(array)
    return write_data(f"{name}.npy", [data], write_blob, header=header)


def _write_together(
    buffers: Sequence[Any], numbers: Sequence[int], name: str, write_blob: WriteBlob
) -> BlobRef:
    parts: list[Part] = []
    chunks: list[Any] = []
    at = 0
    for number in numbers:
        how, data = _narrow(*_contents(buffers[number]))
        parts.append((number, at, len(data), how))
        chunks.append(data)
        at += len(data)
        if gap := -at % ALIGNED:
            chunks.append(bytes(gap))
            at += gap
    return write_data(name, chunks, write_blob, parts=tuple(parts))


def _contents(buffer: Any) -> tuple[Any, Any]:
    """Return the array that a buffer is or has, None if there is none; and bytes."""
    if isinstance(buffer, bytes):
        return None, buffer
    raw = buffer.raw() if isinstance(buffer, pickle.PickleBuffer) else None
    array = buffer if raw is None else memoryview(buffer).obj
    numpy = loaded("numpy")
    if numpy is None or not isinstance(array, numpy.ndarray):
        return None, raw
    if raw is None:
        array = array if array.flags.forc else numpy.ascontiguousarray(array)
        raw = memoryview(array.ravel(order="K").view(numpy.uint8))
    return array, raw


def _narrow(array: Any, data: Any) -> tuple[Narrowing | None, Any]:
    """Return bytes as narrow numbers if they shrink to a third, else as they are.

    What has no type may be of Arrow: where each text of a column begins.
    """
    if isinstance(data, bytes) or not (array is None or _has_long_numbers(array)):
        return None, data
    how, narrow = narrowed(data) or (None, data)
    if how is None or how.width < _THIRD or pays([narrow]):
        return how, narrow
    return None, data


def _has_long_numbers(array: Any) -> bool:
    return array.dtype.kind in "iumM" and array.dtype.itemsize == WORD


def _npy_header(array: Any) -> bytes:
    import numpy

    file = io.BytesIO()
    with _quiet(array.dtype):
        about = numpy.lib.format.header_data_from_array_1_0(array)
    numpy.lib.format.write_array_header_2_0(file, about)
    return file.getvalue()


def _quiet(dtype: Any) -> AbstractContextManager[None]:
    """Return what hides that ``.npy`` leaves metadata out: the structure has them.

    Nothing, where there can be none: it makes Python repeat a task's own warnings.
    """
    if dtype.names is None and dtype.metadata is None:
        return nullcontext()
    return warnings.catch_warnings(action="ignore")


# reading


def read_buffers(
    refs: Sequence[BlobRef], open_blob: OpenBlob, unpack: Unpack
) -> list[Any]:
    """Return the buffers that `write_buffers` wrote, in their order.

    Raises
    ------
    DamagedError
        A blob is gone or has another checksum.
    """
    own = [ref for ref in refs if not ref.parts]
    found: dict[int, Any] = {}
    for ref in refs:
        if ref.parts:
            data = read_data(ref, open_blob, unpack)
            found.update({part[0]: _part(data, *part[1:]) for part in ref.parts})
    free = (at for at in range(len(own) + len(found)) if at not in found)
    for at, ref in zip(free, own, strict=True):
        found[at] = read_data(ref, open_blob, unpack)
    return [found[at] for at in range(len(found))]


def read_data(ref: BlobRef, open_blob: OpenBlob, unpack: Unpack) -> memoryview:
    """Return what `write_data` wrote, without the header.

    Raises
    ------
    DamagedError
        It is gone or has another checksum.
    """
    stored = check_blob(ref, open_blob)
    if not ref.compressed:
        return stored
    raw = unpack(ref, stored)
    return raw[_npy_size(raw) if ".npy" in ref.name else 0 :]


def _part(data: memoryview, at: int, size: int, how: Narrowing | None) -> memoryview:
    """Return one of the buffers in a blob, its numbers as they were."""
    part = data[at : at + size]
    return part if how is None else widen(how, part)


def check_blob(ref: BlobRef, open_blob: OpenBlob) -> memoryview:
    """Return the bytes of a blob, as stored, after comparing them with their checksum.

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
    return stored


def unpacked(_: BlobRef, stored: memoryview) -> memoryview:
    """Return what was compressed, in memory of its own."""
    return unpack(stored)


def _npy_size(raw: memoryview) -> int:
    """Return how long the header of an ``.npy`` file of version 2 is."""
    return 12 + int.from_bytes(raw[8:12], "little")

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
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from xxhash import xxh3_64, xxh3_64_intdigest

from backends.errors import DamagedError
from taskgraph.compression import zstd
from taskgraph.results.narrowed import Narrowing, narrowed, widen

OWN_SIZE = 1 << 20
"""A buffer of so many bytes or more becomes a blob of its own."""
_ALIGNED = 64
_SAMPLE = 1 << 15
_PLACES = 8
_PAYS = 3
_THIRD = 3
"""Of eight bytes: from so many on, narrow numbers are to be compressed, too."""
_AT_ONCE = 1 << 24
PIECE = 1 << 15
"""What is still in the first cache of a processor when it is copied."""

WriteBlob = Callable[[str, Iterable[Any]], int]
OpenBlob = Callable[[str], memoryview]
Part = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Where buffers are: blob, whether compressed, place, size and checksum as stored.

    Attributes
    ----------
    parts : tuple of (int, int, int)
        Of a blob with several buffers: the number of each, where it begins, its size.
    narrowing : Narrowing, optional
        How its numbers were made narrow.
    """

    name: str
    compressed: bool
    offset: int
    size: int
    check: int
    parts: tuple[Part, ...] = ()
    narrowing: Narrowing | None = None

    def fields(self) -> tuple[Any, ...]:
        """Return what msgpack can carry; `as_ref` makes a reference of it again."""
        always = (self.name, self.compressed, self.offset, self.size, self.check)
        if self.narrowing is not None:
            return (*always, self.parts, self.narrowing)
        return (*always, self.parts) if self.parts else always


Unpack = Callable[[BlobRef, memoryview], memoryview]


def as_ref(fields: Sequence[Any]) -> BlobRef:
    """Return the reference of `BlobRef.fields`.

    Raises
    ------
    ValueError, TypeError
        They make no sense.
    """
    name, compressed, offset, size, check, *more = fields
    parts, *last = more or [()]
    listed = tuple((number, at, length) for number, at, length in parts)
    how = Narrowing(*last.pop()) if last else None
    if last:
        raise ValueError("too much")
    ref = BlobRef(name, compressed, offset, size, check, listed, how)
    if not isinstance(ref.name, str):
        raise TypeError("no name")
    if how is not None and not (how.width in {1, 2, 4} and 0 <= how.base < 1 << 64):
        raise ValueError("no numbers")
    numbers = [ref.offset, ref.size, *(number for part in ref.parts for number in part)]
    if not all(0 <= number < 1 << 60 for number in numbers):
        raise ValueError("no size")
    return ref


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
        _write_alone(buffers[at], f"{stem}-{at}", write_blob)
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
    if _pays(data):
        packed = b"".join(_compressed([header, *data]))
        write_blob(f"{name}.zst", [packed])
        check = xxh3_64_intdigest(packed)
        return BlobRef(f"{name}.zst", True, 0, len(packed), check, parts)
    write_blob(name, [header, *data])
    digest = xxh3_64()
    for chunk in data:
        digest.update(chunk)
    size = sum(map(len, data))
    return BlobRef(name, False, len(header), size, digest.intdigest(), parts)


def _write_alone(buffer: Any, name: str, write_blob: WriteBlob) -> BlobRef:
    header, data = _npy_parts(buffer)
    narrow = narrowed(data)
    if narrow is None or not (narrow[0].width < _THIRD or _pays([narrow[1]])):
        name += ".npy" if header else ".bin"
        return write_data(name, [data], write_blob, header=header)
    how, data = narrow
    return replace(write_data(f"{name}.bin", [data], write_blob), narrowing=how)


def _write_together(
    buffers: Sequence[Any], numbers: Sequence[int], name: str, write_blob: WriteBlob
) -> BlobRef:
    parts: list[Part] = []
    chunks: list[Any] = []
    at = 0
    for number in numbers:
        _, data = _npy_parts(buffers[number])
        parts.append((number, at, len(data)))
        chunks.append(data)
        at += len(data)
        if gap := -at % _ALIGNED:
            chunks.append(bytes(gap))
            at += gap
    return write_data(name, chunks, write_blob, parts=tuple(parts))


def _npy_parts(buffer: Any) -> tuple[bytes, Any]:
    """Return an ``.npy`` header and the bytes of an array, or of that behind a buffer.

    The header is empty if there is no array.
    """
    if isinstance(buffer, bytes):
        return b"", buffer
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


def _pays(data: Sequence[Any]) -> bool:
    """Return whether compressing chunks would, judged by a sample of a few places."""
    total = sum(map(len, data))
    if total < _SAMPLE:
        return False
    sample = b"".join(_samples(data, total, _SAMPLE // _PLACES))
    return len(sample) > _PAYS * len(zstd.compress(sample, 1))


def _samples(data: Sequence[Any], total: int, piece: int) -> Iterator[bytes]:
    """Yield pieces at some places, of no byte twice.

    zstd would find it again, and random numbers seem to shrink.
    """
    begin, places = 0, [place * total // _PLACES for place in range(_PLACES)]
    for chunk in data:
        end = begin + len(chunk)
        while places and places[0] < end:
            at = places.pop(0) - begin
            yield bytes(chunk[at : at + piece])
        begin = end


def _compressed(chunks: Sequence[Any]) -> Iterator[bytes]:
    compressor = zstd.ZstdCompressor(level=1)
    compressor.set_pledged_input_size(sum(map(len, chunks)))
    for chunk in chunks:
        for start in range(0, len(chunk), _AT_ONCE):
            yield compressor.compress(chunk[start : start + _AT_ONCE])
    yield compressor.flush()


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
            found.update({n: data[at : at + size] for n, at, size in ref.parts})
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
    raw = check_blob(ref, open_blob)
    if ref.compressed:
        raw = unpack(ref, raw)
        raw = raw[_npy_size(raw) if ".npy" in ref.name else 0 :]
    if ref.narrowing is None:
        return raw
    wide = _memory(len(raw) // ref.narrowing.width * 8)
    widen(ref.narrowing, raw, wide)
    return wide


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


def unpack(stored: memoryview) -> memoryview:
    """Return what was compressed, in memory of its own.

    Raises
    ------
    ValueError
        It has another size than it says.
    """
    out = _memory(size_unpacked(stored))
    at = 0
    for piece in pieces(stored):
        out[at : at + len(piece)] = piece
        at += len(piece)
    if at != len(out):
        raise ValueError(f"a compressed blob has {at} bytes for {len(out)}")
    return out


def size_unpacked(stored: memoryview) -> int:
    """Return how many bytes something compressed says that it had.

    Raises
    ------
    ValueError
        It does not say.
    """
    size = zstd.get_frame_info(stored).decompressed_size
    if not size:
        raise ValueError("a compressed blob does not say its size")
    return size


def _memory(size: int) -> memoryview:
    """Return writable memory.

    That of numpy if it is there: what was freed is used again, and large pages are
    asked for. To get pages of 4 KB from the kernel takes longer than to fill them.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return memoryview(bytearray(size))
    array = numpy.empty(size + _ALIGNED, numpy.uint8)
    at = -array.__array_interface__["data"][0] % _ALIGNED
    return memoryview(array[at : at + size])


def pieces(stored: memoryview) -> Iterator[bytes]:
    """Yield what was compressed, at a time what a processor has close by."""
    decompressor = zstd.ZstdDecompressor()
    for start in range(0, len(stored), _ALIGNED << 10):
        part = stored[start : start + (_ALIGNED << 10)]
        yield decompressor.decompress(part, PIECE)
        while not (decompressor.needs_input or decompressor.eof):
            yield decompressor.decompress(b"", PIECE)
    if not decompressor.eof:
        raise ValueError("a compressed blob ends too early")


def _npy_size(raw: memoryview) -> int:
    """Return how long the header of an ``.npy`` file of version 2 is."""
    return 12 + int.from_bytes(raw[8:12], "little")

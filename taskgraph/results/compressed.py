"""Bytes compressed (zstd level 1) where it pays, and unpacked into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.compression import zstd
from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SAMPLE = 1 << 15
_PLACES = 8
_PAYS = 3
_AT_ONCE = 1 << 24
PIECE = 1 << 15
"""What is still in the first cache of a processor when it is copied."""
ALIGNED = 64


def pays(data: Sequence[Any]) -> bool:
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


def compressed(chunks: Sequence[Any]) -> Iterator[bytes]:
    """Yield what chunks of bytes are together, compressed; it says their size."""
    compressor = zstd.ZstdCompressor(level=1)
    compressor.set_pledged_input_size(sum(map(len, chunks)))
    for chunk in chunks:
        for start in range(0, len(chunk), _AT_ONCE):
            yield compressor.compress(chunk[start : start + _AT_ONCE])
    yield compressor.flush()


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
    asked for where there is much. To get pages of 4 KB from the kernel takes longer
    than to fill them.
    """
    numpy = loaded("numpy")
    if numpy is None:
        return memoryview(bytearray(size))
    array = numpy.empty(size + ALIGNED, numpy.uint8)
    at = -array.__array_interface__["data"][0] % ALIGNED
    return memoryview(array[at : at + size])


def pieces(stored: memoryview) -> Iterator[bytes]:
    """Yield what was compressed, at a time what a processor has close by."""
    decompressor = zstd.ZstdDecompressor()
    for start in range(0, len(stored), ALIGNED << 10):
        part = stored[start : start + (ALIGNED << 10)]
        yield decompressor.decompress(part, PIECE)
        while not (decompressor.needs_input or decompressor.eof):
            yield decompressor.decompress(b"", PIECE)
    if not decompressor.eof:
        raise ValueError("a compressed blob ends too early")

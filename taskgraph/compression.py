"""Zstandard: the standard library's where it has it (3.14), else its backport."""

from __future__ import annotations

import sys
import zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["decompressed", "zstd"]

_MAGIC = b"\x28\xb5\x2f\xfd"
"""What each frame of Zstandard begins with."""


def decompressed(data: bytes) -> bytes:
    """Return what was compressed by Zstandard, or by zlib, as older stores hold it.

    Raises
    ------
    ZstdError, zlib.error
        The data are of neither, or damaged.

    Examples
    --------
    >>> decompressed(zstd.compress(b"text")), decompressed(zlib.compress(b"text"))
    (b'text', b'text')
    """
    if data.startswith(_MAGIC):
        return zstd.decompress(data)
    return zlib.decompress(data)

"""The chain of pages of a TIFF file: a break in it is damage, not the end."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from segkit.io.errors import DamagedImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_MOST_TAGS = 4096
# Bytes of a value by the number of its type; unknown types count nothing.
_TYPE_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8, 0)


class _CircleError(Exception):
    """A page whose next one was before."""


def check_chain(path: Path) -> None:
    """Refuse a file whose chain of pages leads beyond its end, or back.

    Libraries stop at the break and hand out the pages before it, so that a cut
    volume looks like a thinner one.

    Raises
    ------
    DamagedImageError
        If a directory of tags, or the pointer to the next one, is cut off, or leads to
        one that was before.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        whole = 0
        try:
            for end in _chain(file):
                if end > size:
                    raise struct.error("a tag lies beyond the end")
                whole += 1
        except _CircleError:
            raise DamagedImageError(
                path,
                f"has a chain of pages that leads back after {whole} of them, so that"
                " others may be lost; copy or write it again",
            ) from None
        except (struct.error, OSError) as error:  # or an offset beyond any file
            raise DamagedImageError(
                path,
                f"is cut short after {size} bytes: only {whole} pages have their"
                " directory; copy or write it again",
            ) from error


def _chain(file: BinaryIO) -> Iterator[int]:
    """Yield where the tags of each page end; struct.error where one is cut."""
    header = file.read(16)
    order = "<" if header[:2] == b"II" else ">"
    big = header[2:4] in (b"+\0", b"\0+")
    count_format, next_format = ("Q", "Q") if big else ("H", "I")
    wide = order + ("u8" if big else "u4")
    tag = np.dtype(
        [("code", order + "u2"), ("type", order + "u2"), ("count", wide), ("at", wide)]
    )
    (offset,) = struct.unpack_from(order + next_format, header, 8 if big else 4)
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise _CircleError
        seen.add(offset)
        file.seek(offset)
        count_bytes = file.read(struct.calcsize(count_format))
        (count,) = struct.unpack(order + count_format, count_bytes)
        if count > _MOST_TAGS:
            raise struct.error("not a directory")
        data = file.read(count * tag.itemsize)
        (offset,) = struct.unpack(
            order + next_format, file.read(struct.calcsize(next_format))
        )
        yield _end_of_tags(np.frombuffer(data, tag))


def _end_of_tags(tags: NDArray[Any]) -> int:
    """Return where the furthest value ends that does not fit into its tag."""
    sizes = np.array(_TYPE_SIZES)[np.minimum(tags["type"], len(_TYPE_SIZES) - 1)]
    counts = tags["count"].astype(np.int64) * sizes
    far = counts > tags["at"].dtype.itemsize
    return int((tags["at"].astype(np.int64) + counts)[far].max(initial=0))

"""Blocks of N5 that hold fewer voxels than they are said to.

Each block begins with its own size. tensorstore, as n5-java, reads what a shorter one
lacks as zeros, without a word. Used by the fetcher only.
"""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def require_whole_blocks(
    place: dict[str, Any],
    sizes: Sequence[int],
    box: Sequence[tuple[int, int]],
    voxels: NDArray[Any],
    context: Any,
) -> None:
    """Raise `ValueError` if a block lacks voxels of a box that has been read.

    Only blocks are looked at whose last plane along some axis was read as zeros, as
    that of a shorter one must have been.

    Parameters
    ----------
    place
        The folder of the blocks, as tensorstore is told.
    sizes
        Of a block, along each axis.
    box
        Begin and end along each axis.
    voxels
        What was read of it.
    context
        Of tensorstore.
    """
    import tensorstore

    spans = [
        range(start // size, -(-stop // size))
        for (start, stop), size in zip(box, sizes, strict=True)
    ]
    store: Any = None
    for block in itertools.product(*spans):
        part = [
            (max(start, k * size), min(stop, k * size + size))
            for (start, stop), k, size in zip(box, block, sizes, strict=True)
        ]
        if not _ends_in_zeros(voxels, box, part):
            continue
        if store is None:
            store = tensorstore.KvStore.open(place, context=context).result()
        name = "/".join(map(str, block[::-1]))
        found = store.read(name).result()
        known = _lengths(found.value) if found.state == "value" else sizes
        for (_, stop), k, size, length in zip(part, block, sizes, known, strict=True):
            if stop - k * size > length:
                raise ValueError(
                    f"DATA_LOSS: block {name} holds {length} voxels along an axis"
                    f" where {stop - k * size} are read; missing='fill' takes the rest"
                    " for 0"
                )


def _ends_in_zeros(
    voxels: NDArray[Any],
    box: Sequence[tuple[int, int]],
    part: Sequence[tuple[int, int]],
) -> bool:
    """Return whether the last plane of a part of a box is 0, along any axis."""
    inner = voxels[
        tuple(
            slice(start - first, stop - first)
            for (start, stop), (first, _) in zip(part, box, strict=True)
        )
    ]
    if inner[(-1,) * inner.ndim]:  # it lies in the last plane along every axis
        return False
    return any(not inner.take(-1, axis).any() for axis in range(inner.ndim))


def _lengths(block: bytes) -> tuple[int, ...]:
    """Return the size that a block says it has, from its last axis on.

    Examples
    --------
    >>> _lengths(bytes.fromhex("0000 0002 00000005 00000003"))
    (3, 5)
    """
    (axes,) = struct.unpack_from(">H", block, 2)
    return struct.unpack_from(f">{axes}I", block, 4)[::-1]

"""Copy a whole image into one that was created, in slabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segkit.io.sources import InMemory
from segkit.io.writing import ImageWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from segkit.io.image import Image

_SLAB_BYTES = 64 << 20


def copy_into(target: Path, image: Image) -> None:
    """Write all voxels of an image into the empty one at the very path `target`."""
    writer = ImageWriter(target, target=target)
    if isinstance(image.source, InMemory):
        writer.write(..., image.read())
        return
    step = writer.chunks[0] if writer.chunks else 1
    for box in _slabs(image, step):
        writer.write(box, image.read(box))


def _slabs(image: Image, step: int) -> Iterator[tuple[slice, ...]]:
    """Yield boxes over the first axis, of some megabytes and whole chunks."""
    row = image.nbytes // max(image.shape[0], 1)
    count = max(1, _SLAB_BYTES // max(row * step, 1)) * step
    rest = tuple(slice(0, n) for n in image.shape[1:])
    for start in range(0, image.shape[0], count):
        yield (slice(start, min(start + count, image.shape[0])), *rest)

"""Precomputed chunks of this machine that lie in files of their name and ``.gz``.

So cloud-volume, and with it FLoRIN, writes them into folders; in buckets it says
``Content-Encoding``, which needs no more than that. Used by the fetcher only.
"""

from __future__ import annotations

import gzip
import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SUFFIX = ".gz"


def is_zipped(folder: Path) -> bool:
    """Say whether a folder has chunks that are compressed as files."""
    return next(folder.glob(f"*{SUFFIX}"), None) is not None


class Zipped:
    """An array whose chunks are unpacked when a box of it is read.

    Parameters
    ----------
    whole
        The array as tensorstore opens it, x first and without a chunk that it finds.
    folder, key
        Of the volume, and of its scale below.
    spec
        It was opened by.
    shown
        How its axes are to be, and that its first voxel has the index 0.
    """

    def __init__(
        self,
        whole: Any,
        folder: Path,
        key: str,
        spec: dict[str, Any],
        shown: Callable[[Any], Any],
    ) -> None:
        self._whole = whole
        self._folder = folder
        self._key = key
        self._spec = spec
        self._shown = shown
        view = shown(whole)
        self.shape, self.dtype = view.shape, view.dtype
        self.chunk_layout = view.chunk_layout

    def __getitem__(self, box: tuple[slice, ...]) -> Any:
        """Return a view of a box, the chunks of which are in memory."""
        import tensorstore

        store = tensorstore.KvStore.open("memory://").result()
        store["info"] = (self._folder / "info").read_bytes()
        for name in self._names(box):
            file = self._folder / self._key / name
            packed = file.with_name(name + SUFFIX)
            if packed.exists():
                store[f"{self._key}/{name}"] = gzip.decompress(packed.read_bytes())
            elif file.exists():
                store[f"{self._key}/{name}"] = file.read_bytes()
        array = tensorstore.open(self._spec, kvstore=store).result()
        return self._shown(array)[box]

    def _names(self, box: tuple[slice, ...]) -> Iterator[str]:
        """Yield the names of the chunks that a box touches."""
        domain, sizes = self._whole.domain, self._whole.chunk_layout.read_chunk.shape
        spans = []
        for axis, part in enumerate(box[:-4:-1]):
            first, end, size = (
                domain.origin[axis],
                domain.exclusive_max[axis],
                sizes[axis],
            )
            numbers = range(part.start // size, -(-part.stop // size))
            starts = (first + number * size for number in numbers)
            spans.append([f"{start}-{min(start + size, end)}" for start in starts])
        yield from map("_".join, itertools.product(*spans))

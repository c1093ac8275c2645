"""What an image is made of when it is written: documents, and chunks by their names."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.elsewhere.voxels import StoredVoxels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segkit.io.elsewhere.place import Where
    from segkit.io.elsewhere.voxels import Spec


@dataclass(frozen=True, slots=True)
class Layout:
    """How an image is written, before anything of it is.

    Attributes
    ----------
    format : str
        Name of the format.
    spec : dict
        Of tensorstore; its metadata are in it, so that none have to be there.
    folder : str
        Where the array lies below the image; empty if there.
    documents : tuple of (str, str)
        Paths below the image, and texts. The last one makes it an image.
    prefix, named
        What the names of chunks below the image begin with, and how they go on:
        ``'/'`` for numbers with slashes, ``'-'`` for ranges of voxels.
    shape, dtype, chunks, turned, squeezed, offset
        See `StoredVoxels`.
    axes, spacing, units
        Of the image.
    """

    format: str
    spec: Spec
    folder: str
    documents: tuple[tuple[str, str], ...]
    prefix: str
    named: str
    shape: tuple[int, ...]
    dtype: str
    chunks: tuple[int, ...]
    axes: str
    spacing: tuple[float, ...]
    units: tuple[str, ...]
    turned: bool = False
    squeezed: bool = False
    offset: tuple[int, ...] = ()

    def voxels(self, shown: str, where: Where, path: str) -> StoredVoxels:
        """Return the voxels, to be written, of an image at a path."""
        spec = {
            **self.spec,
            "assume_metadata": True,
            "store_data_equal_to_fill_value": True,
        }
        inner = "/".join(filter(None, (path, self.folder)))
        known = (self.shape, np.dtype(self.dtype), self.chunks)
        more = (self.turned, self.squeezed, self.offset)
        return StoredVoxels(shown, where, inner, spec, *known, *more)

    def chunk_names(self) -> Iterator[str]:
        """Yield the paths of all chunks below the image.

        Examples
        --------
        >>> known = ("zarr", {}, "0", (), "0/c/", "/", (4, 6), "|u1", (4, 4))
        >>> list(Layout(*known, "yx", (1.0, 1.0), ("pixel", "pixel")).chunk_names())
        ['0/c/0/0', '0/c/0/1']
        """
        counts = [
            -(-n // size) for n, size in zip(self.shape, self.chunks, strict=True)
        ]
        for position in itertools.product(*map(range, counts)):
            yield self.prefix + self._name(position)

    def _name(self, position: tuple[int, ...]) -> str:
        if self.named == "/":
            return "/".join(map(str, position[::-1] if self.turned else position))
        first = self.offset or (0,) * len(self.shape)
        ranges = [
            (start + k * size, start + min(n, (k + 1) * size))
            for k, start, size, n in zip(
                position, first, self.chunks, self.shape, strict=True
            )
        ][-3:]  # a channel has no part in it
        return "_".join(f"{start}-{stop}" for start, stop in reversed(ranges))

    def to_json(self) -> bytes:
        """Return it as it is kept beside an image under construction."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Layout:
        """Return what `to_json` was given."""
        found: dict[str, Any] = json.loads(data)
        lists = {k: tuple(v) for k, v in found.items() if isinstance(v, list)}
        lists["documents"] = tuple((name, text) for name, text in found["documents"])
        return cls(**{**found, **lists})

"""What an image is made of when it is written: documents, and chunks by their names."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.arranged.coarser import chunk_boxes, reduced, require_downscale
from segkit.io.elsewhere.voxels import StoredVoxels
from segkit.io.image import Image
from segkit.io.options import SaveOptions
from segkit.io.sources import InMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from segkit.io.elsewhere.place import Where
    from segkit.io.elsewhere.voxels import Spec
    from segkit.io.options import Downscale

    Make = Callable[[Image, SaveOptions], "Layout"]


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
    coarser : tuple of Layout
        Other levels, the finer ones first; what is written down of them is that they
        are wanted.
    asked : dict
        What else was known of the image, and how it was to be written.
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
    coarser: tuple[Layout, ...] = ()
    asked: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, make: Make, image: Image, options: SaveOptions) -> Layout:
        """Return how an image is written, by the function of a format."""
        known = {"path": image.path, "stated": image.stated, "channels": image.channels}
        return replace(make(image, options), asked={**known, "how": asdict(options)})

    def with_levels(self, make: Make, levels: int, downscale: Downscale) -> Layout:
        """Return how the same image is written with coarser levels.

        Raises
        ------
        ImageRequestError
            If it cannot be.
        """
        if levels == 1:
            return self
        asked = self.asked
        require_downscale(asked["path"], downscale)
        zeros = np.broadcast_to(np.zeros((), self.dtype), self.shape)
        known = (self.axes, self.spacing, self.units)
        image = replace(
            Image(asked["path"], InMemory(zeros), *known),
            stated=asked["stated"],
            channels=tuple(asked["channels"]),
        )
        how = replace(
            SaveOptions(**asked["how"]),
            chunks=self.chunks,
            levels=levels,
            downscale=downscale,
            offset=self.offset[-3:] or None,
        )
        return Layout.of(make, image, how)

    def write_coarser(
        self, shown: str, where: Where, path: str, downscale: Downscale
    ) -> None:
        """Write the voxels of all other levels, of the first one that is there."""
        finer = self.voxels(shown, where, path)
        for level in self.coarser:
            voxels = level.voxels(shown, where, path)
            shapes = finer.shape, level.shape
            for box in chunk_boxes(level.shape, level.chunks):
                voxels.write(box, reduced(finer.read, shapes, box, downscale))
            finer = voxels

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

"""An image elsewhere, written by many at once and found when all of it is there.

Objects cannot be renamed, so chunks are written where they will be, and what makes them
an image, its metadata, comes last. Until then an object ``NAME.partial`` beside it says
how it is written. An image that is replaced is gone until then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from segkit.io.elsewhere.layout import Layout
from segkit.io.elsewhere.place import Place
from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    UnfinishedImageError,
    parsing,
)
from segkit.io.image import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.io.elsewhere.address import Address
    from segkit.io.elsewhere.layout import Make
    from segkit.io.options import Downscale

_METADATA = r"(zarr\.json|\.zgroup|\.zattrs|\.zarray|\.zmetadata|info|attributes\.json)"
_OURS = re.compile(
    rf"{_METADATA}|s?\d+/{_METADATA}|s?\d+/(c/)?\d+(/\d+)*"
    r"|[\w.-]+/\d+-\d+_\d+-\d+_\d+-\d+"
)
"""What an image as it is written here is made of."""


@dataclass(frozen=True, slots=True)
class Construction:
    """An image elsewhere that is to be written, or is under construction.

    Attributes
    ----------
    address : Address
        Where it will be.
    owner : str
        Whose it is; nobody else writes there meanwhile.
    group : str
        What the owners begin with whose constructions it takes the place of.
    """

    address: Address
    owner: str = ""
    group: str = ""

    @classmethod
    def at(cls, path: object, owner: str = "", group: str = "") -> Construction:
        """Return that of an address.

        Raises
        ------
        ImageRequestError
            If nothing can be written there.
        """
        place = Place.of(str(path))
        address = place.address
        if not address.is_bucket:
            raise ImageRequestError(
                address, "web servers are read only; write to s3://, gs:// or a folder"
            )
        if address.key or not address.path:
            raise ImageRequestError(
                address, "name the image itself, such as s3://bucket/name.zarr"
            )
        return cls(address, owner, group)

    @property
    def place(self) -> Place:
        """Where it will be; nothing is known of it."""
        return Place(self.address)

    @property
    def _partial(self) -> str:
        return ".".join(filter(None, (self.address.path, self.owner, "partial")))

    def mark(self) -> tuple[int, int]:
        """Return what tells a finished image from another; (-1, 0) of none."""
        place = self.place
        for name in ("zarr.json", ".zattrs", "info", "attributes.json"):
            file = place / name
            if file.is_file():
                data = file.read_bytes()
                digest = blake2b(data, digest_size=7).digest()
                return len(data), int.from_bytes(digest)
        return (-1, 0)

    def require_free(self, *, overwrite: bool) -> None:
        """Raise `FileExistsError` unless an image may be written."""
        if self.mark() != (-1, 0) and not overwrite:
            raise FileExistsError(
                f"{self.address}: exists already; choose another name or say"
                " overwrite=True"
            )
        strange = [name for name in self._names() if not _OURS.fullmatch(name)]
        if strange:
            raise FileExistsError(
                f"{self.address}: holds {strange[0]}, which segkit did not write;"
                " choose another name, or remove it yourself"
            )

    def _names(self) -> list[str]:
        """Return what lies below the address."""
        below = f"{self.address.path}/"
        return [path.removeprefix(below) for path, _, _ in self.place.listed()]

    def create(self, layout: Layout, *, overwrite: bool) -> None:
        """Begin an image: remove what was there, and write down how it is written.

        Raises
        ------
        FileExistsError
            As `require_free` says.
        UnfinishedImageError
            If others write there.
        """
        self.require_free(overwrite=overwrite)
        place, path = self.place, self.address.path
        place.ask("put", self._partial, layout.to_json())
        others = re.compile(re.escape(path) + r"(\.\w+)?\.partial")
        own = f"{path}.{self.group}"
        for found in place.ask("siblings", f"{path}."):
            if found != self._partial and others.fullmatch(found):
                if self.group and found.startswith(own):
                    place.ask("remove", [found])
                    continue
                place.ask("remove", [self._partial])
                raise UnfinishedImageError(
                    self.address,
                    f"is written by others ({found}); wait for them, or remove that"
                    " object if nobody writes any more",
                )
        place.ask("remove", [f"{path}/{name}" for name in sorted(self._names())])

    @property
    def is_there(self) -> bool:
        """Whether it is under construction."""
        return bool(self.place.ask("get", self._partial))

    def reopen(self, make: Make | None = None) -> tuple[Image, ChunksElsewhere]:
        """Return what is known of an image under construction, and where boxes go.

        `make` is what its format has, to write coarser levels.

        Raises
        ------
        UnfinishedImageError
            If it is not under construction.
        """
        found = self.place.ask("get", self._partial)
        if not found:
            raise UnfinishedImageError(
                self.address, "is not under construction; call create_image first"
            )
        with parsing(self.address, self._partial):
            layout = Layout.from_json(found[0])
        target = ChunksElsewhere(self, layout, make)
        axes = (layout.axes, layout.spacing, layout.units)
        return Image(str(self.address), target.voxels, *axes), target

    def finish(self, layout: Layout, downscale: Downscale = "nearest") -> None:
        """Write the coarser levels and the metadata, when all chunks are there."""
        missing = {*layout.chunk_names()}.difference(self._names())
        if missing:
            raise DamagedImageError(
                self.address,
                f"{len(missing)} chunks have not been written, the first is"
                f" {min(missing)!r}; write them, then finish",
            )
        place = self.place
        shown = str(self.address)
        layout.write_coarser(shown, place.where, self.address.path, downscale)
        for name, text in layout.documents:
            place.ask("put", f"{self.address.path}/{name}", text.encode())
        place.ask("remove", [self._partial])

    def abandon(self) -> None:
        """Remove what has been written."""
        place, path = self.place, self.address.path
        place.ask("remove", [f"{path}/{name}" for name in self._names()])
        place.ask("remove", [self._partial])


def is_under_construction(place: Place) -> bool:
    """Say whether an image is written at a place, by whomever."""
    address = place.address
    if not address.is_bucket or not address.path:
        return False
    partial = re.compile(re.escape(address.path) + r"(\.\w+)?\.partial")
    found = place.ask("siblings", f"{address.path}.")
    return any(partial.fullmatch(path) for path in found)


def final_mark(layout: Layout) -> tuple[int, int]:
    """Return the mark that an image will have when it is finished."""
    data = layout.documents[-1][1].encode()
    return len(data), int.from_bytes(blake2b(data, digest_size=7).digest())


class ChunksElsewhere:
    """Where boxes of an image under construction are written."""

    def __init__(
        self, construction: Construction, layout: Layout, make: Make | None
    ) -> None:
        place = construction.place
        shown = str(construction.address)
        self._construction = construction
        self._make = make
        self.layout = layout
        self.voxels = layout.voxels(shown, place.where, construction.address.path)
        self.chunks: tuple[int, ...] | None = layout.chunks

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:
        """Write whole chunks; each of them is an object."""
        self.voxels.write(box, array)

    def finish(self, path: object, levels: int, downscale: Downscale) -> None:  # noqa: ARG002 - the protocol's
        """Check that all chunks have been written, and make them an image."""
        layout = self.layout
        if self._make is not None:
            layout = layout.with_levels(self._make, levels, downscale)
        self._construction.finish(layout, downscale)

    def abandon(self) -> None:
        """Remove what has been written."""
        self._construction.abandon()

"""HCS plates in OME-Zarr, read per well and field of view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segkit.io.elsewhere.address import is_address, local_path
from segkit.io.elsewhere.place import Place
from segkit.io.errors import ImageRequestError
from segkit.io.ome_zarr.metadata import attributes, inside, listed
from segkit.io.ome_zarr.reading import open_zarr
from segkit.names import known_as

if TYPE_CHECKING:
    from segkit.io.elsewhere.place import Node
    from segkit.io.image import Image
    from segkit.io.options import Missing


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class Plate:
    """A plate of an HCS experiment: wells, each with fields of view.

    Attributes
    ----------
    path : str
        The OME-Zarr folder, here or elsewhere.
    wells : tuple of str
        Their paths, such as ``'B/3'``.

    Examples
    --------
    ``for well in open_plate("plate.zarr").wells: image = plate.open(well)``
    """

    path: str
    wells: tuple[str, ...]

    def fields(self, well: str) -> tuple[str, ...]:
        """Return the names of the fields of view of a well."""
        found = attributes(well_of(self, well)).get("well", {})
        return tuple(str(image["path"]) for image in found.get("images", []))

    def open(
        self, well: str, field: int = 0, *, level: int = 0, missing: Missing = "error"
    ) -> Image:
        """Return one field of view of a well as a lazy image.

        Raises
        ------
        ImageRequestError
            If there is no such well or field; the message lists them.
        """
        return open_zarr(
            well_of(self, well), series=field, level=level, missing=missing
        )


def well_of(plate: Plate, well: str) -> Node:
    """Return the folder of a well; the message lists those that there are."""
    elsewhere = is_address(plate.path)
    return inside_plate(Place.of(plate.path) if elsewhere else Path(plate.path), well)


def inside_plate(folder: Node, well: str) -> Node:
    """Return the folder of a well in that of a plate."""
    wells = _wells(folder)
    if well.strip("/") not in wells:
        raise ImageRequestError(
            str(folder), f"has no well {well!r}, only {listed(list(wells))}"
        )
    return inside(folder, well)


def _wells(folder: Node) -> tuple[str, ...]:
    found = attributes(folder)
    if "plate" not in found:
        raise ImageRequestError(str(folder), "is not an OME-Zarr plate; use open_image")
    return tuple(str(well["path"]) for well in found["plate"].get("wells", []))


@known_as("segkit")
def open_plate(path: str | Path) -> Plate:
    """Return the plate of an OME-Zarr folder.

    Raises
    ------
    ImageRequestError
        If the folder is not a plate.
    """
    path = local_path(path)
    folder = Place.of(path) if is_address(path) else Path(path)
    return Plate(str(folder), _wells(folder))

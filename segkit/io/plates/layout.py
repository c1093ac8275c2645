"""The fields of a plate, as its metadata or the names of its files say."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.io.errors import ImageError, ImageRequestError
from segkit.io.ome_zarr.metadata import attributes, is_zarr, listed
from segkit.io.plates.fields import Field
from segkit.io.plates.file_names import fields_by_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Place = tuple["str | int", ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A plate.

    Attributes
    ----------
    path : Path
        Of the plate.
    names : tuple of str
        What columns of places are called, those of the well first.
    fields : tuple of Field
        All fields, in the order of the plate.
    wells : tuple of tuple
        The places of all wells, with those that have no field.
    notes : tuple of str
        What is to be told of the plate.
    """

    path: Path
    names: tuple[str, ...]
    fields: tuple[Field, ...]
    wells: tuple[Place, ...]
    notes: tuple[str, ...] = ()

    @property
    def of_well(self) -> int:
        """How many of the columns say which well it is."""
        return sum(name in ("well", "row", "column") for name in self.names)


def is_plate(path: str | Path) -> bool:
    """Say whether a folder is a plate of OME-Zarr."""
    where = Path(path)
    if not (os.path.isdir(path) and is_zarr(where)):  # noqa: PTH112 - never raises
        return False
    try:
        return "plate" in attributes(where)
    except ImageError:
        return False


def layout_of(path: str | Path, pattern: str | None = None) -> Layout:
    """Return the fields of a plate.

    Parameters
    ----------
    path
        An OME-Zarr plate, or a folder of images.
    pattern
        Of the names of files in a folder, such as
        ``"{well}_s{field}_w{channel}.tif"``; see `segkit.io.plates.file_names`.

    Raises
    ------
    ImageRequestError
        If it is no plate, or names of files are ambiguous.
    """
    where = Path(path)
    if pattern is not None:
        if not where.is_dir():
            raise ImageRequestError(path, "is no folder, of whose files a pattern says")
        found = fields_by_names(where, pattern)
        wells = {field.place[: found.of_well]: None for field in found.fields}
        return _checked(
            Layout(where, found.names, found.fields, (*wells,), found.notes)
        )
    if not is_plate(where):
        raise ImageRequestError(
            path,
            "is no OME-Zarr plate; of a folder of images say how their files are named:"
            " --pattern '{well}_s{field}_w{channel}.tif'",
        )
    return _checked(_by_metadata(where))


def _checked(layout: Layout) -> Layout:
    if not layout.fields:
        raise ImageRequestError(layout.path, "has no field of view in any well")
    seen: dict[str, Field] = {}
    for field in layout.fields:
        if field.name in seen:
            raise ImageRequestError(
                field.path,
                f"and {seen[field.name].path} are both called {field.name!r}; each"
                " field needs a place of its own",
            )
        seen[field.name] = field
    return layout


def number(text: str) -> str | int:
    """Return digits as a number, and other text as it is.

    Examples
    --------
    >>> number("03"), number("A")
    (3, 'A')
    """
    return int(text) if text.isascii() and text.isdigit() else text


def _by_metadata(path: Path) -> Layout:
    plate = attributes(path)["plate"]
    wells: list[Place] = []
    fields: list[Field] = []
    acquired: list[str] = []
    empty: list[str] = []
    stated = plate.get("wells", ()) if isinstance(plate, dict) else ()
    for well in stated:
        place = str(well["path"]).strip("/")
        row, _, column = place.partition("/")
        at: Place = (row + column, row, number(column))
        wells.append(at)
        found = [*_fields(path / place, at)]
        fields += [field for field, _ in found]
        acquired += [acquisition for _, acquisition in found]
        empty += [] if found else [row + column]
    notes = [f"{path}: wells without images: {listed(empty)}"] if empty else []
    names: tuple[str, ...] = ("well", "row", "column", "field")
    if len({*acquired} - {""}) > 1:  # of one site at several times, or by several ways
        names = (*names, "acquisition")
        fields = [
            replace(one, place=(*one.place, number(acquisition)))
            for one, acquisition in zip(fields, acquired, strict=True)
        ]
    return Layout(path, names, tuple(fields), tuple(wells), tuple(notes))


def _fields(well: Path, at: Place) -> Iterator[tuple[Field, str]]:
    """Yield the fields of a well, and the acquisition of each."""
    try:
        found = attributes(well) if is_zarr(well) else None
        images: Sequence[Any] = [] if found is None else found["well"]["images"]
        missing = "the plate names it, and it is not there" if found is None else ""
    except (ImageError, KeyError, TypeError) as error:
        images, missing = [], f"its metadata say no fields ({error})"
    if missing:
        yield Field((*at, ""), f"{at[0]}", (str(well),), missing=missing), ""
    for image in images:
        name = str(image["path"]).strip("/")
        field = Field((*at, number(name)), f"{at[0]}-{name}", (str(well / name),))
        if not is_zarr(well / name):
            why = f"well {at[0]} names it as a field, and it is not there"
            field = replace(field, missing=why)
        yield field, str(image.get("acquisition", ""))

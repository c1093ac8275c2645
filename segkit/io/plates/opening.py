"""The fields of a plate, as its metadata or the names of its files say."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.io.errors import ImageError, ImageRequestError
from segkit.io.ome_zarr.metadata import attributes, is_zarr, listed
from segkit.io.plates.conditions import compared_by, with_layout, with_values
from segkit.io.plates.fields import Field
from segkit.io.plates.file_names import fields_by_names
from segkit.io.plates.layout_file import read_layout
from segkit.io.plates.plate import Plate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segkit.io.plates.plate import Place


def is_plate(path: str | Path) -> bool:
    """Say whether a folder is a plate of OME-Zarr."""
    where = Path(path)
    if not (os.path.isdir(path) and is_zarr(where)):  # noqa: PTH112 - never raises
        return False
    try:
        return "plate" in attributes(where)
    except ImageError:
        return False


def plate_of(
    path: str | Path,
    pattern: str | None = None,
    layout: str | Path | None = None,
    by: Sequence[str] = (),
) -> Plate:
    """Return the fields of a plate.

    Parameters
    ----------
    path
        An OME-Zarr plate, or a folder of images.
    pattern
        Of the names of files in a folder, such as
        ``"{well}_s{field}_w{channel}.tif"``; see `segkit.io.plates.file_names`.
    layout
        A file that says what was done to each well; see `segkit.io.plates.layout_file`.
    by
        Which columns of the layout, or groups of the pattern, make a condition; without
        any all columns but those that number repetitions, such as ``replicate``.

    Raises
    ------
    ImageRequestError
        If it is no plate, names of files are ambiguous, or the layout does not fit.
    """
    if isinstance(by, str):
        by = (by,)
    listed = None if layout is None else read_layout(Path(layout))
    groups = tuple(name for name in by if f"{{{name}}}" in (pattern or ""))
    plate = _without_layout(path, pattern, groups)
    if listed is not None:
        plate = with_layout(plate, listed)
    if not (by or plate.conditions):
        return plate
    return replace(plate, by=compared_by(plate, by, layout))


def _without_layout(
    path: str | Path, pattern: str | None, by: tuple[str, ...]
) -> Plate:
    where = Path(path)
    if pattern is not None:
        if not where.is_dir():
            raise ImageRequestError(path, "is no folder, of whose files a pattern says")
        found = fields_by_names(where, pattern, by)
        fields = with_values(found.fields, found.names, by)
        plate = Plate(where, found.names, fields, (), found.notes, by)
        wells = {field.place[: plate.of_well]: None for field in fields}
        return _checked(replace(plate, wells=(*wells,)))
    if not is_plate(where):
        raise ImageRequestError(
            path,
            "is no OME-Zarr plate; of a folder of images say how their files are named:"
            " --pattern '{well}_s{field}_w{channel}.tif'",
        )
    return _checked(_by_metadata(where))


def _checked(plate: Plate) -> Plate:
    if not plate.fields:
        raise ImageRequestError(plate.path, "has no field of view in any well")
    seen: dict[str, Field] = {}
    for field in plate.fields:
        if field.name in seen:
            raise ImageRequestError(
                field.path,
                f"and {seen[field.name].path} are both called {field.name!r}; each"
                " field needs a place of its own",
            )
        seen[field.name] = field
    return plate


def number(text: str) -> str | int:
    """Return digits as a number, and other text as it is.

    Examples
    --------
    >>> number("03"), number("A")
    (3, 'A')
    """
    return int(text) if text.isascii() and text.isdigit() else text


def _by_metadata(path: Path) -> Plate:
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
    return Plate(path, names, tuple(fields), tuple(wells), tuple(notes))


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

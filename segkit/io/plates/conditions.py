"""Conditions of the wells of a plate: of a layout, or of the names of files."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from segkit.io.errors import ImageRequestError
from segkit.io.plates.file_names import key_of, split_well
from segkit.io.plates.layout_file import as_values
from segkit.other_names import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segkit.io.plates.fields import Field
    from segkit.io.plates.layout_file import WellLayout
    from segkit.io.plates.plate import Place, Plate

_REPETITION = re.compile(r"(?:.*[ _-])?rep(?:eat|licate|lica|etition)?s?(?:[ _-].*)?")
_TOLD = 5


def with_layout(plate: Plate, layout: WellLayout) -> Plate:
    """Return a plate with the columns of a layout after those of its wells.

    Wells that the layout lists and that have no images have a row without fields; what
    it does not list and has no images has none.

    Raises
    ------
    ImageRequestError
        If a well with images is not listed, or columns are called alike.
    """
    _require_wells(plate, layout.names, layout.path)
    for name in layout.names:
        if name in plate.names:
            raise ImageRequestError(
                layout.path,
                f"has a column {name!r}, and so has the plate; rename it",
            )
    at, cut = plate.names.index("well"), plate.of_well
    _require_all(plate, layout, at)

    def extended(place: Place) -> Place:
        cells = layout.rows[key_of(str(place[at]))][1]
        return (*place[:cut], *cells, *place[cut:])

    known = [key_of(str(place[at])) for place in plate.wells]
    unseen = [name for key, (name, _) in layout.rows.items() if key not in known]
    both = zip(known, plate.wells, strict=True)
    listed = [place for key, place in both if key in layout.rows]
    wells = map(extended, (*listed, *(_place(plate, name) for name in unseen)))
    note = f"{layout.path}: lists wells without images: {_named(unseen)}"
    return replace(
        plate,
        names=(*plate.names[:cut], *layout.names, *plate.names[cut:]),
        fields=tuple(replace(f, place=extended(f.place)) for f in plate.fields),
        wells=tuple(wells),
        notes=(*plate.notes, *([note] if unseen else [])),
        conditions=(*plate.conditions, *layout.names),
    )


def _require_all(plate: Plate, layout: WellLayout, at: int) -> None:
    wells = dict.fromkeys(str(field.place[at]) for field in plate.fields)
    lacking = [well for well in wells if key_of(well) not in layout.rows]
    if lacking:
        raise ImageRequestError(
            layout.path,
            f"does not list {_named(lacking)}, of which {plate.path} has images; add a"
            " row for each such well",
        )


def _place(plate: Plate, well: str) -> Place:
    """Return the place of a well without images."""
    row, column = split_well(well)
    own: dict[str, str | int] = {"well": well, "row": row, "column": column}
    own |= dict.fromkeys(plate.conditions, "")
    return tuple(own[name] for name in plate.names[: plate.of_well])


def with_values(
    fields: Sequence[Field], names: Sequence[str], conditions: Sequence[str]
) -> tuple[Field, ...]:
    """Return fields whose conditions are numbers where all of a column are."""
    columns = [[*column] for column in zip(*(f.place for f in fields), strict=True)]
    for name in conditions:
        k = names.index(name)
        columns[k] = [*as_values([str(cell) for cell in columns[k]])]
    places = zip(*columns, strict=True)
    return tuple(replace(f, place=p) for f, p in zip(fields, places, strict=True))


def compared_by(
    plate: Plate, by: Sequence[str], layout: str | Path | None
) -> tuple[str, ...]:
    """Return which of a plate's conditions wells are compared by.

    Those that are asked for, else all but what numbers repetitions.

    Raises
    ------
    ImageRequestError
        If there is no such column, or none is left.
    """
    where = plate.path if layout is None else layout
    for name in by:
        if name not in plate.conditions:
            raise ImageRequestError(
                where,
                f"says nothing called {name!r}{nearest(name, plate.conditions)} to"
                f" compare wells by, but {', '.join(plate.conditions) or 'nothing'};"
                " give a layout with such a column, or a pattern with such a group",
            )
    _require_wells(plate, plate.conditions, where)
    left = [n for n in plate.conditions if not _REPETITION.fullmatch(n.lower())]
    if not by and not left:
        raise ImageRequestError(
            where,
            f"says only which repetition a well is ({', '.join(plate.conditions)}); add"
            " a column of what was done, such as treatment",
        )
    return tuple(dict.fromkeys(by)) or tuple(left)


def _require_wells(plate: Plate, names: Sequence[str], path: Path | str) -> None:
    if "well" not in plate.names:
        raise ImageRequestError(
            path,
            f"says {', '.join(names)}, but the files are of no {{well}}, and conditions"
            " are compared by well; if each image is a sample of its own, call it"
            " {well} in the pattern",
        )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more

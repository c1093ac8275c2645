"""What was done to each well of a plate, as a file says.

It is a table with a row for each well: ``well`` (or ``row`` and ``column``) and what
was done to it, such as ``treatment``, ``dose``, ``replicate``. Commas, semicolons or
tabs lie between cells, as programs of tables save them.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from segkit.io.errors import ImageRequestError
from segkit.io.plates.file_names import key_of
from segkit.other_names import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Value: TypeAlias = str | int | float

_PLACES = ("well", "row", "column")
_SPELLED = {name: name for name in _PLACES} | {"col": "column"}
_TAKEN = (
    *("field", "acquisition", "fields", "fields_missing", "objects", "label", "class"),
    *("unit", "frame", "channel", "t", "c", "z"),
    *("wells", "wells_missing", "wells_without_objects"),
)
"""Columns of a plate's tables."""
_MEASURED = re.compile(r"class-.*|.*-(?:mean|std|median|mad)", re.DOTALL)
"""What their columns of measurements are called."""
_DIGITS = 18
"""That an integer has at most; a longer one is a name, as bar codes are."""
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d*)", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class WellLayout:
    """What a file says of wells.

    Attributes
    ----------
    path : Path
        The file.
    names : tuple of str
        Of the columns that say what was done.
    rows : dict of (str or int) to (str, tuple)
        By what the spellings of a well have in common: as it is written, and its cells.
    """

    path: Path
    names: tuple[str, ...]
    rows: dict[str | int, tuple[str, tuple[Value, ...]]]


def read_layout(path: Path) -> WellLayout:
    r"""Return what a file says of wells.

    Raises
    ------
    ImageRequestError
        If it is no such table: it cannot be read, has no column ``well``, lists a well
        twice or lacks a cell.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "plate.csv"
    >>> _ = path.write_text("Well;treatment;dose\nA01;DMSO;0\nA02;taxol;0,5\n")
    >>> read_layout(path).rows
    {'A1': ('A01', ('DMSO', 0.0)), 'A2': ('A02', ('taxol', 0.5))}
    """
    header, lines, between = _lines(path)
    names = _header(path, header)
    others = tuple(name for name in names if name and name not in _PLACES)
    wells: dict[str | int, str] = {}
    rows: list[list[str]] = []
    for number, line in lines:
        cells = _cells(path, number, names, line)
        well = cells.get("well") or cells.get("row", "") + cells.get("column", "")
        key = key_of(well)
        if key in wells:
            raise _refused(
                path,
                f"line {number}: {well} is there twice; list each well once, and each"
                " plate in a file of its own",
            )
        wells[key] = well
        rows.append([cells[name] for name in others])
    comma = between != ","
    typed = [as_values(column, comma=comma) for column in zip(*rows, strict=True)]
    values = zip(wells.items(), zip(*typed, strict=True), strict=True)
    return WellLayout(path, others, {key: (well, row) for (key, well), row in values})


def _lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    """Return the header of a file, its numbered lines, and what is between cells."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise _refused(
            path,
            f"cannot be read ({error.strerror}); give the file that says what was done"
            " to each well",
        ) from error
    except UnicodeDecodeError as error:
        raise _refused(
            path, "is no text in UTF-8; save the table as CSV (UTF-8)"
        ) from error
    head = text.lstrip().partition("\n")[0]
    between = max(",;\t", key=head.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=between)
    try:
        read = [(reader.line_num, [c.strip() for c in line]) for line in reader]
    except csv.Error as error:
        raise _refused(path, f"is no CSV: {error}; save the table as CSV") from error
    lines = [(number, cells) for number, cells in read if any(cells)]
    if len(lines) < 2:
        raise _refused(path, "lists no well; give a row for each below the header")
    return lines[0][1], lines[1:], between


def _header(path: Path, header: Sequence[str]) -> list[str]:
    """Return the names of columns, once they say the well and something of it."""
    names = [_SPELLED.get(name.lower(), name) for name in header]
    told = [name for name in names if name]
    if "well" not in names and not {"row", "column"} <= {*names}:
        near = [guess for name in told if (guess := nearest(name.lower(), _PLACES))]
        raise _refused(
            path,
            f"has no column well, nor row and column, but {', '.join(told)}"
            f"{''.join(near[:1])}; give a row for each well, and a header above them",
        )
    twice = [name for name, count in Counter(told).items() if count > 1]
    if twice:
        raise _refused(path, f"has two columns {twice[0]!r}; rename one")
    others = [name for name in told if name not in _PLACES]
    if not others:
        raise _refused(
            path, "says nothing of its wells; add a column, such as treatment"
        )
    for name in others:
        if name in _TAKEN or _MEASURED.fullmatch(name):
            raise _refused(
                path,
                f"has a column {name!r}, which is one of the plate's tables; rename it",
            )
    return names


def _cells(
    path: Path, number: int, names: Sequence[str], line: Sequence[str]
) -> dict[str, str]:
    """Return the cells of a line by their columns, once none is empty."""
    where = f"line {number}: "
    cells = dict.fromkeys(names, "") | dict(zip(names, line, strict=False))
    if any(line[len(names) :]) or cells.pop("", ""):
        raise _refused(path, f"{where}has a cell below no name; name its column")
    if not (cells["well"] if "well" in cells else cells["row"] and cells["column"]):
        raise _refused(path, f"{where}does not say which well it is; write it, as A1")
    well = cells.get("well") or cells["row"] + cells["column"]
    for name, cell in cells.items():
        if not cell and name not in _PLACES:
            raise _refused(
                path, f"{where}{well} has no {name}; write one, such as 0 or none"
            )
    return cells


def as_values(texts: Sequence[str], *, comma: bool = False) -> list[Value]:
    """Return a column as numbers if all of it are, else as text.

    Parameters
    ----------
    texts
        The cells; what begins with 0 as a name does, ``007``, is text, and so are
        integers of more digits than 64 bits have.
    comma
        Whether a comma may be in the place of the point.

    Examples
    --------
    >>> as_values(["1", "2"]), as_values(["0.5", "2"]), as_values(["007", "8"])
    ([1, 2], [0.5, 2.0], ['007', '8'])
    >>> as_values(["12345678901234567890", "8"])
    ['12345678901234567890', '8']
    """
    if all(map(_INTEGER.fullmatch, texts)):
        short = all(len(text) <= _DIGITS for text in texts)
        return [int(text) for text in texts] if short else [*texts]
    pointed = [text.replace(",", ".") if comma else text for text in texts]
    if all(map(_NUMBER.fullmatch, pointed)):
        return [float(text) for text in pointed]
    return [*texts]


def _refused(path: Path, message: str) -> ImageRequestError:
    return ImageRequestError(path, message)

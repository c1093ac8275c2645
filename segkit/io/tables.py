"""Save a table of columns as CSV, TSV or Parquet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.argument_kinds import require_types
from segkit.io.errors import ImageRequestError, missing_extra
from segkit.io.publishing import published
from segkit.io.replacing import require_free
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")

_TYPED = ["path", "overwrite", "durable", "unit"]


@known_as("segkit")
def save_table(
    path: str | Path,
    table: Mapping[str, ArrayLike],
    *,
    overwrite: bool = False,
    durable: bool = True,
    unit: str | None = None,
) -> Path:
    """Save columns of equal length as ``.csv``, ``.tsv`` or ``.parquet``.

    Numbers are written so that they read back as they were. A table without rows
    gives a file with its header. In ``.csv`` and ``.tsv``, text that a spreadsheet
    would take for a formula (``=1+1``) has a ``'`` before it.

    Parameters
    ----------
    path : str or Path
        Where; the suffix says the format. Parquet wants the extra ``parquet``.
    table : mapping of str to array
        One value per row; a column of shape (rows, n) becomes n columns, named
        ``name-0`` and so on.
    overwrite : bool
        Replace what lies there.
    durable : bool
        Wait for the disk before the file gets its name.
    unit : str, optional
        Of the lengths in the table, such as ``'micrometer'``; areas are in its square,
        volumes in its cube. It stands in each row, in a last column ``unit``.

    Raises
    ------
    ImageRequestError
        If it is no table, columns differ in length, there is a column ``unit`` beside
        a given one, or the suffix means no format.
    FileExistsError
        If the file exists.
    TypeError
        If an option is of another kind than it says.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "objects.csv")
    >>> print(save_table(path, {"label": [1, 2], "area": [0.1, 7.0]}).read_text())
    label,area
    1,0.1
    2,7.0
    """
    require_types(save_table, locals(), _TYPED)
    path = Path(path)
    columns = _columns(path, table)
    if unit is not None:
        columns = _with_unit(path, columns, unit)
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise ImageRequestError(
            path,
            f"suffix {path.suffix!r} means no table; use one of"
            f" {', '.join(TABLE_SUFFIXES)}",
        )
    require_free(path, overwrite=overwrite, folder=False)
    with published(path, overwrite=overwrite, durable=durable) as private:
        if suffix == ".parquet":
            _write_parquet(private, path, columns)
        else:
            _write_csv(private, columns, "\t" if suffix == ".tsv" else ",")
    return path


def _columns(path: Path, table: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    if not hasattr(table, "items"):
        raise ImageRequestError(
            path,
            f"a table is a mapping of column names to values, not {table!r:.40}; such"
            " as what segkit.measure returns",
        )
    columns: dict[str, NDArray[Any]] = {}
    for name, values in table.items():
        checks.require_unmasked(values, name=f"column {name!r}")
        array = np.asarray(values)
        if array.ndim == 1:
            columns[name] = array
        elif array.ndim == 2:
            columns.update({f"{name}-{n}": part for n, part in enumerate(array.T)})
        else:
            raise ImageRequestError(path, f"column {name!r} has shape {array.shape}")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ImageRequestError(path, f"columns differ in length: {lengths}")
    return columns


def _with_unit(
    path: Path, columns: dict[str, NDArray[Any]], unit: str
) -> dict[str, NDArray[Any]]:
    if "unit" in columns:
        raise ImageRequestError(path, "has a column 'unit'; leave out unit=")
    rows = len(next(iter(columns.values()), ()))
    return {**columns, "unit": np.full(rows, unit)}


def _write_csv(path: Path, columns: dict[str, NDArray[Any]], delimiter: str) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(map(_no_formula, columns))
        # tolist gives Python numbers, whose text reads back exactly.
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        writer.writerows(map(_no_formula, row) for row in rows)


def _no_formula(cell: object) -> object:
    """Return a cell; text that a spreadsheet would calculate has a mark before it."""
    calculated = ("=", "+", "-", "@", "\t", "\r")
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(calculated) else cell


def _write_parquet(private: Path, path: Path, columns: dict[str, NDArray[Any]]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise missing_extra(path, "pyarrow") from error
    pq.write_table(
        pa.table({name: pa.array(c) for name, c in columns.items()}), private
    )

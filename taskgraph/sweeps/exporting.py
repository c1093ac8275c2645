"""Tables as files: CSV, and Parquet by pyarrow; each appears whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from datetime import date, time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_END = "\r\n"
_CALCULATED = frozenset("=+-@\t\r")


def save(
    columns: Mapping[str, Sequence[Any]],
    path: str | os.PathLike[str],
    suffix: str | None = None,
) -> Path:
    """Write columns to a file, in the format that its suffix means; return where.

    Parameters
    ----------
    columns : mapping of str to sequence
        Cells by column.
    path : path
        Where.
    suffix : str, optional
        What counts instead of that of `path`.

    Raises
    ------
    UsageError
        There is no such format, it cannot hold them, or the file cannot be written.
    """
    path = Path(path)
    data = format_of(path, suffix)(columns)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return path


def format_of(
    path: Path, suffix: str | None = None
) -> Callable[[Mapping[str, Sequence[Any]]], bytes]:
    """Return what makes the bytes of a table.

    Raises
    ------
    UsageError
        The suffix means no format of tables.
    """
    suffix = (suffix or path.suffix).lower()
    if suffix not in _FORMATS:
        raise UsageError(
            f"{path}: {suffix or 'no suffix'} is no format of tables; "
            f"choose one of {' '.join(_FORMATS)}"
        )
    return _FORMATS[suffix]


def no_formula(cell: str) -> str:
    """Return a cell with a mark before what a spreadsheet takes for a formula.

    Examples
    --------
    >>> [no_formula(cell) for cell in ("=A1", "-2.5", "-2+A1", "@x", "a=b")]
    ["'=A1", '-2.5', "'-2+A1", "'@x", 'a=b']
    """
    if cell[:1] not in _CALCULATED:
        return cell
    try:
        complex(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    r"""Return rows as CSV, so that a carriage return in a cell ends no line.

    Examples
    --------
    >>> csv_text([["a", "b"], [1, "two\rlines"]])
    'a,b\n1,"two\rlines"\n'
    """
    file = _Lines()
    csv.writer(file, lineterminator=_END).writerows(rows)
    return "".join(file.lines)


class _Lines:
    """Takes lines as `csv` ends them: it quotes what is in its own line ends only."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(f"{line[: -len(_END)]}\n")


def _csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    rows = zip(*map(_csv_column, columns.values()), strict=True)
    text = csv_text(chain([map(no_formula, columns)], rows))
    return text.encode(errors="backslashreplace")


def _csv_column(cells: Sequence[Any]) -> Sequence[Any]:
    if set(map(type, cells)) <= {int, float, bool, type(None)}:
        return cells
    return [no_formula(cell) if type(cell) is str else _text(cell) for cell in cells]


def _text(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, date | time) else cell


def _parquet(columns: Mapping[str, Sequence[Any]]) -> bytes:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed; install it (extra "
            "`parquet`), or save as .csv"
        ) from error
    made = {}
    for name, cells in columns.items():
        try:
            made[name] = pyarrow.array(cells)
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
            kinds = sorted({type(cell).__name__ for cell in cells} - {"NoneType"})
            raise UsageError(
                f"no column of Parquet can hold {name!r} ({', '.join(kinds)}): "
                f"{error}; leave it out, or save as .csv"
            ) from error
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(made), file)
    return file.getvalue()


_FORMATS: dict[str, Callable[[Mapping[str, Sequence[Any]]], bytes]] = {
    ".csv": _csv,
    ".parquet": _parquet,
}

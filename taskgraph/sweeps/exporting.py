"""Tables as files: CSV, for people, or Parquet; each appears whole or not at all."""

from __future__ import annotations

import io
import math
import os
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.description import without_long_numbers
from taskgraph.displays.separated_values import csv_column, csv_text, no_formula
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


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
        with suppress(OSError):
            aside.unlink()
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


def _csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    rows = zip(*map(csv_column, columns.values()), strict=True)
    text = csv_text(chain([map(no_formula, columns)], rows))
    return text.encode(errors="backslashreplace")


def _latex(columns: Mapping[str, Sequence[Any]]) -> bytes:
    from taskgraph.displays.latex import latex_table

    text = latex_table(columns, _for_paper)
    return f"% \\usepackage{{booktabs}}\n{text}\n".encode(errors="backslashreplace")


def _markdown(columns: Mapping[str, Sequence[Any]]) -> bytes:
    from taskgraph.displays.for_text import markdown_table

    return f"{markdown_table(columns, _for_paper)}\n".encode()


def _html(columns: Mapping[str, Sequence[Any]]) -> bytes:
    from taskgraph.displays.for_text import html_table

    return f"{html_table(columns, _for_paper, ', '.join(columns))}\n".encode()


def _for_paper(cell: Any) -> str:
    """Return a cell with six digits, as on the screen; NaN is a dash."""
    if not isinstance(cell, float):
        return "" if cell is None else str(without_long_numbers(cell))
    if math.isnan(cell):
        return "-"
    return f"{cell:z.6g}".replace("inf", "\N{INFINITY}")


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
    ".tex": _latex,
    ".md": _markdown,
    ".html": _html,
    ".parquet": _parquet,
}

"""Values as files that other programs read, and as JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.description import without_long_numbers
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from taskgraph.upkeep.snapshot import Snapshot


def save(value: Any, path: Path) -> None:
    """Write a value to a file, in the format that its extension names.

    Raises
    ------
    UsageError
        There is no such format, or the value does not fit it.
    """
    encode = _format(path)
    with _explained(value, f"saved as {path.suffix}", "try .pkl"):
        data = encode(value)
    write_file(path, data)


def write_file(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def require_place(output: str, *, several: bool) -> None:
    """Refuse a place where nothing can be saved, before it is said for each value.

    Raises
    ------
    UsageError
        There is no such format or folder, or all values would go to one file.
    """
    if several and "{key}" not in output:
        raise UsageError("-o takes {key} in the name to save several values")
    path = Path(output.replace("{key}", "0"))
    _format(path)
    if "{key}" not in str(path.parent) and not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to save {path.name} in")


def require_no_input(path: Path, jugfile: Path, snapshot: Snapshot) -> None:
    """Refuse to save over the jugfile, or a file that its tasks read.

    Raises
    ------
    UsageError
        It is one of these.
    """
    whole = path.resolve()
    if whole == jugfile.resolve():
        raise UsageError(f"{path} is the jugfile itself; give another file with -o")
    if str(path.absolute()) in snapshot.inputs or str(whole) in snapshot.inputs:
        raise UsageError(
            f"{path} is an input of {jugfile}: saved there, a result would be read as "
            "one; give another file with -o"
        )


def json_value(value: Any) -> Any:
    """Return what JSON can say of a value; see `plain`.

    Raises
    ------
    UsageError
        It contains itself, or its own methods fail.
    """
    with _explained(value, "shown as JSON", "save it as .pkl"):
        try:
            return _dumped(value)
        except ValueError:
            return _dumped(without_long_numbers(value))


def _dumped(value: Any) -> Any:
    found = plain(value)
    json.dumps(found, default=str)
    return found


def text_of(value: Any) -> str:
    """Return a value as Python shows it; text as it is.

    Raises
    ------
    UsageError
        Its own methods fail.
    """
    import pprint

    with _explained(value, "shown", "save it as .pkl"):
        if isinstance(value, str):
            return value
        try:
            return pprint.pformat(value)
        except ValueError:
            return pprint.pformat(without_long_numbers(value))


def _format(path: Path) -> Callable[[Any], bytes]:
    encode = _FORMATS.get(path.suffix.lower())
    if encode is None:
        raise UsageError(
            f"{path}: {path.suffix or 'no extension'} is no format that is known; "
            f"choose one of {' '.join(_FORMATS)}"
        )
    return encode


@contextmanager
def _explained(value: Any, deed: str, advice: str) -> Iterator[None]:
    """Turn what goes wrong with a value into a sentence."""
    try:
        yield
    except Exception as error:  # a value's own methods may raise anything
        why = str(error) or type(error).__name__
        if isinstance(error, RecursionError):
            why = "it contains itself, or is nested too deep"
        kind = type(value).__name__
        raise UsageError(f"a {kind} cannot be {deed}: {why}; {advice}") from error


def plain(value: Any) -> Any:
    """Return what JSON can say of a value: arrays as lists, other objects as text.

    Examples
    --------
    >>> plain({("a", 1): {2}, "b": (1.5, b"x")})
    {"('a', 1)": [2], 'b': [1.5, "b'x'"]}
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return {k if isinstance(k, str) else str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        listed = value.tolist()
        return (
            repr(value)
            if listed is value or hasattr(listed, "tolist")
            else plain(listed)
        )
    if hasattr(value, "to_dict"):  # data frames
        return plain(value.to_dict())
    return repr(value)


def _npy(value: Any) -> bytes:
    import numpy

    file = io.BytesIO()
    numpy.save(file, numpy.asarray(value), allow_pickle=False)
    return file.getvalue()


def _npz(value: Any) -> bytes:
    import numpy

    named = value if isinstance(value, dict) else {"value": value}
    arrays: dict[str, Any] = {str(k): numpy.asarray(v) for k, v in named.items()}
    file = io.BytesIO()
    numpy.savez_compressed(file, **arrays)
    return file.getvalue()


def _json(value: Any) -> bytes:
    return (json.dumps(plain(value), indent=1) + "\n").encode()


def _csv(value: Any) -> bytes:
    """Return a table as text; a spreadsheet that opens it calculates nothing."""
    from taskgraph.displays.separated_values import csv_text, no_formula

    text = _csv_text(value)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    lines = csv.reader(io.StringIO(text, newline=""))
    return csv_text([no_formula(cell) for cell in line] for line in lines).encode()


def _csv_text(value: Any) -> str:
    if hasattr(value, "to_csv"):
        return str(value.to_csv(index=False, lineterminator="\r\n"))
    rows = value.tolist() if hasattr(value, "tolist") else value
    file = io.StringIO()
    if isinstance(rows, dict):
        rows = _rows_of_columns(rows)
    rows = list(rows)
    if rows and isinstance(rows[0], dict):
        fields = list(dict.fromkeys(name for row in rows for name in row))
        table = csv.DictWriter(file, fields)
        table.writeheader()
        table.writerows(rows)
    else:
        lines = [row if isinstance(row, list | tuple) else [row] for row in rows]
        csv.writer(file).writerows(lines)
    return file.getvalue()


def _rows_of_columns(columns: dict[Any, Any]) -> list[Any]:
    """Return the rows of a dict: of columns if they are sequences, else of pairs."""
    plain_columns = {name: plain(column) for name, column in columns.items()}
    if not all(isinstance(column, list) for column in plain_columns.values()):
        return list(plain_columns.items())
    header = list(plain_columns)
    return [header, *zip(*plain_columns.values(), strict=True)]


def _text(value: Any) -> bytes:
    text = value if isinstance(value, str) else repr(value)
    return (text if text.endswith("\n") else text + "\n").encode()


def _pickle(value: Any) -> bytes:
    import pickle

    return pickle.dumps(value)


def _tiff(value: Any) -> bytes:
    import numpy
    import tifffile

    array = numpy.asarray(value)
    if array.dtype.hasobject or array.dtype.kind in "USV":
        raise TypeError("it is no image")
    file = io.BytesIO()
    if array.dtype == bool:
        array = array.astype(numpy.uint8)
    tifffile.imwrite(file, array, compression="zlib")
    return file.getvalue()


_FORMATS: dict[str, Callable[[Any], bytes]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".json": _json,
    ".csv": _csv,
    ".txt": _text,
    ".pkl": _pickle,
    ".tif": _tiff,
    ".tiff": _tiff,
}

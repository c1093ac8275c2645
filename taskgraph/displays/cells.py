"""Values as cells of a table: what has fields is spread over columns of their names.

Dicts, dataclasses, named tuples and short tuples become a column for each field, in
fields of fields too: ``scores.dice``, ``shape[0]``. What is no single number, text or
time otherwise is told in a few words, an array by type and shape.
"""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from types import NoneType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from taskgraph.description import (
    brief,
    describe,
    function_text,
    printable,
    without_long_numbers,
)
from taskgraph.loaded import loaded
from taskgraph.results.outlines import Outline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ATOMS = frozenset(
    {NoneType, bool, int, float, complex, str, date, datetime, time, timedelta}
)
"""What is a cell as it is."""
_DEEPEST = 5
_MOST_ITEMS = 16
_MOST_FIELDS = 200
_LONGEST = 200


def spread(values: Sequence[Any], whole: str, title: str = "") -> dict[str, list[Any]]:
    """Return columns of cells by their names, one cell for each value in all of them.

    Parameters
    ----------
    values : sequence
        What is to be shown; None where there is nothing.
    whole : str
        The name of the column of what has no fields.
    title : str, optional
        What the names of fields begin with; they stand alone without.

    Examples
    --------
    >>> spread([3, None], "count")
    {'count': [3, None]}
    >>> spread([{"n": 1, "box": (2, 3)}, {"n": 4}], "f")
    {'n': [1, 4], 'box[0]': [2, None], 'box[1]': [3, None]}
    """
    return _spread(values, whole, title, _DEEPEST)


def _spread(
    values: Sequence[Any], whole: str, title: str, depth: int
) -> dict[str, list[Any]]:
    kinds = set(map(type, values)) - {NoneType}
    if kinds <= ATOMS:
        return {title or whole: list(values)}
    same = _same_fields(values, kinds) if depth else None
    if same is not None:
        columns: dict[str, list[Any]] = {}
        for name, parts in same.items():
            inner = _spread(parts, whole, _joined(title, name, whole), depth - 1)
            for each, column in inner.items():
                columns[free_name(each, columns)] = column
        return columns or {title or whole: [None] * len(values)}
    return _one_by_one(values, whole, title, depth)


def _same_fields(
    values: Sequence[Any], kinds: set[type]
) -> dict[str, list[Any]] | None:
    """Return what is in each field, if all values have the same ones; None if not."""
    if len(kinds) != 1:
        return None
    found = [None if value is None else _fields_of(value) for value in values]
    there = [parts for parts in found if parts is not None]
    missing = sum(value is None for value in values)
    if len(there) + missing < len(found) or not there:
        return None
    names = list(there[0])
    if any(list(parts) != names for parts in there):
        return None
    return {
        name: [None if parts is None else parts[name] for parts in found]
        for name in names
    }


def _one_by_one(
    values: Sequence[Any], whole: str, title: str, depth: int
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for row, value in enumerate(values):
        met: set[str] = set()
        if value is None:
            continue
        for found, entry in _cells(value, whole, title, depth):
            name = free_name(found, met)
            met.add(name)
            if name not in columns:
                columns[name] = [None] * len(values)
            columns[name][row] = entry
    return columns or {title or whole: [None] * len(values)}


def _cells(value: Any, whole: str, title: str, depth: int) -> Iterator[tuple[str, Any]]:
    parts = _fields_of(value) if depth else None
    if parts is None:
        yield title or whole, cell(value)
        return
    for name, part in parts.items():
        yield from _cells(part, whole, _joined(title, name, whole), depth - 1)


def free_name(name: str, taken: Any) -> str:
    """Return a name that no other column has, with a number if need be.

    Examples
    --------
    >>> free_name("a", {}), free_name("a", {"a", "a (2)"})
    ('a', 'a (3)')
    """
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found


def _joined(title: str, name: str, whole: str) -> str:
    if name.startswith("["):
        return (title or whole) + name
    return f"{title}.{name}" if title else name


def _fields_of(value: Any) -> dict[str, Any] | None:
    """Return what is in the fields of a value; None if it has none, or too many."""
    kind = type(value)
    if kind in ATOMS or kind is Outline or hasattr(kind, "__taskgraph_brief__"):
        return None
    if isinstance(value, dict):
        found = _of_dict(value)
    elif isinstance(value, tuple):
        found = _of_tuple(value)
    elif is_dataclass(kind):
        found = _of_names(value, [field.name for field in fields(kind)])
    elif kind is SimpleNamespace:
        found = dict(vars(value))
    elif (attributes := getattr(kind, "__attrs_attrs__", None)) is not None:
        found = _of_names(value, [each.name for each in attributes])
    elif isinstance(model := getattr(kind, "model_fields", None), dict):
        found = _of_names(value, list(model))
    else:
        return None
    return found if found is not None and len(found) <= _MOST_FIELDS else None


def _of_dict(value: dict[Any, Any]) -> dict[str, Any] | None:
    if len(value) > _MOST_FIELDS:
        return None
    return {
        key
        if type(key) is str and key and key[0] != "["
        else f"[{_key_text(key)}]": part
        for key, part in value.items()
    }


def _key_text(key: Any) -> str:
    return repr(without_long_numbers(cell(key)))


def _of_tuple(value: tuple[Any, ...]) -> dict[str, Any] | None:
    names = getattr(type(value), "_fields", None)
    if names is not None:
        return dict(zip(names, value, strict=True))
    if not 0 < len(value) <= _MOST_ITEMS:
        return None
    return {f"[{place}]": part for place, part in enumerate(value)}


def _of_names(value: Any, names: Sequence[str]) -> dict[str, Any] | None:
    return {name: getattr(value, name, None) for name in names}


def cell(value: Any) -> Any:
    """Return what stands for a value in a table: itself, its number, or text.

    Numbers of numpy become Python's; NaT and pandas' NA become None.

    Examples
    --------
    >>> import numpy
    >>> cell(numpy.float32(0.5)), cell(numpy.zeros((2, 3))), cell([1, 2])
    (0.5, 'float64 (2, 3)', '[1, 2]')
    """
    kind = type(value)
    if kind in ATOMS:
        return value
    numpy = loaded("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return _of_numpy(value, numpy)
    if isinstance(value, Enum):
        return f"{kind.__name__}.{value.name}"
    if isinstance(value, os.PathLike):
        return printable(os.fsdecode(value), 1 << 16)
    if kind.__name__ in ("NAType", "NaTType") and kind.__module__.startswith("pandas"):
        return None
    if isinstance(value, date | timedelta) or kind.__module__ == "decimal":
        return value
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    return _in_words(value, kind)


def _of_numpy(value: Any, numpy: Any) -> Any:
    plain = value.item()
    if isinstance(value, numpy.datetime64 | numpy.timedelta64):
        if numpy.isnat(value):
            return None
        code = value.dtype.kind
        micro = value.astype(f"{code}8[us]")
        plain = micro.item() if micro == value else value
        return plain if type(plain) in ATOMS else value
    return plain if type(plain) in ATOMS else str(value)


def _in_words(value: Any, kind: type) -> Any:
    if hasattr(kind, "__taskgraph_task__"):
        return describe(value.name, value.args, value.kwargs, _LONGEST)
    if hasattr(kind, "__taskgraph_brief__"):
        return brief(value)
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and dtype is not None:
        if not shape and hasattr(value, "item"):
            return cell(value.item())
        return f"{dtype} {shape}" if shape else str(dtype)
    if isinstance(shape, tuple) and shape:
        return f"{kind.__name__} {shape}"
    if kind is list and len(value) <= _MOST_ITEMS and set(map(type, value)) <= ATOMS:
        return printable(repr(without_long_numbers(value)), _LONGEST)
    name = getattr(value, "__qualname__", None)
    if callable(value) and isinstance(name, str):
        return function_text(value)
    return brief(value)

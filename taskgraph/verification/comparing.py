"""Where two values differ, bit by bit or by more than a tolerance. Pure."""

from __future__ import annotations

import pickle
import struct
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from math import isinf
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NUMBERS = (int, float, complex)
_NAMED = (type, FunctionType, BuiltinFunctionType)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far numbers may differ: by ``absolute + relative * |old|``; none by default.

    Attributes
    ----------
    relative, absolute : float
        Not negative.
    """

    relative: float = 0.0
    absolute: float = 0.0

    @property
    def bitwise(self) -> bool:
        """Whether every bit counts."""
        return not (self.relative or self.absolute)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ.

    Attributes
    ----------
    place : str
        In the result, as ``['area'][3]``; empty for the whole.
    what : str
        What was there, and what is there now.
    """

    place: str
    what: str

    def __str__(self) -> str:
        return f"result{self.place}: {self.what}"


def difference(old: Any, new: Any, tolerance: Tolerance) -> Difference | None:
    """Return the first place where two values differ; None if they are the same.

    Parameters
    ----------
    old, new : object
        What is compared: numbers, text, arrays, tables, containers, objects by what
        they keep, other things as they are pickled.
    tolerance : Tolerance
        How far numbers may differ.

    Examples
    --------
    >>> print(difference({"a": [1, 2.0]}, {"a": [1, 2.5]}, Tolerance()))
    result['a'][1]: 2.0 -> 2.5
    >>> difference([2.0], [2.5], Tolerance(relative=0.5)) is None
    True
    >>> difference(float("nan"), float("nan"), Tolerance()) is None
    True
    """
    try:
        return next(_differences(old, new, tolerance, ""), None)
    except RecursionError:  # it contains itself
        same = pickle.dumps(old, 5) == pickle.dumps(new, 5)
        return None if same else Difference("", f"another {type(old).__qualname__}")


def _differences(
    old: Any, new: Any, tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    if type(old) is not type(new):
        names = type(old).__qualname__, type(new).__qualname__
        yield Difference(place, f"{names[0]} -> {names[1]}")
    elif type(old) in _NUMBERS or isinstance(old, str | bytes | bool | None):
        if not _same_number(old, new, tolerance):
            yield Difference(place, f"{_short(old)} -> {_short(new)}")
    elif isinstance(old, dict):
        yield from _of_dicts(old, new, tolerance, place)
    elif isinstance(old, list | tuple):
        yield from _of_rows(old, new, tolerance, place)
    elif isinstance(old, set | frozenset):
        apart = _exactly(old) ^ _exactly(new)
        if apart:
            yield Difference(place, f"{len(apart)} elements differ")
    elif _is_array(old):
        yield from _of_arrays(old, new, tolerance, place)
    else:
        yield from _of_objects(old, new, tolerance, place)
        return
    yield from _of_attributes(old, new, tolerance, place)


def _same_number(old: Any, new: Any, tolerance: Tolerance) -> bool:
    if isinstance(old, float) and _bits(old) == _bits(new):
        return True
    if not isinstance(old, float | complex) and old == new:
        return True
    if isinstance(old, complex):
        parts = [(old.real, new.real), (old.imag, new.imag)]
        return all(_same_number(*pair, tolerance) for pair in parts)
    if tolerance.bitwise or not isinstance(old, _NUMBERS):
        return False
    if old != old or new != new:
        return old != old and new != new
    if isinf(abs(old)) or isinf(abs(new)):
        return bool(old == new)
    return bool(abs(new - old) <= tolerance.absolute + tolerance.relative * abs(old))


def _bits(number: float) -> bytes:
    return struct.pack("<d", number)


def _of_dicts(
    old: dict[Any, Any], new: dict[Any, Any], tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    makers = [one.default_factory for one in (old, new) if type(one) is defaultdict]
    if makers and makers[0] is not makers[1]:
        yield Difference(place, f"{makers[0]} -> {makers[1]} makes what is not there")
    if apart := _exactly(old) ^ _exactly(new):
        gone = [_short(key) for _, key, _ in apart]
        yield Difference(place, f"other keys: {', '.join(sorted(gone)[:3])}")
        return
    for key, value in old.items():
        yield from _differences(value, new[key], tolerance, f"{place}[{key!r}]")


def _exactly(elements: Iterable[Any]) -> set[tuple[type, Any, str]]:
    """Return elements so that only those of one type and form are the same."""
    numbers = (float, complex)  # of which 0.0 is -0.0
    return {(type(x), x, repr(x) if isinstance(x, numbers) else "") for x in elements}


def _of_attributes(
    old: Any, new: Any, tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    """Compare what was set on numbers, containers and arrays of derived classes."""
    kept = [getattr(one, "__dict__", None) or {} for one in (old, new)]
    if any(kept) and not isinstance(old, Enum):
        for name in dict.fromkeys([*kept[0], *kept[1]]):
            before, after = (one.get(name) for one in kept)
            yield from _differences(before, after, tolerance, f"{place}.{name}")


def _of_rows(
    old: Any, new: Any, tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    if len(old) != len(new):
        yield Difference(place, f"{len(old)} items -> {len(new)} items")
        return
    for number, (one, other) in enumerate(zip(old, new, strict=True)):
        yield from _differences(one, other, tolerance, f"{place}[{number}]")


def _is_array(value: Any) -> bool:
    numpy = loaded("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray | numpy.generic)


def _of_arrays(
    old: Any, new: Any, tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    import numpy as np

    one, other = np.asarray(old), np.asarray(new)
    if one.dtype != other.dtype or one.shape != other.shape:
        kinds = f"{one.dtype}{list(one.shape)} -> {other.dtype}{list(other.shape)}"
        yield Difference(place, kinds)
    elif one.dtype.names:
        for name in one.dtype.names:
            inner = f"{place}[{name!r}]"
            yield from _of_arrays(one[name], other[name], tolerance, inner)
    elif one.dtype.hasobject:
        rows = np.atleast_1d(one).tolist(), np.atleast_1d(other).tolist()
        yield from _of_rows(*rows, tolerance, place)
    elif one.tobytes() != other.tobytes():
        numeric = one.dtype.kind in "iufc" and not tolerance.bitwise
        wide = one.astype(np.result_type(one.dtype, np.float64)) if numeric else one
        if numeric:
            limits = {"rtol": tolerance.relative, "atol": tolerance.absolute}
            apart = ~np.isclose(other, wide, equal_nan=True, **limits)
        else:
            apart = _unequal(one, other)
        if apart.any():
            yield _of_places(one, other, apart, place)


def _unequal(one: Any, other: Any) -> Any:
    """Return where the bits of two arrays differ."""
    import numpy as np

    size = one.dtype.itemsize
    bits = [
        np.frombuffer(array.tobytes(), np.uint8).reshape((*one.shape, size))
        for array in (one, other)
    ]
    return (bits[0] != bits[1]).any(axis=-1)


def _of_places(one: Any, other: Any, apart: Any, place: str) -> Difference:
    import numpy as np

    first = tuple(int(axis[0]) for axis in np.nonzero(np.atleast_1d(apart)))
    first = first[: one.ndim]
    values = f"{_short(one[first].item())} -> {_short(other[first].item())}"
    count = int(np.count_nonzero(apart))
    more = f" ({count} of {one.size} differ)" if one.ndim else ""
    where = "".join(f"[{number}]" for number in first)
    return Difference(f"{place}{where}", f"{values}{more}")


def _of_objects(
    old: Any, new: Any, tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    """Compare objects by all that their pickles keep, so by what they are made of."""
    tables = loaded("pandas")
    if tables is not None and isinstance(old, tables.DataFrame | tables.Series):
        yield from _of_tables(old, new, tolerance, place)
        return
    name = getattr(old, "__qualname__", type(old).__qualname__)
    if isinstance(old, _NAMED):
        if old is not new and pickle.dumps(old, 5) != pickle.dumps(new, 5):
            yield Difference(place, f"another {name}")
        return
    try:
        (rest, attributes), (other, attributes_now) = _reduced(old), _reduced(new)
    except Exception:  # noqa: BLE001 - a part that the whole does not pickle
        yield Difference(place, f"a {name} cannot be compared: it cannot be pickled")
        return
    for each in dict.fromkeys([*attributes, *attributes_now]):
        before, after = attributes.get(each), attributes_now.get(each)
        yield from _differences(before, after, tolerance, f"{place}.{each}")
    if next(_differences(rest, other, tolerance, place), None):
        yield Difference(place, f"another {name}")


def _reduced(value: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return of what a pickle makes an object anew: the rest, and its attributes."""
    found = value.__reduce_ex__(4)
    if isinstance(found, str):
        return [found], {}
    made, args, state, items, pairs = (*found, None, None, None)[:5]
    rest = [made.__qualname__, args, list(items or ()), list(pairs or ())]
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if not all(isinstance(part, dict | None) for part in parts):
        return [*rest, state], {}
    return rest, {**(parts[0] or {}), **(parts[1] or {})}


def _of_tables(
    old: Any, new: Any, tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    yield from _of_dicts(_columns(old), _columns(new), tolerance, place)


def _columns(table: Any) -> dict[Any, Any]:
    """Return what is in a table of pandas, and how that is named and kept."""
    named = table.to_frame() if table.ndim == 1 else table
    label = [type(table.name).__name__, table.name] if table.ndim == 1 else []
    found = {
        "label": label,
        "index": named.index.to_numpy(),
        "names": [*named.index.names, *named.columns.names],
        "dtypes": [*map(str, named.dtypes), str(named.index.dtype)],
        "columns": list(named.columns),
        "attrs": dict(table.attrs),
    }
    for number, name in enumerate(named.columns):
        column = named.iloc[:, number]
        if hasattr(column, "cat"):
            categories = column.cat.categories.to_numpy()
            found[f"categories of {name}"] = [categories, bool(column.cat.ordered)]
        found[f"{number}: {name}"] = column.to_numpy()
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

"""Where two values differ, bit by bit or by more than a tolerance. Pure."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS = (int, float, complex)
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
    return next(_differences(old, new, tolerance, ""), None)


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
        if old != new:
            yield Difference(place, f"{len(old ^ new)} elements differ")
    elif _is_array(old):
        yield from _of_arrays(old, new, tolerance, place)
    else:
        yield from _of_objects(old, new, tolerance, place)


def _same_number(old: Any, new: Any, tolerance: Tolerance) -> bool:
    if isinstance(old, float) and _bits(old) == _bits(new):
        return True
    if not isinstance(old, float) and old == new:
        return True
    if tolerance.bitwise or not isinstance(old, _NUMBERS):
        return False
    if old != old or new != new:
        return old != old and new != new
    return bool(abs(new - old) <= tolerance.absolute + tolerance.relative * abs(old))


def _bits(number: float) -> bytes:
    return struct.pack("<d", number)


def _of_dicts(
    old: dict[Any, Any], new: dict[Any, Any], tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    if old.keys() != new.keys():
        gone = [_short(key) for key in old.keys() ^ new.keys()]
        yield Difference(place, f"other keys: {', '.join(sorted(gone)[:3])}")
        return
    for key, value in old.items():
        yield from _differences(value, new[key], tolerance, f"{place}[{key!r}]")


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
        yield from _of_rows(one.tolist(), other.tolist(), tolerance, place)
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
    tables = loaded("pandas")
    if tables is not None and isinstance(old, tables.DataFrame | tables.Series):
        yield from _of_tables(old, new, tolerance, place)
        return
    kept = [getattr(one, "__dict__", None) for one in (old, new)]
    slots = [name for c in type(old).__mro__ for name in _slots(c)]
    if slots or (isinstance(kept[0], dict) and kept[0]):
        for name in dict.fromkeys([*(kept[0] or {}), *(kept[1] or {}), *slots]):
            before, after = getattr(old, name, None), getattr(new, name, None)
            yield from _differences(before, after, tolerance, f"{place}.{name}")
    elif pickle.dumps(old, 5) != pickle.dumps(new, 5):
        yield Difference(place, f"another {type(old).__qualname__}")


def _slots(kind: type) -> list[str]:
    slots = kind.__dict__.get("__slots__", ())
    names = [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _of_tables(
    old: Any, new: Any, tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    def columns(table: Any) -> dict[Any, Any]:
        named = table.to_frame() if table.ndim == 1 else table
        found = {"index": named.index.to_numpy()}
        for number, name in enumerate(named.columns):
            found[f"{number}: {name}"] = named.iloc[:, number].to_numpy()
        return found

    yield from _of_dicts(columns(old), columns(new), tolerance, place)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

"""Spacings as files state them: what is usable, and in one unit of length."""

from __future__ import annotations

import math
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from segkit import checks
from segkit.io.errors import ImageRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_T = TypeVar("_T")
SPATIAL = "zyx"
_MEASURED = f"t{SPATIAL}"
UNKNOWN_UNIT = "pixel"
MICROMETER = "micrometer"
_LENGTHS = {  # powers of ten of a meter, and how else they are called
    "meter": (0, ("m", "metre", "meters")),
    "centimeter": (-2, ("cm",)),
    "millimeter": (-3, ("mm",)),
    MICROMETER: (
        -6,
        (
            "µm",
            "μm",
            "um",
            "micron",
            "microns",
            "\\u00B5m",
            "micrometre",
            "micrometers",
        ),
    ),
    "nanometer": (-9, ("nm", "nanometre", "nanometers")),
    "angstrom": (-10, ("\u00c5", "\u212b", "\u00e5ngstr\u00f6m")),
    "picometer": (-12, ("pm",)),
    "inch": (-4, ("in", "inches")),
    "foot": (-4, ("ft", "feet")),
}
_MULTIPLES = {"inch": 254, "foot": 3048}
"""How many of that power a length is, if not one."""
_TIMES = {"second": ("s", "sec", "seconds"), "millisecond": ("ms",), "minute": ("min",)}
_SPELT = {
    symbol: name for name, (_, symbols) in _LENGTHS.items() for symbol in symbols
} | {symbol: name for name, symbols in _TIMES.items() for symbol in symbols}
_SYMBOLS = {name: symbols[0] for name, (_, symbols) in _LENGTHS.items()} | {
    name: symbols[0] for name, symbols in _TIMES.items()
}
_UNKNOWN = (None, "", " ", "null", "none", "pixel", "pixels", "voxel")

_DOUBTS: ContextVar[list[str] | None] = ContextVar("doubts", default=None)

Physical = tuple[tuple[float, ...], tuple[str, ...]]
"""Spacing and unit of each axis."""


def unit_name(symbol: str | None) -> str:
    """Return the full name of a unit's symbol.

    Examples
    --------
    >>> unit_name("um"), unit_name("nm"), unit_name(None), unit_name("parsec")
    ('micrometer', 'nanometer', 'pixel', 'parsec')
    """
    if symbol in _UNKNOWN:
        return UNKNOWN_UNIT
    return _SPELT.get(str(symbol), str(symbol))


def unit_symbol(name: str) -> str:
    """Return the symbol that OME-XML uses for a unit's name."""
    return _SYMBOLS.get(name, name)


def usable(step: Any) -> float | None:
    """Return a stated step as a number above 0; None if it is none.

    Examples
    --------
    >>> usable("0.5"), usable(""), usable("0,5"), usable(-1), usable(float("nan"))
    (0.5, None, None, None, None)
    """
    try:
        number = float(step)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


@contextmanager
def doubts_noted() -> Iterator[list[str]]:
    """Note what files that are opened meanwhile state of steps and cannot be.

    Examples
    --------
    >>> with doubts_noted() as doubts:
    ...     physical("yx", {"y": (-1, "um"), "x": (0.5, "s")})
    ((1.0, 1.0), ('pixel', 'pixel'))
    >>> doubts
    ["-1 micrometer along 'y'", "0.5 second along 'x'"]
    """
    doubts: list[str] = []
    token = _DOUBTS.set(doubts)
    try:
        yield doubts
    finally:
        _DOUBTS.reset(token)


def doubt_length(axes: str, steps: Sequence[Any]) -> None:
    """Note that a file states steps, or units, for another number of axes.

    Examples
    --------
    >>> with doubts_noted() as doubts:
    ...     doubt_length("yx", [0.5, 0.5, 2, 2, 2])
    >>> doubts
    ["[0.5, 0.5, 2, 2, 2] along 'yx'"]
    """
    told = ", ".join(str(step) for step in steps)
    _note(f"[{told}] along {axes!r}")


def _doubt(axis: str, step: Any, unit: str | None) -> None:
    name = unit_name(unit)
    stated = repr(step) if isinstance(step, str) else str(step)
    _note(f"{stated}{'' if name == UNKNOWN_UNIT else f' {name}'} along {axis!r}")


def _note(told: str) -> None:
    doubts = _DOUBTS.get()
    if doubts is not None and told not in doubts:  # once of several levels
        doubts.append(told)


def physical(axes: str, stated: Mapping[str, tuple[Any, str | None]]) -> Physical:
    """Return spacing and unit of each axis, 1 and 'pixel' where nothing usable is said.

    Lengths of different units are brought to that of the last axis of space, since
    distances and areas mix them. What is said and no step can be is noted for
    `doubts_noted`.

    Parameters
    ----------
    axes : str
        One letter per axis.
    stated : mapping
        Step and unit by letter, as a file gives them.

    Examples
    --------
    >>> physical("zyx", {"z": (500, "nm"), "y": ("0.1", "µm"), "x": (0.1, "um")})
    ((0.5, 0.1, 0.1), ('micrometer', 'micrometer', 'micrometer'))
    >>> physical("tyx", {"t": (3, "s"), "y": (-1, "um"), "x": ("", "um")})
    ((3.0, 1.0, 1.0), ('second', 'pixel', 'pixel'))
    """
    steps, units = [], []
    for name in axes:
        step, unit = stated.get(name, (None, None))
        number, known = usable(step), unit_name(unit)
        wrong = _TIMES if name in SPATIAL else _LENGTHS
        fits = number is not None and known not in wrong
        steps.append(number if number is not None and fits else 1.0)
        if not fits and step is not None and str(step).strip() and name in _MEASURED:
            _doubt(name, step, unit)
        units.append(known if fits else UNKNOWN_UNIT)
    return in_one_unit(axes, steps, units)


def in_one_unit(axes: str, steps: Sequence[float], units: Sequence[str]) -> Physical:
    """Return steps and units with all lengths in the unit of the last axis of space.

    Examples
    --------
    >>> in_one_unit("tyx", (5, 200, 0.5), ("second", "nanometer", "micrometer"))
    ((5, 0.2, 0.5), ('second', 'micrometer', 'micrometer'))
    """
    lengths = {
        axes.index(name): units[axes.index(name)]
        for name in SPATIAL
        if name in axes and units[axes.index(name)] in _LENGTHS
    }
    if len(set(lengths.values())) <= 1:
        return tuple(steps), tuple(units)
    one = [*lengths.values()][-1]  # of x, or y
    return (
        tuple(
            in_unit(step, lengths[k], one) if k in lengths else step
            for k, step in enumerate(steps)
        ),
        tuple(one if k in lengths else unit for k, unit in enumerate(units)),
    )


def is_length(unit: str) -> bool:
    """Say whether a unit, by its full name, is one of length."""
    return unit in _LENGTHS


def in_unit(step: float, unit: str, other: str) -> float:
    """Return a length of one unit in another, both by their full names.

    Examples
    --------
    >>> in_unit(500, "nanometer", "micrometer"), in_unit(0.5, "inch", "millimeter")
    (0.5, 12.7)
    """
    step = step * _MULTIPLES.get(unit, 1) / _MULTIPLES.get(other, 1)
    power = _LENGTHS[unit][0] - _LENGTHS[other][0]
    # A division by 1000 is exact to the last digit, a product with 0.001 is not.
    return step * 10.0**power if power >= 0 else step / 10.0**-power


def one_unit(units: Sequence[str], shape: Sequence[int]) -> str:
    """Return the unit of a spacing, ``'pixel'`` if it is not known.

    Axes of length 1 do not count.

    Examples
    --------
    >>> one_unit(("pixel", "nanometer", "nanometer"), (1, 8, 8))
    'nanometer'
    """
    pairs = zip(units, shape, strict=True)
    known = [unit for unit, n in pairs if n > 1 and unit != UNKNOWN_UNIT]
    return known[-1] if known else UNKNOWN_UNIT


def known_in_part(axes: str, units: Sequence[str], shape: Sequence[int]) -> str:
    """Return what is known of a spacing and what is not; empty if all or none is.

    Axes of length 1 do not count. Units that cannot be told in each other are as bad.

    Examples
    --------
    >>> known_in_part("zyx", ("pixel", "micrometer", "micrometer"), (3, 8, 8))
    "a spacing in micrometer along 'yx' and none along 'z'"
    >>> known_in_part("zyx", ("pixel", "micrometer", "micrometer"), (1, 8, 8))
    ''
    >>> known_in_part("yx", ("micrometer", "parsec"), (8, 8))
    "a spacing in micrometer along 'y' and in parsec along 'x'"
    """
    spatial = {
        name: unit
        for name, unit, length in zip(axes, units, shape, strict=True)
        if name in SPATIAL and length > 1
    }
    known = "".join(name for name, unit in spatial.items() if unit != UNKNOWN_UNIT)
    lacking = "".join(name for name in spatial if name not in known)
    if not lacking:
        by_unit: dict[str, str] = {}
        for name, unit in spatial.items():
            by_unit[unit] = by_unit.get(unit, "") + name
        several = [f"in {unit} along {names!r}" for unit, names in by_unit.items()]
        return f"a spacing {' and '.join(several)}" if len(several) > 1 else ""
    if not known:
        return ""
    return (
        f"a spacing in {spatial[known[0]]} along {known!r} and none along {lacking!r}"
    )


def complete_spacing(
    path: str, axes: str, spacing: Sequence[float] | None
) -> tuple[float, ...]:
    """Return one positive spacing per axis, from one per axis or per space axis."""
    if spacing is None:
        return (1.0,) * len(axes)
    try:
        steps = [checks.as_number(step, name="spacing") for step in spacing]
    except TypeError as error:
        raise ImageRequestError(
            path,
            f"spacing {spacing!r} must be a sequence of numbers, such as (2, 1, 1)",
        ) from error
    if any(not (step > 0 and math.isfinite(step)) for step in steps):
        raise ImageRequestError(path, f"spacing {tuple(steps)} must be positive")
    return tuple(_for_each(path, axes, steps, 1.0, name="spacing"))


def complete_units(
    path: str, axes: str, units: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Return the name of one unit per axis, from one per axis or per axis of space."""
    if units is None:
        units = UNKNOWN_UNIT
    if isinstance(units, str):
        units = [units if name in SPATIAL else UNKNOWN_UNIT for name in axes]
    complete = _for_each(path, axes, list(units), UNKNOWN_UNIT, name="units")
    return tuple(unit_name(unit) for unit in complete)


def _for_each(
    path: str, axes: str, values: list[_T], unknown: _T, *, name: str
) -> list[_T]:
    """Return one value per axis, from one per axis or per axis of space."""
    if len(values) == len(axes):
        return values
    spatial = [axis for axis in axes if axis in SPATIAL]
    if len(values) != len(spatial):
        raise ImageRequestError(
            path,
            f"{name} {tuple(values)} has {len(values)} values for axes {axes!r}; give"
            f" one for each of {''.join(spatial)!r}",
        )
    by_name = dict(zip(spatial, values, strict=True))
    return [by_name.get(axis, unknown) for axis in axes]

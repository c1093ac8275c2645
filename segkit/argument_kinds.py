"""Whether arguments are of the kind that a function of segkit says it takes.

Only what is plainly wrong is refused, such as text for a number: a pipeline is checked
before it runs, and its functions check the rest. Functions of files ask at once.
"""

from __future__ import annotations

import builtins
import inspect
import math
import os
import reprlib
import types
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from segkit import extents
from segkit.arrays import PerAxis, RealPerAxis

_WORDS = {
    float: "a number",
    int: "an integer",
    bool: "true or false",
    str: "text",
    Path: "a path",
    type(None): "nothing",
}


_FITTING: dict[type, tuple[type, ...]] = {
    float: (int, float, np.number),
    int: (int, np.integer),
    bool: (bool, np.bool_),
    str: (str,),
    Path: (os.PathLike,),
    type(None): (type(None),),
}


class _Unknown:
    """A type that only type checkers import: everything fits."""

    def __class_getitem__(cls, _: Any) -> Any:
        return Any


def require_kinds(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raise `TypeError` unless each argument may be one of its parameter's.

    NaN is no number of any parameter but ``nodata``: `ValueError`. So is a spacing of
    which a part is not above 0, and one letter for two axes.

    Examples
    --------
    >>> def smooth(image, sigma: float | None = None): ...
    >>> require_kinds(smooth, {"sigma": 2})
    >>> require_kinds(smooth, {"sigma": "2"})
    Traceback (most recent call last):
    TypeError: sigma is '2', but must be a number
    """
    require_types(function, arguments)
    for name, value in arguments.items():
        if name != "nodata" and _holds_nan(value):
            raise ValueError(f"{name} is {value!r}, but NaN is no number to work with")
    _require_axes(arguments)


def require_types(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    names: Sequence[str] | None = None,
) -> None:
    """Raise `TypeError` unless each argument may be one of its parameter's.

    Parameters
    ----------
    function : callable
        Its parameters say of which types they are.
    arguments : mapping
        By name.
    names : sequence of str, optional
        Which of them are looked at; all by default.
    """
    hints = hints_of(function)
    for name in arguments if names is None else names:
        value, hint = arguments[name], hints.get(name, Any)
        if not _fits(value, hint):
            raise TypeError(
                f"{name} is {reprlib.repr(value)}, but must be {_described(hint)}"
            )


def _holds_nan(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_nan, value))
    return isinstance(value, float) and math.isnan(value)


def _require_axes(arguments: Mapping[str, Any]) -> None:
    """Look at the axes and the spacing that somebody gives."""
    axes, spacing = arguments.get("axes"), arguments.get("spacing")
    if isinstance(axes, str) and len(set(axes)) < len(axes):
        raise ValueError(f"axes is {axes!r}; give each axis a letter of its own")
    if spacing is not None:
        extents.as_spacing(spacing, np.size(spacing))


@lru_cache(maxsize=1000)
def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of the parameters; none if somebody else's cannot be read.

    Names are filled in beforehand, because a mapping that makes them up when asked is
    copied by Python 3.14.
    """
    inner = inspect.unwrap(function)
    known: dict[str, Any] = {
        "Sequence": Sequence,
        "Mapping": Mapping,
        "Callable": Callable,
        "Path": Path,
        "PerAxis": PerAxis,
        "RealPerAxis": RealPerAxis,
        **getattr(inner, "__globals__", {}),
    }
    try:
        texts = [hint for hint in inner.__annotations__.values() if type(hint) is str]
        for text in texts:
            for name in compile(text, "", "eval").co_names:
                known.setdefault(name, getattr(builtins, name, _Unknown))
        return get_type_hints(function, localns=known)
    except Exception:  # noqa: BLE001 - whatever somebody wrote there
        return {}


def _fits(value: Any, hint: Any) -> bool:
    kind = get_origin(hint)
    if kind in (Union, types.UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if kind is Literal:
        return value in get_args(hint)
    if kind is Sequence or kind in (list, tuple):
        inner = get_args(hint)[:1]
        fits = isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)
        return fits and all(_fits(v, h) for h in inner for v in value)
    if kind is Mapping:
        inner = get_args(hint)[1:]
        fits = isinstance(value, Mapping)
        return fits and all(_fits(v, h) for h in inner for v in value.values())
    if hint in (int, float) and isinstance(value, bool):
        return False  # Python would count with it
    if isinstance(hint, type) and hint in _FITTING:
        return isinstance(value, _FITTING[hint])
    return True  # nothing is known of it


def _described(hint: Any) -> str:
    kind = get_origin(hint)
    if kind in (Union, types.UnionType):
        parts = [part for part in get_args(hint) if part is not type(None)]
        return " or ".join(map(_described, parts))
    if kind is Literal:
        return " or ".join(map(repr, get_args(hint)))
    if kind is Sequence or kind in (list, tuple):
        return "a list"
    if kind is Mapping:
        return f"a table of names, each with {_described(get_args(hint)[-1])}"
    return _WORDS.get(hint, str(hint))

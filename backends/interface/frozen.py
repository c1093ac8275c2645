"""`frozen`: values whose classes are quickly made, as each start of `tg` makes many."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Turn a class into one of values: a frozen dataclass with slots.

    Python would compile six functions for each such class, and for all that `tg`
    defines before it does anything, that is a quarter of its start. Here `__init__` is
    compiled, and what compares, hashes and shows values looks at their fields. That a
    value is not changed is for type checkers to see: nothing refuses it at run time.

    Examples
    --------
    >>> @frozen
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, 0), len({Point(1), Point(1, 0)})
    (Point(x=1, y=0), True, 1)
    """
    made = dataclass(slots=True, eq=False, repr=False)(cls)
    own = vars(cls)
    for name, method in _methods(made).items():
        if name not in own:
            setattr(made, name, method)
    return made


def _methods(made: Any) -> dict[str, Callable[..., Any]]:
    """Return what compares, hashes and shows the values of a class."""
    compared = [one.name for one in fields(made) if one.compare]
    shown = [one.name for one in fields(made) if one.repr]
    parts = attrgetter(*compared) if compared else type

    def equal(self: object, other: object) -> Any:
        if type(self) is not type(other):
            return NotImplemented
        return parts(self) == parts(other)

    def digest(self: object) -> int:
        return hash(parts(self))

    def show(self: object) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({told})"

    return {"__eq__": equal, "__hash__": digest, "__repr__": show}

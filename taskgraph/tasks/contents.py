"""What a jugfile has defined, as far as its functions may change it while they run."""

from __future__ import annotations

import logging
import types
from typing import TYPE_CHECKING, Any

from taskgraph.errors import TaskgraphError
from taskgraph.identity.call_keys import digest
from taskgraph.identity.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType, ModuleType

_IN_PLACE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
"""How code is called that runs where it stands, as the code around it does."""
_CONSTANT = (
    int,
    float,
    complex,
    str,
    bytes,
    type(None),
    types.ModuleType,
    types.BuiltinFunctionType,
    logging.Logger,
)
_REACH_ALL = ("globals", "vars", "eval", "exec", "modules", "_getframe", "__main__")
"""Functions that use one of these may reach everything."""


class Contents:
    """The contents of a module that a script runs as.

    Parameters
    ----------
    module : module
        What functions of the script see as their own.
    code : code
        The script.
    """

    def __init__(self, module: ModuleType, code: CodeType) -> None:
        self._space = vars(module)
        self._name = module.__name__
        self._code = code
        self._used: set[str] = set()
        self._encoder = Encoder(renaming=True)

    def now(self) -> list[object] | None:
        """Return what is equal as long as no function has changed anything.

        None if that cannot be told, because an object does not show what is in it.
        """
        used = self._used or set(_used_in_functions(self._code, itself=False))
        self._used = used
        everything = not used.isdisjoint({*_REACH_ALL, self._name})
        found: list[object] = [_Bound(self._space)]
        met: set[int] = set()
        try:
            for name, value in self._space.items():
                if not name.startswith("__"):
                    named = everything or name in used
                    self._note(value, found, met, used=named)
        except (TaskgraphError, RecursionError):
            return None
        finally:
            self._encoder.tasks.clear()
        return found

    def _note(
        self, value: Any, found: list[object], met: set[int], *, used: bool
    ) -> None:
        """Note what can change in a function or class of the script, or in a value."""
        if isinstance(value, _CONSTANT) or id(value) in met:
            return
        met.add(id(value))
        inside = self._inside(value)
        if inside is not None:
            found.append(_Bound(inside))
            for name, part in inside.items():
                if not name.startswith("__") or isinstance(part, types.FunctionType):
                    self._note(part, found, met, used=True)
        elif used and not hasattr(type(value), "__taskgraph_task__"):
            found.append(digest(b"", self._encoder.item(value)))

    def _inside(self, value: Any) -> Mapping[str, Any] | None:
        """Return what a function or class of the script holds, None of another value.

        Nothing of what others have defined: it stays when the script is read anew.
        """
        if hasattr(type(value), "__taskgraph_generator__"):
            return {"f": value.f}
        if isinstance(value, classmethod | staticmethod | property):
            return _attributes(value, ("__func__", "fget", "fset", "fdel"))
        if isinstance(value, types.FunctionType):
            if value.__module__ != self._name:
                return {}
            cells = [
                cell.cell_contents for cell in value.__closure__ or () if _full(cell)
            ]
            held = dict(zip(value.__code__.co_freevars, cells, strict=False))
            held |= vars(value) | {"*": value.__defaults__, "**": value.__kwdefaults__}
            return held
        if isinstance(value, type):
            return vars(value) if value.__module__ == self._name else {}
        return {} if hasattr(type(value), "__get__") else None


class _Bound:
    """Which objects names stand for: equal if they are the same ones."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = dict(names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Bound) or self.names.keys() != other.names.keys():
            return False
        return all(other.names[name] is found for name, found in self.names.items())

    __hash__ = None  # type: ignore[assignment] # nobody looks it up


def _used_in_functions(code: CodeType, *, itself: bool) -> Iterator[str]:
    """Yield the names that functions in a script use, or what stands in these."""
    if itself:
        yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            inside = itself or part.co_name not in _IN_PLACE
            yield from _used_in_functions(part, itself=inside)


def _attributes(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _full(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # it is assigned to later
        return False

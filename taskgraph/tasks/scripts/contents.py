"""What a jugfile has defined, as far as its functions may change it while they run."""

from __future__ import annotations

import dis
import logging
import os
import sys
import types
from enum import Enum
from functools import _lru_cache_wrapper, cached_property
from typing import TYPE_CHECKING, Any

from taskgraph.errors import TaskgraphError
from taskgraph.identity.call_keys import digest
from taskgraph.identity.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType, ModuleType

_IN_PLACE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
"""How code is called that runs where it stands, as the code around it does."""
_CONSTANT = frozenset(
    {
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        type(None),
        types.ModuleType,
        types.GetSetDescriptorType,
        types.MemberDescriptorType,
        types.MethodDescriptorType,
        types.WrapperDescriptorType,
        types.ClassMethodDescriptorType,
    }
)
_REACH_ALL = frozenset(
    {
        *("globals", "vars", "eval", "exec", "modules", "_getframe", "__main__"),
        *("__globals__", "__dict__", "f_globals", "currentframe", "get_objects"),
    }
)
"""Functions that use one of these may reach everything."""
_LOGGER = frozenset(vars(logging.getLogger()))
_SETS = frozenset({"STORE_ATTR", "DELETE_ATTR", "STORE_SUBSCR", "DELETE_SUBSCR"})


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
        self._set_in = frozenset(_set_in(code))
        self._encoder = Encoder(renaming=True)

    def now(self) -> list[object] | None:
        """Return what is equal as long as no function has changed anything.

        None if that cannot be told, because an object does not show what is in it.
        """
        used = self._used or set(_used_in_functions(self._code, itself=False))
        self._used = used
        everything = not used.isdisjoint({*_REACH_ALL, self._name})
        if self._sets_others():
            return None
        found: list[object] = [_Bound(self._space), _surroundings()]
        met: set[int] = set()
        try:
            for name, value in self._space.items():
                if not _is_dunder(name):
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
        if type(value) in _CONSTANT or id(value) in met or self._is_others(value):
            return
        inside = self._inside(value)
        if inside is None and not used:
            return  # others may hold it, which functions use
        met.add(id(value))
        if inside is not None:
            found.append(_Bound(inside))
            for name, part in inside.items():
                if not _is_dunder(name) or isinstance(part, types.FunctionType):
                    self._note(part, found, met, used=True)
        elif not hasattr(type(value), "__taskgraph_task__"):
            found.append(digest(b"", self._encoder.item(value)))

    def _inside(self, value: Any) -> Mapping[str, Any] | None:
        """Return what a function or class of the script holds, None of another value.

        Nothing of what others have defined: see `_is_others`.
        """
        if hasattr(type(value), "__taskgraph_generator__"):
            return {"f": value.f}
        if isinstance(value, classmethod | staticmethod | property):
            return _attributes(value, ("__func__", "fget", "fset", "fdel"))
        if isinstance(value, _lru_cache_wrapper):
            return {"f": value.__wrapped__, "uses": tuple(value.cache_info())}
        if isinstance(value, types.BuiltinFunctionType | types.MethodType):
            return {"self": value.__self__}
        if isinstance(value, cached_property):
            return {"f": value.func}
        if isinstance(value, Enum) or type(value) is logging.Logger:
            return {n: part for n, part in vars(value).items() if n not in _LOGGER}
        if isinstance(value, types.FunctionType):
            cells = [
                cell.cell_contents for cell in value.__closure__ or () if _full(cell)
            ]
            held = dict(zip(value.__code__.co_freevars, cells, strict=False))
            held |= vars(value) | {"*": value.__defaults__, "**": value.__kwdefaults__}
            return held
        return vars(value) if isinstance(value, type) else None

    def _is_others(self, value: Any) -> bool:
        """Return whether this is a function, class or module that others have defined.

        They find it by its name, so it stays when the script is read anew.
        """
        module = getattr(value, "__module__", None)
        if isinstance(value, types.ModuleType):
            return True
        if isinstance(value, types.BuiltinFunctionType):
            owner = value.__self__
            return owner is None or isinstance(owner, types.ModuleType | type)
        if not isinstance(module, str) or module == self._name or not callable(value):
            return False
        found: Any = sys.modules.get(module)
        for name in getattr(value, "__qualname__", "").split("."):
            found = getattr(found, name, None)
        return found is value

    def _sets_others(self) -> bool:
        """Return whether the script itself sets something in what others have defined.

        When it is read anew it sets that again.
        """
        return any(self._is_others(self._space.get(name)) for name in self._set_in)


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


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _surroundings() -> list[object]:
    """Return what a script may have set and a task may change outside of both."""
    found: list[object] = [dict(os.environ), list(sys.path)]
    decimal = sys.modules.get("decimal")
    return found if decimal is None else [*found, repr(decimal.getcontext())]


def _set_in(code: CodeType) -> Iterator[str]:
    """Yield the names in lines of a script that set an attribute or an item."""
    loaded: list[str] = []
    for instruction in dis.get_instructions(code):
        if instruction.starts_line:
            loaded.clear()
        if instruction.opname in {"LOAD_NAME", "LOAD_GLOBAL"}:
            loaded.append(instruction.argval)
        elif instruction.opname in _SETS:
            yield from loaded


def _attributes(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _full(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # it is assigned to later
        return False

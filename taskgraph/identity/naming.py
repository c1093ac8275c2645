"""Names of classes and functions: which one, and whether it finds that very thing.

A name may stand for a thing in a key only if nothing else has it: looked up in its
module it has to give this very object. What was made in a function, in a loop, or by a
decorator that keeps the name of what it decorates, is refused.
"""

from __future__ import annotations

import importlib
import sys
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UnhashableError
from taskgraph.identity.functions import same_function, variant_of
from taskgraph.identity.scalars import encode_str
from taskgraph.loaded import home_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_UFUNCS_OF = ("numpy", "scipy.special")
_MADE_AT_EACH_LOOK = (types.MethodType, types.BuiltinMethodType)
_NO_NAME = "a lambda or inner function has no name to know it by; define it with def"


def names_itself(value: Any) -> bool:
    """Return whether a value says of itself what it is called: a class, a function.

    Examples
    --------
    >>> names_itself(len), names_itself(dict), names_itself(str.upper), names_itself(3)
    (True, True, True, False)
    """
    if isinstance(value, type) or type(value).__name__ == "ufunc":
        return True
    try:
        return callable(value) and isinstance(value.__qualname__, str)
    except Exception:  # noqa: BLE001 - whatever its own __getattr__ raises
        return False


def name_of(value: Any) -> tuple[str, str]:
    """Return module and qualified name of a class or function that they find.

    Of what the standard library moves between its private modules, the public one.

    Raises
    ------
    UnhashableError
        It is not what is found there.

    Examples
    --------
    >>> import operator, pathlib
    >>> name_of(operator.add), name_of(dict.fromkeys), name_of(pathlib.Path.exists)
    (('operator', 'add'), ('builtins', 'dict.fromkeys'), ('pathlib', 'Path.exists'))
    >>> name_of(lambda x: x)
    Traceback (most recent call last):
    taskgraph.UnhashableError: : a lambda or inner function has no name ...
    """
    if type(value).__name__ == "ufunc":
        return _name_of_ufunc(value)
    owner = getattr(value, "__self__", None)
    name = value.__qualname__
    if isinstance(owner, type):  # a class method belongs to what it was called on
        module, name = owner.__module__, f"{owner.__qualname__}.{value.__name__}"
    elif owner is not None and not isinstance(owner, types.ModuleType):
        why = (
            f"{name} is a method of an object, of which its name says nothing; pass the"
            " object, or a function that is defined at the top level of a module"
        )
        raise UnhashableError("", why)
    else:
        where = getattr(value, "__objclass__", value)
        module = getattr(where, "__module__", None) or "builtins"
    if "<" in name:
        raise UnhashableError("", f"{_NO_NAME} at the top level of a module")
    if not _finds(module, name, value):
        raise UnhashableError("", _not_found(module, name, value))
    return public_module(home_of(module), name, value), name


def public_module(module: str, name: str, value: Any) -> str:
    """Return the public module of the standard library that has a value, if any.

    Where a class lies in private differs between versions of Python.

    Examples
    --------
    >>> import operator
    >>> public_module("_operator", "add", operator.add)
    'operator'
    """
    parts = module.split(".")
    private = next((i for i, part in enumerate(parts) if part.startswith("_")), -1)
    if private < 0 or parts[0] not in sys.stdlib_module_names:
        return module
    public = ".".join(parts[:private]) or parts[0].lstrip("_")
    try:
        importlib.import_module(public)
    except ImportError:
        return module
    return public if _finds(public, name, value) else module


def found_at(module: str, name: str) -> Any:
    """Return what is found under a qualified name now; None if nothing is.

    Examples
    --------
    >>> found_at("builtins", "str.upper") is str.upper
    True
    """
    found: Any = sys.modules.get(module)
    if found is None and module.partition(".")[0] in sys.modules:
        with suppress(ImportError):  # a part of a package that nobody has used yet
            found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


class Names:
    """What names stand for in one recording, which is one thing each.

    Parameters
    ----------
    renaming : bool
        Whether names may come to stand for other things, as in a notebook.
    """

    def __init__(self, *, renaming: bool) -> None:
        self._renaming = renaming
        self._known: dict[int, tuple[object, bytes]] = {}
        self._bearers: dict[tuple[object, ...], object] = {}

    def __len__(self) -> int:
        return len(self._bearers)

    def __iter__(self) -> Iterator[object]:
        """Iterate over what they stand for."""
        return iter(self._bearers.values())

    def of(self, value: Any) -> bytes:
        """Encode module and qualified name of a class or function, once for each.

        Raises
        ------
        UnhashableError
            It is not what they find, or they stood for another one before.
        """
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        module, name = name_of(value)
        self.note(f"{module}.{name}", value)
        encoded = encode_str(module) + encode_str(name)
        if not isinstance(value, _MADE_AT_EACH_LOOK):
            self._known[id(value)] = value, encoded
        return encoded

    def note(self, name: str, value: Any, *more: object) -> None:
        """Note what a name (and what else tells it from others) stands for.

        Raises
        ------
        UnhashableError
            It stands for something else already, in the same jugfile.
        """
        before = self._bearers.setdefault((name, *more), value)
        if before is value or self._renaming or same_thing(before, value):
            self._bearers[name, *more] = value
            return
        why = (
            f"{name} names two things, whose results would be mixed up; rename one, "
            "or make what differs an argument"
        )
        raise UnhashableError("", why)


def _finds(module: str, name: str, value: Any) -> bool:
    found = found_at(module, name)
    if found is value:
        return True
    if isinstance(value, (types.MethodType, types.BuiltinMethodType)):
        return type(found) is type(value) and bool(found == value)  # made at each look
    # The function of a task generator, which has its name.
    ours = hasattr(type(found), "__taskgraph_generator__")
    return ours and found.function is value


def _not_found(module: str, name: str, value: Any) -> str:
    if isinstance(value, types.FunctionType) and variant_of(value):
        return f"a function made of {module}.{name} has its name; decorate that itself"
    what = "class" if isinstance(value, type) else "function"
    return (
        f"the {what} {module}.{name} is not what its name finds there, so another "
        "one could have its results; define it once, at the top level of a module"
    )


def _name_of_ufunc(value: Any) -> tuple[str, str]:
    """Return where a ufunc is found: numpy's own say no module before numpy 2.4."""
    name = value.__name__
    for module in (*_UFUNCS_OF, getattr(value, "__module__", None)):
        if module and found_at(module, name) is value:
            return module, name
    why = (
        f"the ufunc {name!r} is not found by its name; pass the function it is made of"
    )
    raise UnhashableError("", why)


def same_thing(one: Any, other: Any) -> bool:
    """Return whether two classes or functions of one name do the same.

    Examples
    --------
    >>> same_thing(type("A", (), {"x": 1}), type("A", (), {"x": 1}))
    True
    >>> same_thing(type("A", (), {"x": 1}), type("A", (), {"x": 2}))
    False
    """
    if not (isinstance(one, type) and isinstance(other, type)):
        return same_function(one, other)
    mine, its = (
        {k: v for k, v in vars(c).items() if k not in _OF_EACH} for c in (one, other)
    )
    return (
        [base.__qualname__ for base in one.__mro__]
        == [base.__qualname__ for base in other.__mro__]
        and mine.keys() == its.keys()
        and all(same_function(mine[name], its[name]) for name in mine)
    )


_OF_EACH = (
    *("__dict__", "__weakref__", "__doc__", "__firstlineno__"),
    *("__annotations__", "__slotnames__"),  # made when somebody looks, or pickles
)

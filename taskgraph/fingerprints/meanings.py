"""What names in code mean while it is loaded; no code of the user's runs for it."""

from __future__ import annotations

import builtins
import functools
import os
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from backends.interface.frozen import frozen
from taskgraph.fingerprints.syntax import IMPORT
from taskgraph.identity.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taskgraph.fingerprints.syntax import Chain

NOTHING = object()
"""What a name means that nobody has given a value."""
CONSTANTS = (int, float, complex, str, bytes, bool, type(None), type(...), range)
_CONTAINERS = (list, tuple, set, frozenset, dict)
_LASTING = ("ndarray", "dtype")
_PASSED_ON = ("__wrapped__", "function", "func", "py_func", "pyfunc", "registry")
_NAMED = (FunctionType, BuiltinFunctionType, type)
_DEEPEST = 8


@frozen
class Meaning:
    """What a name, with so many of its attributes as are looked up, means.

    Attributes
    ----------
    chain : tuple of str
        The name and these attributes.
    value : object
        What they mean; `NOTHING` if nobody has given it a value.
    space : mapping or None
        The names of the module where it was found; None if that is a function.
    """

    chain: Chain
    value: Any
    space: Mapping[str, Any] | None

    @property
    def is_of_python(self) -> bool:
        """Whether it is a name that Python itself knows."""
        return self.space is vars(builtins)


def meaning(
    chain: Chain, space: Mapping[str, Any], closure: Mapping[str, Any]
) -> Meaning:
    """Return what a chain of names means.

    Attributes are looked up in modules only: whatever is beyond is a part of what was
    found.

    Parameters
    ----------
    chain : tuple of str
        A name and its attributes.
    space : mapping
        The names of the module around.
    closure : mapping
        Those of the function around.

    Examples
    --------
    >>> meaning(("os", "path", "sep", "join"), {"os": os}, {}).chain
    ('os', 'path', 'sep')
    """
    first = chain[0]
    if first == IMPORT:
        return _imported(chain, space)
    if first in closure:
        return _looked_up(chain, 1, closure[first], None)
    if first in space:
        return _looked_up(chain, 1, space[first], space)
    known = vars(builtins)
    if first in known:
        return Meaning(chain[:1], known[first], known)
    return Meaning(chain[:1], NOTHING, space)


def _looked_up(
    chain: Chain, depth: int, value: Any, space: Mapping[str, Any] | None
) -> Meaning:
    while depth < len(chain) and isinstance(value, ModuleType):
        names = attributes_of(value)
        within = f"{names.get('__name__')}.{chain[depth]}"
        found = names.get(chain[depth], sys.modules.get(within, NOTHING))
        if found is NOTHING:
            break
        value, depth, space = found, depth + 1, names
    return Meaning(chain[:depth], value, space)


def _imported(chain: Chain, space: Mapping[str, Any]) -> Meaning:
    """Return what an import gives, if it was imported already."""
    origin, *names = chain[1:]
    level = len(origin) - len(origin.lstrip("."))
    if level:
        parts = str(space.get("__package__") or "").split(".")
        base = parts[: len(parts) - level + 1]
        origin = ".".join(part for part in (*base, origin[level:]) if part)
    module = sys.modules.get(origin, NOTHING)
    if not names or names[0] == "*" or module is NOTHING:
        return Meaning(chain, module, space)
    found = _looked_up((origin, *names), 1, module, space)
    return Meaning(chain, found.value, found.space)


def attributes_of(thing: Any) -> Mapping[str, Any]:
    """Return what an object keeps by name, without asking the object itself."""
    try:
        found = object.__getattribute__(thing, "__dict__")
    except Exception:  # noqa: BLE001 - slots, C types, hostile classes
        return {}
    return found if isinstance(found, dict) else {}


def closure_of(function: FunctionType) -> dict[str, Any]:
    """Return the variables of the functions around that a function uses."""
    found = {}
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # it gets its value later
            found[name] = NOTHING
    return found


def defaults_of(function: FunctionType) -> dict[str, Any]:
    """Return the defaults of a function that cannot change, by parameter."""
    code, defaults = function.__code__, function.__defaults__ or ()
    last = code.co_varnames[: code.co_argcount][code.co_argcount - len(defaults) :]
    found = dict(zip(last, defaults, strict=True)) | (function.__kwdefaults__ or {})
    return {name: value for name, value in found.items() if is_lasting(value)}


def beneath(thing: Any) -> Iterator[Any]:
    """Yield what a thing passes calls on to, or is made of.

    Of a partial, a method, a wrapper, a function made by another, a generator of tasks.
    """
    if isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, MethodType):
        yield from (thing.__func__, thing.__self__)
    elif isinstance(thing, staticmethod | classmethod):
        yield thing.__func__
    elif not isinstance(thing, type | ModuleType):
        kept = attributes_of(thing)
        yield from (kept[name] for name in _PASSED_ON if name in kept)
        if hasattr(type(thing), "__taskgraph_generator__"):
            yield kept.get("_given")
        if isinstance(thing, FunctionType):
            yield from closure_of(thing).values()


def passes_on(thing: Any) -> bool:
    """Return whether a thing stands for a function: a partial, a method, a wrapper."""
    if isinstance(thing, functools.partial | MethodType):
        return True
    return callable(thing) and any(n in attributes_of(thing) for n in _PASSED_ON)


def functions_in(value: Any) -> list[Any]:
    """Return the functions and classes that a container or an object has, by name.

    What decorators or loops have put there is in no statement that makes it.
    """
    kept = [*attributes_of(value).values()] if not isinstance(value, type) else []
    inside = [*things_in(value), *things_in(kept)]
    found = [x for x in inside if isinstance(x, FunctionType | type) or passes_on(x)]
    return sorted(found, key=_name_of)


def _name_of(thing: Any) -> str:
    named = isinstance(thing, FunctionType | type)
    return thing.__qualname__ if named else type(thing).__qualname__


def origin_of(thing: Any) -> str:
    """Return the package and the name of what a name means; empty if it has none.

    So it counts which function of a library is meant by the name that it was given.
    """
    if isinstance(thing, ModuleType):
        return _text(attributes_of(thing).get("__name__"))
    if type(thing).__name__ == "ufunc":
        return f"numpy:{thing.__name__}"
    if not isinstance(thing, _NAMED):
        return ""
    package = _text(getattr(thing, "__module__", "")).partition(".")[0]
    return f"{package.lstrip('_')}:{thing.__qualname__}"


def constants_of(thing: Any) -> list[str]:
    """Return what tells the constants that a partial has for its function."""
    if not isinstance(thing, functools.partial):
        return []
    given = [("", value) for value in thing.args] + sorted(thing.keywords.items())
    return [f"{name}={value_text(v)}" for name, v in given if is_lasting(v)]


def things_in(value: Any, depth: int = _DEEPEST) -> Iterator[Any]:
    """Yield what is in containers in containers, but constants; else the value."""
    if isinstance(value, CONSTANTS):
        return
    if type(value) in _CONTAINERS and depth:
        items = [*value, *value.values()] if type(value) is dict else list(value)
        for item in items:
            yield from things_in(item, depth - 1)
    else:
        yield value


def is_made_here(value: Any) -> bool:
    """Return whether a script has made a callable by giving it something to keep.

    A method of an object, or an object of a library, such as an interpolation.
    """
    if isinstance(value, MethodType):
        return not isinstance(value.__self__, type)
    return not (origin_of(value) or passes_on(value))


def is_lasting(value: Any) -> bool:
    """Return whether a value stays as it is while tasks run, so that it tells itself.

    A list that a script fills, or a cache, is better told by what it was made of.
    """
    if type(value) in (tuple, frozenset):
        return all(map(is_lasting, value))
    kind = type(value)
    of_numpy = kind.__module__.partition(".")[0] == "numpy"
    return isinstance(value, CONSTANTS) or (of_numpy and kind.__name__ in _LASTING)


def value_text(value: Any, depth: int = _DEEPEST) -> str:
    """Return what tells a value from others, whatever process it is in.

    Of what has no stable hash it is the name of its type.

    Examples
    --------
    >>> value_text([1, 2]) == value_text([1, 2]) != value_text([1, 3])
    True
    >>> value_text(object())
    'a builtins.object'
    """
    try:
        return Encoder(renaming=True).item(value).hex()
    except Exception:  # noqa: BLE001 - no stable hash, or somebody else's methods
        kind = type(value)
        if kind in (list, tuple) and depth:
            return f"[{','.join(value_text(item, depth - 1) for item in value)}]"
        if kind is dict and depth:
            items = value.items()
            return f"{{{','.join(value_text(pair, depth - 1) for pair in items)}}}"
        return f"a {kind.__module__}.{kind.__qualname__}"


def path_of(thing: Any) -> str:
    """Return the file, or the cell, that a function, class or module is written in.

    Empty if that is not known.
    """
    if isinstance(thing, ModuleType):
        return _text(attributes_of(thing).get("__file__"))
    if isinstance(thing, FunctionType):
        return _absolute(thing.__code__.co_filename, thing.__globals__)
    if not isinstance(thing, type):
        return ""
    module = sys.modules.get(_text(vars(thing).get("__module__")))
    found = path_of(module) if module is not None else ""
    if found and found != _text(vars(sys.modules["__main__"]).get("__file__")):
        return found
    for member in vars(thing).values():
        inner = getattr(member, "__func__", member)
        if isinstance(inner, FunctionType) and inner.__module__ == thing.__module__:
            return path_of(inner)
    return found


def _absolute(path: str, space: Mapping[str, Any]) -> str:
    """Return the path of a file that a script may have been given by a relative one."""
    if path.startswith("<") or os.path.isabs(path):  # noqa: PTH117 - it is a text
        return path
    whole = _text(space.get("__file__"))
    same = os.path.basename(whole) == os.path.basename(path)  # noqa: PTH119 - texts
    return whole if whole and same else os.path.abspath(path)  # noqa: PTH100 - a text


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""

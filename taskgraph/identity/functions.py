"""What functions are known by, and which of them must not share a name."""

from __future__ import annotations

import importlib
import inspect
import sys
import types
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UnfoundError, UsageError
from taskgraph.loaded import home_of
from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DEEPEST = 4
_UNNAMED = "has no name that its results could be known by"


def function_name(f: Callable[..., Any]) -> str:
    """Return what the results of a function are known by.

    Raises
    ------
    UsageError
        It has no name, or one that does not say all that its results depend on.

    Examples
    --------
    >>> import statistics
    >>> function_name(statistics.mean), function_name(dict.fromkeys)
    ('statistics.mean', 'builtins.dict.fromkeys')
    >>> function_name("a".join)
    Traceback (most recent call last):
    taskgraph.UsageError: str.join is a method of an object ('a'), ...
    """
    name = getattr(f, "__qualname__", None)
    if name is None:
        raise UsageError(f"{f!r:.80} {_UNNAMED}; write a function with def")
    if getattr(f, "__name__", "") == "<lambda>":
        raise UsageError(
            f"a lambda {_UNNAMED}; define the function with def, or give name="
        )
    if "<locals>" in name:
        _refuse_variables(f, name)
    owner = getattr(f, "__self__", None)
    if owner is not None and not isinstance(owner, types.ModuleType):
        return f"{_owner_name(owner, name)}.{f.__name__}"
    defined_in = getattr(f, "__objclass__", f)
    return f"{home_of(getattr(defined_in, '__module__', None) or 'builtins')}.{name}"


def _owner_name(owner: Any, method: str) -> str:
    """Return the name of a class, or of a numpy ufunc, that a method is bound to."""
    if isinstance(owner, type):
        return f"{home_of(owner.__module__)}.{owner.__qualname__}"
    if type(owner).__name__ == "ufunc":
        return function_name(owner)
    raise UsageError(
        f"{method} is a method of an object ({owner!r:.40}), of which its name says "
        "nothing; write a function that takes what it needs as arguments"
    )


def _refuse_variables(f: Callable[..., Any], name: str) -> None:
    """Refuse a function made by another, if its name leaves out what it was given."""
    used = [variable for variable, _ in _variables(f)]
    if used:
        raise UsageError(
            f"{name} uses {', '.join(used)} of the function around it, of which its "
            "name says nothing; make that an argument, or give name= with it in it"
        )


def _variables(f: Any) -> Iterator[tuple[str, Any]]:
    """Yield the variables of enclosing functions that one uses, itself left out."""
    cells = getattr(f, "__closure__", None) or ()
    code = getattr(f, "__code__", None)
    for name, cell in zip(code.co_freevars if code else (), cells, strict=False):
        if name not in (f.__name__, "__class__"):
            try:
                yield name, cell.cell_contents
            except ValueError:  # it gets its value later
                yield name, None


def refuse_unfinished(f: Callable[..., Any], name: str) -> None:
    """Refuse a function that returns before its work is done: nothing is to be kept."""
    flags = getattr(getattr(f, "__code__", None), "co_flags", 0)
    if flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        raise UsageError(
            f"{name} is async, and nobody would await it; write a plain function that "
            "calls asyncio.run(...)"
        )
    if flags & inspect.CO_GENERATOR:
        raise UsageError(
            f"{name} yields, and what it yields cannot be kept; return a list"
        )


def refuse_lambda(f: Callable[..., Any]) -> None:
    """Refuse a lambda as what a tasklet takes of a result."""
    if getattr(f, "__name__", "") == "<lambda>":
        raise UsageError(
            "a lambda has no name that a Tasklet could be known by; write task[-1] for "
            "an item, or define the function with def at the top level of the jugfile"
        )


@known_as("taskgraph.names")
def function_at(module: str, name: str) -> Any:
    """Return what a module has under a qualified name."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def place_of(f: Any) -> tuple[str, str]:
    """Return where a function, or the generator of its calls, is found.

    Raises
    ------
    UnfoundError
        Nothing is found there, or something else.

    Examples
    --------
    >>> import statistics
    >>> place_of(statistics.mean)
    ('statistics', 'mean')
    """
    module, name = str(f.__module__), str(f.__qualname__)
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None or (found is not f and getattr(found, "f", None) is not f):
        raise UnfoundError(
            f"{module}.{name} is not found under its name, so it cannot be pickled for "
            "another process; define it at the top level of a module"
        )
    return module, name


def variant_of(f: Any) -> str:
    """Return whose name a decorated function bears without being what it names.

    Empty if it is found under its name, or nothing to do with it is.

    Examples
    --------
    >>> import functools, statistics
    >>> def times(k):
    ...     @functools.wraps(statistics.mean)
    ...     def multiple(x):
    ...         return k * statistics.mean(x)
    ...     return multiple
    >>> variant_of(times(2)), variant_of(statistics.mean)
    ('statistics.mean', '')
    """
    if not getattr(f, "__closure__", None) or "<locals>" in f.__qualname__:
        return ""
    found: Any = sys.modules.get(f.__module__)
    for part in f.__qualname__.split("."):
        found = getattr(found, part, None)
    there = {id(layer) for layer in _layers(found)}
    inside = {id(layer) for layer in _layers(f)}
    if id(getattr(f, "__func__", f)) in there or not there & inside:
        return ""
    return f"{f.__module__}.{f.__qualname__}"


def _layers(f: Any) -> Iterator[Any]:
    """Yield a function and all that it decorates."""
    while f is not None:
        f = getattr(f, "__func__", f)  # a bound method is another one each time
        yield f
        f = getattr(f, "__wrapped__", None)


def same_function(one: Any, other: Any, depth: int = _DEEPEST) -> bool:
    """Return whether two functions do the same, as far as can be told.

    Examples
    --------
    >>> same_function(lambda x: x + 1, lambda x: x + 1)
    True
    >>> same_function(lambda x: x + 1, lambda x: x + 2)
    False
    """
    code, another = (getattr(f, "__code__", None) for f in (one, other))
    if one is other or not depth:
        return True
    if code is None or another is None:
        return _equal(one, other)
    if not _same_code(code, another):
        return False
    if not _equal(getattr(one, "__self__", None), getattr(other, "__self__", None)):
        return False
    return all(
        same_function(mine, its, depth - 1)
        for (_, mine), (_, its) in zip(_variables(one), _variables(other), strict=False)
    )


def _same_code(one: types.CodeType, other: types.CodeType) -> bool:
    """Return whether two functions have one code, wherever it stands."""
    return one is other or (
        (one.co_code, one.co_names, one.co_varnames, one.co_freevars)
        == (other.co_code, other.co_names, other.co_varnames, other.co_freevars)
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_same_constant, one.co_consts, other.co_consts))
    )


def _same_constant(one: object, other: object) -> bool:
    if isinstance(one, types.CodeType) and isinstance(other, types.CodeType):
        return _same_code(one, other)
    return repr(one) == repr(other)


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return bool(type(one) is type(other) and one == other)
    except Exception:  # noqa: BLE001 - arrays, and somebody else's __eq__
        return False

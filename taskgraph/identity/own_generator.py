"""A random generator of a task's own: a parameter that is left to the engine.

Its seed is the key of the task, so it draws the same on every worker and when the task
is run again, and other numbers in every other task.
"""

from __future__ import annotations

import types
from copy import deepcopy
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CLASS = ("numpy.random._generator", "Generator")
_SEED_BYTES = 16


class OwnGenerator:
    """Stands where the default of such a parameter would be."""

    def __taskgraph_encode__(self, encoder: Any) -> bytes:
        """Return what stands for it in a key: the same in all."""
        encoded: bytes = encoder.state("taskgraph", "own generator", ())
        return encoded

    def __repr__(self) -> str:
        return "a numpy.random.Generator seeded from the key"


OWN = OwnGenerator()


def own_generators(f: Callable[..., Any]) -> frozenset[str]:
    """Return the parameters of a function that want a random generator of the task.

    Those that are annotated as ``numpy.random.Generator``. Whether they have a default
    of their own is not looked at here.

    Examples
    --------
    >>> import numpy
    >>> def noisy(image, *, rng: numpy.random.Generator): ...
    >>> own_generators(noisy), own_generators(len)
    (frozenset({'rng'}), frozenset())
    """
    if not isinstance(f, types.FunctionType):
        return frozenset()
    try:
        hints = dict(f.__annotations__)
    except Exception:  # noqa: BLE001 - it may be worked out, of names that are not there
        return frozenset()
    hints.pop("return", None)
    space = f.__globals__
    return frozenset(n for n, hint in hints.items() if _is_generator(hint, space))


def _is_generator(hint: Any, space: Mapping[str, Any]) -> bool:
    if isinstance(hint, str):
        first, *rest = hint.strip(" '\"").split(".")
        hint = space.get(first)
        for name in rest:
            hint = getattr(hint, name, None)
    return isinstance(hint, type) and _is_of_numpy(hint)


def _is_of_numpy(kind: type) -> bool:
    return (kind.__module__, kind.__name__) == _CLASS


def with_own(
    parameters: list[Parameter], name: str, function: str, default: object
) -> list[Parameter]:
    """Return parameters of which one has a default that stands for a generator.

    As they are, if it has a default of its own.

    Raises
    ------
    UsageError
        One without a default follows it.
    """
    place = [p.name for p in parameters].index(name)
    found, after = parameters[place], parameters[place + 1 :]
    by_name = found.kind is Parameter.KEYWORD_ONLY
    named = by_name or found.kind is Parameter.POSITIONAL_OR_KEYWORD
    if found.default is not found.empty or not named:
        return parameters
    required = (p for p in after if p.default is p.empty and p.kind is found.kind)
    if not by_name and any(required):
        raise UsageError(
            f"{function}: put {name} last, or after a *: it is left out of calls, and "
            "given a random generator of the task"
        )
    return [*parameters[:place], found.replace(default=default), *after]


def generator_of(key: bytes, name: str) -> Any:
    """Return the random generator of a task's parameter.

    Parameters
    ----------
    key : bytes
        Of the task.
    name : str
        Of the parameter.

    Returns
    -------
    numpy.random.Generator
        A PCG64, whose stream numpy keeps from version to version; new at each call.

    Examples
    --------
    >>> one, same = generator_of(b"key", "rng"), generator_of(b"key", "rng")
    >>> bool(one.random() == same.random() != generator_of(b"other", "rng").random())
    True
    """
    from numpy.random import PCG64, Generator, SeedSequence

    seed = blake3(key + name.encode()).digest(_SEED_BYTES)
    return Generator(PCG64(SeedSequence(int.from_bytes(seed, "big"))))


def supplied(
    own: Mapping[str, int],
    key: bytes,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call with the generators that it was not given.

    One that it was given is copied, so that each try draws the same.

    Parameters
    ----------
    own : mapping
        Parameters that want a generator, and their places; -1 of those without one.
    key : bytes
        Of the task.
    args, kwargs
        The arguments.
    """
    for name, place in own.items():
        if name in kwargs:
            kwargs = {**kwargs, name: _copied(kwargs[name])}
        elif 0 <= place < len(args):
            args = (*args[:place], _copied(args[place]), *args[place + 1 :])
        else:
            kwargs = {**kwargs, name: generator_of(key, name)}
    return args, kwargs


def _copied(value: Any) -> Any:
    return deepcopy(value) if _is_of_numpy(type(value)) else value

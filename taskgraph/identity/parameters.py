"""How a function takes its arguments: every way to write one call, in one form."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UnhashableError, UsageError
from taskgraph.identity.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable

_VARARGS, _VARKEYWORDS = 0x04, 0x08
NO_KEYWORDS: dict[str, Any] = {}
_COMPILED = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a function takes its arguments."""

    names: tuple[str, ...]
    count: int
    simple: bool
    known: bool

    @classmethod
    def of(cls, f: Callable[..., Any]) -> Parameters:
        """Return how a function takes its arguments, as far as that can be known."""
        code = getattr(f, "__code__", None)
        if code is None or hasattr(f, "__wrapped__"):
            return cls._inspected(f)
        count = code.co_argcount
        simple = not (
            code.co_kwonlyargcount or code.co_flags & (_VARARGS | _VARKEYWORDS)
        )
        return cls(code.co_varnames[:count], count, simple, known=True)

    @classmethod
    def _inspected(cls, f: Callable[..., Any]) -> Parameters:
        import inspect

        try:
            signature = inspect.signature(f)
        except (TypeError, ValueError):
            return cls((), -1, simple=False, known=False)
        kinds = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        names = [p.name for p in signature.parameters.values() if p.kind in kinds]
        simple = len(names) == len(signature.parameters)
        return cls(tuple(names), len(names), simple, known=True)

    def bind(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments in their one canonical form, defaults filled in.

        Not those of functions without Python code: what their signatures say is no
        more than a hint, and may not be passed.

        Raises
        ------
        TypeError
            The function cannot be called this way.
        """
        if not self.known:
            return args, kwargs
        if self.simple and hasattr(f, "__code__"):
            bound = self._bind_simple(f, args, kwargs)
            if bound is not None:
                return bound, NO_KEYWORDS
        import inspect

        try:
            arguments = inspect.signature(f).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{getattr(f, '__qualname__', f)}: {error}") from None
        if not _has_python_code(inspect.unwrap(f)):
            return arguments.args, arguments.kwargs
        given = set(arguments.arguments)
        arguments.apply_defaults()
        for name in set(arguments.arguments) - given:
            if not _is_hashable(arguments.arguments[name]):
                del arguments.arguments[name]  # a sentinel: the function fills it in
        return arguments.args, arguments.kwargs

    def _bind_simple(
        self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, ...] | None:
        """Bind without `inspect`; None if that needs a closer look (or an error)."""
        if len(args) > self.count or f.__code__.co_posonlyargcount:
            return None
        defaults = f.__defaults__ or ()
        required = self.count - len(defaults)
        values = list(args)
        used = 0
        for place in range(len(args), self.count):
            name = self.names[place]
            if name in kwargs:
                values.append(kwargs[name])
                used += 1
            elif place >= required:
                values.append(defaults[place - required])
            else:
                return None
        return tuple(values) if used == len(kwargs) else None

    def refuse_unknown(self, ignore: frozenset[str], name: str) -> None:
        """Refuse to ignore what is no argument, as far as that is known."""
        if self.known and self.simple and (unknown := ignore.difference(self.names)):
            raise UsageError(
                f"{name} has no argument {', '.join(sorted(unknown))} to ignore; "
                f"it takes {', '.join(self.names)}"
            )


def _has_python_code(f: Any) -> bool:
    if isinstance(f, type):
        makers = (getattr(f, name) for name in ("__init__", "__new__"))
        return any(hasattr(maker, "__code__") for maker in makers)
    return not isinstance(f, _COMPILED) and type(f).__name__ != "ufunc"


def _is_hashable(default: object) -> bool:
    try:
        Encoder().item(default)
    except UnhashableError:
        return False
    return True

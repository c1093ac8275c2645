"""How a function takes its arguments: every way to write one call, in one form.

The form is for the key alone. The function is called as the call was written: what it
does with a keyword, or with a default that it knows by identity, stays its own affair.
"""

from __future__ import annotations

import functools
import inspect
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from taskgraph.errors import UnhashableError, UsageError
from taskgraph.identity.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable

_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
_COMPILED = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)
_UNDERSTOOD = (types.FunctionType, types.MethodType, type, *_COMPILED)
_REMEMBERING = type(functools.lru_cache(len))
_NO_KEY = b"_"
NO_KEYWORDS: dict[str, Any] = {}


class Default:
    """What stands in a key for an argument that was left to its default.

    It is that of the default as it was when the function was first looked at: whatever
    the function keeps in a list or dict there does not change the keys of its calls.
    What has no stable hash, an ``object()`` that marks what is missing, is no part of
    the key.

    Attributes
    ----------
    value : object
        The default itself.
    tasks : list of Task
        The tasks in it.
    """

    __slots__ = ("encoded", "tasks", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        encoder = Encoder()
        try:
            self.encoded = encoder.item(value)
        except UnhashableError:
            self.encoded = _NO_KEY
        self.tasks = encoder.tasks

    def __taskgraph_encode__(self, encoder: Encoder) -> bytes:
        """Return what stands for it in a key."""
        if self.tasks:
            encoder.tasks += self.tasks
        return self.encoded


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a function takes its arguments.

    Attributes
    ----------
    names : tuple of str
        Those that may be given by position.
    count : int
        How many these are; -1 if nothing is known.
    simple : bool
        Whether there are no others, and each may be given by name.
    defaults : tuple of Default
        In the order of the parameters; none if it is not known which are used.
    signature : Signature or None
        All of it, with each `Default`; None if nothing is known.
    holds_tasks : bool
        Whether there are tasks in a default.
    marks : dict
        The defaults without a stable hash, by parameter.
    """

    names: tuple[str, ...]
    count: int
    simple: bool
    defaults: tuple[Default, ...]
    signature: inspect.Signature | None
    holds_tasks: bool
    marks: dict[str, Default]

    @classmethod
    def of(cls, f: Callable[..., Any]) -> Parameters:
        """Return how a function takes its arguments, as far as that can be known."""
        try:
            known = _known.get(f)
        except TypeError:  # it cannot be referred to weakly, or not be compared
            return cls._of(f)
        if known is None:
            known = _known[f] = cls._of(f)
        return known

    @classmethod
    def _of(cls, f: Callable[..., Any]) -> Parameters:
        signature = _signature(f)
        if signature is None:
            return cls((), -1, False, (), None, False, {})
        parameters = list(signature.parameters.values())
        names = tuple([p.name for p in parameters if p.kind in _POSITIONAL])
        simple = type(f) is types.FunctionType and all(
            p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for p in parameters
        )
        filled = {p.name: p.default for p in parameters if type(p.default) is Default}
        for name, default in filled.items():
            by_position = signature.parameters[name].kind is _POSITIONAL[0]
            if default.tasks and by_position:
                raise UsageError(
                    f"the default of {name} is a task; pass it in the call"
                )
        return cls(
            names=names,
            count=len(names),
            simple=simple,
            defaults=tuple(filled.values()),
            signature=signature,
            holds_tasks=any(default.tasks for default in filled.values()),
            marks={n: d for n, d in filled.items() if d.encoded == _NO_KEY},
        )

    def bind(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments in their one form: as many by position as possible.

        Defaults are filled in, as `Default`. Not those of functions without Python
        code: what their signatures say is no more than a hint.

        Raises
        ------
        TypeError
            The function cannot be called this way.
        """
        if self.signature is None:
            return args, kwargs
        if self.marks:
            args, kwargs = self._marked(args, kwargs)
        if self.simple:
            bound = self._bind_simple(args, kwargs)
            if bound is not None:
                return bound, NO_KEYWORDS
        try:
            arguments = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        if self.defaults:
            arguments.apply_defaults()
        return arguments.args, arguments.kwargs

    def _marked(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments with each mark that was passed on as if it was left out."""

        def known(name: str, entry: Any) -> Any:
            mark = self.marks.get(name)
            return mark if mark is not None and mark.value is entry else entry

        named = [known(name, entry) for name, entry in zip(self.names, args)]  # noqa: B905 - there may be more
        more = {name: known(name, entry) for name, entry in kwargs.items()}
        return (*named, *args[len(named) :]), more

    def _bind_simple(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, ...] | None:
        """Bind without `inspect`; None if that needs a closer look (or an error)."""
        if len(args) > self.count:
            return None
        required = self.count - len(self.defaults)
        values = list(args)
        used = 0
        for place in range(len(args), self.count):
            name = self.names[place]
            if name in kwargs:
                values.append(kwargs[name])
                used += 1
            elif place >= required:
                values.append(self.defaults[place - required])
            else:
                return None
        return tuple(values) if used == len(kwargs) else None

    def tails(self) -> dict[int, bytes]:
        """Return what is encoded last of a call, by how many positions it fills alone.

        Empty if there is more to look at in a call.
        """
        if not self.simple or self.holds_tasks:
            return {}
        encoded = [default.encoded for default in self.defaults]
        required = self.count - len(encoded)
        first_mark = min((self.names.index(name) for name in self.marks), default=None)
        return {
            given: b"".join(encoded[given - required :])
            for given in range(required, self.count + 1)
            if first_mark is None or given <= first_mark
        }

    def tasks_left_out(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the defaults with tasks in them that a bound call was left to.

        They have to be passed: the function itself would find the tasks there, and not
        their results.
        """
        given = {**dict(zip(self.names, args, strict=False)), **kwargs}
        return {
            name: entry.value
            for name, entry in given.items()
            if type(entry) is Default and entry.tasks
        }

    def refuse_unknown(self, ignore: frozenset[str], name: str) -> None:
        """Refuse to ignore what is no argument, as far as that is known."""
        if self.simple and (unknown := ignore.difference(self.names)):
            raise UsageError(
                f"{name} has no argument {', '.join(sorted(unknown))} to ignore; "
                f"it takes {', '.join(self.names)}"
            )


_known: WeakKeyDictionary[Any, Parameters] = WeakKeyDictionary()
"""What is known of functions: what they leave in a default later changes no key."""


def _signature(f: Callable[..., Any]) -> inspect.Signature | None:
    """Return how a function itself is called, whatever it is a wrapper of.

    What a wrapper does with its arguments before it passes them on cannot be known:
    neither its ``__wrapped__`` nor its ``__signature__`` says so.
    """
    if isinstance(f, _REMEMBERING):
        return _signature(f.__wrapped__)  # it passes on what it gets
    if not issubclass(type(f), _UNDERSTOOD):  # a proxy says that it is a function
        return None
    try:
        signature = inspect.signature(_bare(f), follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    known = [
        p.replace(annotation=p.empty, default=_keyed(p.default, f))
        for p in signature.parameters.values()
    ]
    return inspect.Signature(known)


def _bare(f: Any) -> Any:
    """Return a function without what was written on it, which may be anything."""
    if isinstance(f, types.MethodType):
        return types.MethodType(_bare(f.__func__), f.__self__)
    if not isinstance(f, types.FunctionType):
        return f
    bare = types.FunctionType(f.__code__, {}, f.__name__, f.__defaults__, f.__closure__)
    bare.__kwdefaults__ = f.__kwdefaults__
    return bare


def _keyed(default: Any, f: Callable[..., Any]) -> Any:
    """Return what stands for a default, if the function is sure to use it."""
    compiled = isinstance(f, _COMPILED) or (isinstance(f, type) and not _in_python(f))
    return (
        default if default is inspect.Parameter.empty or compiled else Default(default)
    )


def _in_python(kind: type) -> bool:
    makers = (getattr(kind, name) for name in ("__init__", "__new__"))
    return any(hasattr(maker, "__code__") for maker in makers)

"""How a function takes its arguments: every way to write one call, in one form.

The form is for the key alone. The function is called as the call was written: what it
does with a keyword, or with a default that it knows by identity, stays its own affair.
"""

from __future__ import annotations

import functools
import inspect
import types
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from backends.interface.frozen import frozen
from taskgraph.errors import UsageError
from taskgraph.identity.defaults import Default
from taskgraph.identity.hashing import Encoder
from taskgraph.identity.own_generator import OWN, own_generators, with_own

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
NO_KEYWORDS: dict[str, Any] = {}
Call = tuple[tuple[Any, ...], dict[str, Any]]
"""Arguments by position, and by name."""


class WithNames:
    """The arguments of a call that has some by name: most tasks need no room for it."""

    __slots__ = ("args", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs


def given(call: Any) -> Call:
    """Return the arguments by position, and by name, of a call as tasks keep it.

    That is the tuple of them, or `WithNames`; or what is no tuple, if it is alone.

    Examples
    --------
    >>> given((1, 2)), given(WithNames((3,), {"x": 4})), given(5)
    (((1, 2), {}), ((3,), {'x': 4}), ((5,), {}))
    """
    if isinstance(call, WithNames):
        return call.args, call.kwargs
    return call if isinstance(call, tuple) else (call,), NO_KEYWORDS


@frozen
class Parameters:
    """How a function takes its arguments.

    Attributes
    ----------
    names : tuple of str
        Those that may be given by position.
    count : int
        How many these are; -1 if nothing is known.
    nameless : int
        How many of these may not be given by name.
    simple : bool
        Whether there are no others, and each may be given by name.
    defaults : tuple of Default
        In the order of the parameters; none if it is not known which are used.
    signature : Signature or None
        All of it, with each `Default`; None if nothing is known.
    live : tuple of Default
        The defaults that can change, or have tasks in them.
    marks : dict
        The defaults without a stable hash, by parameter.
    own : dict
        The parameters that a task has a random generator of its own for, with their
        places; -1 of those that are given by name only.
    """

    names: tuple[str, ...]
    count: int
    nameless: int
    simple: bool
    defaults: tuple[Default, ...]
    signature: inspect.Signature | None
    live: tuple[Default, ...]
    marks: dict[str, Default]
    own: dict[str, int]

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
            return cls((), -1, 0, False, (), None, (), {}, {})
        parameters = list(signature.parameters.values())
        names = tuple([p.name for p in parameters if p.kind in _POSITIONAL])
        simple = type(f) is types.FunctionType and all(
            p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for p in parameters
        )
        filled = {p.name: p.default for p in parameters if type(p.default) is Default}
        return cls(
            names=names,
            count=len(names),
            nameless=sum(p.kind is _POSITIONAL[0] for p in parameters),
            simple=simple,
            defaults=tuple(filled.values()),
            signature=signature,
            live=tuple([default for default in filled.values() if default.live]),
            marks={name: entry for name, entry in filled.items() if entry.is_mark},
            own={
                name: names.index(name) if name in names else -1
                for name, entry in filled.items()
                if entry.value is OWN
            },
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
            bound = self.bind_simple(args, kwargs)
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

    def bind_simple(
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
        if not self.simple or self.live:
            return {}
        encoded = Encoder().items(self.defaults)
        required = self.count - len(encoded)
        first_mark = min((self.names.index(name) for name in self.marks), default=None)
        return {
            given: b"".join(encoded[given - required :])
            for given in range(required, self.count + 1)
            if first_mark is None or given <= first_mark
        }

    @property
    def quick(self) -> bool:
        """Whether `bind_simple` says all, if it says anything."""
        return self.simple and not (self.live or self.marks)

    def complete(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Call, Call]:
        """Return a call in its one form, and as it is to be made.

        That is as it was written, and with those defaults that have to be passed.
        """
        form = self.bind(name, args, kwargs)
        if not self.live:
            return form, (args, kwargs)
        passed: dict[str, Any] = {}

        def taken(entry: Any) -> Any:
            if type(entry) is not Default or entry.taken() is entry:
                return entry
            passed[entry.name] = entry.value
            return entry.value

        first = tuple([taken(entry) for entry in form[0]])
        form = first, {key: taken(entry) for key, entry in form[1].items()}
        if nameless := [key for key in self.names[: self.nameless] if key in passed]:
            lead = first[: self.nameless]
            args = tuple([e.value if type(e) is Default else e for e in lead])
            passed = {k: v for k, v in passed.items() if k not in nameless}
        return form, (args, {**kwargs, **passed})

    def refuse_unknown(self, ignore: frozenset[str], name: str) -> None:
        """Refuse to ignore what is no argument, as far as that is known."""
        if self.simple and (unknown := ignore.difference(self.names)):
            raise UsageError(
                f"{name} has no argument {', '.join(sorted(unknown))} to ignore; "
                f"it takes {', '.join(self.names)}"
            )


_known: WeakKeyDictionary[Any, Parameters] = WeakKeyDictionary()
"""What is known of functions: what one keeps in a default changes none of its keys."""


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
        p.replace(annotation=p.empty, default=_keyed(p, f))
        for p in signature.parameters.values()
    ]
    for name in own_generators(f):
        known = with_own(known, name, f.__qualname__, Default(name, OWN))
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


def _keyed(parameter: inspect.Parameter, f: Callable[..., Any]) -> Any:
    """Return what stands for a default, if the function is sure to use it."""
    default = parameter.default
    compiled = isinstance(f, _COMPILED) or (isinstance(f, type) and not _in_python(f))
    given = default is not inspect.Parameter.empty
    return Default(parameter.name, default) if given and not compiled else default


def _in_python(kind: type) -> bool:
    makers = (getattr(kind, name) for name in ("__init__", "__new__"))
    return any(hasattr(maker, "__code__") for maker in makers)

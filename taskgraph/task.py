"""Tasks: calls written down, named by their keys, in the recording of their jugfile."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from operator import getitem
from typing import TYPE_CHECKING, Any, NoReturn

from taskgraph.errors import (
    ArgumentChangedError,
    NoResultError,
    TaskInsideTaskError,
    UnhashableError,
    UsageError,
)
from taskgraph.hashing import PREFIX, Encoder, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from taskgraph.results import Results

Key = bytes
_VARARGS, _VARKEYWORDS = 0x04, 0x08
_IGNORED = b"_"
_NO_KEYWORDS = b"d0:"
_NOTHING: dict[str, Any] = {}


class Recording:
    """The tasks of one jugfile (or notebook), in the order they were written down.

    Attributes
    ----------
    tasks : list of Task
        May name the same key more than once.
    results : Results or None
        Where `value` looks for them.
    """

    def __init__(self, results: Results | None = None) -> None:
        self.tasks: list[Task] = []
        self.results = results
        self.encoder = Encoder()
        self.encoder.register(Task, self._met)
        self.encoder.register(Tasklet, self._met_tasklet)
        self.encoder.register(TaskGenerator, _encode_generator)

    def _met(self, task: Task) -> bytes:
        self.encoder.tasks.append(task)
        return b"K" + task.key

    def _met_tasklet(self, tasklet: Tasklet) -> bytes:
        encoder = self.encoder
        return b"L" + encoder.item(tasklet.base) + encoder.item(tasklet.step)


class _Running:
    """Stands where a recording would be while a task runs."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def encoder(self) -> NoReturn:
        raise TaskInsideTaskError(
            f"{self.name} called a task generator while it ran; nobody would run the "
            "new task. Call the plain function with g.f(...), or write the call down "
            "at the top level of the jugfile"
        )


_current: ContextVar[Recording | None] = ContextVar("recording", default=None)


def current_recording() -> Recording | None:
    """Return the recording that new tasks join, if there is one."""
    recording = _current.get()
    return recording if isinstance(recording, Recording) else None


def is_recording() -> bool:
    """Return whether a jugfile is being read or a task is running."""
    return _current.get() is not None


def set_recording(recording: Recording | None) -> None:
    """Let new tasks join `recording` from now on."""
    _current.set(recording)


@contextmanager
def recorded_in(recording: Recording) -> Iterator[Recording]:
    """Let tasks that are written down in the block join `recording`.

    Examples
    --------
    >>> with recorded_in(Recording()) as recording:
    ...     task = Task(divmod, 7, 2)
    >>> recording.tasks == [task]
    True
    """
    token = _current.set(recording)
    try:
        yield recording
    finally:
        _current.reset(token)


def mark_running(name: str) -> object:
    """Refuse new tasks until `unmark_running`; return what that one needs."""
    return _current.set(_Running(name))  # type: ignore[arg-type] # refuses to be one


def unmark_running(token: Any) -> None:
    """Allow new tasks again."""
    _current.reset(token)


class TaskGenerator:
    """Turn a function into one whose calls are written down instead of made.

    Parameters
    ----------
    f : function
        Defined at the top level of a module or jugfile.
    name : str, optional
        What its results are known by; the module's and the function's name by
        default. Keep the old one here and a function may move or be renamed.
    version : str or int, optional
        Part of the key: a new version computes anew and leaves the old results alone.
    ignore : tuple of str, optional
        Arguments that do not change the result and so not the key either.
    retries : int, optional
        How often to try again when it raises.
    timeout : float, optional
        Seconds after which a run of it is stopped and counts as failed.

    Examples
    --------
    >>> @TaskGenerator
    ... def double(x, times=2):
    ...     return x * times
    >>> double(4).key == double(x=4).key == double(4, times=2).key
    True
    >>> double.f(4)
    8

    >>> @TaskGenerator(ignore=("threads",), version=2)
    ... def triple(x, threads=1):
    ...     return 3 * x
    >>> triple(4).key == triple(4, threads=8).key
    True
    """

    def __new__(cls, f: Callable[..., Any] | None = None, **options: Any) -> Any:
        """Return a generator, or a decorator if there are only options."""
        if f is None:
            return functools.partial(cls, **options)
        return super().__new__(cls)

    def __init__(
        self,
        f: Callable[..., Any],
        *,
        name: str | None = None,
        version: str | int | None = None,
        ignore: tuple[str, ...] | str = (),
        retries: int = 0,
        timeout: float | None = None,
    ) -> None:
        while isinstance(f, functools.partial) and not f.args and not f.keywords:
            f = f.func
        if name is None and getattr(f, "__name__", "") == "<lambda>":
            raise UsageError(
                "a lambda has no name that its results could be known by; "
                "define the function with def, or give name="
            )
        self.f = f
        self.name = name or function_name(f)
        self.version = version
        self.ignore = frozenset((ignore,) if isinstance(ignore, str) else ignore)
        self.retries = retries
        self.timeout = timeout
        encoder = Encoder()
        self._prefix = PREFIX + encoder.item(self.name) + encoder.item(version)
        self._parameters = _Parameters.of(f)
        self._parameters.refuse_unknown(self.ignore, self.name)
        simple = not self.ignore and self._parameters.simple
        self._arity = self._parameters.count if simple else -1
        self._simple_prefix = b"%b(%d:" % (self._prefix, self._arity)
        functools.update_wrapper(self, f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Write the call down; return its `Task`."""
        recording = _current.get()
        if recording is None:
            recording = Recording()
        encoder = recording.encoder
        encoder.mutable = False
        try:
            if kwargs or len(args) != self._arity:
                args, kwargs = self._parameters.bind(self.f, args, kwargs)
                key = digest(self._prefix, self._encode(encoder, args, kwargs))
            else:
                key = digest(
                    self._simple_prefix, b"".join(encoder.items(args)) + _NO_KEYWORDS
                )
        except UnhashableError as error:
            encoder.tasks = []
            raise self._refusal(error) from None
        task = _new_task(Task)
        task.generator = self
        task.args = args
        task.kwargs = kwargs or _NOTHING
        task.key = key
        task.mutable = encoder.mutable
        task.recording = recording
        if encoder.tasks:
            task.needs = tuple(dict.fromkeys(encoder.tasks))
            encoder.tasks = []
        else:
            task.needs = ()
        recording.tasks.append(task)
        return task

    def key_of(self, task: Task) -> Key:
        """Return the key that the arguments of a task have now."""
        encoder = task.recording.encoder
        encoded = self._encode(encoder, task.args, task.kwargs)
        encoder.tasks = []
        return digest(self._prefix, encoded)

    def _encode(
        self, encoder: Encoder, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bytes:
        ignore = self.ignore
        if not ignore:
            items = encoder.items(args)
            keywords = encoder.item(kwargs) if kwargs else _NO_KEYWORDS
            return b"(%d:%b%b" % (len(args), b"".join(items), keywords)
        names = self._parameters.names
        items = [
            _IGNORED
            if place < len(names) and names[place] in ignore
            else encoder.items((value,))[0]
            for place, value in enumerate(args)
        ]
        kept = {key: value for key, value in kwargs.items() if key not in ignore}
        return b"(%d:%b%b" % (len(args), b"".join(items), encoder.item(kept))

    def _refusal(self, error: UnhashableError) -> UnhashableError:
        place, _, rest = error.path.partition("]")
        path = f"args{place}]{rest}" if place[1:].isdigit() else f"kwargs{error.path}"
        return UnhashableError(f"{self.name}: {path}", error.why)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Refuse to be a method: an object has no stable name."""
        if instance is None:
            return self
        raise UsageError(f"{self.name}: methods cannot be tasks; use a plain function")

    def __reduce__(self) -> tuple[Any, ...]:
        return _generator_by_name, (self.f.__module__, self.f.__qualname__)

    def __repr__(self) -> str:
        return f"TaskGenerator({self.name})"


@dataclass(frozen=True, slots=True)
class _Parameters:
    """How a function takes its arguments."""

    names: tuple[str, ...]
    count: int
    simple: bool
    known: bool

    @classmethod
    def of(cls, f: Callable[..., Any]) -> _Parameters:
        code = getattr(f, "__code__", None)
        if code is None or hasattr(f, "__wrapped__"):
            return cls._inspected(f)
        count = code.co_argcount
        simple = not (
            code.co_kwonlyargcount or code.co_flags & (_VARARGS | _VARKEYWORDS)
        )
        return cls(code.co_varnames[:count], count, simple, known=True)

    @classmethod
    def _inspected(cls, f: Callable[..., Any]) -> _Parameters:
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
                return bound, _NOTHING
        import inspect

        try:
            arguments = inspect.signature(f).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{function_name(f)}: {error}") from None
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


def _is_hashable(default: object) -> bool:
    try:
        Encoder().item(default)
    except UnhashableError:
        return False
    return True


def function_name(f: Callable[..., Any]) -> str:
    """Return what the results of a function are known by.

    Examples
    --------
    >>> import statistics
    >>> function_name(statistics.mean)
    'statistics.mean'
    """
    if isinstance(f, TaskGenerator):
        return f.name
    if isinstance(f, functools.partial):
        return f"partial:{function_name(f.func)}"
    module = getattr(f, "__module__", None) or "builtins"
    name = getattr(f, "__qualname__", None)
    if name is None:
        raise UsageError(f"{f!r} has no name that its results could be known by")
    return f"{module}.{name}"


class Task:
    """A call written down: its result may not exist yet.

    ``Task(f, ...)`` is the same as ``TaskGenerator(f)(...)``.

    Attributes
    ----------
    key : bytes
        The digest that names it, and so its result.
    args, kwargs
        The arguments in canonical form: as many as possible are positional.
    needs : tuple of Task
        The tasks whose results it needs, each once.
    """

    __slots__ = (
        "args",
        "generator",
        "key",
        "kwargs",
        "mutable",
        "needs",
        "recording",
    )

    generator: TaskGenerator
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    key: Key
    needs: tuple[Task, ...]
    mutable: bool
    recording: Recording

    def __new__(cls, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Task:
        """Write down a call of `f`."""
        if isinstance(f, functools.partial):
            args, kwargs = (*f.args, *args), {**f.keywords, **kwargs}
            f = f.func
        generator = f if isinstance(f, TaskGenerator) else TaskGenerator(f)
        task: Task = generator(*args, **kwargs)
        return task

    @property
    def f(self) -> Callable[..., Any]:
        """The function."""
        f: Callable[..., Any] = self.generator.f
        return f

    @property
    def name(self) -> str:
        """The name of the function: module and function."""
        return str(self.generator.name)

    @property
    def result(self) -> Any:
        """The result; loads it."""
        return self.value()

    def hash(self) -> bytes:
        """Return the key in hexadecimal digits, as bytes."""
        return self.key.hex().encode()

    def dependencies(self) -> tuple[Task, ...]:
        """Return the tasks whose results it needs."""
        return self.needs

    def can_load(self) -> bool:
        """Return whether its result is known."""
        return self._results().has(self.key)

    def can_run(self) -> bool:
        """Return whether all that it needs is known."""
        return all(task.can_load() for task in self.needs)

    def value(self) -> Any:
        """Return the result.

        Raises
        ------
        NoResultError
            It has none yet, or it failed.
        """
        return self._results().load(self.key, self.name)

    load = value

    def run(self) -> Any:
        """Call the function here and now, keep the result, and return it."""
        return self._results().run_here(self)

    def verify(self) -> None:
        """Check that the arguments are still those that the key stands for.

        Raises
        ------
        ArgumentChangedError
            A list, dict or array was changed after the call was written down.
        """
        if self.mutable and self.generator.key_of(self) != self.key:
            raise ArgumentChangedError(
                f"an argument of {describe(self)} changed after the call was written "
                "down, in the jugfile or by another task; pass a copy"
            )

    def _results(self) -> Results:
        results = self.recording.results
        if results is None:
            active = current_recording()
            results = active.results if active is not None else None
        if results is None:
            raise UsageError(
                "no store to look in; call taskgraph.set_jugdir(directory) first"
            )
        return results

    def __getitem__(self, index: Any) -> Tasklet:
        """Return a view of a part of the result."""
        return Tasklet(self, getitem, index)

    def __iter__(self) -> Iterator[Any]:
        raise IterationError(self.name)

    def __repr__(self) -> str:
        return f"Task({describe(self)}, {self.key.hex()[:8]})"


_new_task = object.__new__


class Tasklet:
    """A cheap view of a task's result, never stored.

    ``Tasklet(base, f)`` is ``f(result of base)``; ``task[i]`` is the common case.
    """

    __slots__ = ("base", "step")

    def __init__(self, base: Task | Tasklet, f: Callable[..., Any], *args: Any) -> None:
        self.base = base
        self.step = (f, *args)

    def value(self) -> Any:
        """Return what the view shows.

        Raises
        ------
        NoResultError
            The task has no result yet, or failed.
        """
        f, *args = self.step
        return f(self.base.value(), *[value(arg) for arg in args])

    def can_load(self) -> bool:
        """Return whether the result that it is a view of is known."""
        return self.base.can_load()

    def dependencies(self) -> tuple[Task, ...]:
        """Return the task that it is a view of."""
        return (self.base,) if isinstance(self.base, Task) else self.base.dependencies()

    def __getitem__(self, index: Any) -> Tasklet:
        """Return a view of a part of the view."""
        return Tasklet(self, getitem, index)

    def __iter__(self) -> Iterator[Any]:
        raise IterationError("a tasklet")

    def __repr__(self) -> str:
        return f"Tasklet({self.base!r}, {self.step!r})"


class IterationError(UsageError, NotImplementedError):
    """A task was iterated over: how many items its result has is not known yet."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} cannot be iterated over before it has run; use task[i], "
            "iteratetask(task, n), return_tuple(n), or bvalue(task) to wait for it"
        )


def _encode_generator(generator: TaskGenerator) -> bytes:
    encoder = Encoder()
    return (
        b"o"
        + encoder.item("taskgraph")
        + encoder.item(f"{generator.name}\0{generator.version}")
        + b"N"
    )


def _generator_by_name(module: str, name: str) -> Any:
    import importlib

    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def describe(task: Task, limit: int = 80) -> str:
    """Return a task as a short call, for people.

    Examples
    --------
    >>> describe(Task(divmod, 7, "a long text" * 9), limit=30)
    "builtins.divmod(7, 'a long..."
    """
    text = f"{task.name}({summary(task.args, task.kwargs)})"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def summary(args: tuple[Any, ...], kwargs: dict[str, Any], limit: int = 80) -> str:
    """Return arguments as short text, for people."""
    if len(args) == 1 and not kwargs and type(args[0]) is int:
        return str(args[0])
    parts = [_short(arg) for arg in args[:9]]
    parts += [f"{key}={_short(arg)}" for key, arg in list(kwargs.items())[:9]]
    text = ", ".join(parts)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _short(value: Any) -> str:
    kind = type(value)
    if kind in (int, float, bool, type(None)):
        return repr(value)
    if kind is str or kind is bytes:
        return repr(value[:40]) + ("..." if len(value) > 40 else "")
    if kind is Task:
        return f"{value.name.rpartition('.')[2]}:{value.key.hex()[:8]}"
    if kind is Tasklet:
        _, *index = value.step
        return f"{_short(value.base)}{index!r:.20}"
    if kind in (list, tuple, set, dict):
        inner = ", ".join(_short(item) for item in list(value)[:3])
        more = f", ...{len(value)}" if len(value) > 3 else ""
        return f"{kind.__name__}({inner}{more})"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{kind.__name__}{tuple(value.shape)}{value.dtype}"
    return f"{value!r:.40}"


def value(item: Any) -> Any:
    """Return `item` with every task in it replaced by its result.

    Looks into lists, tuples and dicts, and asks objects that have a
    ``__taskgraph_value__`` method.

    Examples
    --------
    >>> value([1, {"a": (2,)}])
    [1, {'a': (2,)}]
    """
    kind = type(item)
    if kind is Task or kind is Tasklet:
        return item.value()
    if kind is list:
        return [value(entry) for entry in item]
    if kind is dict:
        return {value(key): value(entry) for key, entry in item.items()}
    if isinstance(item, tuple):
        entries = [value(entry) for entry in item]
        return tuple(entries) if kind is tuple else kind(*entries)
    if kind is set or kind is frozenset:
        return kind(value(entry) for entry in item)
    if kind is iteratetask:
        return [value(entry) for entry in item]
    hook = getattr(kind, "__taskgraph_value__", None)
    if hook is not None:
        return hook(item)
    return _dataclass_value(item)


def _dataclass_value(item: Any) -> Any:
    """Return a dataclass with its tasks replaced; itself if it holds none."""
    fields = getattr(type(item), "__dataclass_fields__", None)
    if fields is None or isinstance(item, type):
        return item
    import copy

    new = {name: value(getattr(item, name)) for name in fields}
    if all(new[name] is getattr(item, name) for name in fields):
        return item
    copied = copy.copy(item)
    for name, entry in new.items():
        object.__setattr__(copied, name, entry)
    return copied


class iteratetask:  # noqa: N801 - jug's name for it
    """The first `n` items of a task's result, as a sequence of tasklets.

    Nothing checks that there are no more than `n`.

    Examples
    --------
    >>> quotient, rest = iteratetask(Task(divmod, 7, 2), 2)
    >>> type(rest).__name__
    'Tasklet'
    """

    def __init__(self, base: Task | Tasklet, n: int) -> None:
        self.base = base
        self.n = n

    def __getitem__(self, index: Any) -> Any:
        """Return one tasklet, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self.base[i] for i in range(*index.indices(self.n))]
        if not -self.n <= index < self.n:
            raise IndexError(f"item {index} of an iteratetask of {self.n}")
        return self.base[index % self.n]

    def __len__(self) -> int:
        return self.n

    def __taskgraph_hash__(self) -> object:
        """Return what stands for it in a key."""
        return [self[place] for place in range(self.n)]


class return_tuple:  # noqa: N801 - jug's name for it
    """Let a task generator return a tuple of `n` tasklets instead of one task.

    That the result has `n` items is checked when it is loaded.

    Examples
    --------
    >>> @return_tuple(2)
    ... @TaskGenerator
    ... def halves(x):
    ...     return x // 2, x - x // 2
    >>> small, large = halves(7)
    """

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, f: Callable[..., Any]) -> Callable[..., tuple[Tasklet, ...]]:
        """Return the decorated generator."""
        generator = f if isinstance(f, TaskGenerator) else TaskGenerator(f)

        @functools.wraps(generator.f)
        def write_down(*args: Any, **kwargs: Any) -> tuple[Tasklet, ...]:
            task = generator(*args, **kwargs)
            return tuple(Tasklet(task, _item_of, i, self.n) for i in range(self.n))

        write_down.f = generator.f  # type: ignore[attr-defined] # as a generator has it
        return write_down


def _item_of(items: Any, index: int, expected: int) -> Any:
    if len(items) != expected:
        raise NoResultError(
            f"return_tuple({expected}): the result has {len(items)} items"
        )
    return items[index]

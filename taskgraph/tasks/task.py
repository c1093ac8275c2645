"""Tasks: calls written down, named by their keys, in the recording of their jugfile."""

from __future__ import annotations

import functools
from operator import getitem
from typing import TYPE_CHECKING, Any

from taskgraph.description import describe
from taskgraph.errors import UnhashableError, UsageError
from taskgraph.fingerprints.in_keys import code_label
from taskgraph.identity.call_keys import PREFIX, CallKeys
from taskgraph.identity.functions import (
    function_at,
    function_name,
    place_of,
    refuse_unfinished,
)
from taskgraph.identity.hashing import Encoder
from taskgraph.identity.parameters import Parameters, WithNames, given
from taskgraph.identity.scalars import SCALARS
from taskgraph.names import known_as
from taskgraph.resources import NOTHING, Resources
from taskgraph.tasks import limits
from taskgraph.tasks.many import encode_all, give_keys, key_asked_for, values_of
from taskgraph.tasks.outputs import note_outputs
from taskgraph.tasks.recording import Recording, current, recording_elsewhere
from taskgraph.tasks.refusals import lacking, refuse_generator, refused_argument
from taskgraph.tasks.scripts.script_module import expect_run
from taskgraph.tasks.tasklet import Tasklet
from taskgraph.tasks.with_result import WithResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_GIVEN_LATER: Any = None  # never used: without a function `__new__` makes no instance
_new_task = object.__new__


@known_as("taskgraph")
class TaskGenerator:
    """Turn a function into one whose calls are written down instead of made.

    Parameters
    ----------
    f : function
        Defined at the top level of a module or jugfile. Arguments that a
        `functools.partial` has already are arguments of each call.
    name : str, optional
        What its results are known by; the module's and the function's name by
        default. Keep the old one here and a function may move or be renamed. Given by
        hand, it has to say all that the results depend on besides the arguments.
    version : str or int, optional
        Part of the key: a new version computes anew and leaves the old results alone.
    ignore : tuple of str, optional
        Arguments that do not change the result and so not the key either.
    retries, retries_on : int, and causes, optional
        How often to try again, and at which failures, as ``(OSError, "timeout")``.
    timeout : float, optional
        Seconds after which a run of it is stopped and counts as failed.
    code : bool, optional
        What the function does, with all in the project that it uses, is in the key.
    files : bool, optional
        It writes files where it likes and returns their paths, as `Path` or `File`, in
        lists and dicts too. A run makes those again that are gone or changed. Prefer
        arguments that are an `Output`: known before it runs, and never there half.
    resources : mapping, optional
        What it needs while it runs, as ``{"gpu": 1, "mem": "8G"}``: only workers take
        it that have that (``tg execute --resources``). No part of the key.

    Examples
    --------
    >>> @TaskGenerator
    ... def double(x, times=2):
    ...     return x * times
    >>> double(4).key == double(x=4).key == double(4, times=2).key
    True

    >>> @TaskGenerator(ignore=("threads",), version=2)
    ... def triple(x, threads=1):
    ...     return 3 * x
    >>> triple(4).key == triple(4, threads=8).key
    True
    """

    def __new__(cls, f: Callable[..., Any] | None = None, **options: Any) -> Any:
        """Return a generator, or a decorator if there are only options."""
        return functools.partial(cls, **options) if f is None else super().__new__(cls)

    def __init__(
        self,
        f: Callable[..., Any] = _GIVEN_LATER,
        *,
        name: str | None = None,
        version: str | int | None = None,
        ignore: tuple[str, ...] | str = (),
        retries: int = 0,
        retries_on: Any = None,
        timeout: float | None = None,
        files: bool = False,
        resources: Mapping[str, Any] | Resources = NOTHING,
        code: bool = False,
    ) -> None:
        self.f, self.files, self.declares, self.code = f, files, False, code
        self._given: tuple[tuple[Any, ...], dict[str, Any]] = (), {}
        if isinstance(f, functools.partial):
            self._given, f = (f.args, f.keywords), f.func
        refuse_generator(f)
        self.function, self.name = f, name or function_name(f)
        if getattr(f, "__module__", "") == "__main__":
            expect_run()
        refuse_unfinished(f, self.name)
        self.named_by_hand, self.version = bool(name), version
        self.ignore = frozenset((ignore,) if isinstance(ignore, str) else ignore)
        self.retries = limits.checked_retries(retries, self.name)
        self.retries_on = limits.checked_causes(retries_on, self.name)
        self.timeout = limits.checked_timeout(timeout, self.name)
        self.resources = limits.checked_resources(resources, self.name)
        self._parameters = Parameters.of(f)
        self._parameters.refuse_unknown(self.ignore, self.name)
        self.own_generators, self.prefix = self._parameters.own, b""
        self.live = self._parameters.live
        if not code:  # else when it is first called: it may use what is defined below
            self._settle()
        functools.update_wrapper(self, f, updated=())

    def _settle(self) -> None:
        """Take in what stands for the function in keys; its code, if that is wanted."""
        self.label: Any = code_label(self) if self.code else self.version
        self.prefix = PREFIX + b"".join(map(Encoder().item, (self.name, self.label)))
        known = self.name, self.prefix, self._parameters, self.ignore, self._given
        self.keys = CallKeys(*known)
        self._tails = self.keys.tails

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Write the call down; return its `Task`."""
        recording = current.get() or recording_elsewhere()
        if recording.functions.get(self.prefix) is not self.function:
            if not self.prefix:
                self._settle()
            recording.register(self)
        call: Any = args
        if kwargs or len(args) not in self._tails:
            return self._write(recording, args, kwargs)
        if len(args) == 1:
            (call,) = args
            if type(call) not in SCALARS:
                return self._write(recording, args, kwargs)
        elif not SCALARS.keys() >= set(map(type, args)):
            return self._write(recording, args, kwargs)
        waiting = recording.keyless
        task = _new_task(Task if waiting is None and recording.whole else _Asked)
        task.generator = self
        task.call = call
        task.mutable = False
        task.recording = recording
        task.needs = ()
        recording.tasks.append(task)
        if waiting is None:
            give_keys((task,))
        else:
            waiting[self].append(task)
        return task

    def _write(
        self, recording: Recording[Task], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Task:
        """Write a call down whose arguments have to be looked at."""
        encoder, outer = recording.encoder, recording.encoder.tasks
        needs = encoder.tasks = []
        encoder.mutable = False
        try:
            args, kwargs, key = self.keys.of(encoder, args, kwargs)
        except BaseException as error:
            encoder.outputs = []  # or the next call declares them
            if isinstance(error, UnhashableError):
                raise refused_argument(self.name, error) from None
            raise
        finally:
            encoder.tasks = outer
        task = _new_task(Task if recording.whole else _Asked)
        task.generator = self
        task.call = WithNames(args, kwargs) if kwargs else args
        task.key = key
        task.mutable, task.recording = encoder.mutable, recording
        task.needs = recording.each_once(needs) if needs else ()
        recording.tasks.append(task)
        if encoder.outputs:
            note_outputs(task)
        return task

    def key_of(self, task: Task) -> bytes:
        """Return the key that the arguments of a task have now."""
        encoder = task.recording.encoder
        outer, encoder.tasks = encoder.tasks, []
        try:
            return self.keys.again(encoder, task.args, task.kwargs)
        finally:
            encoder.tasks, encoder.outputs = outer, []

    def __taskgraph_encode__(self, encoder: Encoder) -> bytes:
        """Return what stands for the function itself in a key."""
        if not self.prefix:
            self._settle()
        if not self.named_by_hand:
            encoder.names.note(self.name, self.function, "calls", self.version)
        name = encoder.item("taskgraph") + encoder.item(self.name)
        name += encoder.item(self.label)
        met = len(encoder.tasks)
        given = encoder.item(self._given) if any(self._given) else b""
        if len(encoder.tasks) > met:
            why = "a generator that holds a task stays what it is; pass the task too"
            raise UnhashableError("", why)
        return b"o" + name + given

    __taskgraph_generator__ = True

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Refuse to be a method: an object has no stable name."""
        if instance is None:
            return self
        raise UsageError(f"{self.name}: methods cannot be tasks; use a plain function")

    def __reduce__(self) -> tuple[Any, ...]:
        return function_at, place_of(self.f)

    def __repr__(self) -> str:
        return f"TaskGenerator({self.name})"


@known_as("taskgraph")
class Task(WithResult):
    """A call written down; ``Task(f, ...)`` is the same as ``TaskGenerator(f)(...)``.

    Attributes
    ----------
    key : bytes
        The digest that names it, and so its result.
    needs : tuple of Task
        The tasks whose results it needs, each once.
    """

    __slots__ = ("call", "generator", "key", "mutable", "needs", "recording")

    generator: TaskGenerator
    call: Any
    key: bytes
    needs: tuple[Task, ...]
    mutable: bool
    recording: Recording[Task]

    def __new__(cls, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Task:
        """Write down a call of `f`."""
        if isinstance(f, functools.partial) and isinstance(f.func, TaskGenerator):
            args, kwargs = (*f.args, *args), {**f.keywords, **kwargs}
            f = f.func
        generator = f if isinstance(f, TaskGenerator) else TaskGenerator(f)
        task: Task = generator(*args, **kwargs)
        return task

    @property
    def f(self) -> Callable[..., Any]:
        """The function."""
        f: Callable[..., Any] = self.generator.function
        return f

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments by position, as they were written."""
        return given(self.call)[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments by name, as they were written."""
        return given(self.call)[1]

    def hash(self) -> bytes:
        """Return the key in hexadecimal digits, as bytes."""
        return self.key.hex().encode()

    def dependencies(self) -> tuple[Task, ...]:
        """Return the tasks whose results it needs."""
        return self.needs

    __taskgraph_values__ = staticmethod(values_of)
    __taskgraph_encode_all__ = staticmethod(encode_all)
    __taskgraph_task__ = True

    def __taskgraph_encode__(self, encoder: Encoder) -> bytes:
        """Return what stands for it in a key; the encoder notes that it met it."""
        encoder.tasks.append(self)
        return b"K" + self.key

    def changed(self) -> bool:
        """Return whether the arguments are no longer those that the key stands for.

        A list, dict or array may have been changed after the call was written down.
        """
        try:
            return self.mutable and self.generator.key_of(self) != self.key
        except UnhashableError:
            return True

    def __getitem__(self, index: Any) -> Tasklet:
        """Return a view of a part of the result."""
        return Tasklet(self, getitem, index)

    def __taskgraph_brief__(self) -> str:
        """Return it as a few letters, for an argument list."""
        return f"{self.name.rpartition('.')[2]}:{self.key.hex()[:8]}"

    def __repr__(self) -> str:
        call = describe(self.name, self.args, self.kwargs)
        return f"Task({call}, {self.key.hex()[:8]})"


class _Asked(Task):
    """A task that is asked for what it has not got: its key, or what only results have.

    To have `__getattr__` makes all else that it is asked for slow. So a task of a
    jugfile is one until it has its key, and what raises there is told the way out by
    `advice`; of a notebook all are.
    """

    __slots__ = ()

    if not TYPE_CHECKING:  # type checkers know what it has

        def __getattr__(self, name: str) -> Any:
            if name != "key":
                raise lacking(self, name)
            return key_asked_for(self, Task if self.recording.whole else _Asked)


_Asked.__name__ = _Asked.__qualname__ = Task.__name__
_Asked.__module__ = Task.__module__

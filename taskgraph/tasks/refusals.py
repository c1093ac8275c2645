"""What cannot be done with a task before it has run, and what to do instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn, Self

from taskgraph.errors import (
    IterationError,
    TaskAsResultError,
    TaskInsideTaskError,
    UnhashableError,
    UsageError,
)
from taskgraph.tasks.recording import in_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backends.interface import Backend

WAY_OUT = (
    "what it returns is not known before it has run: let a task do that, or wait for "
    "it with bvalue(task)"
)
IN_A_TASK = "a task knows only what it is given; pass this one as an argument"
_NAMED = re.compile(r"\bTask(let)?\b")
_FROM_JUG = (
    "jug's modules are here by the same names: write taskgraph for jug; what differs, "
    "docs/from-jug.md says"
)
_OF_TWO = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow"),
    *("lshift", "rshift", "and", "or", "xor"),
)
_COMMANDS = {
    **dict.fromkeys(("lock", "unlock", "is_locked"), "tg locks"),
    **dict.fromkeys(("fail", "is_failed"), "tg errors"),
    "invalidate": "tg invalidate",
}
"""What jug's tasks can do one by one."""


class NotItsResult:
    """Base of what stands for a result: refuses to be used as if it were one.

    Two of them are equal if they are the same object, and they can be in sets and be
    keys of dicts. Comparing one with anything else is refused, for the answer would
    always be no; with None it is no.
    """

    __slots__ = ()

    def _wrong(self, what: str) -> TaskAsResultError:
        name = getattr(self, "name", "a tasklet")
        way_out = IN_A_TASK if in_task() else WAY_OUT
        return TaskAsResultError(f"{name} {what}: {way_out}")

    def _repr_html_(self) -> str:
        from taskgraph.tasks.notebook_html import html_of

        return html_of(self)

    def is_loaded(self) -> bool:
        """Return False: results are not kept here."""
        return False

    def unload(self) -> None:
        """Do nothing: results are not kept here."""

    unload_recursive = unload

    def __bool__(self) -> bool:
        raise self._wrong("is neither true nor false (see task.can_load())")

    def __len__(self) -> int:
        raise self._wrong("has no length")

    def __index__(self) -> int:
        raise self._wrong("is no number")

    def __iter__(self) -> Iterator[Any]:
        raise IterationError(getattr(self, "name", "a tasklet"))

    def __eq__(self, other: object) -> bool:
        if other is None or isinstance(other, NotItsResult):
            return NotImplemented
        raise self._wrong(f"cannot be compared with {other!r:.40}")

    __hash__ = object.__hash__

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise self._wrong("cannot be pickled, as for a process of a pool")

    def __format__(self, spec: str) -> str:
        raise self._wrong("cannot be written into a text (its repr can, as {task!r})")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        if dtype is None or np.dtype(dtype) != object:
            raise self._wrong("is no array (one that holds tasks has dtype=object)")
        array = np.empty((), object)
        array[()] = self
        return array


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refuse(self: NotItsResult, *_: Any) -> NoReturn:
        raise self._wrong(what)

    return refuse


for _name in (*_OF_TWO, *(f"r{name}" for name in _OF_TWO), "neg", "invert", "abs"):
    setattr(NotItsResult, f"__{_name}__", _refusing("cannot be calculated with"))
for _name in ("lt", "le", "gt", "ge"):
    setattr(NotItsResult, f"__{_name}__", _refusing("cannot be compared"))


def lacking(thing: NotItsResult, name: str) -> AttributeError:
    """Return what to raise where something is asked for an attribute it has not got."""
    says = f"{type(thing).__name__!r} object has no attribute {name!r}"
    return AttributeError(f"{says}: {_instead_of(name)}", name=name, obj=thing)


def _instead_of(name: str) -> str:
    command = _COMMANDS.get(name)
    return WAY_OUT if command is None else f"`{command}` is for that"


def advice(error: BaseException) -> str:
    """Return what to add to an error of a jugfile that used a task as its result.

    Or that imports jug, which is not there, or whose barriers ask a store of its own,
    see ``docs/from-jug.md``.

    Examples
    --------
    >>> from taskgraph import Task
    >>> try:
    ...     "%d cells" % Task(divmod, 7, 2)
    ... except TypeError as error:
    ...     print(advice(error))
    . A Task is what was written down; what it returns is not known before it has ...
    >>> advice(TypeError("unsupported operand type(s) for +: 'int' and 'str'"))
    ''
    """
    missing = isinstance(error, ModuleNotFoundError) and error.name
    if f"{missing or _raised_in(error)}.".startswith("jug."):
        return f". {_FROM_JUG}"
    wrong = isinstance(error, TypeError | AttributeError | KeyError)
    if isinstance(getattr(error, "obj", None), NotItsResult):
        instead = _instead_of(getattr(error, "name", ""))
        return "" if str(error).endswith(instead) else f": {instead}"
    if not wrong or not _NAMED.search(str(error)):
        return ""
    return f". A Task is what was written down; {WAY_OUT}"


def _raised_in(error: BaseException) -> str:
    """Return the name of the module that raised an error; empty of none."""
    trace, frame = error.__traceback__, None
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
    return str(frame.f_globals.get("__name__", "")) if frame else ""


def refuse_in_task(what: str, backend: Backend) -> None:
    """Refuse what a running task does to the store that its own result goes to.

    Raises
    ------
    TaskInsideTaskError
        This code is of a task that runs for that store.
    """
    if backend.shared and (name := in_task(backend.url)):
        raise TaskInsideTaskError(
            f"{name} called {what} while it ran, for the store that its own result "
            "goes to: it would wait for itself, or take away what it was given. Call "
            "it where no task runs, or for another store"
        )


def refuse_generator(f: Any) -> None:
    """Refuse to make what writes its calls down into that once more."""
    if hasattr(f, "__taskgraph_generator__"):
        raise UsageError(
            f"{f.__name__} writes its calls down already; put @return_tuple above "
            "@TaskGenerator, and @TaskGenerator once"
        )


def refused_argument(name: str, error: UnhashableError) -> UnhashableError:
    """Return what to raise of a function's argument, by its place or its name."""
    place, _, rest = error.path.partition("]")
    path = f"args{place}]{rest}" if place[1:].isdigit() else f"kwargs{error.path}"
    return UnhashableError(f"{name}: {path}", error.why)

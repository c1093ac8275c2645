"""Values as pickle's protocol 4 has them in jug, where some things have other names."""

from __future__ import annotations

import io
import pickle
from types import FunctionType
from typing import Any

from taskgraph.errors import UnhashableError
from taskgraph.tasks.refusals import NotItsResult
from taskgraph.tasks.task import TaskGenerator

PROTOCOL = 4
_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})


def pickled(value: Any) -> bytes:
    """Return what jug's pickle of a value is, byte by byte.

    Raises
    ------
    UnhashableError
        It cannot be pickled, or jug has nothing like it.

    Examples
    --------
    >>> pickled("ab") == pickle.dumps("ab", 4)
    True
    """
    if type(value) in _PLAIN:
        return pickle.dumps(value, PROTOCOL)
    try:
        try:
            return _dumped(_Plain, value)
        except _MetRenamedError:
            return _dumped(_Renaming, value)
    except UnhashableError:
        raise
    except Exception as error:
        raise UnhashableError("", f"cannot be pickled: {error}") from error


def checked_item(index: int, count: int) -> Any:
    """Return what `return_tuple` views an item by there."""
    from functools import partial

    return partial(_get_check, i=index, n=count)


def _dumped(pickler: Any, value: Any) -> bytes:
    file = io.BytesIO()
    pickler(file, PROTOCOL).dump(value)
    return file.getvalue()


class _MetRenamedError(Exception):
    """There is something in a value that has another name in jug."""


class _Plain(pickle.Pickler):
    """Refuses what is ours: the pickles of all else are jug's."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, TaskGenerator) or value is _get_check:
            raise _MetRenamedError
        _refuse_ours(value)
        return NotImplemented


_InPython: Any = pickle._Pickler  # noqa: SLF001 - that of C asks whether a name finds its thing


class _Renaming(_InPython):  # type: ignore[misc] # typeshed has half of it
    """Writes jug's names of what is ours."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._in_jug: dict[TaskGenerator, _Generator] = {}

    def save(self, value: Any, *more: Any) -> None:
        if isinstance(value, TaskGenerator):
            value = self._in_jug.setdefault(value, _Generator(value.function))
        super().save(value, *more)

    def reducer_override(self, value: Any) -> Any:
        if type(value) is not _Generator and value is not _Generator:
            _refuse_ours(value)
        return NotImplemented

    def save_global(self, value: Any, name: str | None = None) -> None:
        if value is not _Generator and value is not _get_check:
            super().save_global(value, name)
            return
        self.save("jug.task")
        self.save("TaskGenerator" if value is _Generator else "_get_check")
        self.write(pickle.STACK_GLOBAL)
        self.memoize(value)

    dispatch = {**_InPython.dispatch, FunctionType: save_global}  # noqa: RUF012 - as there


class _Generator:
    """Stands for jug's TaskGenerator."""

    def __init__(self, f: Any) -> None:
        self.f = f

    def __getstate__(self) -> tuple[str, str]:
        return self.f.__module__, self.f.__name__


def _get_check(r: Any, i: int, n: int) -> Any:
    """Stand for jug's function of this name."""
    raise NotImplementedError(r, i, n)


def _refuse_ours(value: Any) -> None:
    kind = value if isinstance(value, type) else type(value)
    if value is _get_check:
        return
    if issubclass(kind, NotItsResult) or kind.__module__.startswith("taskgraph."):
        why = f"{kind.__name__}: jug has nothing like it in this place"
        raise UnhashableError("", why)

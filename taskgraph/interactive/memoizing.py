"""Functions that are called now, and remembered: what `joblib.Memory` does."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from taskgraph.context import CachedFunction, in_store, open_store
from taskgraph.errors import UsageError
from taskgraph.names import known_as
from taskgraph.tasks.recording import is_running
from taskgraph.tasks.task import TaskGenerator

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.results.results import Results

P = ParamSpec("P")
R = TypeVar("R")


@known_as("taskgraph")
class Memory:
    """Remembers what functions return, in a store; made by `memory`.

    Attributes
    ----------
    results : Results
        The store.
    """

    def __init__(self, results: Results) -> None:
        self.results = results
        self._pid = os.getpid()

    def here(self) -> Results:
        """Return the store for this process: a forked one is another worker."""
        if self._pid != os.getpid():
            known = self.results
            self.results = type(known)(known.backend.again(), known.folder)
            self._pid = os.getpid()  # last: other threads of the fork look at it
        return self.results

    def __reduce__(self) -> tuple[Callable[[str], Memory], tuple[str]]:
        backend = self.results.backend
        if not backend.shared:
            raise UsageError(
                "what remembers in memory:// cannot go to another process, which would "
                "not find it; give memory() a directory or a URL"
            )
        return memory, (backend.url,)

    def __repr__(self) -> str:
        return f"Memory({self.results.backend.url})"

    @overload
    def __call__(self, f: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def __call__(
        self, /, **options: Any
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    def __call__(self, f: Any = None, /, **options: Any) -> Any:
        """Return a function that is called only if the store lacks the result.

        Parameters
        ----------
        f : callable
            A function of the top level of a module, script or notebook.
        **options
            As of `TaskGenerator`: ``ignore``, ``version``, ``name``, ``code`` ...
        """
        if f is None:
            return functools.partial(self, **options)
        calls = _Calls(self, f, options)

        @functools.wraps(f)  # a function, for pickle and its like: they know its place
        def remembered(*args: Any, **kwargs: Any) -> Any:
            return calls.result(args, kwargs)

        return remembered


class _Calls:
    """Calls of a function that are remembered; of the same name in all processes."""

    def __init__(self, memory: Memory, f: Any, options: dict[str, Any]) -> None:
        self._memory, self._f, self._options = memory, f, options
        self._generator = TaskGenerator(f, **options)

    def __reduce__(self) -> tuple[Any, ...]:
        named = {**self._options, "name": self._generator.name}
        return _Calls, (self._memory, self._f, named)

    def result(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the function returns, from the store if that has it."""
        if is_running():  # a jugfile or a task: what it makes is remembered itself
            return self._f(*args, **kwargs)
        with in_store(self._memory.here()):
            return CachedFunction(self._generator, *args, **kwargs)


@known_as("taskgraph")
def memory(store: Any = "jugdata") -> Memory:
    """Return a decorator for functions that are called at once and remembered.

    The results are those of tasks of the same function and arguments, under the same
    keys: a script that becomes a jugfile finds them, if its store is the same. In a
    jugfile or a task the function is simply called: what is made there is remembered.

    Parameters
    ----------
    store : str, path, Backend or Results, optional
        A directory or URL, or a store that is open.

    Notes
    -----
    A function that changes an argument in place (an array, a random generator) raises
    `ArgumentChangedError`, and nothing is kept: a call that is found changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> memo = memory("memory://")
    >>> @memo
    ... def total(image):
    ...     print("computed")
    ...     return int(image.sum())
    >>> total(np.ones((4, 4))), total(np.ones((4, 4)))
    computed
    (16, 16)
    """
    return Memory(open_store(store))

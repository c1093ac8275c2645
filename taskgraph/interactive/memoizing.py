"""Functions that are called now, and remembered: what `joblib.Memory` does."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from taskgraph.context import CachedFunction, in_store, open_store
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

    def _here(self) -> Results:
        """Return the store for this process: a forked one is another worker."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            known = self.results
            self.results = type(known)(known.backend.again(), known.folder)
        return self.results

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
        generator = TaskGenerator(f, **options)

        @functools.wraps(f)
        def remembered(*args: Any, **kwargs: Any) -> Any:
            if is_running():  # a jugfile or a task: what it makes is remembered itself
                return f(*args, **kwargs)
            with in_store(self._here()):
                return CachedFunction(generator, *args, **kwargs)

        return remembered


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

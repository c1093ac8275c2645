"""Which store a worker names to the processes that its tasks start.

They may import the jugfile, as pools of fresh processes do; where it says `bvalue`,
they have to find the results that the worker has found. The environment is that of a
whole process: what is told there counts in its children, never in its own threads.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE_VARIABLE = "_TASKGRAPH_STORE"
"""Names the store of a worker to what its tasks start."""


class _Telling:
    """What this process tells its children: of several at once, the newest."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Be as in a process that tells nothing, as a child is when it is forked."""
        self.lock = threading.Lock()
        self.stores: dict[object, str] = {}
        self.of_parent: str | None = None

    def begin(self, url: str) -> object:
        """Tell of this store, too; return what ends that."""
        token = object()
        with self.lock:
            if not self.stores:
                self.of_parent = os.environ.get(STORE_VARIABLE)
            self.stores[token] = os.environ[STORE_VARIABLE] = url
        return token

    def end(self, token: object) -> None:
        """Tell no more of it: of another that is still to be told, or as before all."""
        with self.lock:
            if self.stores.pop(token, None) is None:
                return  # in a child that a task forked and let go on
            left = next(reversed(self.stores.values()), self.of_parent)
            if left is None:
                os.environ.pop(STORE_VARIABLE, None)
            else:
                os.environ[STORE_VARIABLE] = left


_telling = _Telling()
os.register_at_fork(after_in_child=_telling.begin_anew)


@contextmanager
def told_to_children(url: str) -> Iterator[None]:
    """Let processes that are started in the block find this store.

    Examples
    --------
    >>> with told_to_children("results.tgdata"):
    ...     told_store() is None, os.environ[STORE_VARIABLE]
    (True, 'results.tgdata')
    """
    token = _telling.begin(url)
    try:
        yield
    finally:
        _telling.end(token)


def told_store() -> str | None:
    """Return the store of the worker whose task started this process, if one did."""
    if _telling.stores:
        return _telling.of_parent
    return os.environ.get(STORE_VARIABLE)

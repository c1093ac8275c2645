"""What has been done is published, and more is locked, while a task runs."""

from __future__ import annotations

import ctypes
import threading
import time
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING

from backends.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable


_CLONE_FS = 0x200


class BackgroundFlush:
    """A thread that looks after a worker's batch while a task runs.

    It acts only while the user's function runs: then the worker touches neither its
    batch nor the store. It has a working directory and a umask of its own, so that
    what it writes is everybody's, whatever a task does to those; where it cannot have
    them, it acts beside long tasks only. It shares descriptors: a task that closes some
    that are not its own may take one of the store's, and then the worker tries again.

    Parameters
    ----------
    flush : callable
        Publishes what is done and releases what waits, when a task takes long.
    provide : callable
        Does what it is asked for, as soon as a task runs.
    patience : float
        Seconds after which a task takes long; may be changed.

    Attributes
    ----------
    torn : bool
        Whether the store failed meanwhile. Tasks may close descriptors and give up
        rights: it is for the worker to try again before it blames the store.
    """

    def __init__(
        self,
        flush: Callable[[], None],
        provide: Callable[[], None],
        patience: float = 0.5,
    ) -> None:
        self._flush = flush
        self._provide = provide
        self.patience = patience
        self._free = threading.Lock()
        self._free.acquire()
        self._since = 0.0
        self._asked = self._ended = self._apart = self.torn = False
        self._wake, self._ready = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def start(self) -> None:
        """Begin to watch, once there is more than one task at hand."""
        if self._thread is None:
            # What it warns of is told by whom its worker's warnings are.
            told = copy_context().run
            self._thread = threading.Thread(
                target=told, args=(self._watch,), daemon=True
            )
            self._thread.start()
            self._ready.wait()  # no task has changed anything yet

    def ask(self) -> bool:
        """Let it `provide` as soon as the next task runs; return whether it will.

        It will not if it found no time to do so since it was asked before.
        """
        self._asked = self._apart and not self._asked
        return self._asked

    def hand_over(self) -> None:
        """Leave batch and store to the thread: the user's function begins."""
        self._since = time.monotonic()
        self._free.release()
        if self._asked:
            self._wake.set()

    def take_back(self) -> None:
        """Take batch and store back: the user's function is over."""
        self._free.acquire()
        if self._error is not None:
            raise self._error

    def _watch(self) -> None:
        self._apart = stand_apart()
        self._ready.set()
        served = 0.0
        while True:
            self._wake.wait(self.patience / 2)
            self._wake.clear()
            if self._ended:
                return
            since = self._since
            late = since != served and time.monotonic() - since >= self.patience
            if (self._asked or late) and self._free.acquire(blocking=False):
                try:
                    if self._asked:
                        self._asked = False
                        self._provide()
                    elif self._since == since:
                        served = since
                        self._flush()
                except BackendError:
                    self.torn = True
                except BaseException as error:  # noqa: BLE001 - raised in the worker
                    self._error = error
                finally:
                    self._free.release()


def stand_apart() -> bool:
    """Give this thread a working directory and a umask of its own, if that can be."""
    with suppress(OSError, AttributeError):  # it is not Linux
        return bool(ctypes.CDLL(None).unshare(_CLONE_FS) == 0)
    return False

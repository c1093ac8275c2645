"""What has been done is published while the next task takes long."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BackgroundFlush:
    """A thread that flushes a worker's batch while a task takes long.

    It acts only while the user's function runs: then the worker touches neither its
    batch nor the store.

    Parameters
    ----------
    flush : callable
        Publishes what is done and releases what waits.
    patience : float
        Seconds that a task runs before that is done; may be changed.
    """

    def __init__(self, flush: Callable[[], None], patience: float = 0.5) -> None:
        self._flush = flush
        self.patience = patience
        self._free = threading.Lock()
        self._free.acquire()
        self._since = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def start(self) -> None:
        """Begin to watch, once there is more than one task at hand."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def hand_over(self) -> None:
        """Leave batch and store to the thread: the user's function begins."""
        self._since = time.monotonic()
        self._free.release()

    def take_back(self) -> None:
        """Take batch and store back: the user's function is over."""
        self._free.acquire()
        if self._error is not None:
            raise self._error

    def _watch(self) -> None:
        served = 0.0
        while not self._ended.wait(self.patience / 2):
            since = self._since
            if since == served or time.monotonic() - since < self.patience:
                continue
            if self._free.acquire(blocking=False):
                try:
                    if self._since == since:
                        served = since
                        self._flush()
                except BaseException as error:  # noqa: BLE001 - raised in the worker
                    self._error = error
                finally:
                    self._free.release()

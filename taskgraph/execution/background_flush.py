"""Looking after finished and waiting tasks while one takes long."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Attendant:
    """A thread that looks after a worker's records while a task takes long.

    It acts only while the user's function runs: then the worker touches neither its
    batch nor the store.
    """

    def __init__(self, relieve: Callable[[], None], patience: float = 0.5) -> None:
        self._relieve = relieve
        self._patience = patience
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

    def leave_to(self) -> None:
        """Leave batch and store to the attendant."""
        self._since = time.monotonic()
        self._free.release()

    def take_back(self) -> None:
        """Take batch and store back."""
        self._free.acquire()
        if self._error is not None:
            raise self._error

    def _watch(self) -> None:
        served = 0.0
        while not self._ended.wait(self._patience / 2):
            since = self._since
            if since == served or time.monotonic() - since < self._patience:
                continue
            if self._free.acquire(blocking=False):
                try:
                    if self._since == since:
                        served = since
                        self._relieve()
                except BaseException as error:  # noqa: BLE001 - raised in the worker
                    self._error = error
                finally:
                    self._free.release()

"""Values for pages, by a process that may die: see `taskgraph.live.showing`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from taskgraph.errors import TaskgraphError
from taskgraph.live.showing import receive, send
from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 60.0
"""Seconds that a value may take."""


@known_as("taskgraph")
class NotShownError(TaskgraphError):
    """A value cannot be shown."""


class ValueProcess:
    """Loads values and draws them in a process of its own; one at a time.

    Parameters
    ----------
    url : str
        Of the store.
    jugfile : str
        Which is run if its classes are needed.
    arguments : sequence of str
        What that is given.
    """

    def __init__(
        self,
        url: str,
        jugfile: str,
        arguments: Sequence[str] = (),
    ) -> None:
        self._told = [url, jugfile, list(arguments)]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._opened: dict[bytes, bytes] = {}

    def open(self, key: bytes, payload: bytes) -> dict[str, Any]:
        """Load a value; return what it is shown as.

        Raises
        ------
        NotShownError
            It cannot be loaded, or whoever tries dies of it.
        """
        found: dict[str, Any] = self._ask("open", key, payload)
        self._opened[key] = payload
        return found

    def has(self, key: bytes) -> bool:
        """Return whether a value was opened here."""
        return key in self._opened

    def forget(self, key: bytes) -> None:
        """Know no more that a value was opened here."""
        self._opened.pop(key, None)

    def ask(self, what: str, key: bytes, *given: Any) -> Any:
        """Return a part of a value that was opened here; see `taskgraph.live.showing`.

        Raises
        ------
        NotShownError
            It has no such part, or it cannot be loaded again.
        """
        self._ask("open", key, self._opened[key])  # if it was let go, or its process
        return self._ask(what, key, *given)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, *request: Any) -> Any:
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            late = threading.Event()

            def end() -> None:
                late.set()
                process.kill()

            killer = threading.Timer(PATIENCE, end)
            killer.start()
            try:
                send(process.stdin, request)
                answer = receive(process.stdout)
            except (OSError, ValueError):
                answer = None
            finally:
                killer.cancel()
            if answer is None:
                self._end()
                raise NotShownError(self._why_gone(late=late.is_set()))
        good, found = answer
        if not good:
            raise NotShownError(str(found))
        return found

    def _why_gone(self, *, late: bool) -> str:
        if late:
            return (
                f"this value took more than {PATIENCE:.0f} s, so loading it was "
                "ended; see `tg value`"
            )
        return "the process that loads values died of this one; see `tg value`"

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            command = [sys.executable, "-P", "-m", "taskgraph.live.showing"]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
            )
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):  # who died already does not answer
                send(self._process.stdin, self._told)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
            process.wait()

"""Server-sent events: each page is sent what is newest, as soon as it can take it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

_QUIET = 5.0
"""After how many seconds without news a page is sent an empty line: has it gone?"""


class Latest:
    """The newest value of something, for any number of pages.

    Any thread may publish. A page that is slow misses what was in between, and never
    makes anybody wait; nothing is kept for it.

    Attributes
    ----------
    watchers : int
        How many pages are sent it now.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._number, self._text, self._closed = 0, "", False
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}
        self.watchers = 0

    def publish(self, text: str) -> None:
        """Make a text, such as JSON, the newest value, unless it is so already."""
        with self._lock:
            if text == self._text and self._number:
                return
            self._number, self._text = self._number + 1, text
        self._wake()

    def close(self) -> None:
        """End the streams: nothing comes any more."""
        self._closed = True
        self._wake()

    def newest(self) -> str:
        """Return the newest value; empty before the first."""
        return self._text

    async def after(self, number: int) -> tuple[int, str] | None:
        """Return the newest value and its number, once it is newer than `number`.

        None if the server ends.
        """
        while True:
            loop = asyncio.get_running_loop()
            with self._lock:
                if self._closed:
                    return None
                if self._number > number:
                    return self._number, self._text
                future = loop.create_future()
                self._waiting[future] = loop
            try:
                await future
            finally:
                with self._lock:
                    self._waiting.pop(future, None)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count a page as long as the block runs."""
        with self._lock:
            self.watchers += 1
        try:
            yield
        finally:
            with self._lock:
                self.watchers -= 1

    def _wake(self) -> None:
        with self._lock:
            waiting = list(self._waiting.items())
            self._waiting.clear()
        for future, loop in waiting:
            try:
                loop.call_soon_threadsafe(_finish, future)
            except RuntimeError:  # its server has ended meanwhile
                continue


def events(latest: Latest, request: Request) -> StreamingResponse:
    """Return a stream of what is newest.

    It ends when the page leaves or the server ends. The next value is sent when the
    last one was taken: a page that does not read makes only its own stream wait.
    """

    async def stream() -> AsyncIterator[bytes]:
        number = 0
        with latest.watched():
            while not await request.is_disconnected():
                try:
                    found = await asyncio.wait_for(latest.after(number), _QUIET)
                except TimeoutError:
                    yield b":\n\n"
                    continue
                if found is None:
                    return
                number, text = found
                yield _event(number, text)

    return StreamingResponse(stream(), media_type="text/event-stream")


def _event(number: int, text: str) -> bytes:
    r"""Return a text as an event; each of its lines is one of the event's.

    Examples
    --------
    >>> _event(2, "a")
    b'id: 2\ndata: a\n\n'
    """
    lines = "".join(f"data: {line}\n" for line in text.split("\n"))
    return f"id: {number}\n{lines}\n".encode(errors="backslashreplace")


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

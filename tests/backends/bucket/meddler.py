"""A TCP proxy that answers some requests itself, or leaves something out of all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..tcp_proxy import TcpProxy

if TYPE_CHECKING:
    import socket
    import threading


def refusal(status: str, code: str) -> bytes:
    """Return what S3 answers when it refuses a request."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>"
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


class Meddler(TcpProxy):
    """Forwards connections to a port.

    Attributes
    ----------
    without : bytes
        What is cut out of every request.
    answered : int
        How many requests were answered here.
    """

    def __init__(self, upstream: int) -> None:
        self._answers: list[tuple[bytes, bytes]] = []
        self.without = b""
        self.answered = 0
        super().__init__(upstream)

    def answer(self, word: bytes, reply: bytes, count: int = 1) -> None:
        """Answer the next requests with a word in them."""
        self._answers += [(word, reply)] * count

    def forget(self) -> None:
        """Answer nothing here any more."""
        self._answers = []

    def _answer_to(self, request: bytes) -> bytes:
        if self._answers and self._answers[0][0] in request:
            self.answered += 1
            return self._answers.pop(0)[1]
        return b""

    def forward(
        self,
        request: bytes,
        client: socket.socket,
        server: socket.socket,
        cut: threading.Event,
    ) -> bool:
        if reply := self._answer_to(request):
            cut.set()
            client.sendall(reply)
            time.sleep(0.05)  # the rest of the request comes, unread
            return False
        server.sendall(request.replace(self.without, b"") if self.without else request)
        return True

"""A TCP proxy that answers some requests itself, or leaves something out of all."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


def refusal(status: str, code: str) -> bytes:
    """Return what S3 answers when it refuses a request."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>"
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


class Meddler:
    """Forwards connections to a port.

    Attributes
    ----------
    without : bytes
        What is cut out of every request.
    answered : int
        How many requests were answered here.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = "127.0.0.1", upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._answers: list[tuple[bytes, bytes]] = []
        self.without = b""
        self.answered = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def answer(self, word: bytes, reply: bytes, count: int = 1) -> None:
        """Answer the next requests with a word in them."""
        self._answers += [(word, reply)] * count

    def _answer_to(self, request: bytes) -> bytes:
        if self._answers and self._answers[0][0] in request:
            self.answered += 1
            return self._answers.pop(0)[1]
        return b""

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                ).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as server:
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()
            with contextlib.suppress(OSError):
                while request := client.recv(1 << 20):
                    if reply := self._answer_to(request):
                        client.sendall(reply)
                        time.sleep(0.05)  # the rest of the request comes, unread
                        return
                    if self.without:
                        request = request.replace(self.without, b"")
                    server.sendall(request)

    def close(self) -> None:
        self._listener.close()


def _copy(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while reply := server.recv(1 << 20):
            client.sendall(reply)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)

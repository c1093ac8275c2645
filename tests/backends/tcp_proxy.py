"""A TCP proxy in threads, all of which have ended when it is closed.

Threads that stay would be in the way of tests that fork this process later.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from abc import ABC, abstractmethod


class TcpProxy(ABC):
    """Forwards connections to a port; what becomes of a request is for subclasses."""

    def __init__(self, upstream: int) -> None:
        self._upstream = "127.0.0.1", upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @abstractmethod
    def forward(
        self,
        request: bytes,
        client: socket.socket,
        server: socket.socket,
        cut: threading.Event,
    ) -> bool:
        """Hand on a request; return whether the connection goes on.

        No reply comes through once `cut` is set.
        """

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                )
                self._sockets.append(client)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(ConnectionRefusedError),
            client,
            socket.create_connection(self._upstream) as server,
        ):
            cut = threading.Event()
            back = threading.Thread(
                target=_reply, args=(server, client, cut), daemon=True
            )
            back.start()
            with contextlib.suppress(OSError):
                while request := client.recv(1 << 20):
                    if not self.forward(request, client, server, cut):
                        break
            with contextlib.suppress(OSError):  # also if the client was killed
                server.shutdown(socket.SHUT_WR)
            back.join()

    def close(self) -> None:
        """End all connections, and the threads that serve them."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()


def _reply(server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while (reply := server.recv(1 << 20)) and not cut.is_set():
            client.sendall(reply)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)

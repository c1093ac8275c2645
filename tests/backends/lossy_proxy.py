"""A TCP proxy that loses replies: the server did what it was told, nobody hears it."""

from __future__ import annotations

import contextlib
import socket
import threading


class LossyProxy:
    """Forwards connections to a port; cuts them, when told to, after a request.

    Attributes
    ----------
    lost : int
        How many replies were lost so far.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = "127.0.0.1", upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._word, self._left, self._passing = b"", 0, 0
        self.lost = 0
        self._sockets = [self._listener]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def lose(self, word: bytes, count: int = 1, *, after: int = 0) -> None:
        """Lose the replies to the next requests with a word in them, but for some."""
        with self._lock:
            self._word, self._left, self._passing = word, count, after

    def _is_to_be_lost(self, request: bytes) -> bool:
        with self._lock:
            if not self._left or self._word not in request:
                return False
            if self._passing:
                self._passing -= 1
                return False
            self._left -= 1
            self.lost += 1
            return True

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
            lossy = threading.Event()
            back = threading.Thread(
                target=_reply, args=(server, client, lossy), daemon=True
            )
            back.start()
            with contextlib.suppress(OSError):
                while request := client.recv(1 << 20):
                    if self._is_to_be_lost(request):
                        lossy.set()
                    server.sendall(request)
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


def _reply(
    server: socket.socket, client: socket.socket, lossy: threading.Event
) -> None:
    with contextlib.suppress(OSError):
        while (reply := server.recv(1 << 20)) and not lossy.is_set():
            client.sendall(reply)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)

"""A TCP proxy that loses replies: the server did what it was told, nobody hears it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .tcp_proxy import TcpProxy

if TYPE_CHECKING:
    import socket


class LossyProxy(TcpProxy):
    """Forwards connections to a port; cuts them, when told to, after a request.

    Attributes
    ----------
    lost : int
        How many replies were lost so far.
    """

    def __init__(self, upstream: int) -> None:
        self._lock = threading.Lock()
        self._word, self._left, self._passing = b"", 0, 0
        self.lost = 0
        super().__init__(upstream)

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

    def forward(
        self,
        request: bytes,
        client: socket.socket,
        server: socket.socket,
        cut: threading.Event,
    ) -> bool:
        if self._is_to_be_lost(request):
            cut.set()
        server.sendall(request)
        return True

"""What was computed and may be asked for again, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from segkit.names import known_as


@known_as("segkit.names")
class Cache:
    """Values by key; those that were not asked for longest go first.

    Parameters
    ----------
    limit : int
        Bytes that the values may take together. A value larger than that is not kept.

    Examples
    --------
    >>> cache = Cache(10)
    >>> cache.put("a", "first", 6), cache.put("b", "second", 6)
    (None, None)
    >>> cache.get("a"), cache.get("b"), cache.nbytes
    (None, 'second', 6)
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.nbytes = 0
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def get(self, key: str) -> Any:
        """Return a value, None if it is not here."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: str, value: Any, nbytes: int) -> None:
        """Keep a value of so many bytes, and let others go for it."""
        with self._lock:
            if key in self._kept:
                self.nbytes -= self._kept.pop(key)[1]
            if nbytes > self.limit:
                return
            self._kept[key] = value, nbytes
            self.nbytes += nbytes
            while self.nbytes > self.limit:
                self.nbytes -= self._kept.popitem(last=False)[1][1]

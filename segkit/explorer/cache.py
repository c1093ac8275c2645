"""What steps made; it may be asked for again, and is kept up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from segkit.names import known_as

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.explorer.regions import Region
    from segkit.pipeline.steps import Content


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


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Made:
    """What a step made of a region.

    Attributes
    ----------
    place : int
        Of the step in its list, from 0.
    content : {'grey', 'mask', 'labels', 'table'} or None
        What it made; None of a step that leaves all as it is.
    value : ndarray or dict of str to ndarray, optional
        The array, or the table.
    exact : bool
        Whether it is, where it is shown, what it would be of the whole image.
    seconds : float
        How long it took; 0 if it was kept.
    key : str
        Under which it is kept.
    error : str
        Why it has no result.
    near : bool
        Whether a voxel of it depends on what is near only.
    """

    place: int
    content: Content | str | None = None
    value: Any = None
    exact: bool = True
    seconds: float = 0.0
    key: str = ""
    error: str = ""
    near: bool = True


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Outcome:
    """What steps made of a region, as far as they could.

    Attributes
    ----------
    region : Region
        What was computed.
    image : ndarray
        Its grey values.
    steps : tuple of Made
        One for each step that is on, up to the one that raised.
    """

    region: Region
    image: Array
    steps: tuple[Made, ...]

    def last(self, *contents: str) -> Made | None:
        """Return what the last step made that made one of some contents."""
        found = [one for one in self.steps if one.content in contents]
        return found[-1] if found else None

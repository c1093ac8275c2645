"""What `tg verify` found to give other results: no later sample undoes that.

A small sample may miss what differs. So what one has found is kept in a document of its
own: of which function, by which code, under which code of now. Until the code changes
or somebody says otherwise (`tg accept`, a larger tolerance), no sample accepts these.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backends.interface import Backend

_PREFIX = "refused-"


@dataclass(frozen=True, slots=True)
class Refusal:
    """That results of a function by one code are not those of another.

    Attributes
    ----------
    name : str
        The function's.
    old : str
        Digest of the code that made them.
    new : str
        Digest of the code that they were compared with.
    keys : tuple of str
        Whose results differed, in hexadecimal digits.
    why : str
        Where, in words.
    unstable : bool
        Whether the function gave another result each time.
    relative, absolute : float
        How far numbers might differ.
    time : float
        When it was found, in seconds since the epoch.
    """

    name: str
    old: str
    new: str
    keys: tuple[str, ...]
    why: str = ""
    unstable: bool = False
    relative: float = 0.0
    absolute: float = 0.0
    time: float = 0.0

    def stands(self, relative: float, absolute: float) -> bool:
        """Return whether no sample compared with such a tolerance can end it.

        Examples
        --------
        >>> found = Refusal("f", "a", "b", (), relative=0.01)
        >>> found.stands(0.01, 0), found.stands(0.1, 0), found.stands(0.001, 1)
        (True, False, True)
        """
        if self.unstable or relative < self.relative or absolute < self.absolute:
            return True
        return (relative, absolute) == (self.relative, self.absolute)


def refuse(backend: Backend, refusals: Iterable[Refusal]) -> None:
    """Keep refusals in a store."""
    for one in refusals:
        name = f"{_PREFIX}{os.urandom(8).hex()}"
        backend.documents.put(name, json.dumps(asdict(one)).encode())


def refusals(backend: Backend) -> list[Refusal]:
    """Return the refusals in a store, oldest first; what is damaged is left out."""
    found = []
    for name in backend.documents.names():
        if name.startswith(_PREFIX):
            with suppress(DamagedError, ValueError, TypeError, KeyError):
                found.append(_read(json.loads(backend.documents.get(name) or b"{}")))
    return sorted(found, key=lambda one: (one.time, one.name, one.keys))


def _read(plain: Any) -> Refusal:
    found = Refusal(**{**plain, "keys": tuple(plain["keys"])})
    texts = (found.name, found.old, found.new, found.why, *found.keys)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a refusal of another form")
    numbers = (found.relative, found.absolute, found.time)
    if not all(isinstance(number, int | float) for number in numbers):
        raise TypeError("a refusal of another form")
    for key in found.keys:
        bytes.fromhex(key)
    return found


def copy_refusals(source: Backend, target: Backend) -> None:
    """Let another store know what was refused in this one."""
    there = set(target.documents.names())
    for name in source.documents.names():
        if name.startswith(_PREFIX) and name not in there:
            with suppress(DamagedError):
                target.documents.put(name, source.documents.get(name) or b"")

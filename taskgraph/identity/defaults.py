"""Defaults of parameters, as they stand in keys, and what tasks put into them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from taskgraph.errors import UnhashableError, UsageError
from taskgraph.identity.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_KEY = b"_"


class Default:
    """The default of a parameter, as it stands in the form of a call.

    One that cannot change is left to the function, and so is one without a stable
    hash, which is no part of the key: an ``object()`` that marks what is missing. One
    that can change, or has tasks in it, is passed like an argument. But an empty list
    or dict is left to the function too, which may know it by identity or keep something
    there; `empty` takes that out, so that no task finds what an earlier one left.

    Attributes
    ----------
    name : str
        Of the parameter.
    value : object
        The default itself.
    live : bool
        Whether it can change, or has tasks in it.
    """

    __slots__ = ("__weakref__", "_encoded", "_kept", "live", "name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        self._kept = False
        encoder = Encoder()
        try:
            self._encoded = encoder.item(value)
            self.live = encoder.mutable or bool(encoder.tasks)
        except UnhashableError:
            self._encoded, self.live = _NO_KEY, False
        if self.live:
            LIVE.append(ref(self, LIVE.remove))

    @property
    def is_mark(self) -> bool:
        """Whether it is no part of the key."""
        return self._encoded == _NO_KEY

    def __taskgraph_encode__(self, encoder: Encoder) -> bytes:
        """Return what stands for it in a key."""
        if self.live:
            encoder.mutable = True
        return self._encoded

    def taken(self) -> Any:
        """Return itself if it is left to the function, else what is to be passed.

        Raises
        ------
        UsageError
            It was empty and left to the function, and somebody else filled it.
        """
        if not self.live:
            return self
        if _is_empty(self.value):
            if not self._kept:
                self._kept, self._encoded = True, Encoder().item(self.value)
            return self
        if self._kept:
            raise UsageError(
                f"the default of {self.name} was empty when a call was written down, "
                "and was filled before it was made, by what is no task; pass it as an "
                f"argument, or write {self.name}=None and make it in the function"
            )
        return self.value

    def empty(self) -> None:
        """Take out what a task has put into it, which found it empty."""
        if not _is_empty(self.value):
            with suppress(Exception):  # what cannot be emptied is refused when taken
                self.value.clear()


def _is_empty(value: Any) -> bool:
    try:
        return len(value) == 0
    except TypeError:
        return False


LIVE: Final[list[ref[Default]]] = []
"""The defaults that can change of all functions of this process that are looked at.

A script that is read again has its functions anew; those of before are forgotten.
"""


def left_empty(own: Iterable[Default], *, alone: bool) -> list[Default]:
    """Return the defaults that are empty now: what is in one later, a task put there.

    Parameters
    ----------
    own : iterable of Default
        Those of the function of a task that begins.
    alone : bool
        Whether no other thread runs tasks: then those of all functions are looked at,
        as a task may call one by itself (``g.f(x)``).
    """
    if not alone:
        return [one for one in own if _is_empty(one.value)]
    found = [one() for one in LIVE.copy()]  # a collection may shorten it meanwhile
    return [one for one in found if one is not None and _is_empty(one.value)]

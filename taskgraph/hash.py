"""Digests of values as keys are made of them, by the names of jug's module.

They are others than jug's, and so are all keys: see ``docs/from-jug.md``.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from taskgraph.identity.call_keys import KEY_SIZE
from taskgraph.identity.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_made_by: ContextVar[Callable[[Any], bytes] | None] = ContextVar("by", default=None)
__all__ = ["hash_one", "hash_update", "new_hash_object"]


def hash_one(obj: Any) -> bytes:
    """Return the digest of a value, as hexadecimal digits.

    Raises
    ------
    UnhashableError
        The value has no stable hash.

    Examples
    --------
    >>> len(hash_one([1, 2])), hash_one([[1], 2]) == hash_one([[1, 2]])
    (40, False)
    """
    other = _made_by.get()
    if other is not None:
        return other(obj)
    return blake3(Encoder().encode(obj)).hexdigest(length=KEY_SIZE).encode()


@contextmanager
def digests_made_by(function: Callable[[Any], bytes]) -> Iterator[None]:
    """Let `hash_one` return what a function does, as long as the block runs.

    What a jugfile says of its own objects by `hash_one` is so found in stores of jug's.
    """
    token = _made_by.set(function)
    try:
        yield
    finally:
        _made_by.reset(token)


def new_hash_object() -> Any:
    """Return a digest in the making: it has ``update`` and ``hexdigest``."""
    return blake3()


def hash_update(digest: Any, elems: Iterable[tuple[Any, Any]]) -> Any:
    """Add pairs of a name and a value to a digest in the making, and return it.

    Raises
    ------
    UnhashableError
        A value has no stable hash.

    Examples
    --------
    >>> one = hash_update(new_hash_object(), [("x", 1)])
    >>> one.hexdigest() == hash_update(new_hash_object(), [("x", 2)]).hexdigest()
    False
    """
    encoder = Encoder()
    for name, element in elems:
        digest.update(encoder.encode((name, element)))
    return digest

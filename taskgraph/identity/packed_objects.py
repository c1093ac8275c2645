"""Many Python objects as bytes, those of a kind together: columns of text, of numbers.

The bytes say everything about the list: a letter for the kind of each object, then,
kind after kind, what the objects of that kind are, in order. Encoding objects one by
one takes some ten times as long.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy

from taskgraph.errors import UnhashableError

if TYPE_CHECKING:
    from collections.abc import Callable

_LETTERS = {type(None): "N", bool: "b", int: "i", float: "f", str: "s"}
_OTHER = "o"
_SMALL = 1 << 63


class _Letters(dict[type, str]):
    def __missing__(self, kind: type) -> str:
        return _OTHER


_letter_of = _Letters(_LETTERS).__getitem__


def pack_objects(objects: list[Any], encode: Callable[[Any], bytes]) -> bytes:
    """Return the bytes of a list.

    Parameters
    ----------
    objects : list
        Anything.
    encode : callable
        Returns the bytes of what is no plain number or text.

    Examples
    --------
    >>> pack_objects(["a", None, "bc"], None)
    b'sNs3:...abc'
    """
    letters = "".join(map(_letter_of, map(type, objects)))
    if "i" in letters:
        letters = _with_large(letters, objects)
    parts = [letters.encode()]
    for letter, pack in (("b", _flags), ("i", _ints), ("f", _floats), ("s", _texts)):
        if letter in letters:
            chosen = _chosen(objects, letters, letter)
            parts.append(pack(chosen))
    if _OTHER in letters:
        parts += _others(objects, letters, encode)
    return b"".join(parts)


def _with_large(letters: str, objects: list[Any]) -> str:
    """Return the letters, with that of others for numbers of more than 64 bits."""
    ints = _chosen(objects, letters, "i")
    if min(ints) >= -_SMALL and max(ints) < _SMALL:
        return letters
    return "".join(
        _OTHER if letter == "i" and not -_SMALL <= one < _SMALL else letter
        for letter, one in zip(letters, objects, strict=True)
    )


def _chosen(objects: list[Any], letters: str, letter: str) -> list[Any]:
    if letters.count(letter) == len(letters):
        return objects
    return list(compress(objects, map(letter.__eq__, letters)))


def _others(
    objects: list[Any], letters: str, encode: Callable[[Any], bytes]
) -> list[bytes]:
    """Return the bytes of what is no plain number or text; those of one object once."""
    known: dict[int, bytes] = {}
    parts = []
    for place, letter in enumerate(letters):
        if letter == _OTHER:
            one = objects[place]
            if id(one) not in known:
                try:
                    known[id(one)] = encode(one)
                except UnhashableError as error:
                    raise UnhashableError(f"[{place}]{error.path}", error.why) from None
            parts.append(known[id(one)])
    return parts


def _flags(values: list[bool]) -> bytes:
    return bytes(values)


def _ints(values: list[int]) -> bytes:
    return bytes(numpy.array(values, dtype="<i8").tobytes())


def _floats(values: list[float]) -> bytes:
    packed = numpy.array(values, dtype="<f8")
    packed[numpy.isnan(packed)] = numpy.nan
    return bytes(packed.tobytes())


def _texts(values: list[str]) -> bytes:
    """Return texts: bytes of all, lengths in letters, their bytes one after another."""
    joined = "".join(values).encode("utf-8", "surrogatepass")
    lengths = numpy.fromiter(map(len, values), dtype="<i8", count=len(values))
    return b"%d:%b%b" % (len(joined), lengths.tobytes(), joined)

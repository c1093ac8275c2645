"""Keys of calls: digests of what is encoded of a function and of its arguments.

A key is the first 20 bytes of the BLAKE3 digest of ``taskgraph2`` NUL, function name,
version label, the positional arguments as a tuple (defaults filled in), and the
keyword-only ones as a dict, each as `taskgraph.identity.hashing` encodes it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from taskgraph.identity.scalars import SCALARS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from taskgraph.identity.hashing import Encoder
    from taskgraph.identity.parameters import Call, Parameters

KEY_SIZE = 20
PREFIX = b"taskgraph2\0"
NO_KEYWORDS_ENCODED = b"d0:"
_IGNORED = b"_"
_AT_REST: list[blake3] = []
"""Hashers that nobody uses now: to make one takes longer than to hash a call."""


def digest(*encoded: bytes) -> bytes:
    """Return the key of a call from what is encoded of it, in parts.

    Examples
    --------
    >>> len(digest(b"a", b"b")) == KEY_SIZE
    True
    """
    try:
        hasher = _AT_REST.pop()  # whoever interrupts this takes another one
    except IndexError:
        hasher = blake3()
    hasher.reset()
    for part in encoded:  # a join would copy the keys of a million tasks
        hasher.update(part)
    key = hasher.digest(KEY_SIZE)
    _AT_REST.append(hasher)
    return key


def digests(calls: Iterable[bytes]) -> list[bytes]:
    """Return the keys of encoded calls, as `digest` does that of each.

    Examples
    --------
    >>> digests([b"ab", b"c"]) == [digest(b"a", b"b"), digest(b"", b"c")]
    True
    """
    hasher = blake3()
    reset, update, result = hasher.reset, hasher.update, hasher.digest
    keys = []
    for call in calls:
        reset()
        update(call)
        keys.append(result(KEY_SIZE))
    return keys


class CallKeys:
    """The keys of the calls of one function.

    Parameters
    ----------
    name : str
        What its results are known by.
    prefix : bytes
        What is encoded of the function.
    parameters : Parameters
        How it takes its arguments.
    ignore : collection of str
        The arguments that do not count.
    given : pair of tuple and dict
        The arguments that each call has before its own, by position and by name.

    Attributes
    ----------
    tails : dict
        What is encoded last of calls without names in which nothing but the arguments
        has to be looked at, by how many these are.
    """

    def __init__(
        self,
        name: str,
        prefix: bytes,
        parameters: Parameters,
        ignore: Collection[str],
        given: Call,
    ) -> None:
        self._name, self._prefix = name, prefix
        self._parameters, self._ignore, self._given = parameters, ignore, given
        plain = not (ignore or any(given))
        tails = parameters.tails() if plain else {}
        self.tails = {n: tail + NO_KEYWORDS_ENCODED for n, tail in tails.items()}
        self._quick = plain and parameters.quick
        self._plain_prefix = b"%b(%d:" % (prefix, parameters.count)

    def of_scalars(self, calls: Sequence[Any]) -> list[bytes]:
        """Return the keys of calls with numbers and texts alone, many at once.

        Parameters
        ----------
        calls : sequence of tuple or object
            The arguments of each call, as many as `tails` knows; or a single one.
        """
        return digests(self._encoded(calls))

    def _encoded(self, calls: Sequence[Any]) -> list[bytes]:
        prefix, tails = self._plain_prefix, self.tails
        kinds = set(map(type, calls))
        if len(kinds) > 1 or tuple in kinds:
            return [self._encoded_one(call) for call in calls]
        (kind,) = kinds
        if kind is int:
            form = prefix.replace(b"%", b"%%") + b"i%d;" + tails[1].replace(b"%", b"%%")
            with suppress(ValueError):  # one of thousands of digits
                return list(map(form.__mod__, calls))
        tail = tails[1]
        return [prefix + encoded + tail for encoded in map(SCALARS[kind], calls)]

    def _encoded_one(self, call: Any) -> bytes:
        values = call if isinstance(call, tuple) else (call,)
        items = [SCALARS[type(value)](value) for value in values]
        return b"".join((self._plain_prefix, *items, self.tails[len(values)]))

    def of(
        self, encoder: Encoder, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], bytes]:
        """Return a call as it is to be made, and its key, however it was written."""
        before, named = self._given
        if before or named:
            args, kwargs = (*before, *args), {**named, **kwargs}
        else:
            tail = None if kwargs else self.tails.get(len(args))
            if tail is not None:
                return args, kwargs, self._of_plain(encoder, args, tail)
            found = self._parameters.bind_simple(args, kwargs) if self._quick else None
            if found is not None:
                key = self._of_plain(encoder, found, NO_KEYWORDS_ENCODED)
                return args, kwargs, key
        form, call = self._parameters.complete(self._name, args, kwargs)
        return *call, self._of_form(encoder, form)

    def again(
        self, encoder: Encoder, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bytes:
        """Return the key that a call has as it is made."""
        form, _ = self._parameters.complete(self._name, args, kwargs)
        return self._of_form(encoder, form)

    def _of_plain(self, encoder: Encoder, args: tuple[Any, ...], tail: bytes) -> bytes:
        return digest(self._plain_prefix, *encoder.items(args), tail)

    def _of_form(self, encoder: Encoder, form: Call) -> bytes:
        names = self._parameters.names
        encoded = encoded_arguments(encoder, *form, names, self._ignore)
        return digest(self._prefix, encoded)


def encoded_arguments(
    encoder: Encoder,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    names: Sequence[str],
    ignore: Collection[str],
) -> bytes:
    """Return the arguments of a call as they stand in its key.

    Parameters
    ----------
    encoder : Encoder
        Of the recording.
    args, kwargs
        The call in its one form, see `Parameters.bind`.
    names : sequence of str
        The parameters that may be given by position.
    ignore : collection of str
        Those that do not count.
    """
    if not ignore:
        items = encoder.items(args)
        keywords = encoder.below(kwargs) if kwargs else NO_KEYWORDS_ENCODED
        return b"(%d:%b%b" % (len(args), b"".join(items), keywords)
    items = [
        _IGNORED
        if place < len(names) and names[place] in ignore
        else encoder.items((value,))[0]
        for place, value in enumerate(args)
    ]
    kept = {key: value for key, value in kwargs.items() if key not in ignore}
    return b"(%d:%b%b" % (len(args), b"".join(items), encoder.below(kept))

"""Keys of calls: digests of what is encoded of a function and of its arguments.

A key is the first 20 bytes of the BLAKE3 digest of ``taskgraph2`` NUL, function name,
version label, the positional arguments as a tuple (defaults filled in), and the
keyword-only ones as a dict, each as `taskgraph.identity.hashing` encodes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blake3 import blake3

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from taskgraph.identity.hashing import Encoder

KEY_SIZE = 20
PREFIX = b"taskgraph2\0"
NO_KEYWORDS_ENCODED = b"d0:"
_IGNORED = b"_"
_LONG = 1 << 16
"""Bytes that are not copied."""
_AT_REST: list[blake3] = []
"""Hashers that nobody uses now: to make one takes longer than to hash a call."""


def digest(prefix: bytes, arguments: bytes) -> bytes:
    """Return the key of a call from its two encoded halves.

    Examples
    --------
    >>> len(digest(b"", b"")) == KEY_SIZE
    True
    """
    try:
        hasher = _AT_REST.pop()  # whoever interrupts this takes another one
    except IndexError:
        hasher = blake3()
    hasher.reset()
    if len(arguments) > _LONG:
        hasher.update(prefix)
        hasher.update(arguments)
    else:
        hasher.update(prefix + arguments)
    key = hasher.digest(KEY_SIZE)
    _AT_REST.append(hasher)
    return key


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

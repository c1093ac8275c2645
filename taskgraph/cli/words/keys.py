"""Keys of tasks: the digits that people read and type, and which keys are locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backends.interface import Backend

_DIGITS = 12


def short_key(key: bytes) -> str:
    """Return as many digits of a key as people need."""
    return key.hex()[:_DIGITS]


def find_keys(text: str, keys: Iterable[bytes], names: dict[bytes, str]) -> list[bytes]:
    """Return the keys that a function's name, or some hexadecimal digits, stand for.

    Raises
    ------
    UsageError
        None is.

    Examples
    --------
    >>> keys = [bytes.fromhex("abcd" * 10), bytes.fromhex("abff" * 10)]
    >>> len(find_keys("abc", keys, {})), len(find_keys("ab", keys, {}))
    (1, 2)
    >>> find_keys("f", keys, {keys[0]: "jugfile.f"}) == keys[:1]
    True
    """
    if not text:
        raise UsageError("give a function's name or the first digits of a key")
    if named := keys_of_function(text, names):
        return named
    if not (found := keys_beginning(text, keys)):
        raise UsageError(
            f"{text!r} is no function's name and no key begins with it; "
            "`tg status` shows the names"
        )
    return found


def keys_of_function(text: str, names: dict[bytes, str]) -> list[bytes]:
    """Return the keys of the tasks of functions of a name.

    Examples
    --------
    >>> keys_of_function("f", {b"1": "jugfile.f", b"2": "jugfile.g"})
    [b'1']
    """
    from taskgraph.tasks.graph import selector

    matches = selector([text])
    wanted = {name for name in set(names.values()) if matches(name)}
    return [key for key, name in names.items() if name in wanted]


def keys_beginning(digits: str, keys: Iterable[bytes]) -> list[bytes]:
    """Return the keys that begin with some hexadecimal digits."""
    digits = digits.lower()
    return [key for key in dict.fromkeys(keys) if key.hex().startswith(digits)]


def locked_keys(backend: Backend) -> tuple[set[bytes], int]:
    """Return the keys that living workers lock, and how many dead ones lock."""
    if not backend.holders():
        return set(), 0
    from backends.liveness import left_behind

    dead = left_behind(backend)
    locks = backend.locks()
    alive = {lock.key for lock in locks if lock.worker not in dead}
    return alive, len(locks) - len(alive)

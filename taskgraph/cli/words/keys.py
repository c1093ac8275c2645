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
    from taskgraph.tasks.graph import selector

    if not text:
        raise UsageError("give a function's name or the first digits of a key")
    matches = selector([text])
    wanted = {name for name in set(names.values()) if matches(name)}
    if wanted:
        return [key for key, name in names.items() if name in wanted]
    digits = text.lower()
    found = [key for key in dict.fromkeys(keys) if key.hex().startswith(digits)]
    if not found:
        raise UsageError(
            f"{text!r} is no function's name and no key begins with it; "
            "`tg status` shows the names"
        )
    return found


def locked_keys(backend: Backend) -> tuple[set[bytes], int]:
    """Return the keys that living workers lock, and how many dead ones lock."""
    if not backend.holders():
        return set(), 0
    from backends.liveness import left_behind

    dead = left_behind(backend)
    locks = backend.locks()
    alive = {lock.key for lock in locks if lock.worker not in dead}
    return alive, len(locks) - len(alive)

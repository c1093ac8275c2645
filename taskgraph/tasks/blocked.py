"""Why a task has no result: another one that failed, which it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable

    from taskgraph.errors import MissingResultError
    from taskgraph.tasks.recording import Recording

_LOOKED_AT = 1000
"""Tasks that are looked through; a script may ask a million tasks in vain."""


class Needing(Protocol):
    """A task, as far as it matters what it waits for."""

    @property
    def key(self) -> bytes:
        """What its record is stored under."""

    @property
    def name(self) -> str:
        """That of its function."""

    @property
    def needs(self) -> tuple[Needing, ...]:
        """The tasks whose results it needs."""

    @property
    def recording(self) -> Recording[Any]:
        """What knows the store."""


def left_out(
    tasks: Iterable[Needing],
    selected: Callable[[str], bool],
    known: Callable[[bytes], object],
) -> list[str]:
    """Return the functions that selected tasks wait for and that are not selected.

    Parameters
    ----------
    tasks : iterable of Task
        In an order in which each comes after what it needs.
    selected : callable
        Says of a function's name whether its tasks are run.
    known : callable
        Says of a key whether it has a record.
    """
    waits: dict[bytes, set[str]] = {}
    found: set[str] = set()
    for task in tasks:
        if known(task.key):
            continue
        before = [waits[need.key] for need in task.needs if need.key in waits]
        names = set().union(*before)
        if selected(task.name):
            found |= names
        else:
            names.add(task.name)
        waits[task.key] = names
    return sorted(found)


def say_what_blocks(task: Needing, error: MissingResultError) -> None:
    """Let an error say which failed task is in the way, if one is soon found."""
    found = failed_need(task)
    if found is not None:
        why = (
            f"{task.name} ({task.key.hex()[:12]}) has no result: it waits for "
            f"{found.name} ({found.key.hex()[:12]}), which failed; see `tg errors`, or "
            "the `errors` of taskgraph.status()"
        )
        error.args = (why,)


def failed_need(task: Needing) -> Needing | None:
    """Return a task that failed and that `task` needs, maybe through others.

    None if there is none among the first thousand that are not done.
    """
    backend = task.recording.require_results().backend
    met = {task.key: task}

    def needs_of(key: bytes) -> list[bytes]:
        met.update((need.key, need) for need in met[key].needs)
        return [need.key for need in met[key].needs]

    found = first_failed(task.key, needs_of, backend.failures(), backend.keys())
    return None if found is None else met[found]


def first_failed(
    key: bytes,
    needs_of: Callable[[bytes], Iterable[bytes]],
    failures: Collection[bytes],
    known: Container[bytes],
) -> bytes | None:
    """Return the key of a task that failed and that another one needs.

    None if there is none among the first thousand that are not done, or if the other
    one failed itself.

    Parameters
    ----------
    key : bytes
        Of the task that has no result.
    needs_of : callable
        Returns the keys of what a task needs.
    failures : collection of bytes
        Those that failed.
    known : container of bytes
        Those that are done or failed.

    Examples
    --------
    >>> needs = {b"c": [b"b"], b"b": [b"a"], b"a": []}
    >>> first_failed(b"c", needs.__getitem__, {b"a"}, {b"a"})
    b'a'
    """
    if not failures or key in failures:
        return None
    stack = [key]
    seen = {key}
    while stack and len(seen) <= _LOOKED_AT:
        for need in needs_of(stack.pop()):
            if need in failures:
                return need
            if need not in seen and need not in known:
                seen.add(need)
                stack.append(need)
    return None

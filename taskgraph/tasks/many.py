"""Many tasks in a row at once: their keys, what stands for them, and their results."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, NamedTuple

from taskgraph.errors import NoResultError
from taskgraph.tasks.recording import running_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgraph.identity.hashing import Encoder
    from taskgraph.results.results import Results

_AT_ONCE = 10_000
"""Keys that are made or joined at once: Python takes 80 bytes for each meanwhile."""
_REMEMBERED = 1 << 18
"""Tasks in a row that are remembered: 37 bytes for each."""
_MANY = 1000
_FEW, _OFTEN = 4, 50
"""How few keys are asked for at once, and how often in a row, until it is no use."""

_KEY = attrgetter("key")


def give_keys(tasks: Sequence[Any], keyed: type | None = None) -> None:
    """Give tasks of one function their keys, if they are of numbers and texts alone.

    Each is of the class `keyed`, if given, as soon as it has its key: another thread
    may add a task meanwhile, which has none.
    """
    for first in range(0, len(tasks), _AT_ONCE):
        some = tasks[first : first + _AT_ONCE]
        keys = some[0].generator.keys.of_scalars([task.call for task in some])
        for task, key in zip(some, keys, strict=True):
            task.key = key
            if keyed is not None:
                task.__class__ = keyed


def key_asked_for(task: Any, keyed: type) -> bytes:
    """Return the key of a task that had none until now; others get theirs, too.

    They are of the class `keyed` from then on.

    Nothing can become of numbers and texts, so it does not matter when their digests
    are computed, and many in a row take half the time. Where keys are asked for one by
    one all the same, tasks have theirs at once from then on.
    """
    recording = task.recording
    waiting = recording.keyless
    if waiting:
        recording.keyless = defaultdict(list)
        for tasks in waiting.values():
            give_keys(tasks, keyed)
        few = sum(map(len, waiting.values())) < _FEW
        recording.hasty = recording.hasty + 1 if few else 0
        if recording.hasty > _OFTEN:
            recording.keyless = None
    key: bytes
    try:
        key = object.__getattribute__(task, "key")
    except AttributeError:  # another thread has got the others, and is not there yet
        give_keys((task,), keyed)
        key = object.__getattribute__(task, "key")
    return key


class _Row(NamedTuple):
    """Tasks in a row, with what is the same for all calls that are given them."""

    tasks: Sequence[Any]
    keys: tuple[bytes, ...]
    encoded: list[bytes]
    """Some together: to join all would copy the keys of a million once more."""
    recording: Any
    """Of all of them; None if they are of several."""


def _row_of(tasks: Sequence[Any], encoder: Encoder) -> _Row | None:
    """Return what is known of tasks in a row; None if something else is among them.

    The last row is remembered: many calls may be given the same, and be looked at
    again before they are made.
    """
    last: _Row | None = encoder.row
    if last is not None and _are_same(tasks, last.tasks):
        return last
    if not all(hasattr(kind, "__taskgraph_task__") for kind in set(map(type, tasks))):
        return None
    keys = tuple(map(_KEY, tasks))
    some = range(0, len(keys), _AT_ONCE)
    encoded = [b"K" + b"K".join(keys[i : i + _AT_ONCE]) for i in some]
    recordings = {task.recording for task in tasks}
    recording = recordings.pop() if len(recordings) == 1 else None
    row = _Row(tasks[:], keys, encoded, recording)
    encoder.row = row if len(keys) <= _REMEMBERED else None
    return row


def _are_same(some: Sequence[Any], tasks: Sequence[Any]) -> bool:
    """Return whether these are the same objects as some tasks.

    Tasks are equal only to themselves, and refuse to be compared with other things:
    so two lists of many are compared at once, which touches none of them.
    """
    if len(some) != len(tasks):
        return False
    if len(some) < _MANY or type(some) is not type(tasks):
        return all(map(is_, some, tasks))
    try:
        return tasks == some
    except Exception:  # noqa: BLE001 - to refuse, they ask what is none for its repr
        return False


def encode_all(tasks: Sequence[Any], encoder: Encoder) -> list[bytes] | None:
    """Return what stands for tasks in a row, each as in `Task.__taskgraph_encode__`.

    To be joined. None if not all are tasks.
    """
    row = _row_of(tasks, encoder)
    if row is None:
        return None
    encoder.tasks += tasks
    return row.encoded


def values_of(tasks: Sequence[Any]) -> list[Any] | None:
    """Return the results of tasks, as `Task.value` does that of each.

    None if not all are tasks.

    Raises
    ------
    NoResultError
        One has none yet, or it failed.
    """
    row = _row_of(tasks, tasks[0].recording.encoder)
    if row is None:
        return None
    if running_task():  # each is looked at
        return [task.value() for task in tasks]
    results: Results | None = row.recording and row.recording.results
    if results is not None:
        with suppress(NoResultError):  # said below, of the one that has none
            return results.here().load_many(row.keys)
    return [task.value() for task in tasks]

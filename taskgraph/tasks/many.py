"""Many tasks in a row at once: their keys, what stands for them, and their results."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from taskgraph.errors import NoResultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgraph.identity.hashing import Encoder
    from taskgraph.results.results import Results

_AT_ONCE = 10_000
"""Keys that are made or joined at once: Python takes 80 bytes for each meanwhile."""
_FEW, _OFTEN = 4, 50
"""How few keys are asked for at once, and how often in a row, until it is no use."""
_KEY, _RECORDING = attrgetter("key"), attrgetter("recording")


def give_keys(tasks: Sequence[Any]) -> None:
    """Give tasks of one function their keys, if they are of numbers and texts alone."""
    for first in range(0, len(tasks), _AT_ONCE):
        some = tasks[first : first + _AT_ONCE]
        keys = some[0].generator.keys.of_scalars([task.call for task in some])
        for task, key in zip(some, keys, strict=True):
            task.key = key


def key_asked_for(task: Any) -> bytes:
    """Return the key of a task that had none until now; others get theirs, too.

    Nothing can become of numbers and texts, so it does not matter when their digests
    are computed, and many in a row take half the time. Where keys are asked for one by
    one all the same, tasks have theirs at once from then on.
    """
    recording = task.recording
    waiting = recording.keyless
    if waiting:
        recording.keyless = defaultdict(list)
        for tasks in waiting.values():
            give_keys(tasks)
        few = sum(map(len, waiting.values())) < _FEW
        recording.hasty = recording.hasty + 1 if few else 0
        if recording.hasty > _OFTEN:
            recording.keyless = None
    key: bytes
    try:
        key = object.__getattribute__(task, "key")
    except AttributeError:  # another thread has got the others, and is not there yet
        give_keys((task,))
        key = object.__getattribute__(task, "key")
    return key


def encode_all(tasks: Sequence[Any], encoder: Encoder) -> bytes:
    """Return what stands for tasks in a row, each as in `Task.__taskgraph_encode__`."""
    encoder.tasks += tasks
    some = range(0, len(tasks), _AT_ONCE)
    parts = [b"K".join(map(_KEY, tasks[i : i + _AT_ONCE])) for i in some]
    return b"K".join([b"", *parts])


def values_of(tasks: Sequence[Any]) -> list[Any]:
    """Return the results of tasks, as `Task.value` does that of each.

    Raises
    ------
    NoResultError
        One has none yet, or it failed.
    """
    recordings = set(map(_RECORDING, tasks))
    results: Results | None = recordings.pop().results
    if results is not None and not recordings:
        with suppress(NoResultError):  # said below, of the one that has none
            return results.here().load_many(list(map(_KEY, tasks)))
    return [task.value() for task in tasks]

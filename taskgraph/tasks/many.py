"""Many tasks in a row at once: what stands for them in a key, and their results."""

from __future__ import annotations

from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from taskgraph.errors import NoResultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgraph.identity.hashing import Encoder
    from taskgraph.results.results import Results

_AT_ONCE = 10_000
"""Keys that are joined at once: Python takes 80 bytes for each meanwhile."""
_KEY, _RECORDING = attrgetter("key"), attrgetter("recording")


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
            return results.load_many(list(map(_KEY, tasks)))
    return [task.value() for task in tasks]

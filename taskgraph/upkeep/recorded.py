"""What a store knows of tasks that no script of it lists: those of notebooks, say."""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING

from taskgraph.upkeep.snapshot import Snapshot

if TYPE_CHECKING:
    from taskgraph.results.results import Results


def recorded_tasks(results: Results) -> Snapshot:
    """Return all tasks that a store has records of, as if a script had listed these.

    What they need, and their arguments but for the summary in their records, is not
    known.

    Parameters
    ----------
    results : Results
        Of the store, as of its last look.
    """
    keys = sorted(results.keys())
    found = dict.fromkeys(keys, "")
    found |= {key: record.name for key, record in results.records(iter(keys))}
    known = {key: name for key, name in found.items() if name}
    names = sorted(set(known.values()))
    places = {name: place for place, name in enumerate(names)}
    return Snapshot(
        jugfile="",
        arguments=(),
        stamp=(0, 0, 0),
        time=time.time(),
        missing=b"",
        names=names,
        functions=array("I", [places[name] for name in known.values()]),
        keys=b"".join(known),
        counts=array("I", [0]) * len(known),
        needs=array("I"),
        writing=(),
        inputs={},
    )

"""One task run here and now, because a script or a notebook asks for its result."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from taskgraph.errors import NoResultError
from taskgraph.execution.runner import Runner
from taskgraph.results.provenance import Provenance
from taskgraph.results.records import Batch

if TYPE_CHECKING:
    from taskgraph.results.results import Results
    from taskgraph.tasks.task import Task


def run_at_once(results: Results, task: Task) -> Any:
    """Run a task in this process, publish its result and return it.

    Raises
    ------
    NoResultError
        What it needs is missing, or it failed.
    """
    missing = [need for need in task.needs if not results.has(need.key)]
    if missing:
        raise NoResultError(
            f"{task.name} needs {missing[0].name} ({missing[0].key.hex()[:12]}), which "
            "has no result yet; run `tg execute` or use bvalue()"
        )
    batch = Batch()
    claim = results.backend.claim([task.key])
    Runner(results, debug=True).run(task, lambda: batch, str)
    context = Provenance(os.getcwd(), os.environ).context()  # noqa: PTH109
    results.backend.publish(
        batch.keys, bytes(batch.rows), batch.encode(context), since=claim.token
    )
    results.pending.pop(task.key, None)
    return results.load(task.key, task.name)

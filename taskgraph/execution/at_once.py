"""One task run here and now, because a script or a notebook asks for its result."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backends.warning import warn
from taskgraph.description import describe
from taskgraph.errors import ArgumentChangedError, NoResultError
from taskgraph.execution.in_process import member
from taskgraph.execution.other_workers import OtherWorkers
from taskgraph.execution.runner import Runner
from taskgraph.execution.writing.renaming import OvertakenError
from taskgraph.results.batch import Batch
from taskgraph.results.provenance import Provenance
from taskgraph.tasks.graph import Graph, closure_of
from taskgraph.upkeep.gone_files import forget_overwritten
from taskgraph.upkeep.invalidation import INVALIDATION, forget, with_dependants
from taskgraph.upkeep.snapshot import load_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from backends.interface import Backend, Claim
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task


def run_at_once(
    results: Results,
    task: Task,
    *,
    again: bool = False,
    member: Callable[[Backend], AbstractContextManager[None]] = member,
    also: Sequence[str] = (),
) -> Any:
    """Run a task in this process, publish its result and return it.

    If another process runs it, wait for that one's result.

    Parameters
    ----------
    results : Results
        Where its result goes.
    task : Task
        What it needs has results.
    again : bool, optional
        Run it even if it has a result. Another result takes the place of that one, and
        what was made of that one is forgotten; `tg undo` takes this back.
    member : callable
        Makes this process a member of the store in a block, so that its lock counts.
    also : sequence of str, optional
        Other stores, one of which may have the result.

    Raises
    ------
    NoResultError
        What it needs is missing, or it failed.
    ArgumentChangedError
        The function changed an argument in place. Nothing is kept: whoever finds a
        result would have the argument unchanged.
    """
    missing = [need for need in task.needs if not results.has(need.key)]
    if missing:
        raise NoResultError(
            f"{task.name} needs {missing[0].name} ({missing[0].key.hex()[:12]}), which "
            "has no result yet; run `tg execute`, or taskgraph.run() from Python, or "
            "use bvalue()"
        )
    backend = results.backend
    if again and backend.find(task.key) is not None:
        return _run_again(results, task)
    if not backend.shared:
        _publish(results, _ran(results, task), backend.claim([task.key]))
        return results.load(task.key, task.name)
    backend.make()
    with member(backend):
        claim = _claim(results, task)
        if claim.keys:
            try:
                if not (also and _taken(results, task, claim, also)):
                    with suppress(OvertakenError):  # its result is as good
                        _publish(results, _ran(results, task), claim)
            finally:
                backend.release([task.key])
    return results.load(task.key, task.name)


def _taken(results: Results, task: Task, claim: Claim, also: Sequence[str]) -> bool:
    """Take the result of a task that is locked from another store, if one has it."""
    from taskgraph.upkeep.other_stores import OtherStores

    others = OtherStores(also, results)
    others.look(Graph([task]))
    return others.take([task.key], claim.token) > 0


def take_all(loaded: Loaded, also: Sequence[str]) -> int:
    """Take all results of a graph from other stores that a run would; return how many.

    What somebody is running now is left to them. What cannot be read is warned of.
    """
    from taskgraph.upkeep.other_stores import OtherStores

    results, backend = loaded.results, loaded.results.backend
    backend.poll()
    others = OtherStores(also, results)
    others.look(loaded.graph)
    wanted = [
        key for key in loaded.graph if backend.find(key) is None and key in others
    ]
    taken = 0
    if wanted:
        backend.make()
        with member(backend):
            claim = backend.claim(wanted)
            try:
                taken = others.take(claim.keys, claim.token)
            finally:
                backend.release(claim.keys)
    for sentence in others.told:
        warn(sentence)
    return taken


def _claim(results: Results, task: Task) -> Claim:
    """Lock a task; no keys if it has got a record meanwhile."""
    backend = results.backend
    others = OtherWorkers(backend)
    while True:
        claim = backend.claim([task.key])
        if claim.keys or backend.find(task.key) is not None:
            return claim
        if not others.expel_dead():
            backend.wait(max(1.0, 4 * backend.latency))
        backend.poll()


def _run_again(results: Results, task: Task) -> Any:
    """Run a task that has a record; replace that, with all that was made of it."""
    backend = results.backend
    batch = _ran(results, task)
    payload = results.pending[task.key]
    results.settle([task.key], stored=False)
    if results.has(task.key) and payload == results.payload(task.key):
        return results.load(task.key, task.name)
    known = closure_of([task.key], Graph(task.recording.tasks).dependants())
    graphs = load_all(backend)
    reason = f"{INVALIDATION} {task.name}, run again"
    forget(results, with_dependants(known, graphs), graphs, reason=reason)
    _publish(results, batch, backend.claim([task.key]))
    backend.release([task.key])
    return results.load(task.key, task.name)


def _ran(results: Results, task: Task) -> Batch:
    batch = Batch()
    Runner(results, debug=True, alone=False).run(task, lambda: batch, str)
    if task.changed():
        results.settle([task.key], stored=False)
        raise ArgumentChangedError(
            f"{describe(task.name, task.args, task.kwargs)} changed an argument in "
            "place, which a call that is found in the store would not do, so nothing "
            "was kept; let the function copy what it changes, and return it"
        )
    return batch


def _publish(results: Results, batch: Batch, claim: Claim) -> None:
    context = Provenance(os.getcwd(), os.environ).context()  # noqa: PTH109
    accepted = results.backend.publish(
        batch.keys,
        bytes(batch.rows),
        batch.encode(context, results.backend.places),
        since=claim.token,
        inputs=batch.inputs,
    )
    results.settle(batch.keys, stored=accepted == len(batch.keys))
    if accepted < len(batch.keys):
        forget_overwritten(results, batch.keys)

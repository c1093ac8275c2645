"""Tasks that kill their workers, or have to be killed with them: when to give up."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from backends.garbage import few_collections
from backends.interface import Cause
from taskgraph.description import summary
from taskgraph.execution.unpublished import Unpublished
from taskgraph.records import Failure
from taskgraph.results.batch import Batch
from taskgraph.results.causes import KILLED

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from backends.interface import Backend, Claim, Key
    from taskgraph.results.causes import Causes
    from taskgraph.tasks.graph import Graph

KILLED_LIMIT = 3
LOST_LIMIT = 6
_WORDS = {Cause.KILLED: "killed", Cause.LOST: "lost"}


def verdict(deaths: Mapping[Cause, int], limit: int = KILLED_LIMIT) -> Failure | None:
    """Return why a task is not run any more, None if it is worth another try.

    Parameters
    ----------
    deaths : mapping
        How often a worker died while it ran the task, by cause.
    limit : int
        How often it may have been killed so.

    Examples
    --------
    >>> verdict({Cause.KILLED: 2, Cause.LOST: 5})
    >>> verdict({Cause.KILLED: 3}).message
    'workers died while they ran it (3 killed); it may need more memory than ...'
    """
    killed, lost = deaths.get(Cause.KILLED, 0), deaths.get(Cause.LOST, 0)
    if killed < limit and lost < LOST_LIMIT:
        return None
    blame = ", ".join(f"{deaths[c]} {_WORDS[c]}" for c in _WORDS if deaths.get(c))
    message = (
        f"workers died while they ran it ({blame}); it may need more memory than there "
        "is, or end its process. Mend it, then `tg retry`"
    )
    return Failure("killed", "WorkerDied", message, "")


def poisonous(
    keys: Iterable[Key], backend: Backend, graph: Graph, causes: Causes | None = None
) -> dict[Key, Failure]:
    """Return which of some tasks kill their workers, and what to record of these.

    Parameters
    ----------
    keys : iterable of bytes
        Theirs.
    backend : Backend
        As of its last look.
    graph : Graph
        With the tasks: a function may say which failures are tried again. One kill is
        enough if that is none of them.
    causes : tuple, optional
        Which are, where a function does not say it.
    """
    found, suspects = {}, backend.suspects()
    for key in filter(suspects.__contains__, keys):
        wanted = graph[key].generator.retries_on or causes
        limit = 1 if wanted and KILLED not in wanted else KILLED_LIMIT
        failure = verdict(backend.deaths(key), limit)
        if failure is not None:
            found[key] = failure
    return found


@few_collections()  # of what waits to be run nothing is garbage
def spared(claim: Claim, deadly: Container[Key]) -> list[tuple[Key, int]]:
    """Return what is to be run of what is locked, each with the token of its lock."""
    return [(key, claim.token) for key in claim.keys if key not in deadly]


def given_up(
    graph: Graph, failures: Mapping[Key, Failure], token: int, now: float
) -> Unpublished:
    """Return records of tasks, locked with a token, that are not run any more."""
    done = Unpublished(token=token)
    for key, failure in failures.items():
        task = graph[key]
        about = (summary(task.args, task.kwargs), now, 0.0, 0.0, 0)
        done.batch.add(task.key, failure, (task.name, ""), about)
    return done


def record_timeout(backend: Backend, worker: str, key: Key, about: str) -> None:
    """Record that a task did not stop at its timeout, if its worker still holds it.

    Parameters
    ----------
    about : str
        Its name and its arguments, with a null character in between.
    """
    backend.poll()
    held = [
        lock for lock in backend.locks() if lock.key == key and lock.worker == worker
    ]
    if not held:
        return  # it was taken over or invalidated: somebody runs it again
    name, _, arguments = about.partition("\0")
    batch = Batch()
    message = "did not stop at its timeout, so its worker was killed"
    failure = Failure("timeout", "Timeout", message, "")
    batch.add(key, failure, (name, ""), (arguments, time.time(), 0.0, 0.0, 0))
    body = batch.encode(
        {"host": os.uname().nodename, "pid": os.getpid()}, backend.places
    )
    backend.publish(batch.keys, bytes(batch.rows), body, since=held[0].token)

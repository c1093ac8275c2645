"""Which failures are tried again when a run begins: each once per run.

A run is the batch system's array of jobs, whose elements may start at any time and
again, else all workers that overlap in time. Its first worker lets what failed before
be tried again; who joins finds others at work, or failures of its own array, and leaves
them. What was recorded after a worker started is never its to take away, which the
discard itself holds to: so workers that start together leave each other's failures.
"""

from __future__ import annotations

import os
from dataclasses import field
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface.frozen import frozen
from backends.liveness import seems_dead, worker_identity
from taskgraph.fingerprints.parts import differs
from taskgraph.results.causes import is_among
from taskgraph.results.failures import discard_failures
from taskgraph.results.provenance import array_id
from taskgraph.upkeep.invalidation import RETRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backends.interface import Backend, Key, Member
    from taskgraph.records import Record
    from taskgraph.results.causes import Causes
    from taskgraph.tasks.jugfile import Loaded

_PASSING = frozenset({"exception", "unstorable"})
"""Causes that may pass, being of the task's code, or of what it met: it raised, or what
it returned could not be stored. Others killed a worker or took too long."""


@frozen
class Verdict:
    """What becomes of the tasks of a graph that failed.

    Attributes
    ----------
    again : list of bytes
        Tried again.
    damaged : list of bytes
        Run again, because what is stored of their failure is damaged.
    same_run : list of bytes
        Failed in this run, `because` of whom it is known.
    deadly : list of bytes
        Killed workers or took too long: only asked for they are run again.
    """

    again: list[Key] = field(default_factory=list)
    damaged: list[Key] = field(default_factory=list)
    same_run: list[Key] = field(default_factory=list)
    deadly: list[Key] = field(default_factory=list)
    because: str = ""


def judge(
    loaded: Loaded,
    environ: Mapping[str, str],
    *,
    everything: bool = False,
    causes: Causes | None = None,
) -> Verdict:
    """Return what becomes of the tasks that failed, as of the last poll.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results.
    environ : mapping
        The environment, for the batch system's array.
    everything : bool
        Try all of them again.
    causes : tuple, optional
        Which failures are tried again, where a function does not say it.
    """
    results = loaded.results
    failed = [key for key in results.backend.failures() if key in loaded.graph]
    if not failed:
        return Verdict()
    others = [] if everything else _others_at_work(results.backend)
    array = array_id(environ)
    because = _named(others[0]) if others else array
    verdict = Verdict(because=because)
    codes = loaded.graph.codes
    for key in failed:
        try:
            record = results.record(key)
        except DamagedError:
            verdict.damaged.append(key)
            continue
        if record is None:
            continue
        if everything or differs(record.code, codes.of(loaded.graph[key])):
            verdict.again.append(key)
        elif not passing(record, loaded.graph[key].generator.retries_on or causes):
            verdict.deadly.append(key)
        elif others or (array and record.context.get("array") == array):
            verdict.same_run.append(key)
        else:
            verdict.again.append(key)
    return verdict


def passing(record: Record, causes: Causes | None) -> bool:
    """Return whether the next run tries once more what failed so."""
    failure = record.failure
    if failure is None:
        return True
    return is_among(failure, causes) if causes else failure.cause in _PASSING


def try_again(loaded: Loaded, verdict: Verdict, before: int) -> str:
    """Let tasks run again; return what to tell of it, empty if there are none.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results.
    verdict : Verdict
        What becomes of failed tasks.
    before : int
        When the run began: a token of the store. What was recorded since stays.
    """
    if not verdict.again:
        return ""
    backend, count = loaded.results.backend, len(verdict.again)
    discard_failures(backend, verdict.again, reason=RETRY, before=before)
    tasks, are = ("1 task", "is") if count == 1 else (f"{count} tasks", "are")
    return f"{tasks} that failed before {are} tried again"


def _others_at_work(backend: Backend) -> list[Member]:
    """Return the living workers of other supervisors."""
    mine = worker_identity(os.getpid(), 1.0, os.getppid())
    above = {os.getpid(), os.getppid()}

    def is_ours(member: Member) -> bool:
        about = member.identity
        if any(about.get(what) != mine[what] for what in ("host", "boot", "space")):
            return False
        supervisor = about.get("supervisor")
        watched = isinstance(supervisor, list) and supervisor[:1] == [os.getppid()]
        return watched or about.get("pid") in above

    members = [one for one in backend.members.all() if one.worker != backend.worker]
    return [one for one in members if not (is_ours(one) or seems_dead(one))]


def _named(member: Member) -> str:
    return f"{member.worker} is at work"

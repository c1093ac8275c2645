"""Why one task is as it is: what it waits for, or in what its call is new."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import TYPE_CHECKING

import msgpack

from backends.errors import DamagedError
from taskgraph.calls.differences import Difference, What, nearest
from taskgraph.calls.kept import Part, is_unknown
from taskgraph.foresight.plan import earlier_calls, forgotten
from taskgraph.foresight.reasons import Reason, reasons
from taskgraph.tasks.blocked import first_failed
from taskgraph.upkeep.gone_files import lost_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from taskgraph.records import Record
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot

_DEEPEST = 8
"""Tasks that are followed, each an argument of the last one."""


@dataclass(slots=True)
class Explanation:
    """Why a task is as it is.

    Attributes
    ----------
    key : bytes
        Its key.
    function : str
        The name of its function.
    state : str
        As in `taskgraph.upkeep.status`.
    reason : Reason or None
        Why it has no result, if it has none.
    blocked_by : bytes or None
        The failed task that is in its way.
    waits_for : list of bytes
        What it needs and has no result.
    changes : list of Change
        In what its call differs from the nearest one with a result; if in a task that
        it is given, in what that one's does, and so on.
    record : Record or None
        What is stored of it.
    moved_from : str
        The name of a function with results that is perhaps the same under its old name.
    files : list of str
        Paths of files that it wrote and that are gone or changed.
    """

    key: bytes
    function: str
    state: str
    reason: Reason | None = None
    blocked_by: bytes | None = None
    waits_for: list[bytes] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    record: Record | None = None
    moved_from: str = ""
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """In what a call differs from the nearest one that has a result.

    Attributes
    ----------
    key, earlier : bytes
        Of the call, and of the earlier one.
    function : str
        The name of the function of both.
    places : list of Difference
        Empty if nothing that is kept of their arguments differs.
    versions : tuple of str
        The version labels, if these differ: before, and now.
    """

    key: bytes
    earlier: bytes
    function: str
    places: list[Difference]
    versions: tuple[str, ...] = ()


class Explainer:
    """Explains tasks of one graph.

    Parameters
    ----------
    snapshot : Snapshot
        The graph as it is now.
    before : Snapshot or None
        As it was kept last.
    results : Results
        Of the store, as of its last look.
    states : mapping
        The state of each task of the graph.
    gone : set of bytes
        Tasks whose files are gone or changed, and what was made of them.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        before: Snapshot | None,
        results: Results,
        states: Mapping[bytes, str],
        gone: set[bytes] = frozenset(),  # type: ignore[assignment] # it is only read
    ) -> None:
        self._snapshot, self._before = snapshot, before or snapshot
        self._results, self._states, self._gone = results, states, gone
        self._names = snapshot.named()
        self._starts: list[int] = []
        self._places: dict[bytes, int] = {}
        self._keys = snapshot.split()
        self._past = earlier_calls(before, states, results)
        self._earlier: dict[str, list[tuple[bytes, Any]]] | None = None
        left = {key for key, state in states.items() if state != "done"}
        self.reasons = reasons(
            snapshot,
            left,
            self._past,
            forgotten=forgotten(results.backend),
            gone=gone,
        )

    def _needs_of(self, key: bytes) -> list[bytes]:
        if not self._starts:
            self._starts = list(accumulate(self._snapshot.counts, initial=0))
            self._places = dict(zip(self._keys, range(len(self._keys)), strict=True))
        place = self._places.get(key)
        if place is None:
            return []
        start, end = self._starts[place : place + 2]
        return [self._keys[need] for need in self._snapshot.needs[start:end]]

    def __call__(self, key: bytes) -> Explanation:
        """Return why a task is as it is."""
        state = self._states.get(key, "not in the jugfile")
        record = None
        try:
            record = self._results.record(key)
        except DamagedError:  # it will be found when it is needed, and run again
            state = "damaged"
        name = self._names.get(key) or (record.name if record else "")
        found = Explanation(key, name, state, record=record)
        if state in ("done", "not in the jugfile", "failed", "damaged"):
            return found
        backend = self._results.backend
        found.reason = self.reasons.get(key)
        known = backend.keys()
        needs = self._needs_of(key)
        found.waits_for = [k for k in needs if self._states.get(k) != "done"]
        if state == "blocked":
            found.blocked_by = first_failed(
                key, self._needs_of, backend.failures(), known
            )
        if key in self._gone:
            found.files = lost_files(self._results, key)
        if found.reason in (Reason.NEW, Reason.INPUT, Reason.FILE):
            found.changes = self._changes(key)
        if found.reason == Reason.NEW and not found.changes:
            found.moved_from = self._moved_from(name)
        return found

    def _changes(self, key: bytes) -> list[Change]:
        found: list[Change] = []
        seen = {key}
        while len(found) < _DEEPEST:
            change = self._change(key)
            if change is None:
                break
            found.append(change)
            tasks = [one for one in change.places if one.what == What.TASK]
            others = [one for one in change.places if one.what != What.TASK]
            if others or not tasks or change.versions:
                break
            key = tasks[0].after.data
            if key in seen or key not in self._names:
                break
            seen.add(key)
        return found

    def _change(self, key: bytes) -> Change | None:
        place, name = self._snapshot.place_of(key), self._names[key]
        call = None if place is None else self._snapshot.calls.raw_at(place)
        if call is None or is_unknown(call):
            return None
        signature = self._snapshot.signature_of(name)
        past = self._before.signature_of(name)
        candidates = [row for row in self._calls_of(name) if row[0] != key]
        found = nearest(call, signature, candidates, past)
        if found is None:
            return None
        earlier, places = found
        versions = (past.version, signature.version)
        old = earlier not in self._states and versions[0] != versions[1]
        return Change(key, earlier, name, places, versions if old else ())

    def _calls_of(self, name: str) -> list[tuple[bytes, Any]]:
        """Return the calls of a function that have a result.

        Those that the graph has no more come last: of several that are equally near,
        one that was changed is preferred.
        """
        if self._earlier is None:
            known, failures = self._results.keys(), self._results.backend.failures()
            self._earlier = {}
            # Mostly all that the graph has is new: it need not be unpacked.
            new = known.isdisjoint(self._states)
            rows = chain(() if new else self._snapshot.rows(), self._past)
            for key, function, raw in rows:
                if key in known and key not in failures:
                    self._earlier.setdefault(function, []).append((key, raw))
        return self._earlier.get(name, [])

    def _moved_from(self, name: str) -> str:
        """Return a function of the same short name with results and without tasks."""
        self._calls_of(name)
        short, now = name.rpartition(".")[2], set(self._names.values())
        for other in self._earlier or ():
            if other not in now and other.rpartition(".")[2] == short:
                return other
        return ""


def advice(change: Change) -> str:
    """Return what can be done so that a difference makes no new call; maybe nothing.

    Examples
    --------
    >>> one = Difference("args.tmpdir", "/a", "/b")
    >>> advice(Change(b"", b"", "f", [one]))
    "leave it out of the key with @TaskGenerator(ignore=('tmpdir',))"

    Of files nothing is advised: without the argument their contents would not count.
    """
    values = [one for one in change.places if one.what == What.VALUE and one.argument]
    if not values or len(values) < len(change.places) or _opaque(values):
        return ""
    names = tuple(dict.fromkeys(one.argument for one in values))
    whole = all(one.path == f"args.{one.argument}" for one in values)
    text = f"leave it out of the key with @TaskGenerator(ignore={names!r})"
    if whole:
        return text
    paths = ", ".join(one.path.removeprefix("args.") for one in values)
    return (
        f"{text}, which leaves out all of {', '.join(names)}; or only {paths}, passed "
        "as an argument of its own"
    )


def _opaque(places: list[Difference]) -> bool:
    return any(_has_parts(side) for one in places for side in (one.before, one.after))


def _has_parts(value: Any) -> bool:
    """Return whether there is more to a value than what is kept of it, or a task."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple) and not isinstance(value, msgpack.ExtType):
        return any(map(_has_parts, value))
    return getattr(value, "code", None) in (Part.TASK, Part.TEXT, Part.FILES)

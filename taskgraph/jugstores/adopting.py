"""Results of jug's as results of ours: published as those of a run are."""

from __future__ import annotations

import os
import pickle
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends.errors import BackendError, DamagedError
from backends.interface import Inputs
from taskgraph.description import describe, summary
from taskgraph.errors import NoResultError, TaskgraphError, UnhashableError
from taskgraph.execution.in_process import member
from taskgraph.execution.other_workers import OtherWorkers
from taskgraph.fingerprints.fingerprint import fingerprint
from taskgraph.mapreduce.building import manner_of
from taskgraph.results.batch import Batch
from taskgraph.results.codec import stored_size
from taskgraph.results.provenance import Provenance
from taskgraph.upkeep.copying import Copied
from taskgraph.upkeep.invalidation import invalidated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from backends.interface import Key
    from taskgraph.jugstores.looking import Looking
    from taskgraph.tasks.task import Task

_ROWS, _BYTES = 1000, 1 << 24
"""So many results, or bytes of them, are published together."""


@dataclass(slots=True)
class Adopted(Copied):
    """What became of the results that jug has.

    Attributes
    ----------
    absent : Counter
        Tasks of which jug has no result, by function.
    unknown : Counter
        Tasks that jug cannot have known, by function.
    reasons : dict
        By function, one of these tasks, and why.
    ambiguous : list of list of str
        Tasks that have one result there, since jug takes them for one.
    writing : Counter
        Tasks that write files, of which jug does not know what they were.
    failed : int
        How many failed here.
    forgotten : int
        How many were invalidated here.
    strange : int
        How many results of jug's are of none of the tasks.
    blocks : int
        How many of the absent ones are blocks of a mapper.
    """

    absent: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    ambiguous: list[list[str]] = field(default_factory=list)
    writing: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    forgotten: int = 0
    strange: int = 0
    blocks: int = 0

    @property
    def left_out(self) -> int:
        """How many are not in the store, whatever the reason; jug may have them."""
        unsure = sum(map(len, self.ambiguous)) + self.unknown.total()
        here = self.failed + self.forgotten + self.locked
        made_of = self.elsewise + self.lacking
        return unsure + here + made_of + len(self.damaged) + self.writing.total()


@dataclass(frozen=True, slots=True)
class _Found:
    """A task, and by which digests jug has results of it: first written first."""

    task: Task
    digests: Mapping[str, Task]


def adopt(
    tasks: Mapping[Key, Sequence[Task]],
    looking: Looking,
    folder: Path,
    *,
    dry_run: bool = False,
    told: Callable[[Adopted], object] = lambda _: None,
) -> Adopted:
    """Publish what jug has of some tasks, each beside what it was made of.

    Parameters
    ----------
    tasks : mapping
        By key, each after those that it needs, with all ways in which it was written
        down.
    looking : Looking
        Where jug has results, and the store.
    folder : Path
        Whose git commit is recorded.
    dry_run : bool, optional
        Only count: nothing is written, and no result is read that is not compared.
    told : callable, optional
        Is told from time to time how far it is.

    Returns
    -------
    Adopted
        What became of them.
    """
    adopting = _Adopting(tasks, looking)
    wanted = adopting.matched()
    if dry_run:
        adopting.pretend(wanted)
        return adopting.done
    backend = looking.own.backend
    backend.make()
    about = Provenance(str(folder), os.environ)
    with member(backend):
        others = OtherWorkers(backend)
        while others.expel_dead():
            pass  # some at a time
        for start in range(0, len(wanted), _ROWS):
            adopting.put(wanted[start : start + _ROWS], about)
            told(adopting.done)
    about.close()
    return adopting.done


class _Adopting:
    def __init__(self, tasks: Mapping[Key, Sequence[Task]], looking: Looking) -> None:
        self.done = Adopted()
        self._tasks = tasks
        self._looking = looking
        self._own = looking.own
        self._taken: dict[Key, str] = {}
        self._same: dict[tuple[Key, str], bool] = {}
        self._code: dict[str, str] = {}
        self._kept_out = invalidated(self._own.backend)

    def matched(self) -> list[_Found]:
        """Return the tasks without a result here of which jug has one."""
        found: list[_Found] = []
        keys: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        for key, written in self._tasks.items():
            digests = self._digests_of(written)
            for digest in digests:
                keys[digest][key] = None
            if self._wants(written[0], digests):
                found.append(_Found(written[0], digests))
        known = keys.keys() | self._looking.damaged.keys()
        self.done.strange = len(self._looking.jug.digests() - known)
        shared = [group for group in keys.values() if len(group) > 1]
        unsure = {key for group in shared for key in group}
        left = [group for group in shared if not all(map(self._is_here, group))]
        self.done.ambiguous = [[self._called(key) for key in group] for group in left]
        return [each for each in found if each.task.key not in unsure]

    def _wants(self, task: Task, digests: Mapping[str, Task]) -> bool:
        """Return whether to take a result; note why not."""
        where = self._own.backend.find(task.key)
        if where is not None:
            self.done.there += not where.failure
            self.done.failed += where.failure and bool(digests)
        elif digests and task.key in self._kept_out:
            self.done.forgotten += 1
        elif digests and task.generator.files:
            self.done.writing[task.name] += 1
        else:
            return bool(digests)
        return False

    def _digests_of(self, written: Sequence[Task]) -> dict[str, Task]:
        """Return by which digests jug has results of a task; note if by none."""
        digests: dict[str, Task] = {}
        why: list[str] = []
        damaged: list[str] = []
        for task in written:
            try:
                digest = self._looking.digests.of(task)
            except UnhashableError as error:
                why.append(error.why)
                continue
            if self._looking.has_in_jug(digest):
                digests.setdefault(digest, task)
            elif digest in self._looking.damaged:
                damaged.append(self._looking.damaged[digest])
        if not digests and not self._is_here(written[0].key):
            self._note(written[0], damaged, why)
        return digests

    def _note(self, task: Task, damaged: Sequence[str], why: Sequence[str]) -> None:
        """Note of which task jug has no result that can be taken."""
        done, called = self.done, self._called(task.key)
        if damaged:
            done.damaged.append(f"{called}: {damaged[0]}")
        elif why:
            done.unknown[task.name] += 1
            done.reasons.setdefault(task.name, f"{called}: {why[0]}")
        else:
            done.absent[task.name] += 1
            done.blocks += manner_of(task.f) in ("map", "currymap")

    def _called(self, key: Key) -> str:
        task = self._tasks[key][0]
        return describe(task.name, task.args, task.kwargs)

    def _is_here(self, key: Key) -> bool:
        return self._own.backend.find(key) is not None

    def pretend(self, wanted: Iterable[_Found]) -> None:
        """Count what would be adopted."""
        for found in wanted:
            digest = self._fitting(found)
            if digest is not None:
                self._taken[found.task.key] = digest
                self.done.copied += 1

    def put(self, wanted: Sequence[_Found], about: Provenance) -> None:
        """Publish results, locked while they are read."""
        backend = self._own.backend
        claim = backend.claim([found.task.key for found in wanted])
        try:
            free = set(claim.keys)
            held = [found for found in wanted if found.task.key not in free]
            self.done.locked += sum(not self._is_here(each.task.key) for each in held)
            batches = self._batches([f for f in wanted if f.task.key in free])
            for batch, size in batches:
                self._publish(batch, size, about, claim.token)
        finally:
            backend.release(claim.keys)

    def _batches(self, wanted: Iterable[_Found]) -> Iterator[tuple[Batch, int]]:
        batch, size = Batch(), 0
        for found in wanted:
            as_of = self._own.backend.position
            digest = self._fitting(found)
            if digest is None:
                continue
            try:
                payload = self._payload(found.task.key, digest)
            except (DamagedError, TaskgraphError) as error:
                why = self._looking.damaged.get(digest, f"{digest}: {error}")
                self.done.damaged.append(f"{self._called(found.task.key)}: {why}")
                continue
            self._taken[found.task.key] = digest
            self._add(batch, found.task, (digest, payload), as_of)
            size += stored_size(payload)
            if size > _BYTES:
                yield batch, size
                batch, size = Batch(), 0
        if batch:
            yield batch, size

    def _payload(self, key: Key, digest: str) -> bytes:
        value = self._looking.read(digest)
        try:
            return self._own.encode(value, key)
        except BackendError:
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise NoResultError(f"cannot be pickled again: {what}") from error

    def _add(
        self, batch: Batch, task: Task, result: tuple[str, bytes], as_of: int
    ) -> None:
        name, (digest, payload) = task.name, result
        if name not in self._code:
            self._code[name] = fingerprint(task.generator.f).text
        about = summary(task.args, task.kwargs), self._looking.jug.time(digest), 0, 0, 0
        inputs = Inputs(as_of, [need.key for need in task.needs])
        batch.add(task.key, payload, (name, self._code[name]), about, inputs=inputs)

    def _publish(self, batch: Batch, size: int, about: Provenance, token: int) -> None:
        backend = self._own.backend
        context = {**about.context(), "jug": self._looking.jug.url}
        body = batch.encode(context, backend.places)
        rows, inputs = bytes(batch.rows), batch.inputs
        accepted = backend.publish(batch.keys, rows, body, since=token, inputs=inputs)
        self.done.copied += accepted
        self.done.size += size
        if accepted < len(batch):
            self.done.elsewise += len(batch) - accepted
            for key in batch.keys:
                if not self._is_here(key):
                    self._taken.pop(key, None)

    def _fitting(self, found: _Found) -> str | None:
        """Return the digest whose result was made of what is here; note if none."""
        lacking = True
        for digest, task in found.digests.items():
            of = [self._is_as_there(need) for need in task.needs]
            if all(of):
                return digest
            lacking = lacking and None in of
        self.done.lacking += lacking
        self.done.elsewise += not lacking
        return None

    def _is_as_there(self, need: Task) -> bool | None:
        """Return whether a result here is the one of jug's by a digest.

        None if there is none here.
        """
        key = need.key
        digest = self._looking.digest_of(need)
        if key in self._taken and digest is not None and self._taken[key] == digest:
            return True
        if key not in self._taken and not self._own.has(key):
            return None
        if digest is None:
            return False
        if (key, digest) not in self._same:
            self._same[key, digest] = self._is_same(key, digest)
        return self._same[key, digest]

    def _is_same(self, key: Key, digest: str) -> bool:
        try:
            here = self._taken.get(key)
            mine = self._own.load(key) if here is None else self._looking.read(here)
            return pickle.dumps(mine) == pickle.dumps(self._looking.read(digest))
        except Exception:  # noqa: BLE001 - damaged, gone, or not to be pickled: not known
            return False

"""What records say of a run: functions, workers, versions, times; no value is read."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError
from taskgraph.results.codec import stored_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backends.interface import Key
    from taskgraph.records import Record
    from taskgraph.results.results import Results


@dataclass(slots=True)
class Spent:
    """What the tasks of a function, or of a worker, took.

    Attributes
    ----------
    tasks : int
        How many have a record.
    seconds, cpu, longest : float
        Of wall time and CPU time together, and of the longest one, in seconds.
    memory, size : int
        The largest resident set, and what the results take, in bytes.
    start, end : float
        When the first began and the last ended, in seconds since the epoch.
    """

    tasks: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    longest: float = 0.0
    memory: int = 0
    size: int = 0
    start: float = float("inf")
    end: float = 0.0

    def add(self, record: Record) -> None:
        """Add a task."""
        self.tasks += 1
        self.seconds += record.wall
        self.cpu += record.cpu
        self.longest = max(self.longest, record.wall)
        self.memory = max(self.memory, record.rss)
        self.size += stored_size(record.payload) if record.payload else 0
        self.start = min(self.start, record.start)
        self.end = max(self.end, record.end)

    def join(self, other: Spent) -> None:
        """Add tasks that are added up already."""
        self.tasks += other.tasks
        self.seconds += other.seconds
        self.cpu += other.cpu
        self.longest = max(self.longest, other.longest)
        self.memory = max(self.memory, other.memory)
        self.size += other.size
        self.start = min(self.start, other.start)
        self.end = max(self.end, other.end)


@dataclass(slots=True)
class Facts:
    """What is known of a run.

    Attributes
    ----------
    functions : dict
        What the tasks of each took, by name.
    workers : dict
        The same of each worker, by host, process, user and job.
    all : Spent
        The same of all.
    commits, pythons : Counter
        How many tasks ran with each; a commit that was not clean ends in ``+``.
    packages : dict of str to Counter
        How many tasks ran with each version, by package.
    failed : list of (key, Record)
        What failed.
    damaged : int
        Of how many segments nothing can be read.
    """

    functions: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))
    workers: dict[tuple[str, int, str, str], Spent] = field(
        default_factory=lambda: defaultdict(Spent)
    )
    all: Spent = field(default_factory=Spent)
    commits: Counter[str] = field(default_factory=Counter)
    pythons: Counter[str] = field(default_factory=Counter)
    packages: dict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    failed: list[tuple[Key, Record]] = field(default_factory=list)
    damaged: int = 0


def facts_of(results: Results, keys: Iterable[Key]) -> Facts:
    """Return what the records of some tasks say; those without one say nothing.

    Parameters
    ----------
    results : Results
        Of the store, as of its last look.
    keys : iterable of bytes
        Whose records are read, segment by segment.
    """
    facts = Facts()
    rows: dict[int, array[int]] = defaultdict(partial(array, "L"))
    for key in keys:
        where = results.backend.find(key)
        if where is not None:
            rows[where.position].append(where.row << 1 | where.failure)
    for position, found in sorted(rows.items()):
        try:
            body = results.body(position)
            records = [(n >> 1, body.record(n >> 1, failed=bool(n & 1))) for n in found]
        except DamagedError:
            facts.damaged += 1
            continue
        failed = [(body.key(row), x) for row, x in records if x.failure is not None]
        facts.failed += failed
        _add(facts, [record for _, record in records])
    facts.failed.sort(key=lambda pair: (pair[1].start, pair[0]))
    return facts


def _add(facts: Facts, records: Sequence[Record]) -> None:
    """Add the records of a segment, which share what ran them."""
    context = records[0].context
    host, user, job = (str(context.get(what) or "") for what in ("host", "user", "job"))
    pid = context.get("pid")
    who = (host, pid if type(pid) is int else 0, user, job)
    spent: dict[str, Spent] = defaultdict(Spent)
    for record in records:
        spent[record.name].add(record)
    for name, one in spent.items():
        for whole in (facts.functions[name], facts.workers[who], facts.all):
            whole.join(one)
    _add_context(facts, context, len(records))


def _add_context(facts: Facts, context: Mapping[str, Any], count: int) -> None:
    """Add what the records of a segment share."""
    facts.pythons[str(context.get("python") or "unknown")] += count
    git = context.get("git") or {}
    if git:
        dirty = "+" if git["dirty"] else ""
        facts.commits[f"{str(git['commit'])[:12]}{dirty}"] += count
    for name, version in (context.get("packages") or {}).items():
        facts.packages[name][version] += count

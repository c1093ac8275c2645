"""Results of other stores, which are taken into a run's own instead of computed.

They are looked into only. What is found there goes into the own store when its task is
locked, by the rule of `copying`: beside what it was made of, as the same results. So
whoever has only the own store has everything, and nothing there is a reference to what
somebody else may remove. What was invalidated in the own store is not taken back.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from backends.errors import BackendError, DamagedError, RewoundError
from backends.opening import open_backend
from taskgraph.errors import NoResultError
from taskgraph.results.codec import same_result
from taskgraph.results.results import Results
from taskgraph.upkeep.code.changed_code import told_changes
from taskgraph.upkeep.copying import take
from taskgraph.upkeep.gone_files import files_of
from taskgraph.upkeep.invalidation import invalidated

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
        Set,
    )

    from backends.interface import Backend, Key, Segment, Where
    from taskgraph.records import Body, Record
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.snapshot import Snapshot


class Tasks(Protocol):
    """The tasks of a graph, as this module asks for them."""

    def __iter__(self) -> Iterator[Key]:
        """Yield the keys, each after those of all that its task needs."""

    def needs_of_key(self, key: Key, /) -> list[Key]:
        """Return the keys that a task needs; none of one that is not there."""

    def writes(self, key: Key, /) -> bool:
        """Return whether a task writes files."""


class Listed:
    """The tasks of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        keys = snapshot.split()
        needs = ([keys[place] for place in places] for places in snapshot.needs_of())
        self._needs = dict(zip(keys, needs, strict=True))
        self._writers = set(snapshot.writers())

    def __iter__(self) -> Iterator[Key]:
        return iter(self._needs)

    def needs_of_key(self, key: Key) -> list[Key]:
        """Return the keys that a task needs; none of one that is not there."""
        return self._needs.get(key, [])

    def writes(self, key: Key) -> bool:
        """Return whether a task writes files."""
        return key in self._writers


class OtherStores:
    """The stores in which a run looks for what its own has not.

    Parameters
    ----------
    urls : iterable of str
        Directories or URLs; the first one that has a result counts.
    results : Results
        Of the own store.

    Attributes
    ----------
    told : list of str
        What cannot be read, and why, each in a sentence; emptied by who has told it.
    """

    def __init__(self, urls: Iterable[str], results: Results) -> None:
        self.told: list[str] = []
        self._own = results
        self._others: list[_Other] = []
        self._kept_out: set[Key] = set()
        for url in dict.fromkeys(urls):
            try:
                backend = open_backend(url, create=False)
                backend.refresh()
            except BackendError as error:
                self.told.append(f"{error}; what it may have is computed")
                continue
            if backend.url != results.backend.url:
                self._others.append(_Other(backend, results.folder))

    def __bool__(self) -> bool:
        return bool(self._others)

    def look(self, graph: Tasks) -> None:
        """Learn what the other stores have now, and what was invalidated here.

        Parameters
        ----------
        graph : Graph or Listed
            The tasks of which results are wanted; it may grow meanwhile.
        """
        self._graph = graph
        if not self._others:
            return
        try:
            self._kept_out = invalidated(self._own.backend)
        except DamagedError as error:
            self.told.append(f"{error}; nothing is taken from other stores")
            self._others = []
        for other in self._others:
            with suppress(DamagedError):
                other.reading.refresh()
        self._tell_lost()

    def __contains__(self, key: Key) -> bool:
        return any(self._has(other, key) for other in self._others)

    def _has(self, other: _Other, key: Key) -> bool:
        if key in self._kept_out or key in other.left_out:
            return False
        where = other.reading.find(key)
        return where is not None and not where.failure

    def kept_out(self, keys: Iterable[Key]) -> int:
        """Return how many of some keys have results that are not taken back."""
        finds = [other.reading.find for other in self._others]
        kept = self._kept_out.intersection(keys)
        return sum(any(find(key) for find in finds) for key in kept)

    def changed(self, loaded: Loaded, *, from_python: bool) -> list[str]:
        """Return what to tell of functions whose results there are of other code."""
        told = []
        for other in self._others:
            with suppress(DamagedError):
                there = replace(loaded, results=other)
                said = told_changes(there, from_python=from_python)
                told += [f"{other.reading.url}: {said}"] if said else []
        return told

    def take(self, keys: Sequence[Key], token: int) -> int:
        """Put results of tasks that are locked into the own store; return how many.

        Those that cannot be taken stay locked, and are not looked for again.

        Parameters
        ----------
        keys : sequence of bytes
            Of tasks, each after those that it needs.
        token : int
            Of the claim that locked them.
        """
        backend, taken = self._own.backend, 0
        for other in self._others:
            wanted = [
                key
                for key in keys
                if backend.find(key) is None and self._has(other, key)
            ]
            if not wanted:
                continue
            done = take(other, self._own, self._with_files(other, wanted), token)
            taken += done.copied
            self.told += [
                f"a result in {other.reading.url} is computed again: {what}"
                for what in done.damaged
                if not other.reading.lost
            ]
            other.left_out.update(filter(self._is_judged, wanted))
        self._tell_lost()
        return taken

    def _is_judged(self, key: Key) -> bool:
        """Return whether a result is not taken though all that it needs is here."""
        find = self._own.backend.find
        return find(key) is None and all(map(find, self._graph.needs_of_key(key)))

    def takeable(self) -> dict[Key, Results]:
        """Return what a run would take, and where from: for who only looks."""
        found: dict[Key, Results] = {}
        backend = self._own.backend
        for key in self._graph:
            if backend.find(key) is not None:
                continue
            for other in self._others:
                if self._has(other, key) and self._may_take(other, key, found):
                    found[key] = other
                    break
        self._tell_lost()
        return found

    def _may_take(self, other: _Other, key: Key, found: dict[Key, Results]) -> bool:
        try:
            other.payload(key)
            return bool(self._with_files(other, [key])) and all(
                found.get(need) is other
                or same_result(
                    other.payload(need), found.get(need, self._own).payload(need)
                )
                for need in self._graph.needs_of_key(key)
            )
        except (DamagedError, NoResultError):
            return False

    def _with_files(self, other: _Other, keys: Sequence[Key]) -> list[Key]:
        """Return those keys whose tasks' files, if they write some, are as written."""
        writes = self._graph.writes
        return [key for key in keys if not writes(key) or _files_are_there(other, key)]

    def _tell_lost(self) -> None:
        lost = [other for other in self._others if other.reading.lost]
        self.told += [
            f"{other.reading.lost}; what is only there is computed" for other in lost
        ]
        self._others = [other for other in self._others if other not in lost]


def _files_are_there(results: Results, key: Key) -> bool:
    files = [file for _, file in files_of(results, [key])]
    return bool(files) and all(file.is_as_written() for file in files)


def told_at_first(
    loaded: Loaded, urls: Sequence[str], *, from_python: bool = False
) -> list[str]:
    """Return what to tell before tasks are run whose results other stores may have.

    Which of these cannot be read, what they have, of that what was made by other code,
    and what is not taken since it was invalidated here.
    """
    known = loaded.results.backend.keys()
    missing = [key for key in loaded.graph if key not in known]
    if not urls or not missing:
        return []
    others = OtherStores(urls, loaded.results)
    others.look(loaded.graph)
    told = others.told + others.changed(loaded, from_python=from_python)
    found = sum(key in others for key in missing)
    if found:
        told.append(
            f"{found} of {len(missing)} tasks without a result have one in other "
            "stores; what was made of the same results is taken from there"
        )
    if kept_out := others.kept_out(missing):
        told.append(
            f"{kept_out} of them were invalidated here: they are run, although other "
            "stores have results"
        )
    return told


class Together(Results):
    """The results of a store with those that a run would take: for who only looks.

    Parameters
    ----------
    own : Results
        Of the store.
    found : mapping
        Where the others are: see `OtherStores.takeable`.
    """

    def __init__(self, own: Results, found: Mapping[Key, Results]) -> None:
        super().__init__(own.backend, own.folder)
        self.found = found

    def keys(self) -> Set[Key]:
        """Return the keys of all records, and of what would be taken."""
        return super().keys() | self.found.keys()

    def has(self, key: Key) -> bool:
        """Return whether `key` has a result, or would get one."""
        return key in self.found or super().has(key)

    def load(self, key: Key, name: str = "the task") -> Any:
        """Return the result of `key`."""
        there = self.found.get(key)
        return super().load(key, name) if there is None else there.load(key, name)

    def payload(self, key: Key, name: str = "the task") -> bytes:
        """Return the encoded result of `key`."""
        there = self.found.get(key)
        return super().payload(key, name) if there is None else there.payload(key, name)

    def record(self, key: Key) -> Record | None:
        """Return the whole record of `key`, None if there is none."""
        there = self.found.get(key)
        return super().record(key) if there is None else there.record(key)

    def records(self, keys: Iterator[Key]) -> Iterator[tuple[Key, Record]]:
        """Yield the records of those keys that have one."""
        wanted = list(keys)
        yield from super().records(key for key in wanted if key not in self.found)
        for key in wanted:
            record = self.record(key) if key in self.found else None
            if record is not None:
                yield key, record


class _Other(Results):
    """The results in another store, whose failures are damage: tasks are computed.

    Attributes
    ----------
    reading : _Reading
        The store.
    left_out : set of bytes
        Whose results could not be taken.
    """

    def __init__(self, backend: Backend, folder: str) -> None:
        self.reading = _Reading(backend)
        super().__init__(cast("Backend", self.reading), folder)
        self.left_out: set[Key] = set()

    def body_of(self, key: Key, where: Where) -> Body:
        try:
            return super().body_of(key, where)
        except RewoundError as error:
            raise self.reading.losing(error) from error


class _Reading:
    """What is read of another store: nothing is written, as nothing here can.

    Attributes
    ----------
    lost : str
        Why it cannot be read any more; empty as long as it can.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.url, self.lost = backend.url, ""
        self.keys, self.failures = backend.keys, backend.failures
        self.published, self.holds = backend.published, backend.holds
        self.blobs = self.documents = self

    def losing(self, error: Exception) -> DamagedError:
        """Look no more into a store that cannot be read; return what to raise."""
        self.lost = self.lost or str(error)
        return DamagedError(self.url, str(error))

    def _tried(self, deed: Callable[..., Any], *args: Any) -> Any:
        try:
            return deed(*args)
        except DamagedError:
            raise
        except (BackendError, OSError) as error:
            raise self.losing(error) from error

    def names(self) -> list[str]:
        found: list[str] = self._tried(self._backend.documents.names)
        return found

    def get(self, name: str) -> bytes | None:
        found: bytes | None = self._tried(self._backend.documents.get, name)
        return found

    @property
    def position(self) -> int:
        return self._backend.position

    @property
    def forgot_at(self) -> int:
        return self._backend.forgot_at

    def refresh(self) -> None:
        if not self.lost:
            self._tried(self._backend.refresh)

    def find(self, key: Key) -> Where | None:
        return None if self.lost else self._backend.find(key)

    def segment(self, position: int) -> Segment:
        found: Segment = self._tried(self._backend.segment, position)
        return found

    def open(self, name: str) -> memoryview:
        found: memoryview = self._tried(self._backend.blobs.open, name)
        return found

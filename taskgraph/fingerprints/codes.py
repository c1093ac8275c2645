"""The fingerprints of tasks: of their function, and of the code they are given."""

from __future__ import annotations

from collections import deque
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from taskgraph.fingerprints.fingerprint import fingerprint
from taskgraph.fingerprints.meanings import attributes_of, beneath, path_of, things_in
from taskgraph.fingerprints.parts import Fingerprint
from taskgraph.fingerprints.source_files import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

_THINGS = (FunctionType, type, ModuleType)


class _Generator(Protocol):
    @property
    def f(self) -> Callable[..., Any]:
        """What was decorated, a partial as it was given."""


class _Call(Protocol):
    """A task, as far as it has to be known here."""

    generator: Any
    recording: Any

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments by position."""

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments by name."""


class Codes:
    """Fingerprints of tasks, each function looked at once.

    What a task is given counts with its function: functions, classes, objects of
    classes, if they are the project's.

    Parameters
    ----------
    generators : iterable, optional
        Functions that are looked at together with the first one that is asked for: as
        long as no task has changed what they use, and nobody their files.
    """

    def __init__(self, generators: Iterable[_Generator] = ()) -> None:
        self._generators = generators
        self._plain: dict[_Generator, Fingerprint] = {}
        self._given: dict[tuple[Any, ...], Fingerprint] = {}
        self._named: dict[int, tuple[object, int, bool]] = {}
        self._kept: list[Any] = []

    def of(self, task: _Call) -> Fingerprint:
        """Return the fingerprint of what a task does."""
        generator, names = task.generator, task.recording.encoder.names
        known = self._named.get(id(names))
        if known is not None and known[1] == len(names) and not known[2]:
            found = self._plain.get(generator)
            if found is not None:  # as for each task but the first ones
                return found
        if self._is_given(names):
            things = list(given_things([*task.args, *task.kwargs.values()]))
            if things:
                return self._with(generator, things)
        return self.of_function(generator)

    def of_function(self, generator: _Generator) -> Fingerprint:
        """Return the fingerprint of a function, without what its tasks are given."""
        found = self._plain.get(generator)
        if found is None:
            for one in (generator, *self._generators):
                if one not in self._plain:
                    self._plain[one] = _looked_at(one)
            found = self._plain[generator]
        return found

    def are_given(self, recordings: Iterable[Any]) -> bool:
        """Return whether any task of some recordings is given code of the project."""
        return any(self._is_given(one.encoder.names) for one in recordings)

    def _is_given(self, names: Any) -> bool:
        """Return whether the tasks of a recording are given any code of the project."""
        known = self._named.get(id(names))
        if known is None or known[1] != len(names):
            local = any(is_local(path_of(_known(thing))) for thing in names)
            known = self._named[id(names)] = names, len(names), local
        return known[2]

    def _with(self, generator: _Generator, things: Collection[Any]) -> Fingerprint:
        key = generator, *map(id, things)
        found = self._given.get(key)
        if found is None:
            found = self._given[key] = _looked_at(generator, things)
            self._kept += things
        return found


def _looked_at(generator: _Generator, things: Collection[Any] = ()) -> Fingerprint:
    """Return a fingerprint; none of what cannot be looked at: tasks can be run."""
    try:
        return fingerprint(generator.f, things)
    except Exception:  # noqa: BLE001 - objects of the user's may do anything
        return Fingerprint("")


def given_things(values: Iterable[Any]) -> Iterable[Any]:
    """Yield the functions, classes and modules of the project in some values."""
    seen: set[int] = set()
    left = deque(thing for value in values for thing in things_in(value))
    while left:
        thing = left.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        known = _known(thing)
        local = is_local(path_of(known))
        if local:
            yield known
        if known is not thing:
            kept = attributes_of(thing).values() if local else ()
            left.extend(things_in([*beneath(thing), *kept]))


def _known(thing: Any) -> Any:
    return thing if isinstance(thing, _THINGS) else type(thing)

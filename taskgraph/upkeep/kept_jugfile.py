"""A jugfile that keeps its graph in the store, so that commands need not run it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError, UnavailableError
from backends.interface.frozen import frozen
from backends.warning import warn
from taskgraph.upkeep import snapshot
from taskgraph.upkeep.growing import Growing, take

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backends.interface import Backend, Key
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Jugfile, Loaded, Pause
    from taskgraph.tasks.task import Task
    from taskgraph.upkeep.snapshot import Snapshot

_GROWTH = 1.1
"""How many times larger a graph is that is kept again while its jugfile stands."""

_NAMED = 3
_QUICK = 0.1
"""Seconds of latency up to which a store is asked for what may be of no use."""


def keep_graph(loaded: Loaded, jugfile: Path, arguments: Sequence[str] = ()) -> None:
    """Keep a graph in its store as that of a jugfile with these arguments."""
    snapshot.save(_taken(loaded, jugfile, arguments), loaded.results.backend)


def _taken(loaded: Loaded, jugfile: Path, arguments: Sequence[str]) -> Snapshot:
    return take(
        loaded.graph,
        jugfile,
        arguments=arguments,
        missing=loaded.missing,
        inputs=loaded.inputs,
    )


def keep_snapshot(taken: Snapshot, backend: Backend) -> None:
    """Keep a graph in the store, unless that has the same one already."""
    before = None
    with suppress(DamagedError):  # one more reason to write it anew
        before = snapshot.load(backend, Path(taken.jugfile), taken.arguments)
    if before is None or not before.says(taken):
        for told in (told_others(before, taken), told_addresses(taken)):
            if told:
                warn(told)
        if before is not None:
            taken = taken.after(before, backend.keys())
        try:
            snapshot.save(taken, backend)
        except UnavailableError as error:  # the tasks can be run without it
            warn(
                f"{error}; `tg status` and `tg value` do not know the tasks of "
                f"{Path(taken.jugfile).name} until `tg execute` has run once more"
            )


def told_addresses(taken: Snapshot) -> str:
    """Return what to tell of text that says where in memory an object is; maybe none.

    That is what Python shows of objects whose class does not say better.
    """
    if not taken.calls.has_text(b" at 0x"):
        return ""
    return (
        f"{Path(taken.jugfile).name} calls tasks with text such as `<... object at 0x7f"
        "...>`: the address is another one each time, and says nothing of the object; "
        "pass what it is made of, or results are not found again"
    )


def told_others(before: Snapshot | None, now: Snapshot) -> str:
    """Return what to tell of a jugfile that lists as many tasks as before, but others.

    Empty if that is no wonder: it was edited, or a file changed that its tasks name, or
    it has not said all. Then each reading of it makes tasks of its own.
    """
    if (
        before is None
        or before.stamp[1:] != now.stamp[1:]
        or before.inputs != now.inputs
    ):
        return ""
    if not (before.complete and now.complete):
        return ""
    old, new = _by_function(before), _by_function(now)
    others = {
        name: len(keys - old[name])
        for name, keys in new.items()
        if name in old and len(keys) == len(old[name]) and keys != old[name]
    }
    if not others:
        return ""
    named = ", ".join(sorted(others)[:_NAMED]) + (
        " ..." if len(others) > _NAMED else ""
    )
    return (
        f"{Path(now.jugfile).name} lists other tasks of {named} than when it was read "
        f"before ({sum(others.values())}), and has not changed since: arguments are "
        "made of random numbers, times, the order of a set or what is elsewhere; let "
        "them be the same each time that it is read (a seed, sorted), so that results "
        "are found again"
    )


def _by_function(taken: Snapshot) -> dict[str, set[Key]]:
    found: dict[str, set[Key]] = {}
    for key, place in zip(taken, taken.functions, strict=True):
        found.setdefault(taken.names[place], set()).add(key)
    return found


@frozen
class KeptJugfile:
    """A jugfile whose graph is kept in the store each time it is loaded.

    So `tg status` knows it without running the jugfile.
    """

    jugfile: Jugfile

    def load(self, results: Results, pause: Pause | None = None) -> Loaded:
        """Load the jugfile; see `Jugfile.load`."""
        kept = 0

        def keep_and_pause(loaded: Loaded) -> bool:
            nonlocal kept
            if len(loaded.graph) >= kept * _GROWTH:
                self.keep(loaded)
                kept = len(loaded.graph)
            assert pause is not None
            return pause(loaded)

        loaded = self.jugfile.load(results, keep_and_pause if pause else None)
        self.keep(loaded)
        return loaded

    def read(
        self,
        results: Results,
        run_at_once: Callable[[Results, Task], Any] | None,
        pause: Pause | None = None,
    ) -> Loaded:
        """Load the jugfile, run at once by `run_at_once`, and keep nothing of it."""
        return self.jugfile.load(results, pause, run_at_once=run_at_once)

    def growing(self) -> Growing:
        """Return what takes snapshots of the graph, as it is kept."""
        return Growing(self.jugfile.path, self.jugfile.arguments)

    def last(self, backend: Backend) -> Snapshot | None:
        """Return the graph that was kept last, if a store tells that quickly."""
        if backend.latency > _QUICK:
            return None
        return snapshot.load(backend, self.jugfile.path, self.jugfile.arguments)

    def keep(self, loaded: Loaded) -> None:
        """Keep the graph, unless the store has the same one already."""
        taken = _taken(loaded, self.jugfile.path, self.jugfile.arguments)
        keep_snapshot(taken, loaded.results.backend)

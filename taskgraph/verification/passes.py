"""Tasks run once more in processes of their own, as often as somebody asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from taskgraph.errors import JugfileError
from taskgraph.verification.recomputing import recompute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from backends.interface import Key
    from taskgraph.tasks.graph import Graph

_PROGRAM = "from taskgraph.verification.recomputing import main; main()"


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What came of a task that was run once more.

    Attributes
    ----------
    payload : bytes
        Its result, encoded, with large values in the scratch store of the pass; empty
        if there is none.
    cause : str
        Why there is none.
    failed : bool
        Whether the task itself is to blame for that.
    unseeded : tuple of str
        What it drew that nobody can draw again.
    made : tuple of str
        What its script made when it was read that it may have drawn from.
    """

    payload: bytes = b""
    cause: str = ""
    failed: bool = False
    unseeded: tuple[str, ...] = ()
    made: tuple[str, ...] = ()


class Pass(Protocol):
    """Runs tasks once more, in a process that has run none of them before."""

    def __call__(self, keys: Sequence[Key], folder: Path, /) -> dict[Key, Recomputed]:
        """Return what came of tasks; results are put into an empty folder."""


@dataclass(frozen=True, slots=True)
class FreshProcesses:
    """Runs tasks in new interpreters, each of which reads the jugfile.

    Who kills its process costs that task alone: another process goes on.

    Attributes
    ----------
    jugfile : str
        Its path; absolute.
    arguments : sequence of str
        What it is given.
    store : str
        Where the results are.
    """

    jugfile: str
    arguments: Sequence[str]
    store: str

    def __call__(self, keys: Sequence[Key], folder: Path, /) -> dict[Key, Recomputed]:
        """Run the tasks; see `Pass`."""
        found: dict[Key, Recomputed] = {}
        left = list(keys)
        while left:
            lines = self._run(left, folder)
            taken = _taken(lines, folder)
            if not taken:
                why = lines[0].get("error") if lines else ""
                raise JugfileError(why or f"cannot read {self.jugfile} once more")
            found |= taken
            left = [key for key in left if key not in found]
        return found

    def _run(self, keys: Sequence[Key], folder: Path) -> list[dict[str, Any]]:
        order = {
            "jugfile": self.jugfile,
            "arguments": list(self.arguments),
            "store": self.store,
            "keys": [key.hex() for key in keys],
            "folder": str(folder),
        }
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROGRAM],
            input=json.dumps(order),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        return _lines(done.stdout.splitlines())


@dataclass(frozen=True, slots=True)
class Forks:
    """Runs tasks that no script lists in forks of this process: those of a notebook.

    Attributes
    ----------
    graph : Graph
        Has the tasks.
    """

    graph: Graph

    def __call__(self, keys: Sequence[Key], folder: Path, /) -> dict[Key, Recomputed]:
        """Run the tasks; see `Pass`."""
        found: dict[Key, Recomputed] = {}
        for key in keys:
            found |= self._run(key, folder)
        return found

    def _run(self, key: Key, folder: Path) -> dict[Key, Recomputed]:
        from taskgraph.execution.processes.fork_safety import reseed

        told = folder / f"told-{key.hex()}"  # of its own: it may die before it writes
        child = os.fork()
        if not child:
            try:
                reseed()
                with told.open("w") as file:
                    recompute(self.graph, [key], folder, file)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        lines = told.read_text().splitlines() if told.exists() else []
        return _taken(_lines(lines), folder) or {key: _died()}


def _lines(lines: Iterable[str]) -> list[dict[str, Any]]:
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:  # it was killed while it told
            continue
    return found


def _taken(lines: list[dict[str, Any]], folder: Path) -> dict[Key, Recomputed]:
    """Return what came of the tasks that were begun."""
    found: dict[Key, Recomputed] = {}
    made: list[str] = []
    for about in lines:
        made += about.get("made", ())
        if "key" not in about:
            continue
        key = bytes.fromhex(about["key"])
        if "begun" in about:
            found[key] = _died()
            continue
        path = folder / about["key"]
        found[key] = Recomputed(
            b"" if "cause" in about else path.read_bytes(),
            about.get("cause", ""),
            about.get("failed", False),
            tuple(about.get("unseeded", ())),
            tuple(made),
        )
    return found


def _died() -> Recomputed:
    return Recomputed(cause="it ended its process", failed=True)

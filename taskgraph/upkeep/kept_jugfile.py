"""A jugfile that keeps its graph in the store, so that commands need not run it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.errors import DamagedError, UnavailableError
from taskgraph.upkeep import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Jugfile, Loaded


def keep_graph(loaded: Loaded, jugfile: Path, arguments: Sequence[str] = ()) -> None:
    """Keep a graph in its store as that of a jugfile with these arguments."""
    taken = snapshot.take(
        loaded.graph, jugfile, arguments=arguments, missing=loaded.missing
    )
    snapshot.save(taken, loaded.results.backend)


@dataclass(frozen=True, slots=True)
class KeptJugfile:
    """A jugfile whose graph is kept in the store each time it is loaded.

    So `tg status` knows it without running the jugfile.
    """

    jugfile: Jugfile

    def load(self, results: Results) -> Loaded:
        """Load the jugfile; see `Jugfile.load`."""
        loaded = self.jugfile.load(results)
        self.keep(loaded)
        return loaded

    def keep(self, loaded: Loaded) -> None:
        """Keep the graph, unless the store has the same one already."""
        backend = loaded.results.backend
        path, arguments = self.jugfile.path, self.jugfile.arguments
        before = None
        with suppress(DamagedError):  # one more reason to write it anew
            before = snapshot.load(backend, path, arguments)
        taken = snapshot.take(
            loaded.graph, path, arguments=arguments, missing=loaded.missing
        )
        if before is None or not before.says(taken):
            # Without it `tg status` knows less; workers will tell what is wrong.
            with suppress(UnavailableError):
                snapshot.save(taken, backend)

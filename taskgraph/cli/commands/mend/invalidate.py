"""`tg invalidate`: forget results, and all that was made of them."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import json_option, jugfile_argument, select_options
from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import load_graph, snapshot_now
from taskgraph.cli.printing import counted, print_json, print_table, seconds_text
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store
from taskgraph.cli.words.keys import find_keys
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence, Set as AbstractSet
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.upkeep.invalidation import Loss
    from taskgraph.upkeep.snapshot import Snapshot


@click.command("invalidate")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@select_options
@click.option(
    "--key",
    multiple=True,
    metavar="DIGITS",
    help="The task whose key begins so; may be repeated.",
)
@click.option(
    "--changed",
    is_flag=True,
    help="The tasks whose results were made by other code than there is now.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be lost.")
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    name: tuple[str, ...],
    pattern: tuple[str, ...],
    key: tuple[str, ...],
    changed: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Forget the results of tasks of JUGFILE and of everything that depends on them.

    What would be lost is shown first, and you are asked; where there is no terminal
    to ask on, nothing is changed without --yes (exit 2). `tg undo` takes it back, until
    `tg cleanup --empty-trash` makes it final. --changed forgets what was made by other
    code and was not accepted (`tg accept`); with --name or --pattern, of these
    functions only. With ARGUMENTS after --, of JUGFILE as it is with these.
    """
    from taskgraph.results.results import Results
    from taskgraph.upkeep.invalidation import INVALIDATION, forget

    _require_words(name, pattern, key, changed=changed)
    backend = find_store(jugfile, store)
    if backend is None:
        _preview(_Extent(), as_json=as_json)
        return 0
    current = snapshot_now(backend, jugfile, arguments)
    chosen = _chosen(backend, jugfile, current, name, pattern, key)
    if changed:
        among = chosen if name or pattern else None
        chosen = _changed(backend, jugfile, current, among)
    extent = _extent(backend, current, chosen)
    _preview(extent, as_json=as_json)
    if not extent.anything:
        note("nothing to forget: these tasks have no results")
        return 0
    if dry_run:
        return 0
    if not _agreed(yes=yes):
        return 2
    words = " ".join([*name, *pattern, *key, *(["--changed"] if changed else [])])
    reason = f"{INVALIDATION} {words}"
    position = forget(Results(backend), extent.keys, extent.graphs, reason=reason)
    if position is not None:
        note(f"done; `tg undo {position}` takes it back")
    return 0


def _require_words(
    names: Sequence[str], patterns: Sequence[str], keys: Sequence[str], *, changed: bool
) -> None:
    if not (names or patterns or keys or changed):
        raise UsageError(
            "say what to forget: --name NAME, --pattern, --key or --changed"
        )
    if keys and changed:
        raise UsageError("--key and --changed do not go together; give one of them")


@dataclass(frozen=True, slots=True)
class _Extent:
    """What an invalidation takes along: the tasks, their results, and running ones."""

    keys: AbstractSet[bytes] = frozenset()
    losses: Sequence[Loss] = ()
    running: int = 0
    graphs: Sequence[Snapshot] = ()

    @property
    def anything(self) -> bool:
        """Whether there is anything to forget or to run again."""
        return bool(self.losses or self.running)


def _extent(backend: Backend, current: Snapshot, chosen: set[bytes]) -> _Extent:
    from taskgraph.results.lineage import made_of
    from taskgraph.results.results import Results
    from taskgraph.upkeep.forgetting import taken_along
    from taskgraph.upkeep.invalidation import losses
    from taskgraph.upkeep.snapshot import load_all

    others = [other for other in load_all(backend) if not other.says(current)]
    graphs = [current, *others]
    results = Results(backend)
    keys = taken_along(results, chosen, graphs)
    strange = backend.keys() - {key for graph in graphs for key in graph.split()}
    if strange:
        keys |= made_of(results, keys, strange)
    running = sum(lock.key in keys for lock in backend.locks())
    return _Extent(keys, losses(results, keys), running, graphs)


def _chosen(
    backend: Backend,
    jugfile: Path,
    snapshot: Snapshot,
    names: Sequence[str],
    patterns: Sequence[str],
    digits: Sequence[str],
) -> set[bytes]:
    from taskgraph.results.results import Results
    from taskgraph.tasks.graph import selector
    from taskgraph.upkeep.forgetting import inside
    from taskgraph.upkeep.invalidation import matching

    chosen: set[bytes] = set()
    if names or patterns:
        matches = selector(names, patterns)
        hidden = inside(Results(backend), snapshot.split())
        known, complete = {*snapshot.names, *hidden.values()}, snapshot.complete
        require_names(known, names, patterns, jugfile=jugfile, complete=complete)
        chosen.update(matching(snapshot, matches))
        chosen.update(key for key, name in hidden.items() if matches(name))
    keys = {*snapshot.split(), *backend.keys()} if digits else set()
    for text in digits:
        found = find_keys(text, keys, {})
        if len(found) > 1:
            raise UsageError(f"{len(found)} keys begin with {text!r}; give more digits")
        chosen.update(found)
    return chosen


def _changed(
    backend: Backend, jugfile: Path, current: Snapshot, among: set[bytes] | None
) -> set[bytes]:
    """Return the keys of the results that were made by other code; tell which."""
    from taskgraph.upkeep.code.changed_code import changes, described
    from taskgraph.upkeep.code.looked_into import looked_into

    loaded = load_graph(backend, jugfile, current.arguments)
    with redirect_stdout(sys.stderr):  # as of what it prints while it is loaded
        loaded = looked_into(loaded)
    found = changes(loaded)
    keys = {key for change in found for key in change.keys}
    for change in found:
        if among is None or not among.isdisjoint(change.keys):
            note(described(change))
    return keys if among is None else keys & among


def _preview(extent: _Extent, *, as_json: bool) -> None:
    found, running = extent.losses, extent.running
    if as_json:
        print_json({"functions": [asdict(loss) for loss in found], "running": running})
    elif extent.anything:
        _print(found)
        if running:
            note(f"{counted(running, 'task')} running now will have to run again")


def _print(found: Sequence[Loss]) -> None:
    rows = [
        (loss.name, loss.results, loss.failures, seconds_text(loss.cpu))
        for loss in found
    ]
    results = sum(loss.results for loss in found)
    failures = sum(loss.failures for loss in found)
    cpu = seconds_text(sum(loss.cpu for loss in found))
    header = ("task", "results", "failures", "CPU time")
    print_table(header, rows, total=("all", results, failures, cpu))


def _agreed(*, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        note("nothing was changed; add --yes to do it")
        return False
    return click.confirm("Forget these?", err=True)

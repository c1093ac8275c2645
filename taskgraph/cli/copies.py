"""Copying results from store to store, as several commands do it and tell of it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taskgraph.cli.printing import counted, print_json, say, size_text
from taskgraph.cli.sentences import note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from backends.interface import Key
    from taskgraph.results.results import Results
    from taskgraph.upkeep.copying import Copied

_SHOWN = 5


def copy_results(
    source: Results,
    target: Results,
    keys: Collection[Key],
    *,
    dry_run: bool = False,
) -> Copied:
    """Copy results as a member of the other store, showing how far it is.

    With `dry_run` nothing is written: it is counted what would be copied.
    """
    from taskgraph.execution.in_process import member
    from taskgraph.upkeep.copying import Copied, copy, copy_graphs, missing, sizes

    if dry_run:
        wanted = missing(source, target, keys)
        there = sum(map(target.backend.keys().__contains__, keys))
        return Copied(len(wanted), sizes(source, wanted), there)
    target.backend.make()
    copy_graphs(source.backend, target.backend)
    with member(target.backend), bar_of(len(keys)) as told:
        return copy(source, target, keys, told)


def print_copied(
    copied: Copied, where: str, *, dry_run: bool = False, as_json: bool = False
) -> int:
    """Tell what became of results; return the exit code of the command."""
    if as_json:
        print_json(
            {
                "copied": copied.copied,
                "size": copied.size,
                "there": copied.there,
                "elsewise": copied.elsewise,
                "lacking": copied.lacking,
                "locked": copied.locked,
                "damaged": copied.damaged,
                "dry_run": dry_run,
            }
        )
    tell_left_out(copied, where)
    does = "would be copied" if dry_run else "copied"
    there = f", {copied.there} there before" if copied.there else ""
    amount = f"{counted(copied.copied, 'result')} ({size_text(copied.size)})"
    if not as_json:
        say(f"{amount} {does} to {where}{there}")
    return 1 if copied.left_out else 0


def tell_left_out(copied: Copied, where: str) -> None:
    """Tell which results were not put into another store, and why."""
    for what in copied.damaged[:_SHOWN]:
        note(f"left out: {what}")
    if copied.elsewise:
        note(
            f"{counted(copied.elsewise, 'result')} left out: what they were made of "
            f"has another result in {where}, and a result is only kept beside what it "
            "was made of"
        )
    if copied.lacking:
        note(
            f"{counted(copied.lacking, 'result')} left out: something that they were "
            "made of is"
        )
    if copied.locked:
        note(
            f"{counted(copied.locked, 'result')} left out: workers of {where} are "
            "computing them"
        )
    if copied.damaged:
        note(f"{counted(len(copied.damaged), 'result')} left out: damaged")


@contextmanager
def bar_of(total: int) -> Iterator[Callable[[Copied], object]]:
    """Show how far a copy, or what goes like one, is on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar: Any = bars.add_task("results", total=total)

        def told(copied: Copied) -> None:
            seen = copied.copied + copied.there + copied.left_out
            bars.update(bar, completed=seen)

        yield told

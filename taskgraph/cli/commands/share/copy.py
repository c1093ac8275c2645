"""`tg copy`: put the results of one store into another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import json_option, select_options
from taskgraph.cli.copies import copy_results, print_copied
from taskgraph.cli.stores import open_named
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from backends.interface import Key
    from taskgraph.results.results import Results


@click.command("copy")
@click.argument("source", metavar="FROM", type=click.Path())
@click.argument("target", metavar="TO", type=click.Path())
@select_options
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be copied.")
@json_option
def command(
    source: str,
    target: str,
    name: tuple[str, ...],
    pattern: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Copy the results of the store FROM into the store TO.

    Each is a jugfile, whose store is meant, or the directory or URL of a store. TO is
    made if it is not there. What has a result there keeps it. With --name, what those
    results were made of goes along, as a result is only kept beside what it was made
    of. Failures are not copied, nor are files that tasks wrote.

    Everything is compared with its checksum on the way, and nothing is unpickled.
    Stopped in the middle, the same command goes on from there; workers may be at work
    in both stores.

    \b
    Exit code: 0 all is there, 1 something was left out.
    """  # noqa: D301 - click ends paragraphs with \b
    from taskgraph.results.results import Results

    origin = Results(open_named(source))
    keys = _wanted(origin, name, pattern)
    aim = Results(open_named(target, create=True))
    copied = copy_results(origin, aim, keys, dry_run=dry_run)
    return print_copied(copied, aim.backend.url, dry_run=dry_run, as_json=as_json)


def _wanted(
    results: Results, names: Sequence[str], patterns: Sequence[str]
) -> Collection[Key]:
    """Return the keys of some functions' results, with all that they were made of."""
    from taskgraph.tasks.graph import selector
    from taskgraph.upkeep.copying import functions, origins

    if not names and not patterns:
        return results.backend.keys() - set(results.backend.failures())
    matches = selector(names, patterns)
    named = functions(results)
    found = [key for key, name in named.items() if matches(name)]
    if not found:
        listed = ", ".join(sorted(set(named.values()))) or "none"
        what = " or ".join(map(repr, [*names, *patterns]))
        raise UsageError(f"no result of {what}; there are results of {listed}")
    return origins(results, found)

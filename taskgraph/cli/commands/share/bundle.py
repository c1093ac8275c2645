"""`tg bundle`: the results of a jugfile in one file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import json_option, jugfile_argument
from taskgraph.cli.copies import copy_results, print_copied
from taskgraph.cli.graphs import snapshot_now
from taskgraph.cli.printing import counted
from taskgraph.cli.stores import open_store_of
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from backends.interface import Key
    from taskgraph.results.results import Results
    from taskgraph.upkeep.copying import Copied


@click.command("bundle")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file [default: the jugfile's name with .tg.zip].",
)
@click.option("--force", is_flag=True, help="Even if not all tasks are done.")
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    output: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Write the results of JUGFILE into one file, with where each comes from.

    It is a zip archive with the script, a list of each result's provenance, and the
    results; `tg unbundle` puts them into a store again. Files that tasks read or wrote
    are not in it. An older bundle is overwritten, any other file is not.

    \b
    Exit code: 0 all is in it, 1 something was left out.
    """  # noqa: D301 - click ends paragraphs with \b
    from taskgraph.results.results import Results
    from taskgraph.upkeep.bundle import SUFFIX, require_replaceable

    path = output or jugfile.with_suffix(SUFFIX)
    require_replaceable(path, jugfile)
    source = Results(open_store_of(jugfile, store))
    known = source.backend.keys() - set(source.backend.failures())
    snapshot = snapshot_now(source.backend, jugfile, arguments or None)
    keys = known & set(snapshot.split())
    if not force and (len(keys) < len(snapshot) or not snapshot.complete):
        more = "" if snapshot.complete else ", and a barrier may hide more"
        raise UsageError(
            f"{len(keys)} of {counted(len(snapshot), 'task')} of {jugfile} are done"
            f"{more}; `tg execute` runs the rest, --force bundles what there is"
        )
    copied = _written(source, keys, jugfile, path)
    return print_copied(copied, str(path), as_json=as_json)


def _written(
    source: Results, keys: Collection[Key], jugfile: Path, path: Path
) -> Copied:
    """Write a bundle, by way of a store beside it."""
    from backends.opening import open_backend
    from taskgraph.results.results import Results
    from taskgraph.upkeep.bundle import write

    try:
        with TemporaryDirectory(prefix=".bundle-", dir=path.parent) as folder:
            place = Path(folder, "store")
            target = Results(open_backend(place, create=True))
            copied = copy_results(source, target, keys)
            write(place, target, jugfile, path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return copied

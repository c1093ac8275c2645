"""`tg unbundle`: the results in a bundle, put into a store."""

from __future__ import annotations

from pathlib import Path

import click

from taskgraph.cli.arguments import json_option
from taskgraph.cli.copies import copy_results, print_copied
from taskgraph.cli.stores import open_named


@click.command("unbundle")
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("target", metavar="[TO]", required=False, type=click.Path())
@json_option
def command(bundle: Path, target: str | None, as_json: bool) -> int:
    """Put the results in BUNDLE, which `tg bundle` wrote, into the store TO.

    TO is a jugfile, whose store is meant, or the directory or URL of a store; without
    it, a store beside the bundle with its name. What has a result there keeps it. To
    load a result is to trust who stored it, as with any store.

    \b
    Exit code: 0 all is there, 1 something was left out.
    """  # noqa: D301 - click ends paragraphs with \b
    from backends.opening import open_backend
    from taskgraph.results.results import Results
    from taskgraph.upkeep.bundle import SUFFIX, unpacked

    stem = bundle.name.removesuffix(SUFFIX).removesuffix(".zip")
    place = target or str(Path(".", bundle.with_name(f"{stem}.tgdata")))
    with unpacked(bundle) as folder:
        source = Results(open_backend(folder, create=False))
        source.backend.poll()
        keys = source.backend.keys() - set(source.backend.failures())
        aim = Results(open_named(place, create=True))
        copied = copy_results(source, aim, keys)
    return print_copied(copied, aim.backend.url, as_json=as_json)

"""`tg value`: print or save results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.options import (
    find_keys,
    find_snapshot,
    json_option,
    jugfile_and_words,
    load_graph,
    note,
    open_store,
    short,
    two_words,
)
from taskgraph.cli.tables import print_json, print_table
from taskgraph.errors import NoResultError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgraph.results import Results
    from taskgraph.snapshot import Snapshot


@click.command("value")
@jugfile_and_words("[JUGFILE] FUNCTION|KEY")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Save it: .npy .npz .json .csv .txt .pkl .tif; {key} in the name is replaced.",
)
@click.option("--all", "everything", is_flag=True, help="All tasks of the function.")
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    output: str | None,
    everything: bool,
    as_json: bool,
) -> int:
    """Print or save the result of a task of JUGFILE.

    The task is named by its function, or by the first digits of its key. If several
    tasks have that name they are listed, or all of their values shown with --all.
    """
    path, what = two_words(words, jugfile)
    if what is None:
        raise UsageError("say which: a function's name or the first digits of a key")
    from taskgraph.results import Results

    results = Results(open_store(path, store))
    snapshot = find_snapshot(results.backend, path)
    names = snapshot.named()
    keys = find_keys(what, [*names, *results.backend.keys()], names)
    chosen = _with_result(results, keys, what)
    if not chosen:
        return 1
    several = len(chosen) > 1
    if several and not everything:
        note(f"{len(chosen)} tasks of {what!r} have results; give a key, or --all")
        _list(results, chosen, as_json=as_json)
        return 2
    values = _load(results, chosen, snapshot, path)
    if output is not None:
        _save(values, output)
    elif as_json:
        from taskgraph.cli.saving import plain

        listed = [{"key": key.hex(), "value": plain(v)} for key, v in values]
        print_json(listed if everything else listed[0]["value"])
    else:
        _print(values)
    return 0


def _with_result(results: Results, keys: Sequence[bytes], what: str) -> list[bytes]:
    """Return the keys that have a result; tell the user why if none has."""
    backend = results.backend
    failures = backend.failures()
    known = [key for key in keys if backend.find(key) is not None]
    chosen = [key for key in known if key not in failures]
    if not chosen:
        why = "failed; see `tg errors`" if known else "has no result yet"
        note(f"{what} {why}")
    elif len(chosen) < len(keys):
        note(f"{len(keys) - len(chosen)} more tasks of {what!r} have no result")
    return chosen


def _list(results: Results, keys: Sequence[bytes], *, as_json: bool) -> None:
    header = ("key", "task", "arguments")
    rows = [
        (key.hex() if as_json else short(key), record.name, record.summary)
        for key, record in results.records(iter(keys))
    ]
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)


def _load(
    results: Results, keys: Sequence[bytes], snapshot: Snapshot, jugfile: Path
) -> list[tuple[bytes, Any]]:
    """Load values; if they need classes of the jugfile, load that one before."""
    try:
        return [(key, results.load(key)) for key in keys]
    except NoResultError:
        load_graph(results.backend, jugfile, snapshot.arguments)
        return [(key, results.load(key)) for key in keys]


def _print(values: Sequence[tuple[bytes, Any]]) -> None:
    import pprint

    for key, value in values:
        if len(values) > 1:
            click.echo(f"{short(key)}:")
        click.echo(value if isinstance(value, str) else pprint.pformat(value))


def _save(values: Sequence[tuple[bytes, Any]], output: str) -> None:
    from taskgraph.cli.saving import save

    if len(values) > 1 and "{key}" not in output:
        raise UsageError("-o takes {key} in the name to save several values")
    for key, value in values:
        path = Path(output.replace("{key}", short(key)))
        save(value, path)
        note(f"saved {path}")

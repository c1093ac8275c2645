"""What the shell completes: files, functions and keys; nothing may disturb typing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.cli.stores import open_store_of
from taskgraph.cli.words.jugfiles import DEFAULT_JUGFILE
from taskgraph.cli.words.keys import short_key

if TYPE_CHECKING:
    import click

    from taskgraph.upkeep.snapshot import Snapshot

_MOST_COMPLETIONS = 100


def completed_snapshot(context: click.Context) -> Snapshot | None:
    """Return the graph to complete from, None if there is none; never fails."""
    from taskgraph.upkeep.snapshot import load

    params = context.params
    # While an option waits for its value, click has not sorted out the other words.
    words = [*context.args, *(params.get("words") or ())]
    scripts = [word for word in words if word.endswith(".py")]
    given = params.get("jugfile") or os.environ.get("TG_JUGFILE", DEFAULT_JUGFILE)
    jugfile = Path(scripts[0] if scripts else given)
    try:
        backend = open_store_of(
            jugfile, params.get("store") or os.environ.get("TG_STORE")
        )
        return load(backend, jugfile)
    except Exception:  # noqa: BLE001 - nothing may disturb the user's typing
        return None


def complete_names(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's
    incomplete: str,
) -> list[Any]:
    """Return the functions that begin with what was typed."""
    from click.shell_completion import CompletionItem

    snapshot = completed_snapshot(context)
    names = sorted(set(snapshot.names)) if snapshot is not None else []
    short_names = [name.rpartition(".")[2] for name in names]
    pairs = zip([*short_names, *names], [*names, *names], strict=True)
    return [
        CompletionItem(name, help=whole)
        for name, whole in dict(pairs).items()
        if name.startswith(incomplete)
    ]


def complete_files(
    context: click.Context,  # noqa: ARG001 - click's
    parameter: click.Parameter,  # noqa: ARG001 - click's
    incomplete: str,
) -> list[Any]:
    """Return the scripts and folders that begin with what was typed."""
    from glob import escape, glob

    from click.shell_completion import CompletionItem

    found = glob(escape(incomplete) + "*")  # noqa: PTH207 - as it was typed
    folders = [f"{name}/" for name in found if Path(name).is_dir()]
    scripts = [name for name in found if name.endswith(".py")]
    return [
        CompletionItem(name)
        for name in sorted(folders + scripts)
        if not (".tgdata" in name or ".tgjobs" in name)
    ]


def complete_words(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[Any]:
    """Return files, functions and keys that begin with what was typed."""
    from click.shell_completion import CompletionItem

    words = context.params.get("words") or ()
    files = [] if words else complete_files(context, parameter, incomplete)
    names = complete_names(context, parameter, incomplete)
    snapshot = completed_snapshot(context)
    keys = []
    if snapshot is not None and incomplete:
        named = snapshot.named()
        keys = [
            CompletionItem(short_key(key), help=name)
            for key, name in named.items()
            if key.hex().startswith(incomplete.lower())
        ][:_MOST_COMPLETIONS]
    return [*files, *names, *keys]

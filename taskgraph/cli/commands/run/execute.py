"""`tg execute`: run the tasks of a jugfile."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from backends.garbage import few_collections
from taskgraph.cli.arguments import json_option, jugfile_argument, select_options
from taskgraph.cli.batch.limits import heed_jug_variables
from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import require_script
from taskgraph.cli.program import leave
from taskgraph.cli.running import (
    debugged,
    require_shared,
    retry_failures,
    run_loaded,
    run_script,
    tell_of_others,
)
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import store_url
from taskgraph.cli.words.run_options import given_options, is_first, run_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from taskgraph.execution.options import RunOptions
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded

_HELP = frozenset(("-h", "--help"))
"""What a jugfile may be asked for instead of tasks."""


@click.command("execute")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@select_options
@click.option(
    "--preload",
    is_flag=True,
    help="Read JUGFILE once, and not in each worker: for scripts known to be safe.",
)
@click.option(
    "-n", "--dry-run", is_flag=True, help="Only say what would run, why and how long."
)
@json_option
@run_options
def command(jugfile: Path, store: str | None, **given: Any) -> int:
    """Run the tasks of JUGFILE until nothing is left to do.

    Start it again, here or on any machine that sees the store, and the workers share
    the work. ARGUMENTS after -- are the script's own. Tasks that fail do not stop the
    others; `tg errors` shows why they failed. With --dry-run nothing is run or written.

    \b
    Exit code: 0 all done, 1 tasks failed or blocked, 2 usage or jugfile error,
    3 gave up waiting for others, 4 the store failed, 5 work is left because a limit of
    time or tasks came or no worker has its resources, 128+N stopped by signal N.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    with few_collections(lasting=True):
        from taskgraph.context import open_store
        from taskgraph.execution.at_once import run_at_once
        from taskgraph.tasks.graph import selector
        from taskgraph.tasks.jugfile import Jugfile
        from taskgraph.upkeep.kept_jugfile import KeptJugfile
    if given["as_json"] and not given["dry_run"]:
        raise click.UsageError("--json is for --dry-run; `tg status --json` tells")
    given_names = given["name"], given["pattern"]
    select = selector(*given_names) if any(given_names) else None
    options = given_options(given, select)
    require_script(jugfile)
    heed_jug_variables(os.environ)
    at_once = partial(run_at_once, also=options.per_worker.also)
    source = KeptJugfile(Jugfile(jugfile, given["arguments"], at_once))
    source.jugfile.compiled()  # no store for what is no jugfile
    if given["dry_run"]:
        from taskgraph.cli.dry_run import foretell

        return foretell(Jugfile(jugfile, given["arguments"]), store, given, options)
    results = open_store(store_url(jugfile, store))
    prepare = partial(
        _prepare,
        jugfile=jugfile,
        results=results,
        given=given,
        options=options,
        began=results.backend.claim([]).token,
    )
    if not (options.per_worker.debug or given["preload"]):
        leave(run_script(source, results, prepare, options))
    loaded = debugged(source.jugfile.load, results, pdb=options.pdb)
    prepare(loaded)
    if not len(loaded.graph) and not loaded.missing:
        source.keep(loaded)
        return 0
    if given["preload"]:
        _tell_shared(options)
    return run_loaded(source, loaded, jugfile, options)[0]


def _tell_shared(options: RunOptions) -> None:
    """Tell what workers share that are forked after the jugfile was read."""
    if not options.quiet and is_first():
        from taskgraph.execution.processes.fork_safety import shared

        note(shared())


def _prepare(
    loaded: Loaded,
    *,
    jugfile: Path,
    results: Results,
    given: Mapping[str, Any],
    options: RunOptions,
    began: int,
) -> None:
    """Do what is to be done once when the jugfile was read, and before it is run."""
    from taskgraph.upkeep.gone_files import forget_gone

    require_names(
        {generator.name for generator in loaded.graph.generators},
        given["name"],
        given["pattern"],
        jugfile=jugfile,
        complete=not loaded.missing,
    )
    if not options.per_worker.debug:
        require_shared(loaded)
    _point(loaded, results, jugfile)
    if not len(loaded.graph) and not loaded.missing:
        if _HELP.isdisjoint(given["arguments"]):  # else it has told how to call it
            note(f"{jugfile} has no tasks; {_advice(loaded, jugfile)}")
        return
    same = loaded.results.backend.url == results.backend.url
    retry_failures(loaded, options, began if same else None)
    for told in (
        forget_gone(loaded, options.per_worker.select),
        _waited_for(loaded, options),
        _changed(loaded) if is_first() else "",
    ):
        if told:
            note(told)
    tell_of_others(loaded, options)


def _changed(loaded: Loaded) -> str:
    """Return what to tell of results that were made by other code."""
    loaded.results.backend.refresh()
    if not loaded.results.backend.position:  # and the first run need not know how
        return ""
    from taskgraph.upkeep.code.changed_code import told_changes

    return told_changes(loaded)


def _waited_for(loaded: Loaded, options: RunOptions) -> str:
    """Return what other workers have to run first, if some functions are left out."""
    from taskgraph.tasks.blocked import left_out

    select, known = options.per_worker.select, loaded.results.backend.find
    others = left_out(loaded.graph.tasks, select, known) if select else []
    if not others:
        return ""
    return (
        f"waits for tasks of {', '.join(others)}, which --name or --pattern leaves out:"
        " other workers have to run them (gives up after"
        f" {options.per_worker.max_wait:g} s, see --max-wait)"
    )


def _advice(loaded: Loaded, jugfile: Path) -> str:
    """Return what to do about a jugfile without tasks."""
    origins = {getattr(found, "__module__", "") for found in loaded.space.values()}
    origins |= {getattr(found, "__name__", "") for found in loaded.space.values()}
    if any(f"{origin}.".startswith("jug.") for origin in origins):
        return "those of jug do not count: import them from taskgraph instead"
    if _has_guard(jugfile.read_bytes()):
        return (
            'what stands under `if __name__ == "__main__":` is for `python` alone: '
            "call its functions outside of it"
        )
    return "decorate functions with @TaskGenerator, and call them"


def _has_guard(source: bytes) -> bool:
    """Return whether a script says what it does only if it is started by itself."""
    import ast

    tests = [node.test for node in ast.parse(source).body if isinstance(node, ast.If)]
    return any(
        isinstance(node, ast.Constant) and node.value == "__main__"
        for test in tests
        for node in ast.walk(test)
    )


def _point(loaded: Loaded, results: Results, jugfile: Path) -> None:
    """Tell the user and other commands if the jugfile chose another store."""
    from taskgraph.upkeep.jugfile_store import keep_choice

    chosen = loaded.results.backend
    if chosen.url != results.backend.url:
        note(f"the jugfile chose the store {chosen.url}")
    if results.backend.shared:
        keep_choice(results.backend, jugfile, chosen)

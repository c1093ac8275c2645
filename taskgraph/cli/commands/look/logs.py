"""`tg logs`: what tasks printed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from backends.errors import DamagedError
from taskgraph.cli.arguments import json_option, jugfile_and_words, select_options
from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import load_snapshot
from taskgraph.cli.printing import counted, moment_text, one_line, print_json, say
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import open_store_of
from taskgraph.cli.words.jugfiles import two_words
from taskgraph.cli.words.keys import find_keys, short_key
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backends.interface import Backend
    from taskgraph.records import Record
    from taskgraph.results.results import Results


@click.command("logs")
@jugfile_and_words("[JUGFILE] [KEY|FUNCTION]", required=False)
@select_options
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the last N lines of each task.",
)
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    name: tuple[str, ...],
    pattern: tuple[str, ...],
    lines: int | None,
    as_json: bool,
) -> int:
    """Show what tasks of JUGFILE printed, to standard output or error, in any language.

    Each task by itself, whichever worker ran it, in the order in which they ended; of
    one that is named by its key, only what it printed. Of a store that a notebook has
    (--store), all tasks count.

    It is kept in the store with the result or the failure, and goes with it when that
    is forgotten: the last 64 KiB of each task, and how much came before; once a worker
    has kept 64 MiB, the last 4 KiB. Whoever may read the results may read it.

    Of tasks that run on this machine, as the same user, that is what they have printed
    so far; of others that run nothing is known yet, and nothing of those that killed
    their worker. What a task prints with --debug, or in a notebook with workers=0,
    goes to the terminal and is not kept. `tg jobs --log` shows what jobs of a batch
    system printed.

    Exit code: 0, also if nothing was printed, 4 if something of it is damaged.
    """
    path, what = two_words(words, jugfile)
    backend = open_store_of(path, store)
    from taskgraph.results.results import Results

    results, snapshot = Results(backend), load_snapshot(backend, path)
    names = snapshot.named() if snapshot is not None else {}
    keys = list(names)
    if snapshot is None:  # that of a notebook, say
        note(f"{path} has not run with the store {backend.url}: all that is in it")
        keys = sorted(results.keys())
        names = {key: record.name for key, record in results.records(iter(keys))}
    if what is not None:
        keys = find_keys(what, [*names, *results.keys()], names)
    if name or pattern:
        keys = _of_functions(keys, names, name, pattern)
        known = set(names.values())
        complete = snapshot is None or snapshot.complete
        require_names(known, name, pattern, jugfile=path, complete=complete)
    damaged: list[bytes] = []
    found = _printed(results, keys, lines, damaged)
    if as_json:
        listed = [_plain(key, record, text) for key, record, text in found]
        print_json(listed)
    else:
        _print(found, backend, keys, lines)
    return ExitCode.STORE_FAILED if damaged else ExitCode.DONE


def _of_functions(
    keys: Sequence[bytes],
    names: dict[bytes, str],
    wanted: Sequence[str],
    patterns: Sequence[str],
) -> list[bytes]:
    from taskgraph.tasks.graph import selector

    matches = selector(wanted, patterns)
    return [key for key in keys if matches(names.get(key, ""))]


def _printed(
    results: Results, keys: Sequence[bytes], lines: int | None, damaged: list[bytes]
) -> Iterator[tuple[bytes, Record, str]]:
    """Yield the tasks that printed something, with its end; tell of `damaged` ones."""
    places = ((results.backend.find(key), key) for key in keys)
    found = [(at.position, at.row, key) for at, key in places if at is not None]
    for *_, key in sorted(found):
        try:
            record = results.record(key)
        except DamagedError as error:
            note(f"{short_key(key)} cannot be read: {error.what} is damaged")
            damaged.append(key)
            continue
        if record is not None and record.output:
            kept = record.output.splitlines(keepends=True)[-(lines or 0) :]
            yield key, record, "".join(kept)


def _plain(key: bytes, record: Record, text: str) -> dict[str, Any]:
    return {
        "key": key.hex(),
        "function": record.name,
        "arguments": record.summary,
        "failed": record.failure is not None,
        "start": record.start,
        "end": record.end,
        "host": record.context.get("host"),
        "pid": record.context.get("pid"),
        "output": text,
    }


def _print(
    found: Iterator[tuple[bytes, Record, str]],
    backend: Backend,
    keys: Sequence[bytes],
    lines: int | None,
) -> None:
    """Print what was printed; say so if nothing was."""
    alone = len(keys) == 1
    shown = False
    for key, record, text in found:
        if not alone:
            call = f"{one_line(record.name)}({one_line(record.summary)})"
            failed = ", failed" if record.failure is not None else ""
            when = f"{moment_text(record.end)} on {record.context.get('host')}"
            say(f"{short_key(key)} {call}, {when}{failed}", bold=True)
        say(text.rstrip("\n") if alone else _indented(text))
        shown = True
    shown = _print_running(backend, set(keys), lines) or shown
    if not shown:
        note("nothing was printed by tasks that have ended")


def _print_running(backend: Backend, keys: set[bytes], lines: int | None) -> bool:
    """Print what tasks that run have printed so far; say of which it is not known."""
    from taskgraph.cli.words.keys import locked_keys
    from taskgraph.execution.output import printed_so_far

    held, _ = locked_keys(backend)
    running = {w for key, w in backend.holders().items() if key in held & keys}
    shown, elsewhere = False, 0
    for member in backend.members.all():
        if member.worker not in running:
            continue
        pid = member.identity.get("pid")
        here = _is_here(member.identity) and isinstance(pid, int)
        text = printed_so_far(pid) if here and isinstance(pid, int) else None
        elsewhere += text is None
        if text:
            say(f"{one_line(member.worker)}, the task that it runs, so far", bold=True)
            kept = text.splitlines(keepends=True)[-(lines or 0) :]
            say(_indented("".join(kept)))
            shown = True
    if elsewhere:
        workers = counted(elsewhere, "worker")
        note(f"{workers} elsewhere: what their tasks print is known when these end")
    return shown


def _is_here(about: Mapping[str, Any]) -> bool:
    """Return whether a worker is a process of this machine that can be seen."""
    from backends.liveness import worker_identity

    mine = worker_identity(os.getpid(), 1.0, os.getppid())
    return all(about.get(what) == mine[what] for what in ("host", "boot", "space"))


def _indented(text: str) -> str:
    return "\n".join(f"    | {line}" for line in text.splitlines())

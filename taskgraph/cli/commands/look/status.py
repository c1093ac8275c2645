"""`tg status`: how far the tasks are, by function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import also_option, json_option, jugfile_argument
from taskgraph.cli.graphs import load_snapshot, status_now
from taskgraph.cli.printing import (
    counted,
    moment_text,
    one_line,
    print_json,
    print_table,
    say,
    seconds_text,
    size_text,
)
from taskgraph.cli.sentences import note, note_if_open_to_all, store_alone
from taskgraph.cli.stores import find_store
from taskgraph.cli.words.jugfiles import is_pipeline, require_jugfile
from taskgraph.cli.words.keys import locked_keys, short_key
from taskgraph.upkeep.status import STATES, Status
from taskgraph.watching.notes import not_run_note, notes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.upkeep.code.changed_code import Change
    from taskgraph.upkeep.snapshot import Snapshot

_NAMED = 3


@click.command("status")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option(
    "--sizes", is_flag=True, help="Show what results take, by function: bytes and time."
)
@click.option(
    "--watch", is_flag=True, help="Stay, and show how it goes, until nothing is left."
)
@also_option
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    also: tuple[str, ...],
    *,
    sizes: bool,
    watch: bool,
    as_json: bool,
) -> int:
    """Show how far the tasks of JUGFILE are, by function.

    The jugfile is not run for that: its graph is as it was when it last ran. With
    ARGUMENTS after --, as it last ran with those. Of its inputs (`File(path)`, images)
    size and time are looked at, and what is not as it was is told; so is code that
    has changed since it made the results, as far as its files tell.

    \b
    failed   ran and raised, timed out, or killed its worker
    blocked  needs a task that failed
    waiting  needs a task that is not done yet
    ready    can be run now
    running  locked by a living worker
    done     has a result, and the files that it names are as they were written
    """  # noqa: D301 - click ends paragraphs with \b
    if not store_alone():
        require_jugfile(jugfile)
    backend = find_store(jugfile, store)
    if sizes:
        return _show_sizes(backend, as_json=as_json)
    snapshot = None if backend is None else _snapshot(backend, jugfile, arguments)
    if watch and backend is not None and snapshot is not None:
        from taskgraph.cli.views.staying import watched

        return watched(backend, snapshot)
    if backend is None or snapshot is None:
        _show(Status({}), None, {}, [], as_json=as_json)
        return 0
    note_if_open_to_all(backend)
    held, left = locked_keys(backend)
    status, told = status_now(snapshot, backend, held, also)
    running = snapshot.calls_as_text(list(held)) if held else {}
    if store_alone():
        note(f"no script ran with {backend.url}: all tasks that it has records of")
        _show(status, None, running, [], as_json=as_json)
        return 0
    changed, told_code = _changed(snapshot, backend, jugfile)
    _show(status, snapshot, running, changed, as_json=as_json)
    for words in (told, told_code, *_more(status, snapshot, backend)):
        if words:
            note(words)
    _explain(status, snapshot, jugfile, left)
    if snapshot.asking and status.total("ready"):
        _tell_waiting(status, snapshot, backend)
    return 0


def _snapshot(
    backend: Backend, jugfile: Path, arguments: tuple[str, ...]
) -> Snapshot | None:
    """Return the graph as it is kept; tell the user if there is none."""
    snapshot = load_snapshot(backend, jugfile, arguments)
    if snapshot is None:
        note(not_run_note(jugfile, arguments))
    return snapshot


def _changed(
    snapshot: Snapshot, backend: Backend, jugfile: Path
) -> tuple[list[Change], str]:
    """Return which results other code has made, and what to tell of that."""
    from taskgraph.upkeep.code.at_a_glance import changes_at_a_glance
    from taskgraph.upkeep.code.changed_code import told_of

    found = changes_at_a_glance(snapshot, backend, jugfile)
    return found, told_of(found, backend.url)


def _more(status: Status, snapshot: Snapshot, backend: Backend) -> tuple[str, str]:
    """Return what to tell of files that arguments name, and how long the rest takes."""
    from taskgraph.upkeep.inputs.named_files import kept_calls, told_named

    named = told_named(kept_calls(snapshot), backend, snapshot.folder, snapshot.writers)
    return named, _time_left(status, snapshot, backend)


def _show_sizes(backend: Backend | None, *, as_json: bool) -> int:
    """Show what the results of all functions take that are in a store."""
    from taskgraph.cli.costs import cost_row, costs

    rows = [] if backend is None else costs(backend)
    if as_json:
        print_json(rows)
        return 0
    header = ("task", "results", "size", "time", "peak memory")
    size, time = (sum(row[what] for row in rows) for what in ("size", "seconds"))
    total = ("all", sum(row["results"] for row in rows), size_text(size))
    print_table(
        header, [cost_row(row) for row in rows], total=(*total, seconds_text(time), "")
    )
    return 0


def _time_left(status: Status, snapshot: Snapshot, backend: Backend) -> str:
    """Return how long it takes, by the records of earlier tasks; empty if unknown."""
    left = {
        name: row["waiting"] + row["ready"] + row["running"]
        for name, row in status.counts.items()
    }
    if not any(left.values()):
        return ""
    from taskgraph.cli.costs import rest_text
    from taskgraph.watching.looks import calls_known

    text = rest_text(left, backend, calls_known(snapshot))
    return f"the rest takes {text}" if text else ""


def _tell_waiting(status: Status, snapshot: Snapshot, backend: Backend) -> None:
    """Say which resources ready tasks wait for, and whether anybody has them."""
    from backends.liveness import seems_dead
    from taskgraph.execution.options import offered_by
    from taskgraph.upkeep.asking import waiting

    ready = {name: row["ready"] for name, row in status.counts.items()}
    alive = [each for each in backend.members.all() if not seems_dead(each)]
    offers = [offered_by(each.identity) for each in alive]
    for who, asked, had in waiting(ready, snapshot.asking, offers):
        start = f"no worker has it: start some with `tg execute --resources {asked}`"
        note(f"{who}: {'it is in use' if had else start}")


def _show(
    status: Status,
    snapshot: Snapshot | None,
    running: Mapping[bytes, str],
    changed: Sequence[Change],
    *,
    as_json: bool,
) -> None:
    if as_json:
        calls = [{"key": key.hex(), "call": call} for key, call in running.items()]
        codes = [change.plain() for change in changed]
        more = {"running": calls, "changed_code": codes}
        print_json(_plain(status, snapshot) | more)
        return
    rows = [(name, *row.values()) for name, row in sorted(status.counts.items())]
    total = ("all", *status.totals.values())
    print_table(("task", *STATES), rows, total=total)
    for key, call in list(running.items())[:_NAMED]:
        say(f"running {short_key(key)} {one_line(call)}")
    if len(running) > _NAMED:
        say(f"and {len(running) - _NAMED} more, see `tg locks`")


def _plain(status: Status, snapshot: Snapshot | None) -> dict[str, Any]:
    asking = {} if snapshot is None else snapshot.asking
    functions = [
        {"name": name, **row}
        | ({"resources": list(asking[name])} if name in asking else {})
        for name, row in sorted(status.counts.items())
    ]
    plain: dict[str, Any] = {
        "tasks": status.tasks,
        "total": status.totals,
        "functions": functions,
        "finished": snapshot is not None and status.finished,
        "complete": snapshot is not None and status.complete,
        "jugfile": None,
    }
    if snapshot is not None:
        plain |= {
            "jugfile": snapshot.jugfile,
            "arguments": snapshot.arguments,
            "loaded": snapshot.time,
            "outdated": snapshot.outdated(),
        }
    return plain


def _explain(status: Status, snapshot: Snapshot, jugfile: Path, left: int) -> None:
    """Say what the table does not."""
    for words in notes_of(snapshot, jugfile, stuck=status.stuck, left=left):
        note(words)
    if changed := snapshot.changed_inputs(jugfile):
        named = ", ".join(changed[:_NAMED])
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        note(
            f"{counted(len(changed), 'input')} changed, or touched, since the tasks "
            f"were listed ({moment_text(snapshot.time)}): {named}{more}; `tg execute` "
            "looks into that"
            + ("" if is_pipeline(str(jugfile)) else ", and `tg check`")
        )

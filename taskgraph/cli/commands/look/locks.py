"""`tg locks`: who is running what, and releasing what the dead hold."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_argument
from taskgraph.cli.printing import (
    counted,
    moment_text,
    print_json,
    print_table,
    seconds_text,
)
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store
from taskgraph.cli.words.keys import short_key
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from backends.interface import Backend, Lock, Member

_SHOWN_TASKS = 3


@click.command("locks")
@jugfile_argument
@click.option(
    "--release",
    metavar="WORKER|dead|all",
    help="Let others run the tasks of this worker, of all dead ones, or of all.",
)
@json_option
def command(
    jugfile: Path, store: str | None, release: str | None, as_json: bool
) -> int:
    """Show which workers hold tasks of the store, and whether they live.

    Nobody has to release locks: workers take over from the dead by themselves, at once
    on the same machine, after the lease elsewhere. Results are never touched.
    """
    backend = find_store(jugfile, store)
    rows = [] if backend is None else _rows(backend, _calls(backend, jugfile))
    if release is not None and backend is not None:
        return _release(backend, rows, release, as_json=as_json)
    if as_json:
        print_json(rows)
    elif rows:
        _print(rows)
    elif backend is not None:
        note("no task is locked and no worker is at work")
    return 0


def _calls(backend: Backend, jugfile: Path) -> dict[bytes, str]:
    """Return the calls that are locked, as short text, as far as they are known."""
    held = list(backend.holders())
    if not held:
        return {}
    from backends.errors import DamagedError
    from taskgraph.cli.graphs import load_snapshot

    try:
        snapshot = load_snapshot(backend, jugfile)
    except DamagedError:  # what is locked is to be seen nevertheless
        return {}
    return {} if snapshot is None else snapshot.calls_as_text(held)


def _rows(backend: Backend, calls: dict[bytes, str]) -> list[dict[str, Any]]:
    from backends.liveness import left_behind

    dead = left_behind(backend)
    held: dict[str, list[Lock]] = defaultdict(list)
    for lock in backend.locks():
        held[lock.worker].append(lock)
    members = {member.worker: member for member in backend.members.all()}
    return [
        _row(
            members.get(worker),
            held.get(worker, []),
            calls,
            worker=worker,
            alive=worker not in dead,
        )
        for worker in sorted(held.keys() | members.keys())
    ]


def _row(
    member: Member | None,
    locks: list[Lock],
    calls: dict[bytes, str],
    *,
    worker: str,
    alive: bool,
) -> dict[str, Any]:
    about = member.identity if member is not None else {}
    return {
        "worker": worker,
        "host": about.get("host"),
        "pid": about.get("pid"),
        "alive": alive,
        "heartbeat_age": member.age if member is not None else None,
        "since": min((lock.since for lock in locks), default=None),
        "tasks": [lock.key.hex() for lock in locks],
        "calls": [calls.get(lock.key, "") for lock in locks],
    }


def _print(rows: list[dict[str, Any]]) -> None:
    lines = []
    for row in rows:
        named = list(zip(row["tasks"], row["calls"], strict=True))[:_SHOWN_TASKS]
        tasks = ", ".join(
            f"{short_key(bytes.fromhex(key))} {call}".rstrip() for key, call in named
        )
        more = " ..." if len(row["tasks"]) > _SHOWN_TASKS else ""
        age = row["heartbeat_age"]
        lines.append(
            (
                row["worker"],
                row["host"] or "",
                row["pid"] or "",
                "alive" if row["alive"] else "dead",
                "never" if age is None else f"{seconds_text(round(age, 1))} ago",
                moment_text(row["since"]) if row["since"] else "",
                len(row["tasks"]),
                tasks + more,
            )
        )
    header = ("worker", "host", "pid", "state", "heartbeat", "since", "tasks", "which")
    print_table(header, lines)


def _release(
    backend: Backend, rows: list[dict[str, Any]], which: str, *, as_json: bool
) -> int:
    from backends.interface import Cause

    known = [row["worker"] for row in rows]
    if which not in ("all", "dead", *known):
        names = ", ".join(known) or "nobody holds any"
        raise UsageError(f"there is no worker {which!r} with locks: {names}")
    chosen = [
        row
        for row in rows
        if which in ("all", row["worker"]) or (which == "dead" and not row["alive"])
    ]
    for row in chosen:
        backend.expel(row["worker"], Cause.RELEASED)
        if not row["alive"]:
            backend.members.leave(row["worker"])
    if as_json:
        print_json(chosen)
    freed = sum(len(row["tasks"]) for row in chosen)
    note(f"{counted(freed, 'task')} can be run by others now")
    return 0

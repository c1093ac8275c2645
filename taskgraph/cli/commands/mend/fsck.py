"""`tg fsck`: check the store, and repair it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import json_option, jugfile_argument
from taskgraph.cli.printing import counted, print_json, print_table
from taskgraph.cli.sentences import note, note_if_open_to_all
from taskgraph.cli.stores import find_store

if TYPE_CHECKING:
    from pathlib import Path


@click.command("fsck")
@jugfile_argument
@click.option("--repair", "repairing", is_flag=True, help="Put right what is wrong.")
@json_option
def command(jugfile: Path, store: str | None, repairing: bool, as_json: bool) -> int:
    """Compare every byte of the store with its checksum, and look for what is lost.

    \b
    damaged   a record or a large value is not what was stored; --repair forgets it,
              so that its task is run again
    copy      one of two copies of something; nothing is lost, it is written anew
    document  a list of tasks is not what was stored, or one document shows that results
              were lost; --repair forgets it, `tg execute` runs what is lacking
    orphan    a large value that no result needs, older than a day; to the trash
    leftover  a file that nobody finished writing, as old; removed
    dead      a worker that is gone; its locks are free again

    \b
    Exit code: 0 nothing found or all repaired, 1 something was found.
    """  # noqa: D301 - click ends paragraphs with \b
    backend = find_store(jugfile, store)
    if backend is None:
        if as_json:
            print_json({"faults": [], "repaired": repairing, "again": 0})
        return 0
    from taskgraph.results.results import Results
    from taskgraph.upkeep.checking import check, repair

    note_if_open_to_all(backend)
    results = Results(backend)
    faults = list(check(results))
    again = repair(results, faults) if repairing else 0
    rows = [(fault.kind, fault.what, fault.why, len(fault.keys)) for fault in faults]
    header = ("kind", "what", "why", "tasks")
    if as_json:
        listed = [dict(zip(header, row, strict=True)) for row in rows]
        for entry, fault in zip(listed, faults, strict=True):
            entry["keys"] = [key.hex() for key in fault.keys]
        print_json({"faults": listed, "repaired": repairing, "again": again})
    elif rows:
        print_table(header, rows)
    if not faults:
        note(f"{counted(len(backend.keys()), 'record')} checked, nothing is wrong")
        return 0
    found = counted(len(faults), "fault")
    if repairing:
        note(f"{found} repaired; {counted(again, 'task')} will run again")
        return 0
    note(f"{found} found; `tg fsck --repair` puts it right")
    return 1

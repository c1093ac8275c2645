"""`tg errors`: why tasks failed, equal causes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_argument, select_options
from taskgraph.cli.failures import chosen_failures
from taskgraph.cli.printing import counted, one_line, print_json, say
from taskgraph.cli.stores import find_store
from taskgraph.cli.words.keys import short_key
from taskgraph.upkeep.failure_groups import about_group, failure_of, grouped

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.cli.failures import Failed
    from taskgraph.records import Record

_SHOWN_TASKS = 10
_SHOWN_LINES = 20


@click.command("errors")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@select_options
@click.option(
    "--all", "everything", is_flag=True, help="Every task, and all it printed."
)
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    name: tuple[str, ...],
    pattern: tuple[str, ...],
    everything: bool,
    as_json: bool,
) -> int:
    """Show why tasks of JUGFILE failed.

    Failures that were raised at the same place of the same function are shown together:
    one traceback, then the tasks with their arguments and what they printed. With
    ARGUMENTS after --, those of JUGFILE as it last ran with these.
    """
    backend = find_store(jugfile, store)
    found: list[Failed] = []
    if backend is not None:
        from taskgraph.results.results import Results

        known = Results(backend)
        found = chosen_failures(known, jugfile, name, pattern, arguments)
    groups = grouped(found)
    if as_json:
        print_json([_plain(group) for group in groups])
        return 0
    for group in groups:
        _print(group, everything=everything)
    return 0


def _plain(group: list[Failed]) -> dict[str, Any]:
    return {
        **about_group(group),
        "tasks": [
            {
                "key": key.hex(),
                "arguments": record.summary,
                "message": failure_of(record).message,
                "attempt": record.attempt,
                "start": record.start,
                "wall": record.wall,
                "host": record.context.get("host"),
                "output": record.output,
            }
            for key, record in group
        ],
    }


def _print(group: list[Failed], *, everything: bool) -> None:
    _, first = group[0]
    failure = failure_of(first)
    messages = {failure_of(record).message for _, record in group}
    others = counted(len(messages) - 1, "other message")
    more = f" (and {others})" if len(messages) > 1 else ""
    title = f"{counted(len(group), 'task')} of {one_line(first.name)} failed"
    error = f"{failure.error}: {failure.message}".removesuffix(": ")
    say(f"{title} ({failure.cause}): {error}{more}", bold=True)
    if failure.traceback:
        say(failure.traceback.rstrip())
    shown = group if everything else group[:_SHOWN_TASKS]
    for key, record in shown:
        _print_task(key, record, several=len(messages) > 1, everything=everything)
    if len(shown) < len(group):
        say(f"  and {len(group) - len(shown)} more; see --all")
    say()


def _print_task(key: bytes, record: Record, *, several: bool, everything: bool) -> None:
    call = f"{one_line(record.name)}({one_line(record.summary)})"
    words = [f"  {short_key(key)} {call}"]
    if several:
        words.append(f"{failure_of(record).message.strip()}")
    if record.attempt > 1:
        words.append(f"after {record.attempt} attempts")
    words.append(f"on {record.context.get('host')}")
    say(", ".join(words))
    lines = record.output.splitlines()
    skipped = 0 if everything else max(0, len(lines) - _SHOWN_LINES)
    if skipped:
        say(f"    | ({counted(skipped, 'line')} before)")
    for line in lines[skipped:]:
        say(f"    | {line}")

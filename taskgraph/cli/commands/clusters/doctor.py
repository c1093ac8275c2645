"""`tg doctor`: find out what a store is good for, and what to change."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import asdict
from math import inf
from pathlib import Path
from signal import SIGTERM, signal
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option
from taskgraph.cli.completion import complete_files
from taskgraph.cli.printing import print_json, print_table, say, seconds_text
from taskgraph.cli.sentences import note
from taskgraph.cli.words.jugfiles import DEFAULT_JUGFILE, require_jugfile

if TYPE_CHECKING:
    from taskgraph.doctor.capacity import Costs
    from taskgraph.doctor.examination import Examination

_WIDTH = 88
_INDENT = " " * 9
_WORDS = ("fine", "look at", "unfit")
_LENGTHS = (0.1, 1.0, 60.0, 3600.0)
_CREWS = (10, 100, 1000, 10_000)


@click.command("doctor")
@click.argument(
    "jugfile",
    type=click.Path(path_type=Path),
    default=DEFAULT_JUGFILE,
    envvar="TG_JUGFILE",
    shell_complete=complete_files,
)
@click.option(
    "--store",
    metavar="URL",
    envvar="TG_STORE",
    help="Which store, or the place of one that is not there yet "
    "[default: the first file's name with .tgdata].",
)
@click.option(
    "--peer",
    multiple=True,
    metavar="HOST",
    help="A machine that takes part, reached by ssh; may be repeated.",
)
@click.option(
    "--meet",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Wait for N other machines on which the same command is started.",
)
@json_option
def command(
    jugfile: Path, store: str | None, peer: tuple[str, ...], meet: int, as_json: bool
) -> int:
    """Measure a store in some seconds; say what that means and what to change.

    Processes of this machine, and of others, race to be first, look how late they see
    each other, and append as fast as it goes: in a scratch store beside, that nobody
    else looks at and that is removed. Workers may run meanwhile.

    \b
    tg doctor --store /shared/thesis.tgdata --peer node7 --peer node8
    srun -N 4 tg doctor --store /shared/thesis.tgdata --meet 3

    \b
    Exit code: 0 all is fine, 1 it works, and something is to be looked at, 4 no store
    can be kept there.
    """  # noqa: D301 - click ends paragraphs with \b
    from taskgraph.cli.stores import store_url
    from taskgraph.doctor.examination import examine
    from taskgraph.exit_codes import ExitCode, by_signal

    if store is None:
        require_jugfile(jugfile)
    # What is in the scratch store goes also if a batch system ends this.
    signal(SIGTERM, lambda number, _: sys.exit(by_signal(number)))
    found = examine(store_url(jugfile, store), peers=peer, meet=meet)
    if not found.findings:
        note(f"took part; what was found another machine says ({found.url})")
        return ExitCode.DONE
    table = [] if found.costs is None else carried(found.costs)
    if as_json:
        print_json(_as_data(found, table))
    else:
        _print(found, table)
    codes = (ExitCode.DONE, ExitCode.NOT_DONE, ExitCode.STORE_FAILED)
    return codes[found.level]


def carried(costs: Costs) -> list[dict[str, Any]]:
    """Return how long tasks should be, for some numbers of workers, and why."""
    from taskgraph.doctor.capacity import Crew, load, shortest_task
    from taskgraph.execution.pace import processors

    cores = processors() if costs.service.here else inf
    crews = (1, processors(), 4 * processors()) if costs.service.here else _CREWS
    found = []
    for workers in dict.fromkeys(crews):
        seconds = shortest_task(costs, workers, cores)
        crew = Crew(workers, cores)
        # What it is that would be the limit, if they were any shorter.
        limit = load(costs, crew, min(seconds, 1e6) * 0.7).limit
        found.append({"workers": workers, "seconds": seconds, "limit": limit})
    return found


def _as_data(found: Examination, table: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "store": found.url,
        "hosts": found.hosts,
        "level": found.level.name.lower(),
        "findings": [
            asdict(one) | {"level": one.level.name.lower()} for one in found.findings
        ],
        "costs": None if found.costs is None else asdict(found.costs),
        "carries": table,
        "assumed": found.assumed,
    }


def _print(found: Examination, table: list[dict[str, Any]]) -> None:
    say(f"{found.url}, seen from {', '.join(found.hosts)}")
    for one in found.findings:
        say(f"{_WORDS[one.level]:8} {one.what}: {one.measured}", bold=one.level > 0)
        _print_folded(one.meaning)
        if one.advice:
            _print_folded(f"-> {one.advice}")
    if table:
        say()
        say("What it carries, if workers are to spend 90 % of their time on tasks:")
        limits = {"tasks": "what a batch takes", "cores": "the cores"}
        limits |= {"journal": "one append after another"}
        limits |= {"service": "the server, asked by all"}
        rows = [
            (row["workers"], _length(row["seconds"]), limits[row["limit"]])
            for row in table
        ]
        print_table(("workers", "tasks of at least", "the limit is"), rows)
        if found.assumed:
            _print_folded(f"assumed: {found.assumed}")
    worst = {0: "all is fine", 1: "it works; see what is to be looked at"}
    say(worst.get(int(found.level), "no store can be kept there"), bold=True)


def _length(seconds: float) -> str:
    return "none is enough" if seconds == inf else seconds_text(max(seconds, 1e-3))


def _print_folded(text: str) -> None:
    for line in textwrap.wrap(text, _WIDTH - len(_INDENT)):
        say(f"{_INDENT}{line}")

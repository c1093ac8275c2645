"""`tg chaos`: kill and freeze workers on purpose, and see that nothing is lost."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import click

from taskgraph.chaos.with_limit import FAULTHANDLER
from taskgraph.cli.arguments import json_option, jugfile_argument
from taskgraph.cli.graphs import find_snapshot, require_script, snapshot_now
from taskgraph.cli.printing import counted, print_json, print_table, say
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import open_named
from taskgraph.cli.words.jugfiles import require_jugfile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backends.interface import Backend
    from taskgraph.chaos.storm import Struck

_PER_GROUP = 4
_TELL_EVERY = 15.0
_SHOWN = 20
_ACTING = 300.0
"""Seconds after which an invalidation, say, hangs: it runs no task."""
_LAST = 2000
"""Bytes of what workers said last that are shown when they could not finish."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is run, where, with how many workers, and for how many seconds."""

    jugfile: Path
    url: str
    workers: int
    seconds: float
    limit: float
    lease: float
    seed: int

    def argv(self, command: str, *more: str) -> list[str]:
        """Return the command line of a command of `tg`."""
        start = "from taskgraph.cli import main; main()"
        words = [command, str(self.jugfile.resolve()), "--store", self.url, *more]
        return [sys.executable, *FAULTHANDLER, "-c", start, *words]


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a storm did, how the last run ended, and what was wrong then.

    The code is None if it had to be ended.
    """

    struck: Struck
    code: int | None
    seconds: float
    wrong: Sequence[str]
    said: str


@click.command("chaos")
@jugfile_argument
@click.option(
    "-w",
    "--workers",
    type=click.IntRange(1),
    default=16,
    metavar="N",
    help="How many are at work at a time  [default: 16].",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    metavar="MINUTES",
    help="For how long they are struck  [default: 2].",
)
@click.option(
    "--lease",
    type=click.FloatRange(1),
    default=5.0,
    metavar="SECONDS",
    help="Silence after which a worker counts as dead  [default: 5].",
)
@click.option(
    "--limit",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    metavar="MINUTES",
    help="Minutes that the last run may take, without any strike  [default: 30].",
)
@click.option("--seed", type=int, metavar="N", help="Strike as a run with it did.")
@json_option
def command(
    jugfile: Path,
    store: str | None,
    workers: int,
    minutes: float,
    lease: float,
    limit: float,
    seed: int | None,
    as_json: bool,
) -> int:
    """Run JUGFILE with workers that are killed and frozen again and again.

    Meanwhile results are invalidated, that is undone, and failures are retried. At the
    end all has to be there, each result made of those that are stored, nothing locked,
    nothing damaged; a command that does not end is told with its stacks. It shows what
    a store carries before one trusts it: name a store of the same kind with --store,
    but not one whose results are dear, as they are computed anew. Without it, one
    beside the jugfile is made (with .chaos.tgdata).

    \b
    Exit code: 0 nothing was lost, 1 something was wrong.
    """  # noqa: D301 - click ends paragraphs with \b
    require_jugfile(jugfile)
    require_script(jugfile)
    url = store or str(Path(".", jugfile.with_suffix(".chaos.tgdata")))
    chosen = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    plan = _Plan(jugfile, url, workers, minutes * 60, limit * 60, lease, chosen)
    backend = open_named(url, create=True)
    snapshot_now(backend, jugfile, keep=True)
    note(f"{counted(workers, 'worker')} for {minutes:g} min on {url}, seed {chosen}")
    with TemporaryFile() as said:
        ended = _raged(plan, backend, said)
    if as_json:
        print_json(_as_json(ended, chosen))
    else:
        _print(ended)
    return 1 if ended.wrong or ended.code not in (0, 1) else 0


def _raged(plan: _Plan, backend: Backend, said: IO[bytes]) -> _Ended:
    """Let a storm rage, let workers finish in peace, and look at what is there."""
    from taskgraph.chaos.audit import audit
    from taskgraph.chaos.storm import Programs, Storm
    from taskgraph.chaos.with_limit import Command
    from taskgraph.results.results import Results

    groups = max(1, plan.workers // _PER_GROUP)
    each = str(max(1, plan.workers // groups))
    run = plan.argv("execute", "-q", "-j", each, "--lease", f"{plan.lease:g}")
    meanwhile = {"undone": plan.argv("undo"), "retried": plan.argv("retry")}
    for name in find_snapshot(backend, plan.jugfile).names:
        meanwhile[f"invalidated {name}"] = plan.argv("invalidate", "-y", "--name", name)
    acting = min(_ACTING, plan.limit)
    programs = Programs(run, meanwhile, Path.cwd(), acting)
    rng = random.Random(plan.seed)
    storm = Storm(programs, groups, backend, plan.lease, rng, said)
    storm.rage(plan.seconds, _now_and_then(note))
    last = Command("the last run", run, Path.cwd(), said)
    code, stood = last.wait(plan.limit)
    took, struck = last.age, storm.struck
    if code is None:
        struck.hung.append((last.name, stood))
    backend.poll()
    wrong = [f"{name} did not end in time" for name, _ in struck.hung]
    wrong += audit(Results(backend), find_snapshot(backend, plan.jugfile))
    return _Ended(struck, code, took, wrong, _last(said))


def _now_and_then(tell: Callable[[str], None]) -> Callable[[Struck], None]:
    """Return what tells how it goes, if it did not lately."""
    began = told_at = time.monotonic()

    def told(struck: Struck) -> None:
        nonlocal told_at
        now = time.monotonic()
        if now - told_at > _TELL_EVERY:
            told_at = now
            tell(f"{struck.deeds.total()} strikes after {now - began:.0f} s")

    return told


def _last(said: IO[bytes]) -> str:
    """Return what was said last."""
    size = said.seek(0, 2)
    said.seek(max(0, size - _LAST))
    return said.read().decode(errors="replace").strip()


def _as_json(ended: _Ended, seed: int) -> dict[str, Any]:
    recoveries = sorted(ended.struck.recoveries)
    return {
        "seed": seed,
        "deeds": dict(ended.struck.deeds),
        "recoveries": recoveries,
        "blind": ended.struck.blind,
        "hung": [{"command": name, "stood": at} for name, at in ended.struck.hung],
        "exit_code": ended.code,
        "seconds_after": ended.seconds,
        "wrong": list(ended.wrong),
    }


def _print(ended: _Ended) -> None:
    deeds = sorted(ended.struck.deeds.items())
    if deeds:
        print_table(("strike", "times"), deeds)
    recoveries = sorted(ended.struck.recoveries)
    if recoveries:
        half, most = _part(recoveries, 0.5), _part(recoveries, 0.99)
        say(
            f"locks of the killed were free after {half:.2f} s (half), {most:.2f} s "
            f"(99 of 100), {recoveries[-1]:.2f} s at most; a look took "
            f"{ended.struck.blind:.2f} s at most"
        )
    how = "had to be ended" if ended.code is None else f"ended with {ended.code}"
    say(f"the last run took {ended.seconds:.1f} s and {how}")
    for name, stood in ended.struck.hung:
        say(f"{name} did not end; where it stood:\n{stood}", error=True)
    for what in ended.wrong[:_SHOWN]:
        say(f"wrong: {what}")
    if ended.code not in (0, 1, None):
        say(ended.said, error=True)
    if ended.wrong:
        say(f"{counted(len(ended.wrong), 'thing')} wrong", bold=True)
    elif not ended.struck.workers:
        say(
            "nothing was lost, but no worker was killed or frozen, so that says "
            "little: take more --minutes, or tasks that run longer"
        )
    else:
        say("nothing was lost, and each result was made of those that are stored")


def _part(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

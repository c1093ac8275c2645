"""Run schedules: python -m tests.simulation --schedules 200000 --jobs 2."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import sys
import time
from collections import Counter

from .schedule import Outcome, Schedule, planned_deeds

_CHUNK = 50
_SHOWN = 40


def main() -> int:
    """Return 1 if an invariant was broken, else 0."""
    options = _parser().parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets of bytes have orders, too
        environ = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)
    if options.seed is not None:
        return _tell(shrunk(options.seed), options.lines)
    began = time.monotonic()
    seeds = range(options.first, options.first + options.schedules)
    broken: list[Outcome] = []
    counts: Counter[str] = Counter()
    with multiprocessing.Pool(options.jobs) as pool:
        for outcome in pool.imap(_run, seeds, _CHUNK):
            counts.update(steps=outcome.steps, runs=outcome.runs)
            counts.update(segments=outcome.segments)
            if outcome.broken:
                broken.append(outcome)
                print(f"seed {outcome.seed}: {outcome.broken}", flush=True)
                if len(broken) >= options.most:
                    break
    seconds = time.monotonic() - began
    print(
        f"{len(seeds)} schedules from seed {seeds[0]} in {seconds:.0f} s: "
        f"{counts['steps']} steps, {counts['runs']} runs of tasks, "
        f"{counts['segments']} segments; {len(broken)} broken"
    )
    if not broken:
        return 0
    least = min(broken, key=lambda outcome: outcome.steps)
    return _tell(shrunk(least.seed), options.lines)


def shrunk(seed: int) -> Outcome:
    """Return how a schedule ends when as little as can be goes wrong in it.

    What the adversary does is left out, one thing after another, unless something else
    or nothing is broken without it.
    """
    dropped: set[int] = set()
    sought = _kind(Schedule(seed).run())
    for place in range(len(planned_deeds(seed))) if sought else ():
        if _kind(Schedule(seed, dropped=dropped | {place}).run()) == sought:
            dropped.add(place)
    return Schedule(seed, dropped=dropped, traced=True).run()


def _kind(outcome: Outcome) -> str:
    """Return what is broken, without the numbers in it."""
    return re.sub(r"[0-9a-f]+", "", outcome.broken or "")


def _run(seed: int) -> Outcome:
    return Schedule(seed).run()


def _tell(outcome: Outcome, lines: int) -> int:
    print(f"\nseed {outcome.seed}, its last {lines} of {len(outcome.trace)} lines:")
    print("\n".join(outcome.trace[-lines:]))
    print(f"what happened, by steps: {', '.join(outcome.plan)}")
    print(f"seed {outcome.seed}: {outcome.broken or 'nothing is broken'}")
    return 1 if outcome.broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Run simulated schedules, and tell which break an invariant.",
    )
    number = {"type": int, "metavar": "N"}
    parser.add_argument("--schedules", default=2000, help="how many", **number)
    parser.add_argument("--first", default=0, help="the first one's seed", **number)
    parser.add_argument("--jobs", default=1, help="processes", **number)
    parser.add_argument("--most", default=10, help="broken ones to stop at", **number)
    parser.add_argument("--seed", help="shrink and trace this one only", **number)
    parser.add_argument("--lines", default=_SHOWN, help="lines of a trace", **number)
    return parser


if __name__ == "__main__":
    sys.exit(main())

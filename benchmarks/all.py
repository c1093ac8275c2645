"""Run all benchmarks in a short form and write the page: ``python benchmarks/all.py``.

Each runs in a process of its own, until its limit or that of all, in minutes; the first
ones are those that users feel most. ``docs/speed.md`` is made of ``docs/speed.json``.
Words choose parts (``--list`` shows them); then, say by ``--out`` where the page goes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reporting import Row
from suite.machine import machine
from suite.page import page
from suite.parts import PARTS
from suite.running import ROOT, Outcome, let_interrupts_through, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suite.parts import Part


PAGE = ROOT / "docs" / "speed.md"


def described(part: Part, outcome: Outcome) -> dict[str, Any]:
    """Return what the page says of a part."""
    names = ("name", "title", "about", "command")
    took = {name: getattr(outcome, name) for name in ("seconds", "cpu", "others")}
    rows = {"failure": outcome.failure, "rows": outcome.rows}
    return {**{name: getattr(part, name) for name in names}, **took, **rows}


def run_all(parts: list[Part], minutes: float) -> Iterator[dict[str, Any]]:
    """Run parts one after the other; yield all that is found after each."""
    start, found, here = time.perf_counter(), [], machine(ROOT)
    for part in parts:
        left = 60 * minutes - (time.perf_counter() - start)
        outcome = Outcome([], 0, 0, None, f"no time was left of {minutes:g} minutes")
        if left > 1:
            outcome = run(part, sys.executable, min(part.limit, left))
        found.append(described(part, outcome))
        said = outcome.failure or f"{len(outcome.rows)} rows"
        print(f"{part.name}: {outcome.seconds:.1f} s, {said}", flush=True)
        took = {"seconds": time.perf_counter() - start, "others": mean_others(found)}
        yield {"machine": {**here, **took}, "parts": found}


def mean_others(found: list[dict[str, Any]]) -> float | None:
    """Return how many cores other programs used all the time, if that is known."""
    known = [one for one in found if one["others"] is not None]
    seconds = sum(one["seconds"] for one in known)
    used = sum(one["others"] * one["seconds"] for one in known)
    return used / seconds if seconds else None


def read(text: str) -> dict[str, Any]:
    """Return what was found, of the text of its file."""
    found = json.loads(text)
    for part in found["parts"]:
        part["rows"] = [Row(**row) for row in part["rows"]]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help="only these")
    parser.add_argument("--again", action="store_true", help="the page only, of --out")
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument("--minutes", type=float, default=14)
    parser.add_argument("--out", type=Path, default=PAGE, help="another page")
    given = parser.parse_args()
    if given.list:
        for part in PARTS:
            print(f"{part.name:14} {part.command}")
        return
    unknown = set(given.parts) - {part.name for part in PARTS}
    if unknown:
        parser.error(f"no parts of these names: {', '.join(sorted(unknown))}")
    if given.parts and given.out == PAGE:
        parser.error("docs/speed.md is of all parts: say --out for that of some")
    let_interrupts_through()
    figures = given.out.with_suffix(".json")
    if not given.again:
        chosen = [p for p in PARTS if not given.parts or p.name in given.parts]
        for found in run_all(chosen, given.minutes):
            figures.write_text(json.dumps(found, default=asdict, indent=1) + "\n")
    given.out.write_text(page(read(figures.read_text())))
    print(f"written: {given.out}")


if __name__ == "__main__":
    main()

"""What became faster or slower: ``python benchmarks/compare.py OLD NEW [part ...]``.

OLD and NEW are commits, or ``.`` for this checkout as it is installed. Each commit is
laid beside an environment of its own in the user's cache folder, where the next
comparison finds it. This checkout's benchmarks run with both, in turns, so that what
else the machine does falls on both; shown are medians, how many times as fast NEW is,
and CPU time. ``python benchmarks/all.py --list`` says which parts there are.

airspeed velocity, which does this for many projects, times Python functions by the
clock, with the CPU time of the calling process at most. Ours are commands whose work
is done by processes that they start, and each has a peer in the same run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reporting import Row, as_text
from suite.changes import change, changes
from suite.parts import PARTS
from suite.running import ROOT, Outcome, let_interrupts_through, run, search_path

if TYPE_CHECKING:
    from suite.parts import Part


def python_of(name: str) -> str:
    """Return the Python of an environment of a commit, made if there is none."""
    if name == ".":
        return sys.executable
    git = ["git", "-C", str(ROOT)]
    found = subprocess.check_output(
        [*git, "rev-parse", "--verify", f"{name}^{{commit}}"], text=True
    ).strip()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "segkit-benchmarks" / found[:12]
    if not (folder / "ready").exists():
        print(f"making an environment of {name} in {folder}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        archive = subprocess.check_output([*git, "archive", found])
        subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
        install(folder)
        (folder / "ready").touch()
    return str(folder / ".venv" / "bin" / "python")


def install(folder: Path) -> None:
    """Make an environment of what lies in a folder, with the packages that are here."""
    uv = shutil.which("uv", path=search_path())
    if uv is None:
        sys.exit("uv is needed to make an environment of a commit: put it on PATH")
    if (ROOT / "uv.lock").exists():
        shutil.copy(ROOT / "uv.lock", folder)
    sync = [uv, "sync", "--quiet", "--compile-bytecode", "--extra", "bench"]
    own = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    command = [*sync, "--python", sys.executable]
    subprocess.run(command, cwd=folder, env=own, check=True)


def in_turns(part: Part, pythons: list[str], rounds: int) -> list[list[Outcome]]:
    """Run a part with both environments, the other one first in every second round."""
    found: list[list[Outcome]] = [[], []]
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            found[side].append(run(part, pythons[side], part.limit))
    return found


def report(part: Part, found: list[list[Outcome]], name: str) -> list[str]:
    """Return what became of a part, in lines."""
    old, new = ([outcome.rows for outcome in side] for side in found)
    cpu = [[Row("CPU of all", one.cpu, "s CPU") for one in side] for side in found]
    failures = {one.failure for side in found for one in side if one.failure}
    return [
        f"{part.name}: {part.command}",
        *(f"  not complete: {failure}" for failure in sorted(failures)),
        *(f"  {as_text(row)}" for row in changes(old, new, name)),
        f"  {as_text(change(cpu[0], cpu[1], name))}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument(
        "parts", nargs="*", metavar="part", help="all, if none is given"
    )
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    unknown = set(given.parts) - {part.name for part in PARTS}
    if unknown:
        parser.error(f"no parts of these names: {', '.join(sorted(unknown))}")
    let_interrupts_through()
    pythons = [python_of(name) for name in (given.old, given.new)]
    for part in PARTS:
        if not given.parts or part.name in given.parts:
            found = in_turns(part, pythons, given.rounds)
            print("\n".join(report(part, found, given.old)), flush=True)


if __name__ == "__main__":
    main()

"""What it costs to join a store: ``python benchmarks/joining.py``.

Makes a store with many results in many merged segments (with ``--claims`` each segment
of results is preceded by the locks on them, as in a run), then reads it in new
processes: CPU seconds, and system calls by strace, those of an empty store taken off.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reporting import Row, parser, show

from backends.filesystem.file_log import FileLog
from backends.interface import Row as Kind
from backends.store import JournalStore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

JOIN = """\
import sys, time
from pathlib import Path
from backends.filesystem.file_log import FileLog
from backends.store import JournalStore
store = JournalStore(FileLog(Path(sys.argv[1])), "joiner")
cpu, wall = time.process_time(), time.perf_counter()
store.poll()
print(time.process_time() - cpu, time.perf_counter() - wall, len(store.keys()))
"""
FILES = {"open", "openat", "read", "pread64", "preadv", "lseek", "close", "stat"}
FILES |= {"fstat", "newfstatat", "statx", "getdents64", "access", "link", "unlink"}


def fill(folder: Path, results: int, segments: int, *, claims: bool) -> None:
    """Make a store of `results` results in `segments` segments."""
    store = JournalStore(FileLog(folder), "filler")
    rows = results // segments
    body = b"r" * 40 * rows
    for first in range(0, rows * segments, rows):
        keys = [
            (number * 0x9E3779B97F4A7C15 % 2**160).to_bytes(20, "big")
            for number in range(first + 1, first + rows + 1)
        ]
        since = store.claim(keys).token if claims else 0
        store.publish(keys, bytes([Kind.RESULT]) * rows, body, since=since)


def join(folder: Path) -> list[float]:
    """Return CPU seconds, seconds, and the number of results that were found."""
    out = subprocess.check_output([sys.executable, "-c", JOIN, str(folder)])
    return [float(word) for word in out.split()]


def calls(folder: Path) -> dict[str, int]:
    """Return how often each system call is made by a process that joins."""
    command = ["strace", "-f", "-c", "-o", "/dev/stdout", sys.executable, "-c", JOIN]
    out = subprocess.check_output([*command, str(folder)], text=True)
    counts = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) .*?(\w+)$", out, re.MULTILINE)
    return {name: int(count) for count, name in counts if name != "total"}


def rows(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    store = given.keep or folder / "store"
    if not store.exists():
        fill(store, given.results, given.segments, claims=given.claims)
    joined = [join(store) for _ in range(given.runs)]
    cpu, wall, found = map(statistics.median, zip(*joined, strict=True))
    case = f"a worker joins a store of {found:,.0f} results"
    yield Row(case, cpu, "s CPU", goal=1, note=f"{wall:.2f} s by the clock")
    if shutil.which("strace") is None:
        return
    empty, full = calls(folder / "none"), calls(store)
    more = {call: count - empty.get(call, 0) for call, count in full.items()}
    files = sum(count for call, count in more.items() if call in FILES)
    note = f"{sum(more.values())} of all kinds"
    yield Row(
        "  system calls on files, beyond an empty store",
        files,
        "calls",
        goal=200,
        note=note,
    )


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--results", type=int, default=1_000_000)
    options.add_argument("--segments", type=int, default=50_000)
    options.add_argument("--claims", action="store_true")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--folder", type=Path, default=Path("/dev/shm"))
    options.add_argument("--keep", type=Path, help="a store made before, or to be kept")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        show(rows(Path(name), given), given)


if __name__ == "__main__":
    main()

"""What it costs to join a store: ``python benchmarks/joining.py``.

Makes a store with many results in many merged segments (with ``--claims`` each segment
of results is preceded by the locks on them, as in a run), then reads it in new
processes: CPU seconds, and system calls by strace, those of an empty store taken off.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backends.filesystem.file_log import FileLog
from backends.interface import Row
from backends.store import JournalStore

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
        store.publish(keys, bytes([Row.RESULT]) * rows, body, since=since)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=1_000_000)
    parser.add_argument("--segments", type=int, default=50_000)
    parser.add_argument("--claims", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"))
    parser.add_argument("--keep", type=Path, help="a store made before, or to be kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        store = given.keep or Path(name) / "store"
        began = time.perf_counter()
        if not store.exists():
            fill(store, given.results, given.segments, claims=given.claims)
            print(f"made in {time.perf_counter() - began:.1f} s")
        joined = [join(store) for _ in range(given.runs)]
        cpu, wall = (statistics.median(x[i] for x in joined) for i in (0, 1))
        empty, full = calls(Path(name) / "none"), calls(store)
    found = int(joined[0][2])
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: {found} results")
    print(f"joined in {cpu:.2f} s of CPU, {wall:.2f} s        bar: < 1 s of CPU")
    more = {x: full[x] - empty.get(x, 0) for x in full}
    files = sum(count for call, count in more.items() if call in FILES)
    print(f"{files} system calls on files, {sum(more.values())} of all kinds", end="")
    print("        bar: < 200")
    print({call: count for call, count in sorted(more.items()) if count})


if __name__ == "__main__":
    main()

"""What the live page costs: how soon it is there, and what workers lose by it.

    uv run python -m benchmarks.live_page [--results 1000000] [--workers 16] [--pairs 6]

A store of so many results is made, in some 30 seconds for a million. Then `tg web` is
started: until the first state has come, as a browser would read it. Then workers run
short tasks while ten pages follow them, and while the server of these is stopped, in
turns of some seconds each; what counts is the ratio of neighbours. All of it takes two
minutes on a quiet machine; after `--limit` seconds it measures no further pair. With
`--browser`, Chromium shows the page, too, and half a minute more is needed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from backends.opening import open_backend
from benchmarks.live_page.making import made
from benchmarks.reporting import Row, parser, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backends.interface import Backend

TG = Path(sys.executable).with_name("tg")
PAGES, SECONDS, PAUSE = 10, 4.0, 0.008
OPEN = 200_000
HISTORY_EVERY = 2.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """A `tg web`, and pages that follow it as browsers do."""

    process: subprocess.Popen[str]
    address: str
    streams: list[object] = field(default_factory=list)

    def cpu(self) -> float:
        """Return the seconds of a core that it has taken."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS

    def memory(self) -> float:
        """Return its largest resident set, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def watch(self, pages: int) -> None:
        """Open pages; each returns when its first state has come."""
        for _ in range(pages):
            self.streams.append(followed(self.address))

    def stop(self, *, stopped: bool) -> None:
        """Let it do nothing for a while, or go on."""
        self.process.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)


@contextmanager
def web(path: Path) -> Iterator[Server]:
    """Run `tg web` while the block runs."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [TG, "web", path], stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        server = Server(process, process.stdout.readline().strip())
        try:
            yield server
        finally:
            server.stop(stopped=False)
            process.terminate()


def followed(address: str) -> object:
    """Follow a page until its first state has come, and then in a thread."""
    opened = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    html = opened.open(address).read().decode()
    place = address.partition("/?")[0] + html.partition("url=")[2].partition('"')[0]
    stream = opened.open(f"{place}events")
    while b'"done"' not in stream.readline():
        pass

    def read() -> None:
        last = 0.0
        try:
            while stream.readline():
                if time.monotonic() - last > HISTORY_EVERY:  # as `history.js` does
                    opened.open(f"{place}history").read()
                    last = time.monotonic()
        except (OSError, ValueError, AttributeError):
            return

    threading.Thread(target=read, daemon=True).start()
    return stream


def opening(path: Path, results: int, times: int = 3) -> list[Row]:
    """How long from the command until a page has the first state."""
    found, memory = [], 0.0
    for _ in range(times):
        began = time.perf_counter()
        with web(path) as server:
            server.watch(1)
            found.append((time.perf_counter() - began, server.cpu()))
            memory = server.memory()
    wall, cpu = (median(column) for column in zip(*found, strict=True))
    note = f"CPU {cpu:.2f} s, {memory / 1e6:.0f} MB"
    return [Row(f"{results:,} results: `tg web` to the first state", wall, "s",
                goal=2.0, note=note)]  # fmt: skip


def counted(backend: Backend) -> int:
    """Return how many results came since this was asked last."""
    return sum(len(change.results) for change in backend.poll())


def in_chromium(path: Path, workers: int) -> list[Row]:
    """How soon the page is painted, and what its updates take there."""
    from benchmarks.live_page.painting import painting, updating

    command = [TG, "execute", path, "-q", "-j", str(workers), "--name", "pause"]
    with web(path) as server:
        rows = [painting(server.address)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as run:
            server.watch(1)
            time.sleep(SECONDS)
            rows.append(updating(server.address))
            run.terminate()
    return rows


def throughput(path: Path, workers: int, pairs: int, end: float) -> list[Row]:
    """How many results come in a second, with pages and without, in turns."""
    backend = open_backend(str(path.with_suffix(".tgdata")), create=False)
    counted(backend)
    rates: dict[bool, list[float]] = {True: [], False: []}
    cores = []
    command = [TG, "execute", path, "-q", "-j", str(workers), "--name", "pause"]
    with (
        subprocess.Popen(command, stderr=subprocess.DEVNULL) as run,
        web(path) as server,
    ):
        server.watch(PAGES)
        while not counted(backend):  # they read the script first
            time.sleep(0.2)
        time.sleep(2 * SECONDS)
        for pair in range(pairs):
            if time.monotonic() > end:
                break
            for watched in (True, False) if pair % 2 else (False, True):
                server.stop(stopped=not watched)
                cpu, came, began = server.cpu(), counted(backend), time.perf_counter()
                time.sleep(SECONDS)
                came, seconds = counted(backend), time.perf_counter() - began
                rates[watched].append(came / seconds)
                if watched:
                    cores.append((server.cpu() - cpu) / seconds)
        run.terminate()
    backend.close()
    ratios = sorted(a / b for a, b in zip(rates[True], rates[False], strict=True))
    about = f"{workers} workers, {PAGES} pages"
    spread = f"{len(ratios)} pairs, {ratios[0]:.2f} to {ratios[-1]:.2f}"
    without = median(rates[False])
    return [
        Row(f"{about}: throughput", median(ratios) * without, "results/s",
            "(without pages)", without, goal_ratio=0.97, yardstick=True, note=spread),
        Row(f"{about}: the server", median(cores), "cores", goal=0.2),
    ]  # fmt: skip


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--results", type=int, default=1_000_000)
    options.add_argument("--workers", type=int, default=16)
    options.add_argument("--pairs", type=int, default=6, help="of turns (8 s each)")
    options.add_argument("--limit", type=float, default=180.0, help="seconds in all")
    options.add_argument("--browser", action="store_true", help="in Chromium, too")
    options.add_argument("--folder", type=Path, help="where the store is, or stays")
    given = options.parse_args()
    end = time.monotonic() + given.limit
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        path = folder / "work.py"
        if not path.exists():
            made(path, done=given.results, open_=OPEN, pause=PAUSE)
        show(opening(path, given.results), given)
        show(throughput(path, given.workers, given.pairs, end), given)
        if given.browser:
            show(in_chromium(path, given.workers), given)


if __name__ == "__main__":
    main()

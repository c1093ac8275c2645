"""What the live page costs: how soon it is there, and what workers lose by it.

    uv run python -m benchmarks.live_page [--results 100000 1000000] [--workers 16]

A store of so many results is made with one worker's own means, then looked at as `tg
web` does: until the first state could be sent, then at rest, then while results come.
Throughput is that of workers with and without ten pages that follow the run, in turns.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backends.opening import open_backend
from benchmarks.reporting import Row, parser, show
from taskgraph.live.page import LivePage
from taskgraph.live.routes import site_of
from taskgraph.pages import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backends.interface import Backend

SCRIPT = """
from taskgraph import TaskGenerator
@TaskGenerator
def square(x):
    return x * x
@TaskGenerator
def pause(x):
    import time
    time.sleep(0.004)
    return x
for n in range({done}):
    square(n)
for n in range({open}):
    pause(n)
"""
TG = Path(sys.executable).with_name("tg")
PAGES, SECONDS = 10, 12


def jugfile(folder: Path, *, done: int, open_: int) -> Path:
    """Return a script of which the first tasks have run."""
    path = folder / "work.py"
    path.write_text(SCRIPT.format(done=done, open=open_))
    command = [TG, "execute", path, "-j", "1", "--name", "square"]
    subprocess.run(command, check=False, capture_output=True)
    return path


def opener(path: Path) -> Callable[[], Backend]:
    def opened() -> Backend:
        backend = open_backend(str(path.with_suffix(".tgdata")), create=False)
        backend.refresh()
        return backend

    return opened


def opening(path: Path, results: int) -> list[Row]:
    """How long until the first state is there; what looks cost at rest."""
    page = LivePage(opener(path), path)
    began = time.perf_counter()
    page.look()
    first = time.perf_counter() - began
    while page.following.history is not None and page.following.history.reading:
        page.look()
    all_read = time.perf_counter() - began
    spent, looks = time.process_time(), 10
    for _ in range(looks):
        page.look()
        time.sleep(0.2)
    at_rest = (time.process_time() - spent) / looks
    page.close()
    return [
        Row(f"{results:,} results: first state", first, "s"),
        Row(f"{results:,} results: all times read", all_read, "s"),
        Row(f"{results:,} results: CPU of a look at rest", at_rest, "s"),
    ]


@contextmanager
def pages(path: Path, many: int) -> Iterator[dict[str, float]]:
    """Serve a page to many readers while the block runs; tell what that cost."""
    cost = {"cpu": 0.0}
    if not many:
        yield cost
        return
    page = LivePage(opener(path), path)
    page.start()
    before = time.process_time()
    with serving(site_of(page), on_end=page.latest.close) as served:
        streams = [followed(served.address) for _ in range(many)]
        yield cost
        cost["cpu"] = time.process_time() - before
        for stream in streams:
            stream.close()
    page.close()


def followed(address: str) -> object:
    """Open the events of a page, and read them as a browser does."""
    opened = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    html = opened.open(address).read().decode()
    place = html.partition("url=")[2].partition('"')[0]
    stream = opened.open(address.partition("/?")[0] + place + "events")

    def read() -> None:
        try:
            while stream.readline():
                pass
        except (OSError, ValueError, AttributeError):
            return

    threading.Thread(target=read, daemon=True).start()
    return stream


def throughput(path: Path, workers: int, many: int) -> tuple[float, float]:
    """Return how many results come in a second, and cores that the server takes."""
    command = [TG, "execute", path, "-j", str(workers), "--name", "pause"]
    backend = opener(path)()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as run:
        before = len(backend.keys())
        while len(backend.keys()) == before:  # they read the script first
            time.sleep(0.05)
            backend.refresh()
        with pages(path, many) as cost:
            backend.refresh()
            began, before = time.perf_counter(), len(backend.keys())
            time.sleep(SECONDS)
            backend.refresh()
            seconds, came = time.perf_counter() - began, len(backend.keys()) - before
        run.terminate()
    backend.close()
    return came / seconds, cost["cpu"] / seconds


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--results", type=int, nargs="+", default=[100_000])
    options.add_argument("--workers", type=int, default=16)
    options.add_argument("--turns", type=int, default=3)
    given = options.parse_args()
    rows: list[Row] = []
    for results in given.results:
        with tempfile.TemporaryDirectory() as folder:
            path = jugfile(Path(folder), done=results, open_=200_000)
            rows += opening(path, results)
            found: dict[int, list[tuple[float, float]]] = {0: [], PAGES: []}
            for _ in range(given.turns):
                for many, turns in found.items():
                    turns.append(throughput(path, given.workers, many))
            alone = max(rate for rate, _ in found[0])
            rate, cores = max(found[PAGES])
            about = f"{results:,} results, {given.workers} workers"
            rows += [
                Row(f"{about}: without pages", alone, "results/s"),
                Row(f"{about}: with {PAGES} pages", rate, "results/s"),
                Row(f"{about}: share that is kept", rate / alone, ""),
                Row(f"{about}: the server", cores, "cores"),
            ]
    show(rows, given)


if __name__ == "__main__":
    main()

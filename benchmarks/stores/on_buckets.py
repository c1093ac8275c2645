"""Stores in buckets, beside a directory: ``python benchmarks/stores/on_buckets.py``.

The bucket is one of moto, an S3 on this machine (`--server az`: of Azurite). Requests
are counted where they arrive, in moto's log: whatever was asked for is in it. A put
takes milliseconds here, and tens of them at a service.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parent.parent))  # what all benchmarks use
sys.path.append(str(Path(__file__).parent.parent.parent))  # the servers of the tests

from engine import tg
from reporting import Row, parser, show

from backends.opening import open_backend
from tests.backends.bucket.servers import CREDENTIALS, running

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tests.backends.bucket.servers import Server

GOALS = {1: 0.05, 16: 0.05, 100: 0.2}
"""Requests a task, by the number of workers."""
MANY = """\
from taskgraph import TaskGenerator

@TaskGenerator
def nothing(number):
    return number

for number in range({tasks}):
    nothing(number)
"""
_REQUEST = re.compile(rb'"(?:\x1b\[\d+m)*(?:GET|PUT|HEAD|POST|DELETE) /')


def run(folder: Path, workers: int, store: str) -> float:
    """Return the seconds that the tasks take with a new store."""
    words = ("execute", "many.py", "-q", "-j", str(workers), "--store", store)
    began = time.perf_counter()
    subprocess.run(tg(*words), cwd=folder, check=True)
    return time.perf_counter() - began


def requests(
    folder: Path, server: Server, said: Path, tasks: int, given: list[int]
) -> Iterator[Row]:
    """Yield requests a task, and tasks a second beside a directory."""
    (folder / "many.py").write_text(MANY.format(tasks=tasks))
    for workers in given:
        url = server.url(f"many-{workers}")
        before = len(_REQUEST.findall(said.read_bytes()))
        seconds = run(folder, workers, url)
        count = len(_REQUEST.findall(said.read_bytes())) - before
        case = f"{tasks:,} tasks of nothing by {workers} workers"
        if server.scheme == "s3":
            yield Row(
                f"{case}: requests a task",
                count / tasks,
                "requests",
                goal=GOALS[workers],
            )
        local = run(folder, workers, f"many-{workers}")
        yield Row(
            case,
            tasks / seconds,
            "tasks/s",
            "a directory",
            tasks / local,
            yardstick=True,
        )


def hops(server: Server, repeats: int) -> Iterator[Row]:
    """Yield how long it takes until a waiting worker knows of a result."""
    url = server.url("hops")
    anna, bert = (open_backend(url, worker=name) for name in ("anna", "bert"))
    anna.make()
    began = time.perf_counter()
    for _ in range(20):
        anna.documents.put("document", b"text")
    put = (time.perf_counter() - began) / 20
    seen, published = [], [0.0]

    def publish(key: bytes) -> None:
        time.sleep(1.0)
        anna.publish([key], b"\0", b"x", since=1 << 40)
        published[0] = time.perf_counter()

    for number in range(repeats):
        key = number.to_bytes(20, "big")
        thread = threading.Thread(target=publish, args=(key,))
        thread.start()
        while bert.find(key) is None:
            bert.wait(1.0)
            bert.poll()
        known = time.perf_counter()
        thread.join()
        seen.append(max(0.0, known - published[0]))
    yield Row("a put", put)
    yield Row(
        "until a worker that waits knows of a result", max(seen), goal=3 * put + 1
    )


def rows(given: argparse.Namespace) -> Iterator[Row]:
    """Yield all figures."""
    os.environ.update(CREDENTIALS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = folder / "said"
        with running(given.server, said=said) as server:
            yield from requests(folder, server, said, given.tasks, given.workers)
            yield from hops(server, given.repeats)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--server", choices=("s3", "az"), default="s3")
    options.add_argument("--tasks", type=int, default=100_000)
    options.add_argument(
        "--workers", type=int, nargs="+", default=[1, 16], choices=GOALS
    )
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    show(rows(given), given)


if __name__ == "__main__":
    main()

"""A store of a jugfile in which many tasks have run, as workers leave it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from backends.opening import open_backend
from taskgraph.results.batch import Batch
from taskgraph.results.results import Results
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.upkeep.growing import take
from taskgraph.upkeep.snapshot import save

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
from taskgraph import TaskGenerator
@TaskGenerator
def square(x):
    return x * x
@TaskGenerator
def pause(x):
    import time
    time.sleep({pause})
    return x
for n in range({done}):
    square(n)
for n in range({open}):
    pause(n)
"""
_ROWS, _WORKERS, _TOOK = 1000, 16, 0.05
"""Records of a segment, who ran them, and seconds that each took, about."""


def made(path: Path, *, done: int, open_: int, pause: float) -> None:
    """Make a jugfile, and its store as if the first tasks had run, in order.

    The records are those of workers, in segments as large as theirs; no task is run.
    """
    path.write_text(SCRIPT.format(done=done, open=open_, pause=pause))
    store = str(path.with_suffix(".tgdata"))
    results = Results(open_backend(store))
    graph = Jugfile(path).load(results).graph
    save(take(graph, path.resolve()), results.backend)
    keys = [task.key for task in graph.tasks][:done]
    writers = [Results(open_backend(store)) for _ in range(_WORKERS)]
    end = time.time()
    for start in range(0, done, _ROWS):
        writer = writers[start // _ROWS % _WORKERS]
        began = end - (done - start) * _TOOK / _WORKERS
        _publish(writer, keys[start : start + _ROWS], start, began)
    for writer in [*writers, results]:
        writer.backend.close()


def _publish(results: Results, keys: list[bytes], start: int, began: float) -> None:
    """Lock tasks and publish their results in one segment."""
    batch = Batch()
    token = results.backend.claim(keys).token
    for number, key in enumerate(keys, start):
        payload = results.encode(number * number, key)
        took = _TOOK * (1 + number % 7 / 10)
        about = (str(number), began + number % _ROWS * took, took, took, 50_000)
        batch.add(key, payload, ("work.square", ""), about)
    context = {"host": "node", "pid": 1, "python": "3.11", "packages": {}}
    body = batch.encode(context, results.backend.find)
    results.backend.publish(batch.keys, bytes(batch.rows), body, since=token)

"""What the tests of kills, floods and damage have in common."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from backends.interface import Kind, Row
from backends.opening import open_backend
from backends.segment import decode_head

TG = Path(sys.executable).with_name("tg")
ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if not name.startswith("TG_")},
    "PYTHONDONTWRITEBYTECODE": "1",
}
SUM = """
from taskgraph import TaskGenerator

@TaskGenerator
def double(number):
    return 2 * number

@TaskGenerator
def total(numbers):
    return sum(numbers)

result = total([double(number) for number in range(12)])
"""
LAYERED = """
import time
from taskgraph import TaskGenerator

LAYERS, WIDTH = {layers}, {width}

@TaskGenerator
def step(layer, place, *before):
    time.sleep({seconds})
    return layer * 1_000_003 + place + sum(before) % 1_000_033

@TaskGenerator
def total(numbers):
    return sum(numbers)

layer = [step(0, place) for place in range(WIDTH)]
for number in range(1, LAYERS):
    layer = [
        step(number, place, layer[place], layer[(place * 7 + 1) % WIDTH])
        for place in range(WIDTH)
    ]
result = total(layer)
"""


def tg(folder: Path, *arguments: object, code: int | None = 0):
    """Run `tg` in a folder to its end and return it; check its exit code."""
    done = subprocess.run(
        [TG, *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    return done


def value_of(
    folder: Path, name: str = "job.py", task: str = "result", *, store: str = ""
) -> object:
    """Return the value of a task of a jugfile that was run."""
    from taskgraph import open_store, value
    from taskgraph.tasks.jugfile import Jugfile

    path = folder / name
    loaded = Jugfile(path).load(open_store(store or str(path.with_suffix(".tgdata"))))
    return value(loaded.space[task])


def journal(store: Path | str):
    """Yield all segments of a store in order, without their bodies."""
    backend = open_backend(store, create=False)
    backend.poll()
    log = backend._log
    position = 0
    while (found := log.read(position)) is not None:
        yield decode_head(found[0], f"segment {position}")
        position += 1


def assert_sound(store: Path | str, tasks: int | None = None) -> None:
    """Check that nothing was published twice, no lock is left, nothing is damaged."""
    backend = open_backend(store, create=False)
    backend.poll()
    assert backend.locks() == []
    assert backend.upkeep.damaged() == []
    if tasks is not None:
        assert len(list(backend.keys())) == tasks
    published = Counter(
        key
        for segment in journal(store)
        if segment.kind is Kind.PUBLISH
        for key, row in zip(segment.split(), segment.rows, strict=True)
        if row != Row.STALE
    )
    discarded = {
        key
        for segment in journal(store)
        if segment.kind in {Kind.DISCARD, Kind.RESTORE}  # which drops what is newer
        for key in segment.split()
    }
    assert {k for k, n in published.items() if n > 1} <= discarded


def end(process: subprocess.Popen) -> None:
    """Kill a process that this test started, with its group if it leads one."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    with suppress(ProcessLookupError):
        process.kill()
    process.wait()

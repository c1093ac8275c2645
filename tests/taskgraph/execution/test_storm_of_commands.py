"""Results are forgotten, undone, tried again and checked while workers run.

Each run of a task returns something else, so that a result that was made of another one
than the stored one shows.
"""

from __future__ import annotations

import random
import subprocess
import time
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backends.opening import open_backend
from taskgraph.results.results import Results

from ..rough import ENVIRONMENT, TG, end, tg

if TYPE_CHECKING:
    from pathlib import Path

JOB = """
import os, random, time
from hashlib import blake2b
import numpy as np
from taskgraph import TaskGenerator

WIDTH, SIZES = {width}, [1, 100, 40_000, {largest}]

def digest(value):
    if isinstance(value, np.ndarray):
        return blake2b(value.tobytes()).hexdigest()
    return blake2b(repr(value).encode()).hexdigest()

@TaskGenerator
def leaf(number):
    time.sleep(random.random() * 0.02)
    return np.frombuffer(os.urandom(SIZES[number % len(SIZES)]), np.uint8)

@TaskGenerator
def middle(number, *made_of):
    time.sleep(random.random() * 0.02)
    if random.random() < 0.03:
        raise RuntimeError("on purpose")
    return [os.urandom(8).hex(), [digest(each) for each in made_of]]

@TaskGenerator
def top(number, *made_of):
    return [os.urandom(8).hex(), [digest(each) for each in made_of]]

leaves = [leaf(number) for number in range(WIDTH)]
middles = [
    middle(number, leaves[number], leaves[(number * 7 + 1) % WIDTH])
    for number in range(WIDTH)
]
tops = [
    top(number, middles[number], middles[(number * 3 + 2) % WIDTH], leaves[number])
    for number in range(WIDTH)
]
"""


def digest(value: object) -> str:
    if isinstance(value, np.ndarray):
        return blake2b(value.tobytes()).hexdigest()
    return blake2b(repr(value).encode()).hexdigest()


def needs(width: int) -> dict[tuple[str, int], list[tuple[str, int]]]:
    """Return what each task is made of."""
    found: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for n in range(width):
        found["middle", n] = [("leaf", n), ("leaf", (n * 7 + 1) % width)]
        other = ("middle", (n * 3 + 2) % width)
        found["top", n] = [("middle", n), other, ("leaf", n)]
    return found


def command(rng: random.Random, store: Path) -> list[str]:
    """Return something that people do meanwhile."""
    return rng.choice(
        [
            ["invalidate", "job.py", "--name", rng.choice(["leaf", "middle"]), "-y"],
            ["invalidate", "job.py", "--key", some_key(rng, store), "-y"],
            ["undo", "job.py"],
            ["undo", "job.py"],
            ["retry", "job.py"],
            ["cleanup", "job.py", "--yes"],
            ["fsck", "job.py"],
            ["fsck", "job.py", "--repair"],
        ]
    )


def some_key(rng: random.Random, store: Path) -> str:
    if not (store / "format.json").exists():
        return "0"
    backend = open_backend(store, create=False)
    backend.poll()
    known = sorted(backend.keys())
    return rng.choice(known).hex() if known else "0"


def rage(folder: Path, *, width: int, largest: int, workers: int, seconds: float):
    """Let workers and commands at a store for some time, then let them end."""
    (folder / "job.py").write_text(JOB.format(width=width, largest=largest))
    rng = random.Random(seconds)
    groups: list[subprocess.Popen] = []
    finish = time.monotonic() + seconds
    ran = 0
    with (folder / "said").open("ab") as said:
        try:
            while time.monotonic() < finish:
                groups = [group for group in groups if group.poll() is None]
                while len(groups) < 2:
                    argv = [TG, "execute", "job.py", "-q", "-j", str(workers // 2)]
                    groups.append(
                        subprocess.Popen(
                            argv,
                            cwd=folder,
                            env=ENVIRONMENT,
                            stdout=subprocess.DEVNULL,
                            stderr=said,
                            start_new_session=True,
                        )
                    )
                argv = command(rng, folder / "job.tgdata")
                done = tg(folder, *argv, code=None)
                said.write((done.stdout + done.stderr).encode())
                assert done.returncode in {0, 1, 2}, (argv, done.stderr)
                ran += 1
                time.sleep(rng.random() * 0.5)
            for group in groups:
                group.wait(timeout=120)
        finally:
            for group in groups:
                end(group)
    return ran


def stored(folder: Path) -> tuple[dict[str, list[object]], list[str]]:
    """Return the results by function, in order of their first argument; failures."""
    results = Results(open_backend(folder / "job.tgdata", create=False))
    results.backend.poll()
    values: dict[tuple[str, int], object] = {}
    failures = []
    for key, record in results.records(iter(list(results.backend.keys()))):
        name = record.name.rpartition(".")[2]
        number = int(record.summary.split(",")[0].split("=")[-1].strip("() "))
        if record.failure is None:
            values[name, number] = results.load(key)
        else:
            failures.append(record.failure.message)
    return values, failures


def assert_each_is_made_of_what_is_stored(folder: Path, width: int) -> int:
    values, failures = stored(folder)
    assert set(failures) <= {"on purpose"}
    checked = 0
    for task, made_of in needs(width).items():
        if task in values and all(need in values for need in made_of):
            assert values[task][1] == [digest(values[need]) for need in made_of], task
            checked += 1
    return checked


def storm(folder: Path, **how) -> None:
    width = how["width"]
    assert rage(folder, **how) > 3
    assert_each_is_made_of_what_is_stored(folder, width)
    for _ in range(30):
        tg(folder, "retry", "job.py")
        if tg(folder, "execute", "job.py", "-q", code=None).returncode == 0:
            break
    assert assert_each_is_made_of_what_is_stored(folder, width) == 2 * width
    said = (folder / "said").read_text()
    assert "Traceback" not in said
    assert "MissingResultError" not in said
    assert "nothing is wrong" in tg(folder, "fsck", "job.py").stderr


def test_commands_while_workers_run_mix_nothing(tmp_path):
    storm(tmp_path, width=40, largest=200_000, workers=4, seconds=10)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_commands_while_many_workers_run_mix_nothing(tmp_path):
    storm(tmp_path, width=120, largest=8 << 20, workers=16, seconds=120)

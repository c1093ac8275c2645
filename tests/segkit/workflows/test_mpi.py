"""Ranks of a real `mpiexec` are workers: one store, the same bytes, one voice."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage

from segkit.pipeline import Pipeline, label, load, ndnt, regionprops, save
from taskgraph import open_store

JUGFILE = """
import os
import sys
import time
from pathlib import Path
from taskgraph import TaskGenerator

BAD = [int(number) for number in sys.argv[1:]]

@TaskGenerator
def wait(number):
    Path("at work", str(os.getpid())).touch()
    end = time.monotonic() + 30
    while len(os.listdir("at work")) < int(os.environ["RANKS"]):
        assert time.monotonic() < end, "some ranks never ran a task"
        time.sleep(0.05)
    if number in BAD:
        raise ValueError("no such number")
    return number

numbers = [wait(number) for number in range(10)]
"""
MAIN = "from {0}.cli import main; main()"


@pytest.fixture
def folder(tmp_path):
    noise = np.random.default_rng(0).normal(size=(20, 60, 70))
    smooth = scipy.ndimage.gaussian_filter(noise, 2)
    np.save(tmp_path / "cells.npy", np.uint8(150 + 400 * np.minimum(smooth, 0)))
    said = load(axes="zyx")
    steps = said, ndnt(shape=8, threshold=0.2), save("mask.tif"), label()
    pipeline = Pipeline(*steps, regionprops(), save("table.csv"), save("labels.npy"))
    pipeline.save(tmp_path / "cells.toml")
    (tmp_path / "waiting.py").write_text(JUGFILE)
    (tmp_path / "at work").mkdir()
    return tmp_path


def ranks(folder, count, package, *arguments):
    """Run a program in so many ranks; return how it ended."""
    mpiexec = Path(sys.executable).with_name("mpiexec")  # of the wheel `mpich`
    program = [sys.executable, "-c", MAIN.format(package), *arguments]
    return subprocess.run(
        [mpiexec, "-localhost", "127.0.0.1", "-n", str(count), *program],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": str(folder), "RANKS": str(count)},
    )


def records_in(store):
    results = open_store(str(store))
    results.backend.poll()
    return [record for _, record in results.records(iter(results.backend.keys()))]


def test_two_ranks_write_the_bytes_that_two_workers_write(folder):
    run = ("run", "cells.toml", "cells.npy", "--block", "12000")
    workers = ranks(folder, 1, "segkit", *run, "-o", "one", "--store", "1", "-j", "2")
    both = ranks(folder, 2, "segkit", *run, "-o", "two", "--store", "2")
    assert (workers.returncode, both.returncode) == (0, 0), both.stderr
    for name in ("mask.tif", "table.csv", "labels.npy"):
        one, two = ((folder / out / name).read_bytes() for out in ("one", "two"))
        assert one == two, name
    assert len(records_in(folder / "1")) == len(records_in(folder / "2"))


def test_ranks_share_tasks_and_the_first_one_alone_tells_the_user(folder):
    done = ranks(folder, 3, "taskgraph", "execute", "waiting.py")
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert [line.split(" after")[0].split(":")[1] for line in said] == [
        " 10 done",
        " wait 10",
    ]
    records = records_in(folder / "waiting.tgdata")
    assert len(records) == 10
    assert len({record.context["pid"] for record in records}) == 3


def test_a_failed_task_ends_all_ranks_with_exit_code_1(folder):
    done = ranks(folder, 2, "taskgraph", "execute", "waiting.py", "--", "3")
    assert done.returncode == 1
    assert done.stderr.count("9 done, 1 failed") == 1, done.stderr
    assert done.stderr.count("tg errors") == 1
    assert len(records_in(folder / "waiting.tgdata")) == 10

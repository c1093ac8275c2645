"""Workers that are forks of what has read the tasks: reseeded, refused, or told."""

import os
import subprocess
import sys
import threading
from concurrent.futures import (
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)

import numpy as np
import pytest

from taskgraph import Task, TaskGenerator, UsageError, run, value
from taskgraph.execution.processes.fork_safety import require_safe

from .test_own_processes import POOLS, RANDOM


@TaskGenerator
def draw(number):
    import random
    import time

    time.sleep(0.02)
    return random.random(), float(np.random.rand())  # noqa: NPY002 - what is shared


def test_forks_draw_numbers_of_their_own(tg):
    tg.write("job.py", RANDOM.replace(", rng.random()", ""))

    tg("execute", "job.py", "-j", "4", "-q", "--preload")

    assert tg("value", "job.py", "distinct").stdout == "[12, 12]\n"


def test_workers_of_a_notebook_draw_numbers_of_their_own(tmp_path):
    np.random.seed(1)  # noqa: NPY002 - as above
    tasks = [draw(number) for number in range(12)]

    run(tasks, store=tmp_path / "store", workers=3)

    for drawn in zip(*value(tasks), strict=True):
        assert len(set(drawn)) == 12


def test_a_jugfile_with_pools_is_refused_and_told_how_it_runs(tg):
    tg.write("job.py", POOLS)

    refused = tg("execute", "job.py", "--preload", code=2).stderr

    assert "thread ThreadPoolExecutor-0_0" in refused
    assert "without --preload each worker reads the jugfile itself" in refused


def test_tasks_of_a_process_with_threads_are_refused(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(abs, -1).result()
        with pytest.raises(UsageError, match="workers=0 to run in this process"):
            run(Task(divmod, 7, 2), store=tmp_path / "store")
        assert run(Task(divmod, 7, 2), store=tmp_path / "store", workers=0).done == 1


def test_a_pool_of_processes_and_a_timer_are_named():
    with ProcessPoolExecutor(1) as pool:
        pool.submit(abs, -1).result()
        with pytest.raises(UsageError, match=r"ExecutorManagerThread|process "):
            require_safe("")
    timer = threading.Timer(60, print)
    timer.start()
    with pytest.raises(UsageError, match="thread "):
        require_safe("")
    timer.cancel()
    timer.join()


def test_threads_of_blas_and_of_a_notebook_are_no_hindrance():
    big = np.random.default_rng(0).random((600, 600))
    assert np.isfinite(big @ big).all()
    ended = threading.Event()

    def wait():
        ended.wait(60)

    wait.__module__ = "ipykernel.iostream"
    thread = threading.Thread(target=wait, name="IOPub")
    thread.start()
    try:
        require_safe("")
    finally:
        ended.set()
        thread.join()


def test_threads_that_have_just_ended_are_no_hindrance():
    for _ in range(30):  # the system has some of them for a moment longer than Python
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(abs, range(100)))
        require_safe("")


def test_workers_may_be_forks_of_what_has_large_arrays(tmp_path):
    (tmp_path / "work.py").write_text(
        """
import numpy as np
from taskgraph import Task, File, run, value

open("data", "wb").write(bytes(10_000_000))
tasks = [Task(np.sum, np.ones((1000, 1000)) * k) for k in range(3)]
tasks += [Task(np.sum, np.array(["a", None] * 50_000) != "a"), Task(len, File("data"))]
run(tasks, store="store.tgdata", workers=2)
assert value(tasks[2]) == 2_000_000
tasks = [Task(np.add, t, np.ones((1000, 1000))) for t in tasks[:3]]
run(tasks, store="store.tgdata", workers=2)
assert value(tasks[0])[0, 0] == 1
"""
    )
    subprocess.run([sys.executable, "work.py"], cwd=tmp_path, check=True, timeout=100)


def test_what_is_shared_is_said(tg):
    tg.write("records.txt", "1\n")
    tg.write(
        "job.py",
        "from taskgraph import Task\n"
        "records = open('records.txt')\n"
        "Task(divmod, 7, 2)\n",
    )

    said = tg("execute", "job.py", "--preload").stderr

    assert "workers share what was made before: open files" in said
    assert "(records.txt)" in said


def test_workers_of_pytest_xdist_may_run_workers(tmp_path):
    """Two threads of each are of a library that Python does not know."""
    (tmp_path / "test_it.py").write_text(
        """
from taskgraph import TaskGenerator, run, value
@TaskGenerator
def double(x):
    return 2 * x
def test_it():
    task = double(4)
    run([task], store="it.tgdata", workers=2)
    assert value(task) == 8
"""
    )
    words = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "xdist"]
    words += ["-o", "faulthandler_timeout=30"]  # if it hangs, its stacks say where
    alone = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # others load napari
        "PYTEST_DEBUG_TEMPROOT": str(tmp_path),  # else it clears up after other runs
    }
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env=alone,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr

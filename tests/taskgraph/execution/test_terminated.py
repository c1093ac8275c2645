"""SIGTERM to workers: from a task or from outside, and not from their supervisor."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from backends.interface import Cause
from backends.opening import open_backend

DEADLY = """
import os, signal, time
from taskgraph import TaskGenerator

@TaskGenerator
def end_itself(number, name):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

@TaskGenerator
def leave(number, name):
    os._exit(3)

@TaskGenerator
def quick(number):
    return number

deadly = end_itself(7, "a.tif"), leave(8, "b.tif")
quicks = [quick(i) for i in range(4)]
"""


def workers_of(process):
    """Return the process ids of the workers of a run."""
    return [
        int(pid)
        for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children")
        .read_text()
        .split()
    ]


def deaths(store):
    """Return what any worker is noted to have died of, and how many locks are left."""
    backend = open_backend(store, create=False)
    backend.poll()
    return backend._state.deaths, backend.locks()


def test_tasks_that_terminate_workers_are_given_up_and_the_others_are_done(tg):
    tg.write("job.py", DEADLY)

    said = tg("execute", "-q", "job.py", code=1).stderr

    assert said.count("died of SIGTERM while it ran job.end_itself") == 3
    status = tg.json("status", "job.py")["total"]
    assert (status["done"], status["failed"]) == (4, 2)
    said = tg("errors", "job.py").stdout
    assert "end_itself(7, 'a.tif')" in said
    assert "leave(8, 'b.tif')" in said


def test_workers_that_somebody_terminates_are_replaced(tg):
    tg.jugfile("slow.py")
    run = tg.start("execute", "slow.py", "-j", "2", "--", "1.5", "4")
    tg.wait_for("began-*", 2)

    for pid in workers_of(run):
        os.kill(pid, signal.SIGTERM)

    said = run.communicate(timeout=60)[0]
    assert run.returncode == 0, said
    assert said.count("died of SIGTERM while it ran slow.nap") == 2
    killed, locks = deaths(tg.folder / "slow.tgdata")
    assert [*killed.values()] == [{Cause.KILLED: 1}] * 2
    assert locks == []


@pytest.mark.parametrize("pause", [-0.3, 0.0, 0.3], ids=["before", "with", "after"])
def test_a_run_that_is_terminated_as_a_whole_blames_no_task(tg, pause):
    tg.jugfile("slow.py")
    run = tg.start("execute", "slow.py", "-j", "2", "--", "30", "4")
    tg.wait_for("began-*", 2)
    workers = workers_of(run)

    groups = [[run.pid], workers] if pause < 0 else [workers, [run.pid]]
    for number, group in enumerate(groups):
        if number:
            signal.sigtimedwait([], abs(pause))
        for pid in group:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                assert pause < 0  # its supervisor has ended it

    said = run.communicate(timeout=60)[0]
    assert run.returncode == 128 + signal.SIGTERM, said
    assert "died" not in said
    assert deaths(tg.folder / "slow.tgdata") == ({}, [])


def test_a_run_that_was_suspended_goes_on(tg):
    tg.jugfile("slow.py")
    run = tg.start("execute", "-q", "slow.py", "-j", "2", "--", "1.5", "6")
    tg.wait_for("began-*", 2)

    for _ in range(2):
        os.kill(run.pid, signal.SIGSTOP)
        time.sleep(1.2)  # longer than its supervisor waits for a signal at a time
        os.kill(run.pid, signal.SIGCONT)
        time.sleep(0.3)

    said = run.communicate(timeout=60)[0]
    assert (run.returncode, "stopping" in said) == (0, False), said

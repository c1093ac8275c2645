"""Ctrl-C while a script runs tasks: the script is told, and no result is lost."""

import os
import signal
import subprocess
import sys

import pytest

from taskgraph.context import open_store

SCRIPT = """
import sys, time
from pathlib import Path
from taskgraph import Task, run

def slow(number):
    Path(f"began{number}").touch()
    time.sleep(0.8)
    return number

workers, check = int(sys.argv[1]), sys.argv[2] == "check"
try:
    report = run(
        [Task(slow, i) for i in range(4)], store="store", workers=workers, check=check
    )
except BaseException as error:
    print("raised", type(error).__name__, flush=True)
else:
    print("went on with", report, flush=True)
"""


@pytest.fixture
def started(tg):
    """Start the script; return its process when its first task has begun."""

    def start(workers, check, script=SCRIPT):
        tg.write("work.py", script)
        process = subprocess.Popen(
            [sys.executable, "work.py", str(workers), check],
            cwd=tg.folder,
            env=tg.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        tg.started.append(process)
        tg.wait_for("began*", max(1, workers))
        return process

    return start


@pytest.mark.parametrize("send", [os.kill, os.killpg])
@pytest.mark.parametrize(
    ("workers", "check"), [(0, ""), (1, ""), (2, ""), (1, "check")]
)
def test_ctrl_c_is_raised_after_the_tasks_that_run(tg, started, workers, check, send):
    process = started(workers, check)
    send(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert out == "raised KeyboardInterrupt\n", err
    begun = len(list(tg.folder.glob("began*")))
    assert begun < 4
    backend = open_store(tg.folder / "store").backend
    backend.poll()
    assert len(backend.keys()) == (begun if workers else 0)
    assert not backend.failures()
    assert not backend.locks()
    assert ("press Ctrl-C again" in err) == bool(workers)


def test_a_second_ctrl_c_abandons_the_tasks_that_run(tg, started):
    process = started(1, "", SCRIPT.replace("0.8", "60"))
    process.send_signal(signal.SIGINT)
    while "again" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out == "raised KeyboardInterrupt\n"


@pytest.mark.parametrize("workers", [0, 1])
def test_another_signal_ends_the_script_as_it_would_without_workers(started, workers):
    process = started(workers, "")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (-signal.SIGTERM, "")

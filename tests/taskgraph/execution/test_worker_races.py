"""What is done is not done again, whoever dies after it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from contextlib import closing

import pytest

from backends.liveness import worker_identity
from backends.opening import open_backend

from ..rough import ENVIRONMENT, TG, assert_sound, end, tg, value_of

JOB = """
import time
from taskgraph import TaskGenerator

def note(what):
    with open("ran", "a") as file:
        file.write(f"{{what}} {{time.monotonic()}}" + chr(10))

@TaskGenerator
def work(number):
    note(f"begin {{number}}")
    time.sleep({seconds})
    note(f"end {{number}}")
    return number

@TaskGenerator
def total(numbers):
    return sum(numbers)

result = total([work(number) for number in range({count})])
"""


def start(folder, *arguments):
    return subprocess.Popen(
        [TG, "execute", "job.py", "-q", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def notes(folder):
    """Return what was noted: (begin or end, number, when)."""
    if not (folder / "ran").exists():
        return []
    lines = [line.split() for line in (folder / "ran").read_text().splitlines()]
    return [(what, int(number), float(when)) for what, number, when in lines]


def recorded(folder):
    """Return how many results the store has."""
    if not (folder / "job.tgdata").exists():
        return 0
    with closing(open_backend(str(folder / "job.tgdata"))) as backend:
        backend.refresh()
        return len(backend.keys())


def wait_for_ends(process, folder, wanted):
    """Wait until some more tasks have ended."""
    while sum(what == "end" for what, _, _ in notes(folder)) < wanted:
        assert process.poll() is None
        time.sleep(0.002)


@pytest.mark.parametrize("how", ["", "-j2"])
def test_a_task_of_a_second_is_not_run_again_after_a_kill(tmp_path, how):
    (tmp_path / "job.py").write_text(JOB.format(seconds=1.0, count=3))
    for ended in (1, 2):
        process = start(tmp_path, *([how] if how else []))
        try:
            wait_for_ends(process, tmp_path, ended)
            time.sleep(0.25)  # the next task has begun
        finally:
            end(process)
    tg(tmp_path, "execute", "job.py", "-q")
    assert value_of(tmp_path) == 3
    ends = Counter(number for what, number, _ in notes(tmp_path) if what == "end")
    assert ends == dict.fromkeys(range(3), 1)
    assert_sound(tmp_path / "job.tgdata", 4)


@pytest.mark.parametrize("seconds", [0.004, 0.05])
def test_at_most_a_second_of_short_tasks_is_run_again(tmp_path, seconds):
    count = round(3 / (seconds + 0.02))
    (tmp_path / "job.py").write_text(JOB.format(seconds=seconds, count=count))
    lost = []
    for part in (1, 2):
        process = start(tmp_path)
        try:
            wait_for_ends(process, tmp_path, part * count // 3)
        finally:
            struck = time.monotonic()
            end(process)
        lost.append(struck)
    tg(tmp_path, "execute", "job.py", "-q")
    assert value_of(tmp_path) == sum(range(count))
    assert_sound(tmp_path / "job.tgdata", count + 1)
    ended: dict[int, list[float]] = {}
    for what, number, when in notes(tmp_path):
        if what == "end":
            ended.setdefault(number, []).append(when)
    for times in ended.values():
        for again in times[:-1]:
            assert min(abs(struck - again) for struck in lost) <= 1.0


def test_a_long_task_does_not_hold_back_what_was_done_before_it(tmp_path):
    job = JOB.format(seconds="0.02 if number else 60", count=20)
    job = job.replace("range(20)", "reversed(range(20))")
    (tmp_path / "job.py").write_text(job)
    process = start(tmp_path)
    try:
        while recorded(tmp_path) < 19:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    finally:
        end(process)
    process = start(tmp_path)
    try:
        while [note[:2] for note in notes(tmp_path)].count(("begin", 0)) < 2:
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        end(process)
    ends = Counter(number for what, number, _ in notes(tmp_path) if what == "end")
    assert ends == dict.fromkeys(range(1, 20), 1)


DEAF = """
import signal, time
from taskgraph import TaskGenerator

@TaskGenerator(timeout=0.1)
def deaf():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(60)

deaf()
"""


@pytest.mark.chaos
def test_a_task_that_is_deaf_to_its_timeout_fails_again_after_a_retry(tmp_path):
    (tmp_path / "job.py").write_text(DEAF)
    tg(tmp_path, "execute", "job.py", "-q", code=1)
    done = tg(tmp_path, "execute", "job.py", "-q", "--retry", code=1)
    assert "is tried again" in done.stderr
    assert "was killed at its timeout" in done.stderr


def test_members_that_died_idle_are_signed_off(tmp_path):
    (tmp_path / "job.py").write_text(JOB.format(seconds=0.01, count=100))
    backend = open_backend(tmp_path / "job.tgdata", worker="gone")
    dead = {**worker_identity(os.getpid(), 120.0), "pid": 2**22 + 1, "started": 1}
    backend.members.beat("gone", dead)
    tg(tmp_path, "execute", "job.py", "-q")
    assert backend.members.all() == []

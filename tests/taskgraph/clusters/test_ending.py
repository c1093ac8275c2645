"""Runs that end before all is done: by their time, after so many tasks, by a note."""

from __future__ import annotations

import os
import signal
import time

import pytest

from backends.opening import open_backend
from taskgraph.execution.ending import (
    STOP_DOCUMENT,
    Ending,
    LimitedPage,
    StopNote,
    leave_note,
    read_note,
)
from taskgraph.execution.shared_page import NoPage


def left_clean(tg):
    """Return whether no lock is left and no task is blamed."""
    backend = open_backend(tg.folder / "slow.tgdata", create=False)
    backend.poll()
    return not backend.locks() and not backend._state.deaths


def done(tg):
    return tg.json("status", "slow.py")["total"]["done"]


def test_a_run_ends_in_its_time_and_begins_nothing_that_would_take_longer(tg):
    """A nap of half the time fits once; workers may take as long to start."""
    tg.jugfile("slow.py")
    before = time.monotonic()
    tg("status", "slow.py", "--", "1", "1")
    nap = 3 + round(6 * (time.monotonic() - before))  # starts may take long

    limits = ("-j", "2", "--max-time", f"{2 * nap}s")
    said = tg("execute", "slow.py", *limits, "--", nap, "4", code=5).stderr

    began = len(list(tg.folder.glob("began-*")))
    assert 0 < began == done(tg) < 4
    assert "work is left" in said
    assert left_clean(tg)


def test_what_runs_when_the_time_is_over_is_given_back_and_not_blamed(tg):
    tg.jugfile("slow.py")

    said = tg(
        *("execute", "slow.py", "--max-time", "4s", "--requeue", "--", "60", "2"),
        code=1,
    ).stderr

    assert "no task was finished in the time that there was" in said
    assert "not queued again" in said
    assert left_clean(tg)


def test_each_worker_ends_after_its_share_of_tasks_and_the_next_run_goes_on(tg):
    tg.jugfile("slow.py")

    tg("execute", "-q", "slow.py", "--max-tasks", "3", "--", "0", "7", code=5)
    assert done(tg) == 3
    tg("execute", "-q", "slow.py", "--max-tasks", "3", "--", "0", "7", code=5)
    assert done(tg) == 6
    tg("execute", "-q", "slow.py", "--max-tasks", "3", "--", "0", "7")
    assert done(tg) == 7
    assert left_clean(tg)


def test_limits_hold_in_the_process_of_a_debugger_too(tg):
    tg.jugfile("slow.py")

    tg("execute", "--debug", "slow.py", "--max-tasks", "2", "--", "0", "7", code=5)

    assert done(tg) == 2


def test_failures_beside_work_that_is_left_do_not_keep_the_run_from_being_resumed(tg):
    tg.write(
        "slow.py",
        "from taskgraph import TaskGenerator\n"
        "@TaskGenerator\n"
        "def invert(n):\n"
        "    return 1 / n\n"
        "all = [invert(n) for n in range(6)]\n",
    )

    tg("execute", "-q", "slow.py", "--max-tasks", "3", code=5)
    tg("execute", "-q", "slow.py", "--max-tasks", "9", code=1)


def test_a_note_in_the_store_ends_all_workers_after_the_tasks_that_run(tg):
    tg.jugfile("slow.py")
    runs = [tg.start("execute", "slow.py", "--", "1", "60") for _ in range(2)]
    tg.wait_for("began-*", 2)

    tg("stop", "slow.py")

    for run in runs:
        said = run.communicate(timeout=60)[0]
        assert (run.returncode, "stopped by" in said) == (1, True), said
    began = len(list(tg.folder.glob("began-*")))
    assert done(tg) == began < 60
    assert left_clean(tg)

    said = tg("execute", "slow.py", "--", "1", "60", code=1).stderr
    assert "`tg stop slow.py --off` lets workers start" in said
    assert done(tg) == began
    tg("stop", "--off", "slow.py")
    tg("execute", "-q", "slow.py", "--max-tasks", "1", "--", "1", "60", code=5)
    assert done(tg) == began + 1


def test_a_note_may_abandon_what_runs(tg):
    tg.jugfile("slow.py")
    run = tg.start("execute", "slow.py", "--", "600", "2")
    tg.wait_for("began-*")

    tg("stop", "--now", "slow.py")

    said = run.communicate(timeout=60)[0]
    assert (run.returncode, "stopped by" in said) == (1, True), said
    assert left_clean(tg)


def test_a_damaged_note_counts_as_none(tmp_path):
    backend = open_backend(tmp_path / "store")
    for data in (b"{", b'{"now": 1}', b"[]"):
        backend.documents.put(STOP_DOCUMENT, data)
        assert read_note(backend) is None
    leave_note(backend, StopNote(False, "ann@host", 1.0))
    assert read_note(backend) == StopNote(False, "ann@host", 1.0)


def test_a_gentle_note_is_told_once_and_one_that_abandons_after_it(tmp_path):
    backend = open_backend(tmp_path / "store")
    ending = Ending(until=1000.0)
    leave_note(backend, StopNote(False, "ann@host", 1.0))

    first, again = ending.look(backend, 10.0), ending.look(backend, 100.0)
    leave_note(backend, StopNote(True, "ann@host", 2.0))
    later, end = ending.look(backend, 200.0), ending.look(backend, 1000.0)

    assert (first.at_once, again) == (False, None)
    assert (later.at_once, end.time_over) == (True, True)
    assert ending.look(backend, 2000.0) is None


def test_a_page_with_limits_counts_tasks_and_compares_what_is_expected():
    few = LimitedPage(NoPage(), most=1)
    assert not few.stopping
    few.begin(b"k" * 20, 0.0)
    assert few.stopping

    short = LimitedPage(NoPage(), until=time.monotonic() + 60)
    short.expect(None)
    short.expect(30.0)
    assert not short.stopping
    short.expect(50.0)  # it might take half as long again
    assert short.stopping


ENDING = [
    *("SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGXCPU"),
]


@pytest.mark.parametrize("name", ENDING)
def test_each_signal_of_a_batch_system_ends_a_job_in_five_seconds(tg, name):
    tg.env |= {"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": str(time.time() + 9000)}
    tg.jugfile("slow.py")
    run = tg.start("execute", "slow.py", "-j", "2", "--", "600", "4")
    tg.wait_for("began-*", 2)

    os.kill(run.pid, signal.Signals[name])

    said = run.communicate(timeout=5)[0]
    assert run.returncode == 128 + signal.Signals[name], said
    assert left_clean(tg)


def test_a_warning_of_the_time_limit_lets_the_job_be_queued_again_after_progress(tg):
    tg.env |= {"SGE_TASK_ID": "3", "JOB_ID": "17", "PATH": "/nowhere"}
    tg.jugfile("slow.py")
    run = tg.start("execute", "slow.py", "--requeue", "--", "0.2", "99")
    tg.wait_for("began-*", 4)

    os.kill(run.pid, signal.SIGUSR1)

    said = run.communicate(timeout=5)[0]
    assert run.returncode == 99, said
    assert "when this job has to end is not known (there is no qstat" in said
    assert "asks to be queued again" in said


@pytest.mark.parametrize(
    ("option", "given", "why"),
    [
        ("--max-time", "0", "no time in which anything can be done"),
        ("--max-time", "0h", "no time in which anything can be done"),
        ("--max-time", "90", "write 90m or 90s"),
        ("--max-time", "-4h", "write 4h, 90m"),
        ("--max-time", "soon", "write 4h, 90m"),
        ("--max-tasks", "0", "write 1 or more"),
        ("--max-tasks", "many", "write 1 or more"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_in_a_sentence(tg, option, given, why):
    tg.jugfile("slow.py")

    said = tg("execute", "slow.py", f"{option}={given}", code=2).stderr

    assert why in said
    assert not (tg.folder / "slow.tgdata").exists()


def test_limits_can_be_set_in_a_file(tg):
    tg.jugfile("slow.py")
    tg.write("tg.toml", '[execute]\nmax_time = "1h"\nmax_tasks = 2\n')

    tg("execute", "-q", "slow.py", "--", "0", "7", code=5)

    assert done(tg) == 2


def test_a_note_for_a_store_that_is_not_there_is_no_success(tg):
    tg.jugfile("slow.py")

    for more in ((), ("--store", "misspelt.tgdata"), ("--off",)):
        said = tg("stop", "slow.py", *more, code=2).stderr
        assert "so nobody is told" in said

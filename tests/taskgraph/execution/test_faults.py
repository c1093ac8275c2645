"""Killed at any system call, disks that are full or refuse: nothing is lost."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backends.opening import open_backend

from ...machine import needs_mounts, needs_strace
from ..rough import ENVIRONMENT, SUM, TG, assert_sound, end, tg, value_of

TASKS = 13
ANSWER = 132
_CALL = re.compile(r"(?:\d+ +)?(\w+)\(")
_VICTIM = """
import os, signal, sys
import taskgraph.api, taskgraph.cli.commands.run.execute, taskgraph.cli.progress
import taskgraph.execution.supervisor, taskgraph.execution.worker
import taskgraph.tasks.jugfile, taskgraph.upkeep.snapshot, backends.filesystem.file_log
from taskgraph.cli import main

def stop():
    if os.path.exists("hold"):
        os.kill(os.getpid(), signal.SIGSTOP)

sys.argv[0] = "tg"
os.register_at_fork(after_in_child=stop)
os.kill(os.getpid(), signal.SIGSTOP)
main()
"""
SLOW = "import time\n" + SUM.replace("return 2", "time.sleep(0.05); return 2")
WHO = {
    "a worker alone": ("--debug",),
    "a supervisor": (),
    "a worker": (),
    "one of two workers": ("-j", "2"),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "job.py").write_text(SUM)
    return tmp_path


def traced(folder, who, calls, fault, *more):
    """Run `tg execute` with faults injected by strace; return how it ended.

    Python itself starts without faults: it stops when it has imported everything, or
    when it was forked as the worker whose calls are meant.
    """
    worker = who in {"a worker", "one of two workers"}
    if worker:
        (folder / "hold").touch()
    command = [sys.executable, "-c", _VICTIM, "execute", "job.py", "-q", *WHO[who]]
    victim = subprocess.Popen(
        [*command, *more],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, status = os.waitpid(victim.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        pids = [victim.pid]
        if worker:
            os.kill(victim.pid, signal.SIGCONT)
            pids = stopped_children(victim.pid, 2 if "-j" in WHO[who] else 1)
            (folder / "hold").unlink()
        tracer = attach(pids[0], folder, calls, fault, follow=who != "a supervisor")
        for pid in pids:  # the traced one first: else there may be no work for it
            os.kill(pid, signal.SIGCONT)
            _await_work(folder, pid)
        out, err = victim.communicate(timeout=60)
        tracer.wait(timeout=60)
    finally:
        end(victim)
    return victim.returncode, out + err


def _await_work(folder, pid):
    """Wait until a worker has locked something or has ended."""
    until = time.monotonic() + 10
    while time.monotonic() < until and _field(pid, "State") not in {None, "Z"}:
        if any((folder / "job.tgdata" / "log").glob("*/*")):
            return
        time.sleep(0.01)


def stopped_children(pid, number):
    """Wait until a process has so many stopped children; return their ids."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        stopped = [each for each in children if _field(each, "State") == "T"]
        if len(stopped) == number:
            return [int(each) for each in stopped]
        time.sleep(0.002)
    raise AssertionError("no worker was forked")


def attach(pid, folder, calls, fault, *, follow):
    """Trace a stopped process with faults in its system calls; return strace."""
    command = ["strace", "-o", folder / "trace", "-p", str(pid)]
    command += ["-f"] if follow else []
    command += ["-e", f"trace={calls}", "-e", f"inject={calls}:{fault}"]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while _field(pid, "TracerPid") == "0":
        assert tracer.poll() is None, command
        time.sleep(0.002)
    return tracer


def _field(pid, name):
    """Return a field of the status of a process, None if it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next(
        line.split()[1] for line in text.splitlines() if line.startswith(f"{name}:")
    )


def kill_at(folder, who, call, number):
    """Kill a process at its n-th call of this kind; return how the run ended."""
    return traced(folder, who, call, f"signal=SIGKILL:when={number}")


def was_killed(folder):
    return "killed by SIGKILL" in (folder / "trace").read_text()


def calls_of(folder, who):
    """Return the names of all system calls that a run of `tg execute` makes."""
    traced(folder, who, "all", "signal=SIGCONT:when=65535")
    lines = (folder / "trace").read_text().splitlines()
    return sorted({found[1] for line in lines if (found := _CALL.match(line))})


def assert_recovers(folder):
    tg(folder, "execute", "job.py", "-q", "--max-wait", "20")
    assert value_of(folder) == ANSWER
    assert_sound(folder / "job.tgdata", TASKS)


@needs_strace
@pytest.mark.parametrize(
    ("who", "call", "number"),
    [
        ("a worker alone", "link", 3),
        ("a worker alone", "fsync", 1),
        ("a worker alone", "write", 4),
        ("a supervisor", "rename", 1),
        ("a supervisor", "mkdir", 3),
        ("a supervisor", "openat", 20),
        ("a worker", "link", 2),
        ("a worker", "unlink", 2),
        ("a worker", "read", 4),
        ("one of two workers", "link", 1),
        ("one of two workers", "openat", 12),
    ],
)
def test_killed_at_a_system_call_the_next_run_finishes(folder, who, call, number):
    (folder / "job.py").write_text(job_for(who))
    code, said = kill_at(folder, who, call, number)
    assert was_killed(folder)
    assert_survived(folder, who, code, said)


def job_for(who):
    """Return a jugfile that has work for each of two workers if there are two."""
    return SLOW if who == "one of two workers" else SUM


def assert_survived(folder, who, code, said):
    """Check that another worker finished the job, or that the next run does."""
    if who in {"a worker", "one of two workers"}:
        assert code == 0, said
        assert value_of(folder) == ANSWER
    assert_recovers(folder)


@needs_strace
@pytest.mark.chaos
@pytest.mark.timeout(6000)
@pytest.mark.parametrize("who", WHO)
def test_killed_at_any_system_call_the_next_run_finishes(tmp_path, who):
    def run(name):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "job.py").write_text(job_for(who))
        return folder

    calls = calls_of(run("all"), who)
    assert {"openat", "newfstatat", "read", "close"} <= set(calls)
    for call in calls:
        for number in itertools.count(1):
            folder = run(f"{call}-{number}")
            code, said = kill_at(folder, who, call, number)
            if not was_killed(folder):
                break
            assert_survived(folder, who, code, f"{call} {number}: {said}")
            shutil.rmtree(folder)


@needs_strace
@pytest.mark.parametrize(
    ("call", "error", "advice"),
    [
        ("link", "ENOSPC", "the disk or its inodes are full"),
        ("link", "EDQUOT", "your quota is used up"),
        ("fsync", "EIO", "look at the disk"),
        ("fsync", "ENOSPC", "the disk or its inodes are full"),
    ],
)
def test_a_refused_call_ends_in_one_sentence_and_exit_code_4(
    folder, call, error, advice
):
    open_backend(folder / "job.tgdata").close()  # the store is there, and empty
    calls = {"link": "link,linkat", "fsync": "fsync"}[call]
    code, said = traced(folder, "a worker", calls, f"error={error}:when=1+")
    assert code == 4, said
    assert len(re.findall(r"tg: cannot write to the store", said)) == 1
    assert advice in said
    assert "Traceback" not in said
    assert_recovers(folder)


# real file systems: small, full, read-only


def in_namespace(folder, script):
    """Run a shell script that may mount things nobody else sees."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-e", "-c", script],
        cwd=folder,
        env={**ENVIRONMENT, "TG": str(TG), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


BULK = """
import os
from taskgraph import TaskGenerator

@TaskGenerator
def bulk(number):
    return bytes([number]) + os.urandom(60_000)

@TaskGenerator
def total(all):
    return sum(each[0] for each in all)

result = total([bulk(number) for number in range(24)])
"""
_FULL = """
mkdir disk
mount -t tmpfs -o {small} none disk
code=0; $TG execute job.py --store disk/s {how} -q || code=$?
echo first $code
mount -o remount,size=64m,nr_inodes=10000 disk
$TG execute job.py --store disk/s -q --max-wait 20
$TG value job.py total --store disk/s
$TG locks job.py --store disk/s
"""


@needs_mounts
@pytest.mark.parametrize(
    ("small", "how"),
    [
        ("size=600k,nr_inodes=1000", "-j2"),
        ("size=64m,nr_inodes=11", ""),  # not even a lock
        ("size=64m,nr_inodes=14", ""),
        ("size=40k", ""),
    ],
)
def test_a_full_disk_ends_with_exit_code_4_and_loses_nothing(folder, small, how):
    (folder / "job.py").write_text(BULK)
    said = in_namespace(folder, _FULL.format(small=small, how=how))
    assert "first 4" in said
    assert "the disk or its inodes are full" in said
    assert "Traceback" not in said
    assert "276" in said


@needs_mounts
def test_a_full_disk_is_told_to_who_runs_a_jugfile_from_python(folder):
    (folder / "job.py").write_text(BULK)
    said = in_namespace(
        folder,
        """
        mkdir disk
        mount -t tmpfs -o size=600k,nr_inodes=1000 none disk
        $PYTHON -c 'import taskgraph; taskgraph.run("job.py", store="disk/s")' || true
        """,
    )
    assert "the disk or its inodes are full" in said.splitlines()[-1]


@needs_mounts
def test_a_read_only_store_can_be_looked_at(folder):
    said = in_namespace(
        folder,
        """
        mkdir disk
        mount -t tmpfs -o size=8m none disk
        $TG execute job.py --store disk/s -q
        mount -o remount,ro disk
        $TG status job.py --store disk/s
        $TG execute job.py --store disk/s -q; echo again $?
        """,
    )
    assert "again 0" in said
    assert "total" in said


@needs_mounts
def test_a_read_only_store_ends_with_exit_code_4(folder):
    said = in_namespace(
        folder,
        """
        mkdir disk
        mount -t tmpfs -o size=8m none disk
        $TG execute job.py --store disk/s -q --name double
        mount -o remount,ro disk
        code=0; $TG execute job.py --store disk/s -q || code=$?; echo code $code
        mount -o remount,rw disk
        $TG execute job.py --store disk/s -q; echo again $?
        """,
    )
    assert "code 4" in said
    assert "read-only" in said
    assert "Traceback" not in said
    assert "again 0" in said


@needs_mounts
def test_what_cannot_be_saved_is_told_where_nothing_can_be_written(folder):
    said = in_namespace(
        folder,
        """
        mkdir disk
        mount -t tmpfs -o size=8m,ro none disk
        $TG execute job.py -q
        for how in "report job.py -o disk/r.html" "value job.py total -o disk/v.json" \\
            "table job.py double -o disk/t.csv" "bundle job.py -o disk/b.zip"
        do code=0; $TG $how || code=$?; echo code $code; done
        """,
    )
    assert said.count("code 2") == 4
    assert said.count("Read-only file system") == 4
    assert "Traceback" not in said


def test_a_store_that_is_a_file_is_a_wrong_use(folder):
    (folder / "file").touch()
    (folder / "circle").symlink_to("circle")
    for name in ("file", "circle"):
        done = tg(folder, "execute", "job.py", "--store", name, code=2)
        assert f"{name} is not a directory" in done.stderr

"""Killed at any system call, disks that are full or refuse: nothing is lost."""

from __future__ import annotations

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

from .rough import ENVIRONMENT, SUM, TG, assert_sound, end, tg, value_of

TASKS = 13
ANSWER = 132
CALLS = {
    "openat": "openat,open",
    "read": "read",
    "write": "write",
    "close": "close",
    "fsync": "fsync",
    "link": "link,linkat",
    "unlink": "unlink,unlinkat",
    "rename": "rename,renameat,renameat2",
    "mkdir": "mkdir,mkdirat",
    "utime": "utimensat",
    "stat": "stat,fstat,newfstatat",
    "fork": "clone,clone3,fork,vfork",
}
_VICTIM = """
import os, signal, sys
import taskgraph.api, taskgraph.cli.execute, taskgraph.supervisor, taskgraph.jugfile
import taskgraph.snapshot, taskgraph.worker, taskgraph.cli.progress, backends.filesystem
from taskgraph.cli import main
sys.argv[0] = "tg"
os.kill(os.getpid(), signal.SIGSTOP)
main()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "job.py").write_text(SUM)
    return tmp_path


def traced(folder, inject, *arguments):
    """Run `tg` with faults injected into it by strace; return it when it has ended.

    Python itself starts without faults: it stops when it has imported everything.
    """
    victim = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, *arguments],
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
        tracer = subprocess.Popen(
            [
                *("strace", "-f", "-o", folder / "trace", "-p", str(victim.pid)),
                *("-e", f"trace={inject[0]}", "-e", f"inject={':'.join(inject)}"),
            ],
            stderr=subprocess.DEVNULL,
        )
        while tracer.poll() is None and not _has_tracer(victim.pid):
            time.sleep(0.005)
        os.kill(victim.pid, signal.SIGCONT)
        out, err = victim.communicate(timeout=60)
        tracer.wait(timeout=60)
    finally:
        end(victim)
    return victim.returncode, out + err


def _has_tracer(pid):
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


def kill_at(folder, call, number, *more):
    inject = (CALLS[call], "signal=SIGKILL", f"when={number}")
    return traced(folder, inject, "execute", "job.py", "-q", *more)


def assert_recovers(folder):
    tg(folder, "execute", "job.py", "-q", "--max-wait", "20")
    assert value_of(folder) == ANSWER
    assert_sound(folder / "job.tgdata", TASKS)


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("link", 1),
        ("link", 2),
        ("link", 3),
        ("fsync", 1),
        ("rename", 1),
        ("unlink", 2),
        ("mkdir", 3),
        ("write", 4),
        ("openat", 20),
        ("close", 12),
    ],
)
def test_killed_at_a_system_call_the_next_run_finishes(folder, call, number):
    kill_at(folder, call, number)
    assert "killed by SIGKILL" in (folder / "trace").read_text()
    assert_recovers(folder)


@pytest.mark.chaos
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("how", [(), ("--debug",), ("-j", "2")])
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_every_system_call_the_next_run_finishes(tmp_path, call, how):
    killed = 0
    for number in range(1, 400, 1 if call in {"link", "fsync", "rename"} else 3):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "job.py").write_text(SUM)
        kill_at(folder, call, number, *how)
        assert_recovers(folder)
        if "killed by SIGKILL" not in (folder / "trace").read_text():
            break
        killed += 1
        shutil.rmtree(folder)
    assert killed


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
    code, said = traced(
        folder, (CALLS[call], f"error={error}", "when=1+"), "execute", "job.py", "-q"
    )
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
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="mounting takes root; the whole check runs as root"
)


@needs_root
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


@needs_root
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


@needs_root
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


def test_a_store_that_is_a_file_is_a_wrong_use(folder):
    (folder / "file").touch()
    done = tg(folder, "execute", "job.py", "--store", "file", code=2)
    assert "is not a directory" in done.stderr

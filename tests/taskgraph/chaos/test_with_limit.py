"""A command that hangs is ended with all that it started, and says where it stood."""

import os
import random
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from backends.opening import open_backend
from taskgraph.chaos.storm import Programs, Storm
from taskgraph.chaos.with_limit import FAULTHANDLER, Command

HANGS = """
import os, signal, time

def wait_for_nobody():
    time.sleep(1000)

if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)  # as who was frozen by a storm
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("waits", flush=True)
wait_for_nobody()
"""


@pytest.fixture
def said():
    with TemporaryFile() as file:
        yield file


def python(program):
    return [sys.executable, *FAULTHANDLER, "-c", program]


def wait_until(said, word):
    end = time.monotonic() + 60
    while word not in os.pread(said.fileno(), 1000, 0):
        assert time.monotonic() < end
        time.sleep(0.01)


def living_in(group):
    """Return the processes of a group that are no zombies."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group, *_ = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in "ZX":
            found.append(stat.parent.name)
    return found


def test_one_that_ends_in_time_is_let_be(said):
    command = Command("it", python("print('done'); exit(3)"), Path(), said)

    assert command.wait(60) == (3, "")
    assert os.pread(said.fileno(), 10, 0) == b"done\n"


def test_one_that_hangs_says_where_and_is_gone_with_all_its_processes(said):
    command = Command("it", python(HANGS), Path(), said)
    wait_until(said, b"waits")

    code, stood = command.wait(0.1)

    assert code is None
    assert stood.count("most recent call first") == 2
    assert "in wait_for_nobody" in stood
    assert living_in(command.pid) == []


def test_a_storm_strikes_on_while_a_command_hangs_and_tells_of_it(said, tmp_path):
    sleeps = python("import signal; signal.pause()")
    asked = [*sleeps[:-1], "import signal; print('asked'); signal.pause()"]
    programs = Programs(sleeps, {"asked": asked}, tmp_path, limit=1.0)
    backend = open_backend("memory://")
    storm = Storm(programs, 1, backend, 0.1, random.Random(1), said)

    began = time.monotonic()
    storm.rage(4.0, lambda _: None)

    assert time.monotonic() - began < 60
    assert {name for name, _ in storm.struck.hung} == {"asked"}
    assert storm.struck.deeds["asked"] == 0
    assert all("<string>" in stood for _, stood in storm.struck.hung)
    assert storm.struck.deeds["group killed"] > 0


def test_who_is_interrupted_while_waiting_leaves_nobody_behind(said, monkeypatch):
    command = Command("it", python("import signal; signal.pause()"), Path(), said)
    signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)

    with pytest.raises(KeyboardInterrupt):
        command.wait(60)
    assert living_in(command.pid) == []


def _interrupt(*_):
    raise KeyboardInterrupt


def test_a_lock_that_nobody_frees_counts_with_the_time_it_was_waited_for(said):
    backend = open_backend("memory://")
    backend.claim([b"k" * 20])
    asleep = python("import signal; signal.pause()")
    programs = Programs(asleep, {"asked": asleep}, Path(), limit=1.0)
    storm = Storm(programs, 1, backend, 0.1, random.Random(1), said)
    storm._awaited[b"k" * 20] = backend.worker, time.monotonic()

    storm.rage(0.1, lambda _: None)

    (seconds,) = storm.struck.recoveries
    assert seconds >= 4 * 0.1

"""Who is dead: what the process table says for certain, else the heartbeat."""

import os
import signal
import subprocess
import sys

import pytest

from backends.interface import Member
from backends.liveness import (
    Watch,
    alive_here,
    left_behind,
    process_stopped,
    seems_dead,
    worker_identity,
)
from backends.opening import open_backend

from ..machine import NAMESPACES, needs_namespaces

LEASE = 120.0


@pytest.fixture
def start():
    """Start processes that do nothing, and end them."""
    started = []

    def begin():
        started.append(subprocess.Popen(["sleep", "100"]))
        return started[-1]

    yield begin
    for each in started:
        each.kill()
        each.wait()


def freeze(process):
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    assert process_stopped(process.pid)


def end(process):
    process.kill()
    process.wait()


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def member(about, beat=1.0):
    return Member("w", about, beat=beat, age=0.0)


def test_a_process_lives_until_it_is_gone(start):
    worker = start()
    about = worker_identity(worker.pid, LEASE)
    assert alive_here(about)
    end(worker)
    assert alive_here(about) is False
    assert seems_dead(member(about))


def test_a_process_that_has_the_number_of_another_is_not_that_one(start):
    about = worker_identity(start().pid, LEASE)
    assert alive_here({**about, "started": 1}) is False


def test_of_a_frozen_process_only_its_heartbeat_tells(start):
    worker = start()
    about = worker_identity(worker.pid, LEASE)
    freeze(worker)
    assert alive_here(about) is None
    clock = Clock()
    watch = Watch(clock)
    assert watch.dead([member(about)], {"w"}) == set()
    clock.seconds = LEASE
    assert watch.dead([member(about)], {"w"}) == {"w"}


def test_a_worker_outlives_the_silence_of_a_frozen_supervisor(start):
    worker, supervisor = start(), start()
    about = worker_identity(worker.pid, LEASE, supervisor.pid)
    freeze(supervisor)
    clock = Clock()
    watch = Watch(clock)
    for clock.seconds in (0.0, LEASE, 5 * LEASE):
        assert watch.dead([member(about)], {"w"}) == set()
    assert not seems_dead(Member("w", about, beat=1.0, age=5 * LEASE))

    end(worker)  # and nobody says so
    assert watch.dead([member(about)], {"w"}) == set()
    clock.seconds += LEASE
    assert watch.dead([member(about)], {"w"}) == {"w"}


def test_a_living_supervisor_says_itself_who_died(start):
    worker, supervisor = start(), start()
    about = worker_identity(worker.pid, LEASE, supervisor.pid)
    end(worker)
    assert alive_here(about) is None
    end(supervisor)
    assert alive_here(about) is False


@pytest.mark.parametrize("what", ["host", "boot", "space", "devices"])
@pytest.mark.parametrize("other", ["another", None])
def test_a_machine_that_differs_in_anything_is_another_one(start, what, other):
    worker = start()
    about = worker_identity(worker.pid, LEASE)
    end(worker)
    assert alive_here(about) is False
    assert alive_here({**about, what: other}) is None
    del about[what]
    assert alive_here(about) is None


STRANGE = [None, True, -1, 0, 1 << 80, 1.5, float("nan"), "x", [], [1], [-1, 2], {}]


@pytest.mark.parametrize("value", STRANGE, ids=repr)
@pytest.mark.parametrize("what", ["pid", "started", "lease", "supervisor"])
def test_whatever_a_worker_says_of_itself_is_judged(what, value):
    about = {**worker_identity(os.getpid(), LEASE), what: value}
    assert alive_here(about) in {True, False, None}
    seems_dead(member(about))
    Watch().dead([member(about)], {"w"})


SEEN_BY_ANOTHER_USER = """
import os, subprocess, sys
from backends.liveness import alive_here, worker_identity
subprocess.run(["mount", "-o", "remount,hidepid=2", "/proc"], check=True)
worker = subprocess.Popen(["sleep", "100"])
about = worker_identity(worker.pid, 120.0, os.getpid())

def seen():
    pid = os.fork()
    if pid == 0:
        os.setgid(65534)
        os.setuid(65534)
        assert not os.path.exists(f"/proc/{worker.pid}")
        os._exit({True: 1, False: 2, None: 3}[alive_here(about)])
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

before = seen()
worker.kill()
worker.wait()
del about["supervisor"]
print(before, seen())
"""
NOT_SHOWN = """
import os, subprocess
from backends.liveness import alive_here, worker_identity
subprocess.run(["mount", "-t", "tmpfs", "none", "/proc"], check=True)
print(alive_here(worker_identity(os.getpid(), 120.0)))
"""


def in_namespaces(script):
    """Run a script as root of mounts and processes of its own."""
    command = [*NAMESPACES, sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.split()


@needs_namespaces
def test_a_process_that_proc_hides_from_other_users_is_not_gone():
    assert in_namespaces(SEEN_BY_ANOTHER_USER) == ["3", "2"]


@needs_namespaces
def test_without_proc_only_heartbeats_tell():
    assert in_namespaces(NOT_SHOWN) == ["None"]


class Ending:
    """A store of which a worker ends well while somebody looks at it."""

    def __init__(self, store, worker):
        self.store, self.worker = store, worker
        self.members = self

    def __getattr__(self, name):
        return getattr(self.store, name)

    def all(self):
        found = self.store.members.all()
        self.worker.release([KEY])
        self.worker.members.leave(self.worker.worker)
        return found

    def some(self, workers):
        return self.store.members.some(workers)


KEY = b"k" * 20


@pytest.fixture
def gone(tmp_path, start):
    """A store that a worker has locked something in whose process is no more."""
    worker, process = open_backend(tmp_path / "store", worker="anna"), start()
    worker.members.beat("anna", worker_identity(process.pid, LEASE))
    worker.claim([KEY])
    end(process)
    return worker


def test_who_left_something_behind_is_told(gone, tmp_path):
    store = open_backend(tmp_path / "store")
    store.poll()
    assert left_behind(store) == {"anna"}


def test_who_ends_while_somebody_looks_left_nothing_behind(gone, tmp_path):
    store = open_backend(tmp_path / "store")
    store.poll()
    assert left_behind(Ending(store, gone)) == set()

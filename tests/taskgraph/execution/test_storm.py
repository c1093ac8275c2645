"""Workers are killed and frozen at random: every result is there, right, and once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from backends.interface import Kind
from backends.opening import open_backend

from ..rough import (
    ENVIRONMENT,
    LAYERED,
    TG,
    assert_sound,
    end,
    journal,
    tg,
    value_of,
)

LEASE = 1.5


def expected(layers, width):
    """Return what the job comes to, computed without the engine."""
    layer = list(range(width))
    for number in range(1, layers):
        layer = [
            number * 1_000_003 + p + (layer[p] + layer[(p * 7 + 1) % width]) % 1_000_033
            for p in range(width)
        ]
    return sum(layer)


class Storm:
    """Some `tg execute` in a folder, and what befalls them."""

    def __init__(self, folder: Path, workers: int, seed: int) -> None:
        self.folder = folder
        self.workers = workers
        self.random = random.Random(seed)
        self.groups: list[subprocess.Popen] = []
        self.frozen: list[tuple[float, int]] = []
        self.first = [0.1, 0.4, 0.6, 0.9]
        self.counts = dict.fromkeys(["groups", "workers", "supervisors", "frozen"], 0)

    def start(self) -> None:
        """Start as many as are missing."""
        self.groups = [group for group in self.groups if group.poll() is None]
        while len(self.groups) < self.workers:
            jobs = self.random.choice([1, 1, 1, 2])
            command = [TG, "execute", "job.py", "-q", "-j", str(jobs)]
            command += ["--lease", str(LEASE), "--max-wait", "60"]
            with (self.folder / "said").open("ab") as said:
                self.groups.append(
                    subprocess.Popen(
                        command,
                        cwd=self.folder,
                        env=ENVIRONMENT,
                        stdout=subprocess.DEVNULL,
                        stderr=said,
                        start_new_session=True,
                    )
                )

    def strike(self) -> None:
        """Do something bad to somebody."""
        group = self.random.choice(self.groups)
        children = _children(group.pid)
        # One of each kind first: what is left to chance is now and then left out.
        deed = self.first.pop() if self.first else self.random.random()
        if 0.25 <= deed < 0.55:
            children = self._some_children() or children
        with suppress(ProcessLookupError):
            if deed < 0.25:
                self.counts["groups"] += 1
                os.killpg(group.pid, signal.SIGKILL)
            elif deed < 0.55 and children:
                self.counts["workers"] += 1
                os.kill(self.random.choice(children), signal.SIGKILL)
            elif deed < 0.7:
                self.counts["supervisors"] += 1
                group.kill()
            else:
                self._freeze(group, children)

    def _some_children(self) -> list[int]:
        """Wait until some group has workers, which takes long on a busy machine."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            for group in self.random.sample(self.groups, len(self.groups)):
                if found := _children(group.pid):
                    return found
            time.sleep(0.01)
        return []

    def _freeze(self, group: subprocess.Popen, children: list[int]) -> None:
        self.counts["frozen"] += 1
        whole = self.random.random() < 0.5 or not children
        victim = -group.pid if whole else self.random.choice(children)
        os.kill(victim, signal.SIGSTOP)
        until = time.monotonic() + LEASE * self.random.uniform(1.2, 2)
        self.frozen.append((until, victim))

    def thaw(self, *, everybody: bool = False) -> None:
        """Let those go on whose time has come."""
        now = time.monotonic()
        for until, victim in list(self.frozen):
            if until <= now or everybody:
                self.frozen.remove((until, victim))
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGCONT)

    def rage(self, strikes: int, pause: float) -> None:
        """Strike so often, unless everything is done before."""
        for _ in range(strikes):
            self.start()
            time.sleep(pause * self.random.uniform(0.5, 1.5))
            self.thaw()
            self.strike()

    def calm_down(self, seconds: float) -> None:
        """Let the survivors end by themselves."""
        self.thaw(everybody=True)
        self.start()
        for group in self.groups:
            group.wait(timeout=seconds)

    def end(self) -> None:
        self.thaw(everybody=True)
        for group in self.groups:
            end(group)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        path = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(word) for word in path.read_text().split()]
    return []


def rage_over(
    folder, *, layers, width, seconds, workers, strikes, pause, seed, store=""
):
    job = LAYERED.format(layers=layers, width=width, seconds=seconds)
    (folder / "job.py").write_text(job)
    if store:
        (folder / "tg.toml").write_text(f"store = {store!r}")
    storm = Storm(folder, workers, seed)
    try:
        storm.rage(strikes, pause)
        storm.calm_down(600)
    finally:
        storm.end()
    assert value_of(folder, store=store) == expected(layers, width)
    assert_sound(store or folder / "job.tgdata", layers * width + 1)
    assert "Traceback" not in (folder / "said").read_text()
    return storm


def test_a_short_storm(tmp_path):
    storm = rage_over(
        tmp_path,
        layers=20,
        width=30,
        seconds=0.02,
        workers=4,
        strikes=16,
        pause=0.4,
        seed=7,
    )
    assert all(storm.counts.values())


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_whole_storm(tmp_path, seed):
    storm = rage_over(
        tmp_path,
        layers=50,
        width=100,
        seconds=0.05,
        workers=32,
        strikes=150,
        pause=0.5,
        seed=seed,
    )
    assert all(storm.counts.values())


def test_what_a_frozen_worker_brings_late_changes_nothing(tmp_path):
    job = """
import os, time
from taskgraph import TaskGenerator

@TaskGenerator
def who():
    open(f"ran-{os.getpid()}", "x").close()
    time.sleep(0.3)
    return os.getpid()

result = who()
"""
    (tmp_path / "job.py").write_text(job)
    storm = Storm(tmp_path, 1, seed=0)
    try:
        storm.start()
        (frozen,) = storm.groups
        while not list(tmp_path.glob("ran-*")):
            assert frozen.poll() is None, (tmp_path / "said").read_text()
            time.sleep(0.01)
        os.killpg(frozen.pid, signal.SIGSTOP)
        tg(tmp_path, "execute", "job.py", "-q", "--lease", LEASE)
        first = value_of(tmp_path)
        os.killpg(frozen.pid, signal.SIGCONT)
        assert frozen.wait(timeout=60) == 0
    finally:
        storm.end()
    assert len(list(tmp_path.glob("ran-*"))) == 2
    assert value_of(tmp_path) == first
    assert_sound(tmp_path / "job.tgdata", 1)


def test_a_dead_workers_tasks_go_on_within_two_leases(tmp_path):
    (tmp_path / "job.py").write_text(LAYERED.format(layers=1, width=4, seconds=1))
    storm = Storm(tmp_path, 1, seed=0)
    lease = 3.0
    store = tmp_path / "job.tgdata"
    try:
        storm.start()
        (victim,) = storm.groups
        while not (store / "format.json").exists() or not _claims(store):
            assert victim.poll() is None, (tmp_path / "said").read_text()
            time.sleep(0.02)
        os.killpg(victim.pid, signal.SIGSTOP)  # like a host that hangs
        struck = time.time()
        tg(tmp_path, "execute", "job.py", "-q", "--lease", lease)
    finally:
        storm.end()
    freed = [x.time for x in journal(store) if x.kind is Kind.EXPEL]
    # Two leases, and what it takes to start a process on a busy machine.
    assert freed[0] - struck < 2 * LEASE + 10
    assert value_of(tmp_path) == expected(1, 4)


def _claims(store: Path) -> bool:
    backend = open_backend(store, create=False)
    backend.poll()
    return bool(backend.locks())

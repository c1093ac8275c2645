"""A store loses its last results under a run: who sees it stops, nothing is mixed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from backends import RewoundError
from backends.filesystem.file_log import FileLog
from backends.opening import open_backend
from backends.store import JournalStore
from taskgraph.results.batch import Batch
from taskgraph.results.results import Results

from ..rough import ENVIRONMENT, TG, end, tg, value_of

if TYPE_CHECKING:
    from pathlib import Path

JOB = """
import os, time
from taskgraph import TaskGenerator

@TaskGenerator
def part(number):
    time.sleep(0.01)
    while number >= 30 and not os.path.exists("struck"):
        time.sleep(0.01)
    return number, os.urandom(4).hex()

@TaskGenerator
def follow(number, pair):
    assert pair[0] == number, pair
    return [number, pair]

@TaskGenerator
def total(pairs, follows):
    assert [pair for _, pair in follows] == list(pairs)
    return sum(number for number, _ in pairs)

parts = [part(number) for number in range(60)]
result = total(parts, [follow(number, pair) for number, pair in enumerate(parts)])
"""
ANSWER = sum(range(60))


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [TG, "execute", "job.py", "-q", "-j", "2", "--max-wait", "20"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def names(folder: Path) -> list[Path]:
    return sorted((folder / "job.tgdata" / "log").glob("*/*"))


def wait_for_segments(folder: Path) -> None:
    """Wait for a dozen, or until no more come, as tasks wait for what is to be done.

    How many there are by then depends on how busy the machine is.
    """
    count, since = 0, time.monotonic()
    while count < 12 and (count < 8 or time.monotonic() < since + 3):
        if len(names(folder)) != count:
            count, since = len(names(folder)), time.monotonic()
        assert time.monotonic() < since + 60
        time.sleep(0.01)


def under_a_run(folder: Path, deed) -> list[tuple[int, str]]:
    """Do something to a store while two runs are frozen; return how they ended."""
    (folder / "job.py").write_text(JOB)
    runs = [start(folder), start(folder)]
    try:
        wait_for_segments(folder)
        for run in runs:
            os.killpg(run.pid, signal.SIGSTOP)
        deed(folder)
        (folder / "struck").touch()
        for run in runs:
            os.killpg(run.pid, signal.SIGCONT)
        said = [run.communicate(timeout=90)[1] for run in runs]
        return [(run.returncode, text) for run, text in zip(runs, said, strict=True)]
    finally:
        for run in runs:
            end(run)


def assert_recovers(folder: Path, ended: list[tuple[int, str]]) -> None:
    for code, said in ended:
        assert code in {0, 3, 4}, said  # 3: it waited for one that had stopped
        assert "Traceback" not in said
        if code == 4:
            assert "has lost results" in said or "start again" in said
    tg(folder, "execute", "job.py", "-q")
    assert value_of(folder) == ANSWER
    tg(folder, "fsck", "job.py", code=None)


@pytest.mark.parametrize("lost", [1, 5])
def test_when_the_last_names_vanish_workers_stop_or_are_right(tmp_path, lost):
    def vanish(folder):
        for name in names(folder)[-lost:]:
            name.unlink()

    assert_recovers(tmp_path, under_a_run(tmp_path, vanish))


def test_when_the_journal_is_removed_workers_stop(tmp_path):
    def remove(folder):
        shutil.rmtree(folder / "job.tgdata" / "log")

    ended = under_a_run(tmp_path, remove)
    assert 4 in [code for code, _ in ended]  # who had read nothing yet begins anew
    assert_recovers(tmp_path, ended)


def test_when_an_older_copy_is_put_back_workers_stop(tmp_path):
    def put_back(folder):
        store = folder / "job.tgdata"
        for name in names(folder)[6:]:
            name.unlink()
        shutil.copytree(store, folder / "copy")
        shutil.rmtree(store)
        shutil.copytree(folder / "copy", store)

    assert_recovers(tmp_path, under_a_run(tmp_path, put_back))


def publish(store: JournalStore, key: bytes, value: object) -> None:
    results = Results(store)
    claim = store.claim([key])
    batch = Batch()
    batch.add(key, results.encode(value, key), ("f", ""), ("", 0.0, 0.0, 0.0, 0))
    body = batch.encode({}, store.places)
    store.publish([key], bytes(batch.rows), body, since=claim.token)


def test_the_record_of_another_key_is_never_handed_on(tmp_path):
    root = tmp_path / "store"
    old = JournalStore(FileLog(root), "old")
    publish(old, b"K" * 20, "of K")
    for name in (root / "log" / "000000").iterdir():
        name.unlink()
    publish(open_backend(root), b"J" * 20, "of J")

    with pytest.raises(RewoundError, match="has lost results"):
        Results(old).load(b"K" * 20)
    with pytest.raises(RewoundError):
        old.poll()
    with pytest.raises(RewoundError):
        old.claim([b"L" * 20])
    assert Results(open_backend(root)).load(b"J" * 20) == "of J"

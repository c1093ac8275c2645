"""What clients of a network file system would see late is seen at once.

Real ones are in `tests/nfs`; here is what they need, on any file system.
"""

import os
import time
from pathlib import Path

import pytest

from backends.filesystem import file_log
from backends.filesystem.file_log import FileLog
from backends.store import JournalStore
from backends.testing.deeds import A, B

FUTURE = 4_000_000_000 * 10**9


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(file_log, "is_remote", lambda root: True)
    return FileLog(tmp_path / "store")


@pytest.fixture
def changed(log):
    """Return when the block of a log changed last, by its time stamp.

    A clock that went back is one that did not go on, only worse.
    """
    JournalStore(log, "anna").claim([A])
    block = Path(log._path(0)).parent
    os.utime(block, ns=(0, FUTURE))
    return lambda: block.stat().st_mtime_ns


def test_two_changes_while_a_servers_clock_stood_still_are_told_apart(log, changed):
    JournalStore(log, "bert").claim([B])
    first = changed()
    assert first > FUTURE
    JournalStore(log, "cora").claim([A, B])  # nothing is free: nothing is appended
    assert changed() == first


def test_a_directory_of_somebody_else_gets_the_time_that_it_is(
    log, changed, monkeypatch
):
    utime, refused = os.utime, []

    def refuse(path, **times):
        if times:
            refused.append(path)
            raise PermissionError
        utime(path)

    monkeypatch.setattr(os, "utime", refuse)
    assert JournalStore(log, "bert").claim([B]).keys == [B]
    assert refused
    assert changed() < FUTURE


def test_a_clock_that_goes_on_is_left_alone(log, changed, monkeypatch):
    os.utime(Path(log._path(0)).parent, ns=(0, 0))
    monkeypatch.delattr(os, "utime")
    JournalStore(log, "bert").claim([B])
    assert 0 < changed() < FUTURE


def test_who_waits_gives_a_writer_time_to_remove_the_other_name(log, changed):
    path = log._path(1)
    os.link(log._path(0), path)
    began = time.monotonic()
    log.wait(1, 5.0)
    assert time.monotonic() - began >= 0.05

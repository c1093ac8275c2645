"""The backend in a directory keeps the contract, with links and without."""

import errno
import os
import time
from pathlib import Path

import pytest

from backends.filesystem.file_log import FileLog
from backends.store import JournalStore
from backends.testing import BackendContract
from backends.testing.deeds import A, publish


class TestFilesystem(BackendContract):
    @pytest.fixture
    def open_log(self, tmp_path):
        return lambda: FileLog(tmp_path / "store", block=self.block)

    @pytest.fixture
    def spoil(self, open_log):
        def replace(position, data):
            path = Path(open_log()._path(position))
            if path.is_dir():
                path = path / "segment"
            path.write_bytes(data)

        return replace


class TestFilesystemWithoutLinks(TestFilesystem):
    @pytest.fixture(autouse=True)
    def _refuse_links(self, monkeypatch):
        def refuse(staged, path):
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, "there", path)
            raise PermissionError(errno.EPERM, "no links here", path)

        monkeypatch.setattr(os, "link", refuse)


def test_what_was_trashed_this_moment_can_be_removed(tmp_path):
    log = FileLog(tmp_path / "store")
    log.blobs.write("ab/cd", [b"x" * 7])
    log.blobs.trash("ab/cd")

    assert log.space.empty_trash(0.0) == 7


@pytest.mark.parametrize("days", [-30, 2, 4000])
def test_a_clock_that_is_wrong_empties_no_trash_of_today(tmp_path, monkeypatch, days):
    log = FileLog(tmp_path / "store")
    log.blobs.write("ab/cd", [b"x" * 7])
    log.blobs.trash("ab/cd")
    store = JournalStore(log, "anna", clock=lambda: time.time() + days * 86400)
    store.claim([A])
    store.discard([A], reason="why")
    publish(store, A, since=10)
    store.discard([A], reason="why")
    before = log.space.now()
    wrong = time.time() + days * 86400
    monkeypatch.setattr("time.time", lambda: wrong)

    assert log.space.empty_trash(86400.0) == 0
    assert [abs(found.time - before) < 60 for found in store.discards()] == [True]
    assert abs(log.space.now() - before) < 60

"""The backend in a directory keeps the contract, with links and without."""

import errno
import os
from pathlib import Path

import pytest

from backends.filesystem.file_log import FileLog

from ..contract import BackendContract


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


@pytest.mark.parametrize("fraction", [0.0, 0.4, 0.6, 0.999])
def test_what_was_trashed_this_moment_can_be_removed(tmp_path, monkeypatch, fraction):
    monkeypatch.setattr("time.time", lambda: 1_000_000_000 + fraction)
    log = FileLog(tmp_path / "store")
    log.blobs.write("ab/cd", [b"x" * 7])
    log.blobs.trash("ab/cd")

    assert log.space.empty_trash(0.0) == 7

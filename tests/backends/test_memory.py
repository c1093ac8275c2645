"""The backend in memory keeps the contract."""

import pytest

from backends.memory import MemoryLog, Room
from backends.testing import BackendContract


class TestMemory(BackendContract):
    @pytest.fixture
    def room(self):
        return Room()

    @pytest.fixture
    def open_log(self, room):
        def open_it():
            log = MemoryLog(room)
            log.block_size = self.block
            return log

        return open_it

    @pytest.fixture
    def spoil(self, room):
        return room.frames.__setitem__

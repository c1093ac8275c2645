"""The backend in memory keeps the contract."""

import pytest

from backends.memory import MemoryLog, Room
from backends.store import JournalStore
from backends.testing import BackendContract
from backends.testing.deeds import A, B, C, publish


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


def test_an_undo_means_the_same_when_what_was_newer_is_merged_away():
    """Who reads the journal later finds no record there, and must not take that for
    one that may come back: its segment is gone, too."""
    room = Room()

    def opened(worker):
        log = MemoryLog(room)
        log.block_size = 6
        return JournalStore(log, worker)

    anna = opened("anna")
    publish(anna, A, B, since=0)
    first = anna.discard([A], reason="first")
    publish(anna, A, since=anna.position)
    assert anna.undo(first) == 0  # there is a newer one, which stays
    second = anna.discard([A], reason="second")
    publish(anna, C, since=0)
    assert anna.make_final([second]) == [second]
    anna.upkeep.compact()

    for store in (anna, opened("late")):
        store.poll()
        assert [found.position for found in store.discards()] == []
        assert store.undo(first) == 0
        assert set(store.keys()) == {B, C}
        for key in store.keys():  # noqa: SIM118 - it is no mapping
            assert key in store.segment(store.find(key).position).split()

"""The backend in Redis keeps the contract, on each server that is here."""

from functools import partial

import pytest

from backends.opening import open_backend
from backends.store import JournalStore
from backends.testing import BackendContract
from backends.testing.deeds import A, B, key, publish

from .rooms import open_log, spoil


class TestRedis(BackendContract):
    more = ""

    @pytest.fixture
    def open_log(self, each_server, store):
        return partial(open_log, each_server.url(store, self.more), self.block)

    @pytest.fixture
    def spoil(self, each_server, store):
        return partial(spoil, each_server, store, self.block)


def counted(monkeypatch, store):
    """Return a list that grows with each round trip of a store."""
    server, trips = store._log._room.server, []
    run = server._run

    def count(command, **how):
        trips.append(command)
        return run(command, **how)

    monkeypatch.setattr(server, "_run", count)
    return trips


def test_deeds_take_as_many_round_trips_as_the_design_says(server, store, monkeypatch):
    anna, bert = (JournalStore(open_log(server.url(store), 1000), w) for w in "ab")
    for each in (anna, bert):
        each.claim([A])
        each.poll()
    trips = counted(monkeypatch, anna)

    def took(deed):
        trips.clear()
        deed()
        return len(trips)

    assert took(lambda: anna.claim([B])) == 2
    assert took(lambda: publish(anna, B, body=bytes(100_000), since=0)) == 2
    assert took(anna.poll) == 1
    for number in range(10, 60):
        publish(bert, key(number), since=0)
    assert took(anna.poll) == 1
    assert took(lambda: anna.blobs.write("ab/c", [b"head", bytes(100_000)])) == 1
    assert took(lambda: anna.blobs.write("ab/d", [b"head", bytes(1_000_000)])) == 3


def test_who_joins_reads_a_block_at_once_and_no_results(server, store, monkeypatch):
    anna = JournalStore(open_log(server.url(store), 50), "anna")
    for number in range(205):
        publish(anna, key(number), body=bytes(20_000), since=0)
    late = JournalStore(open_log(server.url(store), 50), "late")
    trips = counted(monkeypatch, late)
    late.poll()
    assert len(late.keys()) == 205
    assert len(trips) <= 8  # 4 blocks that are merged, and the beginning of the next


def test_merging_again_reads_each_segment_once(server, store, monkeypatch):
    anna = JournalStore(open_log(server.url(store), 50), "anna")
    for number in range(101):
        publish(anna, key(number), since=0)
    read = []
    script = anna._log._room.server.script

    def counted(which, *words, **how):
        found = script(which, *words, **how)
        read.append(len(str(found)))
        return found

    monkeypatch.setattr(anna._log._room.server, "script", counted)
    assert anna.upkeep.compact() == 0
    assert sum(read) < 101 * 2000  # letters: each segment, and the heads of blocks


class TestRedisWithBlobsInAFolder(BackendContract):
    @pytest.fixture
    def open_log(self, server, store, tmp_path):
        url = server.url(store, f"&blobs={tmp_path}/blobs")
        return partial(open_log, url, self.block)

    @pytest.fixture
    def spoil(self, server, store):
        return partial(spoil, server, store, self.block)


def test_who_connects_asks_for_nothing_but_the_store(own_server):
    server = own_server()
    with server.client() as client:
        client.config_resetstat()
        open_backend(server.url("s")).poll()
        asked = client.info("commandstats")
    assert {name.partition("|")[0] for name in asked} <= {
        *("cmdstat_info", "cmdstat_hmget"),
        "cmdstat_config",  # the reset
    }

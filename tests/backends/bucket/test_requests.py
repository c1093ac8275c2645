"""How many requests are made, of which kind: all that a service is paid for."""

from __future__ import annotations

import time

import msgpack
import pytest
from hypothesis import given, strategies as st
from xxhash import xxh3_64_intdigest

from backends.bucket import bucket_log
from backends.bucket.client import Get
from backends.bucket.trailers import read_trailer, trailer_of
from backends.store import JournalStore
from backends.testing.deeds import A, key, publish


@pytest.fixture
def counted(open_bucket):
    """Return a function that says what requests a deed makes, by kind."""

    def count(log, deed):
        before = dict(log.client.requests)
        deed()
        after = log.client.requests
        made = {kind: after[kind] - before.get(kind, 0) for kind in after}
        return {kind: number for kind, number in made.items() if number}

    return count


def test_an_append_is_a_listing_and_a_put_but_who_locks_has_looked(
    open_bucket, counted
):
    log = open_bucket(block=1000)
    store = JournalStore(log, "anna")
    publish(store, A)

    assert counted(log, store.poll) == {"list": 1}
    assert counted(log, lambda: store.claim([key(7)])) == {"put": 1}
    assert counted(log, lambda: store.release([key(7)])) == {"list": 1, "put": 1}
    assert counted(log, lambda: publish(store, key(7), since=9)) == {
        "list": 1,
        "put": 1,
    }


def test_what_others_appended_is_read_once(open_bucket, counted):
    anna = JournalStore(open_bucket(block=1000), "anna")
    log = open_bucket(block=1000)
    bert = JournalStore(log, "bert")
    bert.poll()
    for number in range(20):
        publish(anna, key(number), body=b"x" * 100, since=0)

    assert counted(log, bert.poll) == {"list": 1, "get": 20}
    assert counted(log, lambda: bert.segment(3)) == {}


def test_who_was_too_late_looks_once_before_the_next_try(open_bucket, counted):
    anna = JournalStore(open_bucket(block=32), "anna")
    log = open_bucket(block=32)
    bert = JournalStore(log, "bert")
    bert.poll()
    bert.claim([key(8)])
    for number in range(5):
        anna.claim([key(number)])
    made = counted(log, lambda: bert.claim([key(2), key(7)]))

    assert made == {"put": 2, "list": 1, "get": 1}
    assert bert.locked_by(key(2)) == "anna"
    assert bert.locked_by(key(7)) == "bert"
    anna.claim([key(9)])
    bert.poll()
    assert bert.locked_by(key(9)) == "anna"


@pytest.mark.parametrize(("machines", "times"), [(1, 4.0), (4, 16.0), (16, 64.0)])
def test_who_is_too_late_for_the_first_time_makes_way_for_all_machines(
    open_bucket, monkeypatch, machines, times
):
    """Workers of one machine are not in each other's way."""
    log, pauses = open_bucket(), []
    for number in range(16):
        log.members.beat(f"host{number % machines}-{number}-0", {"host": "a"})
    log.members.names()
    monkeypatch.setattr(bucket_log, "_LONGEST_PAUSE", 100.0)
    monkeypatch.setattr(bucket_log.time, "sleep", lambda _: None)
    monkeypatch.setattr(
        bucket_log.random, "uniform", lambda _, most: pauses.append(most)
    )
    log._give_way(1.0)
    assert pauses == [times]


def take_turns(stores, numbers, body=b"x" * 100):
    for number in numbers:
        publish(stores[number % len(stores)], key(number), body=body, since=0)


def test_of_many_machines_one_request_brings_all_that_they_appended(
    open_bucket, counted
):
    two = [JournalStore(open_bucket(block=32), name) for name in ("anna", "bert")]
    take_turns(two, range(4))
    log = open_bucket(block=32)
    carl = JournalStore(log, "carl")
    carl.poll()
    take_turns(two, range(4, 24))

    assert counted(log, carl.poll) == {"list": 1, "get": 1}
    two[0].poll()
    assert carl.keys() == two[0].keys()
    assert counted(log, lambda: carl.segment(9)) == {}
    assert carl.segment(9).body == b"x" * 100


def test_large_segments_are_not_put_again_behind_others(open_bucket, counted):
    two = [JournalStore(open_bucket(block=32), name) for name in ("anna", "bert")]
    take_turns(two, range(2))
    log = open_bucket(block=32)
    carl = JournalStore(log, "carl")
    carl.poll()
    take_turns(two, range(2, 6), body=b"x" * 100_000)
    take_turns(two, range(6, 10))

    assert counted(log, carl.poll) == {"list": 1, "get": 5}
    names = [log._segments.name(at) for at in range(10)]
    assert max(log.client.get(name).size for name in names) < 110_000


def test_what_is_another_object_now_is_not_taken_from_behind_a_later_one(open_bucket):
    """A listing tells by its mark what is there; what stands elsewhere is a copy."""
    two = [JournalStore(open_bucket(block=32), name) for name in ("anna", "bert")]
    take_turns(two, range(4))
    log = open_bucket(block=32)
    name = log._segments.name(2)
    damaged = bytearray(log.client.get(name).data)
    damaged[70] ^= 1
    log.client.put(name, bytes(damaged))
    carl = JournalStore(log, "carl")
    carl.poll()

    assert carl.keys() == {key(0), key(1), key(3)}


@given(st.binary(max_size=300), st.integers(0, 40))
def test_what_stands_behind_a_segment_may_be_damaged(noise, at):
    good = trailer_of({1: Get(b"one", 3, "a"), 2: Get(b"two", 3, "b")})
    assert read_trailer(noise) == {}
    assert read_trailer(good[:at] + b"?" + good[at + 1 :]) in (
        {},
        read_trailer(good),
    )
    for said in (noise, 7, [[1]], [[b"1", 2, 3]], {"a": 1}, [["x", "y", b""]]):
        packed = msgpack.packb(said)
        check = xxh3_64_intdigest(packed).to_bytes(8, "little")
        assert read_trailer(good[:8] + check + packed) == {}


def test_of_full_blocks_heads_are_read(open_bucket, counted):
    anna = JournalStore(open_bucket(block=16), "anna")
    log = open_bucket(block=16)
    bert = JournalStore(log, "bert")
    publish(anna, A)
    bert.poll()
    for number in range(10, 10 + 6 * 16):
        publish(anna, key(number), body=b"x" * 100_000, since=0)
    made = counted(log, bert.poll)

    assert sum(made.values()) < 20
    assert bert.keys() == anna.keys()


def test_a_store_that_is_short_is_not_asked_for_heads(open_bucket, counted):
    two = [JournalStore(open_bucket(block=16), name) for name in ("anna", "bert")]
    take_turns(two, range(12))
    log = open_bucket(block=16)
    carl = JournalStore(log, "carl")
    carl.poll()
    take_turns(two, range(12, 20))

    assert counted(log, carl.poll) == {"list": 2, "get": 2}
    assert carl.keys() == two[1].keys() | {key(18)}


def test_heads_that_are_not_there_yet_are_asked_for_once(open_bucket, counted):
    """Who filled a block may be about to write them, or was killed before."""
    log = open_bucket(block=8)
    carl = JournalStore(log, "carl")
    publish(carl, A)
    two = [JournalStore(open_bucket(block=8), name) for name in ("anna", "bert")]
    take_turns(two, range(20))
    log.client.delete(log.client.listed("heads")[at].name for at in (0, 1))
    made = counted(log, carl.poll)

    assert made["get"] <= 2 * 2 + 1  # what is missing, and the last of each block
    assert carl.keys() == two[1].keys() | {key(19)}


def test_who_joins_reads_the_heads_of_many_blocks_at_once(open_bucket, counted):
    anna = JournalStore(open_bucket(block=4), "anna")
    for number in range(41):
        publish(anna, key(number), since=0)
    log = open_bucket(block=4)
    asked = []
    get_all = log.client.get_all
    log.client.get_all = lambda wanted: asked.append(len(wanted)) or get_all(wanted)
    late = JournalStore(log, "late")
    late.poll()

    assert late.keys() == anna.keys()
    assert asked[:2] == [2, 4]
    assert len(asked) <= 4


def test_merging_in_passing_reads_nothing_large_again(open_bucket, counted):
    log = open_bucket(block=4)
    store = JournalStore(log, "anna")
    for number in range(3):
        publish(store, key(number), body=b"x" * 200_000, since=0)
    made = counted(log, lambda: publish(store, key(9), body=b"x" * 200_000, since=0))

    assert made == {"list": 1, "put": 2}
    assert log._heads.all() == [0]


def test_who_waits_asks_ever_more_seldom(open_bucket, counted):
    log = open_bucket()
    store = JournalStore(log, "anna")
    store.poll()
    made = counted(log, lambda: store.wait(1.5))
    assert 1 <= made["head"] <= 8
    log._idle = (store.position, time.monotonic() - 200.0)
    assert counted(log, lambda: store.wait(0.01))["head"] <= 2  # pauses vary

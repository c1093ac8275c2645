"""How many requests are made, of which kind: all that a service is paid for."""

from __future__ import annotations

import time

import pytest

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


def test_an_append_is_a_listing_and_a_put(open_bucket, counted):
    log = open_bucket(block=1000)
    store = JournalStore(log, "anna")
    publish(store, A)

    assert counted(log, lambda: store.claim([key(7)])) == {"list": 1, "put": 1}
    assert counted(log, store.poll) == {"list": 1}
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

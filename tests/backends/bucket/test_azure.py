"""What might differ on Azure, in short; the whole contract is run with -m cloud."""

from __future__ import annotations

import os
import threading

import pytest

from backends.bucket import hiring
from backends.errors import OpenError, UnavailableError
from backends.opening import open_backend
from backends.store import JournalStore
from backends.testing.deeds import (
    A,
    B,
    answers,
    body_of,
    drop_discarded,
    history,
    key,
    publish,
)

from ..lossy_proxy import LossyProxy


@pytest.fixture
def server(az):
    return az


@pytest.fixture
def open_store(open_bucket):
    return lambda worker, **how: JournalStore(open_bucket(**how), worker)


def test_some_of_everything_over_several_blocks(open_store):
    anna, bert = open_store("anna"), open_store("bert")
    history(anna, bert)
    before = answers(bert)
    assert bert.upkeep.compact() > 0
    assert answers(anna) == answers(open_store("late")) == before
    drop_discarded(anna)
    assert bert.upkeep.unnoticed() == []


def test_of_many_who_append_at_once_each_is_there_once(open_store):
    stores = [open_store(f"w{n}") for n in range(4)]

    def work(number):
        for each in range(4):
            publish(stores[number], key(100 * number + each), since=0)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    late = open_store("late")
    late.poll()
    assert (late.position, len(set(late.keys()))) == (16, 16)


def test_a_put_whose_reply_was_lost_counts_once(open_store, server, bucket):
    proxy = LossyProxy(server.port)
    url = server.url("some/store", bucket=bucket, port=proxy.port)
    anna, bert = open_store("anna", url=url), open_store("bert")
    publish(anna, B)
    proxy.lose(b"if-none-match", 2)

    assert publish(anna, A, body=b"once", since=9) == 1
    assert (proxy.lost, body_of(bert, A)) == (2, b"once")
    proxy.close()


def test_what_is_beside_the_journal(open_store):
    anna, bert = open_store("anna"), open_store("bert")
    data = os.urandom((9 << 20) + 1)
    for size in (0, 5, len(data)):
        anna.blobs.write("ab/cd", [data[:size]])
        assert bert.blobs.open("ab/cd") == data[:size]
    anna.documents.put("ü 1.py", b"text")
    assert bert.documents.get("ü 1.py") == b"text"
    anna.members.beat("anna", {"host": "h"})
    (before,) = bert.members.all()
    anna.members.beat("anna", {"host": "h"})
    (after,) = bert.members.all()
    assert before.beat != after.beat
    assert after.age < 60
    anna.blobs.trash("ab/cd")
    assert bert.space.empty_trash(-1) == len(data)


def test_what_is_wrong_is_told(server, monkeypatch):
    with pytest.raises(OpenError, match="there is no bucket az://nobody"):
        open_backend(server.url("x", bucket="nobody"))
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmc=")
    monkeypatch.setattr(hiring, "_agency", hiring._Agency())  # of this environment
    with pytest.raises(UnavailableError, match="credentials") as failure:
        open_backend(server.url("x"))
    assert "d3Jvbmc" not in str(failure.value)

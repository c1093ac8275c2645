"""A put is refused, its reply is lost, or its writer is frozen: is it there or not?"""

from __future__ import annotations

import threading

import pytest

from backends.errors import OpenError, UnavailableError
from backends.store import JournalStore
from backends.testing.deeds import A, B, answers, body_of, key, publish

from ..lossy_proxy import LossyProxy
from .meddler import refusal

BLOCK = 4


@pytest.fixture
def proxy(server):
    proxy = LossyProxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def open_store(open_bucket, server, bucket):
    def open_it(worker, port=0, **how):
        url = server.url("some/store", bucket=bucket, port=port)
        return JournalStore(open_bucket(url, block=BLOCK, **how), worker)

    return open_it


@pytest.fixture
def bert(open_store):
    return open_store("bert")


# replies that are lost


@pytest.mark.parametrize("count", [1, 3])
def test_a_put_whose_reply_was_lost_counts_once(open_store, proxy, bert, count):
    anna = open_store("anna", proxy.port)
    publish(anna, B)
    proxy.lose(b"if-none-match", count)

    assert list(anna.claim([A]).keys) == [A]
    assert proxy.lost == count
    bert.poll()
    assert bert.locked_by(A) == "anna"
    assert bert.position == anna.position


@pytest.mark.parametrize("word", [b"PUT ", b"GET ", b"list-type"])
def test_any_reply_may_be_lost(open_store, proxy, bert, word):
    anna = open_store("anna", proxy.port)
    proxy.lose(word, 4)
    publish(anna, A, body=b"once")
    anna.blobs.write("ab/cd", [b"x" * 100])
    anna.documents.put("d", b"text")
    anna.members.beat("anna", {})

    assert proxy.lost == 4
    assert body_of(bert, A) == b"once"
    assert bytes(anna.blobs.open("ab/cd")) == b"x" * 100
    assert bert.documents.get("d") == b"text"
    assert answers(anna) == answers(bert)


# refusals that decide nothing


@pytest.mark.parametrize(
    "reply",
    [
        refusal("409 Conflict", "ConditionalRequestConflict"),
        refusal("412 Precondition Failed", "PreconditionFailed"),
        refusal("503 Slow Down", "SlowDown"),
        refusal("500 Internal Server Error", "InternalError"),
        refusal("429 Too Many Requests", "TooManyRequests"),
    ],
)
def test_a_refusal_of_a_name_that_nobody_has_is_tried_again(
    open_store, meddler, bert, reply
):
    anna = open_store("anna", meddler.port)
    publish(anna, B)
    meddler.answer(b"if-none-match", reply, 3)

    assert publish(anna, A, body=b"once", since=9) == 1
    assert meddler.answered == 3
    assert body_of(bert, A) == b"once"


def test_who_is_refused_for_another_reads_on(open_store, meddler, bert):
    anna = open_store("anna", meddler.port)
    publish(anna, B)
    conflict = refusal("409 Conflict", "ConditionalRequestConflict")
    meddler.answer(b"if-none-match", conflict)
    append = anna._log.client.append

    def late(name, data):
        if bert.locked_by(A) is None:
            assert list(bert.claim([A]).keys) == [A]
        return append(name, data)

    anna._log.client.append = late
    assert anna.claim([A]).keys == []
    assert anna.locked_by(A) == "bert"


def test_a_service_that_is_too_slow_for_long_is_an_error_in_a_sentence(
    open_store, meddler
):
    anna = open_store("anna", meddler.port, patience=0.5)
    publish(anna, B)
    meddler.answer(b"PUT ", refusal("503 Slow Down", "SlowDown"), 99)
    with pytest.raises(UnavailableError, match=r"503 SlowDown.*start again"):
        anna.claim([A])


def test_a_service_that_lets_the_second_win_is_refused(open_store, meddler):
    meddler.without = b"if-none-match: *\r\n"
    anna = open_store("anna", meddler.port)
    with pytest.raises(OpenError, match="only if there is none"):
        anna.claim([A])


def test_a_service_that_knows_no_conditions_is_refused(open_store, meddler):
    reply = refusal("501 Not Implemented", "NotImplemented")
    meddler.answer(b"if-none-match", reply)
    anna = open_store("anna", meddler.port)
    with pytest.raises(OpenError, match=r"only if there is none.*another --stor"):
        anna.claim([A])


# frozen writers


def frozen_before_its_put(store, deed):
    """Let others act when a segment is on its way to the service."""
    append, deeds = store._log.client.append, [deed]

    def late(name, data):
        if deeds:
            deeds.pop()()
        return append(name, data)

    store._log.client.append = late


@pytest.mark.parametrize("begun", range(BLOCK + 1))
@pytest.mark.parametrize("settled", [False, True])
def test_a_writer_that_is_frozen_across_a_merge_loses_nothing(
    open_store, bert, begun, settled
):
    """Its place is taken for ever, also by what was merged and left out."""
    anna = open_store("anna")
    for number in range(begun):
        publish(bert, key(100 + number), since=0)

    def fill_and_merge():
        for number in range(BLOCK + 2):
            claim = bert.claim([key(number)])
            if settled:
                publish(bert, key(number), since=claim.token)
            else:
                bert.release([key(number)])
        bert.upkeep.compact()

    frozen_before_its_put(anna, fill_and_merge)
    assert publish(anna, A, body=b"late", since=99) == (not settled)
    assert body_of(bert, A) == (b"x" if settled else b"late")
    assert answers(anna) == answers(bert) == answers(open_store("later"))


def test_a_lost_reply_is_found_though_what_was_put_is_left_out_by_now(open_store, bert):
    anna = open_store("anna")
    publish(bert, B)
    append, sent = anna._log.client.append, []

    def lost(name, data):
        if sent:
            return append(name, data)
        sent.append(append(name, data))
        publish(bert, A, body=b"meanwhile", since=9)
        for number in range(20, 20 + 2 * BLOCK):
            publish(bert, key(number), since=99)
        assert bert.upkeep.compact() > 0  # the claim of anna is settled
        raise FileExistsError(name)

    anna._log.client.append = lost
    claim = anna.claim([A])
    assert (claim.token, list(claim.keys)) == (2, [A])
    assert body_of(anna, A) == b"meanwhile"
    assert answers(anna) == answers(bert) == answers(open_store("late"))


# many at once


def test_of_many_who_append_at_once_each_is_there_once(open_store, bert):
    stores = [open_store(f"w{n}") for n in range(4)]

    def work(number):
        for each in range(4):
            publish(stores[number], key(100 * number + each), since=0)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bert.poll()
    assert bert.position == 16
    assert set(bert.keys()) == {
        key(100 * n + each) for n in range(4) for each in range(4)
    }
    assert all(answers(store) == answers(bert) for store in stores)

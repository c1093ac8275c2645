"""The server did what it was told, and its reply is lost on the way."""

import threading

import pytest

from backends.redis import scripts
from backends.store import JournalStore
from backends.testing.deeds import A, B, answers, body_of, drop_discarded, key, publish

from ..lossy_proxy import LossyProxy
from .rooms import open_log

BLOCK = 4


@pytest.fixture
def proxy(server):
    proxy = LossyProxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def anna(proxy, store):
    url = f"redis://127.0.0.1:{proxy.port}?store={store}"
    anna = JournalStore(open_log(url, BLOCK), "anna")
    for number in range(90, 90 + BLOCK):
        publish(anna, key(number), since=0)  # the server knows all scripts now
    return anna


@pytest.fixture
def bert(server, store):
    return JournalStore(open_log(server.url(store), BLOCK), "bert")


def word(script):
    return script.digest.encode()


@pytest.mark.parametrize("count", [1, 3])
def test_an_append_whose_reply_was_lost_counts_once(proxy, anna, bert, count):
    proxy.lose(word(scripts.APPEND), count)

    assert list(anna.claim([A]).keys) == [A]
    assert proxy.lost == count
    bert.poll()
    assert bert.locked_by(A) == "anna"
    assert bert.position == anna.position


def test_a_result_whose_reply_was_lost_is_published_once(proxy, anna, bert):
    token = anna.claim([A]).token
    proxy.lose(word(scripts.APPEND))

    assert publish(anna, A, body=b"once", since=token) == 1
    assert body_of(bert, A) == b"once"
    assert answers(anna) == answers(bert)


def test_an_append_counts_though_the_block_was_merged_before_it_was_asked_again(
    proxy, anna, bert, monkeypatch
):
    """The claim is settled and left out by then: what told it is still there."""
    sent = []
    script = anna._log._room.server.script

    def late(which, *words, **how):
        found = script(which, *words, **how)
        if which is scripts.APPEND and not sent:
            sent.append(words)
            bert.poll()
            token = bert.claim([B]).token
            bert.publish([A], b"\0", b"by bert", since=token)
            for number in range(20, 20 + BLOCK):
                publish(bert, key(number), since=0)
            bert.upkeep.compact()
            found = script(which, *words, **how)  # as if the reply had been lost
        return found

    monkeypatch.setattr(anna._log._room.server, "script", late)
    before = anna.position
    assert anna.claim([A]).token == before
    assert answers(anna) == answers(bert)


@pytest.mark.parametrize("lost", range(4))
def test_whatever_reply_is_lost_of_a_large_value_it_is_there(
    proxy, anna, bert, monkeypatch, lost
):
    monkeypatch.setattr("backends.redis.blobs.CHUNK", 1 << 20)
    data = bytes(range(256)) * (5 << 10)
    anna.blobs.write("ab/first", [data])
    proxy.lose(b"\r\n", after=lost)

    anna.blobs.write("ab/cd", [b"head", data, data])

    assert proxy.lost == 1
    assert bytes(bert.blobs.open("ab/cd")) == b"head" + 2 * data
    assert bert.space.leftovers(-10) == []


def test_a_merging_whose_reply_was_lost_is_done(proxy, anna, bert):
    publish(anna, A, body=b"x" * 5000, since=0)
    anna.discard([A], reason="wrong")
    proxy.lose(word(scripts.MERGE), 2)

    drop_discarded(anna)

    assert proxy.lost == 2
    assert answers(anna) == answers(bert)


def test_two_who_race_through_losses_agree(server, store):
    """Each of them loses every tenth reply; no key is locked by both."""
    proxies = [LossyProxy(server.port) for _ in range(2)]
    stores = [
        JournalStore(
            open_log(f"redis://127.0.0.1:{proxy.port}?store={store}", 5), f"w{number}"
        )
        for number, proxy in enumerate(proxies)
    ]
    won = [[], []]

    def run(number):
        for each in range(60):
            if each % 10 == 9:
                proxies[number].lose(word(scripts.APPEND))
            won[number] += stores[number].claim([key(each)]).keys

    threads = [threading.Thread(target=run, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won[0] + won[1]) == [key(each) for each in range(60)]
    assert answers(stores[0]) == answers(stores[1])
    assert sum(proxy.lost for proxy in proxies) > 5
    for proxy in proxies:
        proxy.close()

"""The server dies, comes back, or is replaced by one that knows less."""

import signal
import threading
import time

import pytest

from backends import RewoundError, UnavailableError
from backends.opening import open_backend
from backends.testing.deeds import A, B, C, answers, body_of, key, publish
from backends.warning import warnings_told

KEPT = ("--appendonly", "yes", "--appendfsync", "always")


def back_after(server, seconds, *options):
    """Kill a server, and start it again after a while."""
    server.kill()
    timer = threading.Timer(seconds, server._start, options)
    timer.start()
    return timer


def test_who_works_while_the_server_is_away_waits_and_goes_on(own_server):
    server = own_server(*KEPT)
    anna = open_backend(server.url("s"), worker="anna")
    publish(anna, A, body=b"kept")
    said = []
    timer = back_after(server, 1.5)
    with warnings_told(said.append):
        assert list(anna.claim([B]).keys) == [B]
    timer.join()
    assert ["does not answer; waiting for it, 60 s at most" in x for x in said] == [
        True
    ]
    late = open_backend(server.url("s"), worker="late")
    assert body_of(late, A) == b"kept"
    assert late.locked_by(B) == "anna"


def test_who_waits_for_news_is_woken_after_a_restart(own_server):
    server = own_server(*KEPT)
    anna, bert = (open_backend(server.url("s"), worker=w) for w in ("anna", "bert"))
    publish(anna, A)
    bert.poll()
    timer = back_after(server, 0.3)
    later = threading.Timer(1.0, publish, (anna, B))
    later.start()
    began = time.monotonic()
    bert.wait(30)
    assert time.monotonic() - began < 15
    later.join()
    timer.join()
    assert bert.find(B) is None
    bert.poll()
    assert bert.find(B) is not None


def test_waiting_is_no_silence_however_short_an_answer_is_waited_for(own_server):
    server = own_server()
    anna = open_backend(server.url("s", "&socket_timeout=0.2"), worker="anna")
    anna.claim([A])
    said = []
    began = time.monotonic()
    with warnings_told(said.append), server.client() as client:
        anna.wait(1.0)
        assert client.info("clients")["connected_clients"] <= 3
    assert time.monotonic() - began >= 1.0
    assert said == []


def test_a_server_that_stays_away_is_given_up_after_a_stated_time(own_server):
    server = own_server()
    anna = open_backend(server.url("s", "&patience=0.3"), worker="anna")
    anna.claim([A])
    server.kill()
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="no server answers"):
        anna.claim([B])
    assert 0.3 <= time.monotonic() - began < 10


def test_a_heartbeat_does_not_wait_for_a_server_that_is_away(own_server):
    server = own_server()
    anna = open_backend(server.url("s"), worker="anna")
    anna.members.beat("anna", {})
    server.kill()
    began = time.monotonic()
    anna.members.beat("anna", {})
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("filled", [False, True])
def test_a_server_that_kept_nothing_is_noticed_by_all_who_had_read(own_server, filled):
    server = own_server()
    anna, bert = (open_backend(server.url("s"), worker=w) for w in ("anna", "bert"))
    publish(anna, A)
    bert.poll()
    server.restart()
    if filled:
        cora = open_backend(server.url("s"), worker="cora")
        for each in (A, B, C):
            publish(cora, each, body=b"again")
    with pytest.raises(RewoundError):
        anna.claim([B])
    with pytest.raises(RewoundError):
        bert.poll()
    for deed in (
        lambda: anna.documents.put("d", b""),
        lambda: anna.blobs.write("ab/cd", [b"x"]),
    ):
        with pytest.raises(RewoundError):
            deed()
    late = open_backend(server.url("s"), worker="late")
    assert publish(late, A, body=b"again") == (0 if filled else 1)
    assert body_of(late, A) == b"again"


def test_what_an_append_only_file_has_is_there_after_a_crash(own_server):
    server = own_server(*KEPT)
    anna = open_backend(server.url("s"), worker="anna")
    for number in range(50):
        publish(anna, key(number), body=b"x" * 1000)
    before = answers(anna)
    server.restart()
    assert answers(anna) == before
    assert answers(open_backend(server.url("s"))) == before


def promoted(own_server, deed):
    """Return a replica that took over, and did not hear of the last deed."""
    primary = own_server()
    replica = own_server("--replicaof", "127.0.0.1", str(primary.port))
    client = replica.client()
    anna = open_backend(primary.url("s"), worker="anna")
    publish(anna, A, body=b"early")
    end = time.monotonic() + 20
    while not client.hexists("{taskgraph:s}:log:0", "1"):
        assert time.monotonic() < end
        time.sleep(0.02)
    client.replicaof("127.0.0.1", "1")  # cut off
    deed(anna)
    primary.kill()
    client.replicaof("NO", "ONE")
    client.config_set("port", primary.port)
    replica.port = primary.port
    return replica, anna


def test_what_a_failover_lost_is_noticed_and_computed_again(own_server):
    replica, anna = promoted(own_server, lambda anna: publish(anna, B, body=b"lost"))

    with pytest.raises(RewoundError):
        anna.poll()

    late = open_backend(replica.url("s"), worker="late")
    assert body_of(late, A) == b"early"
    assert late.find(B) is None
    assert publish(late, B, body=b"again") == 1


def test_who_was_left_behind_by_a_failover_publishes_nothing_on_top(own_server):
    replica, anna = promoted(own_server, lambda anna: publish(anna, B, body=b"lost"))
    late = open_backend(replica.url("s"), worker="late")
    for each in (C, key(9), key(10)):
        late.claim([each])  # in the places of what was lost

    with pytest.raises(RewoundError):
        publish(anna, key(20), body=b"made of B", since=0)

    late.poll()
    assert late.find(key(20)) is None
    assert answers(late) == answers(open_backend(replica.url("s")))


def test_a_signal_ends_the_waiting_of_who_has_blocked_it(own_server, monkeypatch):
    server = own_server()
    anna = open_backend(server.url("s"), worker="anna")
    anna.claim([A])
    server.kill()
    monkeypatch.setattr(signal, "sigpending", lambda: {signal.SIGTERM})
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        anna.claim([B])
    assert time.monotonic() - began < 10


def test_what_is_written_goes_to_whoever_took_over_from_a_primary(own_server):
    """The old one is a replica now: its address will be that of the new one soon."""
    server = own_server()
    anna = open_backend(server.url("s"), worker="anna")
    anna.claim([A])
    client = server.client()
    client.replicaof("127.0.0.1", "1")
    timer = threading.Timer(0.5, client.replicaof, ("NO", "ONE"))
    timer.start()
    assert list(anna.claim([B]).keys) == [B]
    timer.join()

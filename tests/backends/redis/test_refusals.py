"""Each way to be wrong ends in a sentence that says what to do, without a password."""

import socket
import sys
import threading
import time
from contextlib import suppress

import pytest

from backends import (
    FormatError,
    NoStoreError,
    OpenError,
    UnavailableError,
)
from backends.opening import open_backend
from backends.redis import opening, scripts
from backends.redis.room import VERSION
from backends.store import JournalStore
from backends.testing.deeds import A, B, answers, drop_discarded, history, publish

from ...redis_servers import RedisServer, free_port
from .rooms import open_log, refusal

# who is asked


def test_nobody_answers():
    port = free_port()
    said = refusal(f"redis://127.0.0.1:{port}", UnavailableError)
    assert said.startswith(f"redis://127.0.0.1:{port}: no server answers (")
    assert "start it, or correct the URL" in said


def test_there_is_no_such_host():
    assert "no server answers" in refusal(
        "redis://no.such.host.invalid", UnavailableError
    )


def test_there_is_no_such_socket(tmp_path):
    assert "no server answers" in refusal(f"unix://{tmp_path}/socket", UnavailableError)


def test_something_else_answers():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            client, _ = listener.accept()
            with client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        said = refusal(
            f"redis://127.0.0.1:{listener.getsockname()[1]}", UnavailableError
        )
        thread.join()
    assert "no Redis server" in said


def test_something_else_hangs_up():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            with suppress(OSError):  # it is shut down
                while True:  # a client that could not write connects once more
                    listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        said = refusal(
            f"redis://127.0.0.1:{listener.getsockname()[1]}", UnavailableError
        )
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert "or is no Redis server" in said


def test_the_package_is_not_installed(monkeypatch):
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    said = refusal("redis://:secret@host")
    assert f"pip --python {sys.executable} install 'redis>=5" in said
    assert "secret" not in said


def test_an_option_is_none_of_redis_py(server):
    said = refusal(server.url("s", "&sokcet_timeout=3&password=hush"))
    assert "there is no option 'sokcet_timeout'; those of a store are" in said
    assert "__init__" not in said
    assert "hush" not in said


def test_there_is_no_database_of_that_number(each_server):
    said = refusal(f"redis://127.0.0.1:{each_server.port}/99")
    assert "no database of that number" in said


# what is there


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl"])
def test_a_server_that_forgets_what_it_has_is_refused(own_server, policy):
    server = own_server("--maxmemory-policy", policy)
    said = refusal(server.url("s"))
    assert f"maxmemory-policy is {policy}" in said
    assert "CONFIG SET maxmemory-policy noeviction" in said


def do_some_of_everything(store):
    store.claim([A])
    store.blobs.write("ab/cd", [b"x"])
    store.documents.put("d", b"x")
    store.wait(0.1)


@pytest.mark.parametrize("key", ["meta", "log:0", "news", "documents", "blobs"])
def test_something_else_lies_under_our_names(each_server, store, key):
    backend = open_backend(each_server.url(store))
    backend.make()
    with each_server.client() as client:
        name = f"{{taskgraph:{store}}}:{key}"
        client.delete(name)
        client.set(name, "thesis")
    with pytest.raises(OpenError, match=r"something else .* choose another \?store="):
        do_some_of_everything(open_backend(each_server.url(store)))
    with each_server.client() as client:
        assert client.get(name) == b"thesis"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("version", VERSION + 1, "install a newer taskgraph-segkit"),
        ("format", "recipes", "is not that of a taskgraph store"),
        ("version", "none", "is not that of a taskgraph store"),
        ("block", "0", "is not that of a taskgraph store"),
        ("block", "10000000", "is not that of a taskgraph store"),
        ("id", "", "is not that of a taskgraph store"),
    ],
)
def test_another_format_is_refused(server, store, field, value, sentence):
    open_backend(server.url(store)).make()
    with server.client() as client:
        client.hset(f"{{taskgraph:{store}}}:meta", field, value)
    assert sentence in refusal(server.url(store), FormatError)


def test_what_is_not_there_is_not_made_for_a_reader(server, store):
    assert "tg execute" in refusal(server.url(store), NoStoreError, create=False)
    backend = open_backend(server.url(store))
    backend.poll()
    backend.wait(0.0)
    assert [*backend.members.all(), *backend.documents.names()] == []
    assert [*backend.blobs.all(), *backend.space.leftovers(0.0)] == []
    assert (backend.space.size(), backend.space.empty_trash(0.0)) == (0, 0)
    assert (backend.blobs.age("ab/cd"), backend.upkeep.compact()) == (0.0, 0)
    backend.blobs.trash("ab/cd")
    backend.members.leave("anna")
    with server.client() as client:
        assert list(client.scan_iter(f"*{store}*")) == []


def test_two_stores_on_a_server_do_not_meet(server, store):
    first, second = (open_backend(server.url(f"{store}-{n}")) for n in "12")
    publish(first, A)
    assert second.poll() == []
    assert second.claim([A]).keys == [A]


# what it may not


def test_a_server_without_memory_stops_who_writes_and_keeps_what_it_has(own_server):
    server = own_server()
    anna = open_backend(server.url("s"), worker="anna")
    publish(anna, A, body=b"kept")
    with server.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 300_000)
    body = bytes(100_000)
    with pytest.raises(UnavailableError, match=r"out of memory \(maxmemory\)"):  # noqa: PT012 - the first, or one of the next
        for number in range(20):
            publish(anna, bytes([number]) * 20, body=body)
    with pytest.raises(UnavailableError, match=r"\?blobs=/shared/folder"):
        anna.blobs.write("ab/cd", [bytes(3_000_000)])
    late = open_backend(server.url("s"), worker="late")
    late.poll()
    assert late.find(A) is not None
    assert late.space.leftovers(-1) == []
    with server.client() as client:
        assert list(client.scan_iter("*:chunk:*")) == []
    with server.client() as client:
        client.config_set("maxmemory", 0)
    assert list(anna.claim([B]).keys) == [B]
    late.poll()
    assert late.locked_by(B) == "anna"


def test_a_replica_is_read_and_not_written_to(each_server, request):
    server = RedisServer(
        each_server.program, "--replicaof", "127.0.0.1", str(each_server.port)
    )
    request.addfinalizer(server.close)
    backend = open_backend(server.url("nothing"))
    assert backend.poll() == []
    assert "is a replica, which can only be read" in refusal(
        server.url("nothing"), UnavailableError
    )
    anna = open_backend(each_server.url("something"), worker="anna")
    anna.members.beat("anna", {"lease": 0.001})
    anna.claim([A])
    bert = open_backend(server.url("something"), worker="bert")
    until = time.monotonic() + 30
    while bert.locked_by(A) is None and time.monotonic() < until:
        time.sleep(0.02)
        bert.poll()
    assert bert.locked_by(A) == "anna"
    # A replica counts the time to live from when it hears of the key.
    while bert.members.all() and time.monotonic() < until:
        time.sleep(0.02)
    assert bert.members.all() == []
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="is a replica"):
        bert.claim([B])
    assert time.monotonic() - began < 10


def test_a_user_who_may_not_all_is_told_what(own_server):
    server = own_server()
    with server.client() as client:
        client.acl_setuser(
            "anna",
            enabled=True,
            passwords=["+secret"],
            keys=["*"],
            commands=["+@all", "-xread"],
        )
    url = f"redis://anna:secret@127.0.0.1:{server.port}"
    backend = open_backend(url)
    backend.claim([A])
    with pytest.raises(UnavailableError, match=r"may not do that .*xread"):
        backend.wait(1.0)


def test_a_user_needs_the_keys_of_the_store_and_no_others(own_server):
    server = own_server()
    with server.client() as client:
        client.acl_setuser(
            "anna",
            enabled=True,
            passwords=["+secret"],
            keys=["{taskgraph:lab}:*"],
            commands=["+@all", "-@admin", "-keys", "-scan"],
        )
    url = f"redis://anna:secret@127.0.0.1:{server.port}?store="
    anna, bert = (
        JournalStore(open_log(f"{url}lab", 4), worker) for worker in ("anna", "bert")
    )
    history(anna, bert)
    drop_discarded(anna)
    do_some_of_everything(anna)
    assert anna.space.size() > 0
    assert anna.space.leftovers(0) == []
    anna.space.empty_trash(0)
    assert answers(anna) == answers(bert)
    assert "may not do that" in refusal(f"{url}other", UnavailableError)


def test_a_server_that_cannot_be_asked_for_its_policy_is_used(own_server):
    server = own_server()
    with server.client() as client:
        client.acl_setuser(
            "anna",
            enabled=True,
            passwords=["+secret"],
            keys=["*"],
            commands=["+@all", "-info"],
        )
    assert open_backend(f"redis://anna:secret@127.0.0.1:{server.port}").claim([A]).keys


def test_scripts_are_sent_again_to_a_server_that_forgot_them(server, store):
    backend = open_backend(server.url(store))
    backend.claim([A])
    with server.client() as client:
        client.script_flush()
        assert client.script_exists(scripts.APPEND.digest) == [False]
    assert list(backend.claim([B]).keys) == [B]

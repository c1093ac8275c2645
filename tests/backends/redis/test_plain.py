"""A server that is spoken to in the clear, without redis-py."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from backends.redis.address import parse_address
from backends.redis.plain import Refused, StrangeReplyError, plain_client
from backends.redis.troubles import in_words_of_redis_py


def client_of(url):
    return plain_client(parse_address(url), "", 5.0, 5.0)


@contextmanager
def saying(*replies):
    """Be a server that gives these replies, whatever is asked, and then goes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            client, _ = listener.accept()
            with client:
                for reply in replies:
                    client.recv(1 << 16)
                    client.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        client = client_of(f"redis://127.0.0.1:{listener.getsockname()[1]}")
        try:
            yield client
        finally:
            client.close()
            thread.join()


REPLY = b"*5\r\n:7\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n+OK\r\n"


def test_every_kind_of_reply_is_read():
    with saying(REPLY) as client:
        assert client.ping() == [7, b"a\r\n", None, None, b"OK"]


@pytest.mark.parametrize("size", range(len(REPLY)))
def test_a_reply_that_is_cut_anywhere_is_a_connection_that_was_lost(size):
    kinds = ConnectionError, StrangeReplyError
    with saying(REPLY[:size]) as client, pytest.raises(kinds) as caught:
        client.ping()
    assert in_words_of_redis_py(caught.value) is not None


@pytest.mark.parametrize(
    "reply",
    [
        *(
            b"HTTP/1.1 400\r\n",
            b"\r\n",
            b"?\r\n",
            b":one\r\n",
            b"$-2x\r\n",
            b"*\r\n",
            b"$-5\r\n",
        ),
        *(b"$99999999999999\r\n", b"*99999999999999\r\n", b"*1\r\n" * 10_000),
        b"+" + b"a" * (1 << 17) + b"\r\n",
    ],
    ids=lambda reply: reply[:12].decode().strip(),
)
def test_what_is_no_reply_is_no_servers(reply):
    with saying(reply) as client, pytest.raises(StrangeReplyError):
        client.ping()


def test_what_the_server_refuses_leaves_the_connection_as_it_is(server):
    client = client_of(server.url("s"))
    before = client._ask("client", "id")
    with pytest.raises(Refused, match="no such thing"):
        client.eval("return redis.error_reply('no such thing')", 0)
    assert client._ask("client", "id") == before
    client.close()


def test_a_reply_that_came_too_late_answers_no_other_question(server):
    client = plain_client(parse_address(server.url("s")), "", 0.2, 5.0)
    client.set("late", b"late")
    with pytest.raises(TimeoutError):
        client.xread({"nothing": "0-0"}, block=600)
    assert client.get("late") == b"late"
    client.delete("late")
    client.close()


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 1_000_000])
@pytest.mark.parametrize("kind", [bytes, memoryview, bytearray])
def test_values_of_any_size_come_back(server, size, kind):
    client, data = client_of(server.url("s")), os.urandom(size)
    client.set("value", kind(data))
    assert client.get("value") == data
    client.delete("value")
    client.close()


def test_a_fork_asks_on_a_connection_of_its_own(server):
    client = client_of(server.url("s"))
    before = client._ask("client", "id")
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        os.write(writing, str(client._ask("client", "id")).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert int(os.read(reading, 100)) != before
    assert client._ask("client", "id") == before
    os.close(reading)
    os.close(writing)
    client.close()


def test_who_asks_what_a_server_says_of_itself_hears_what_redis_py_would(server):
    client = client_of(server.url("s"))
    with server.client() as theirs:
        for section in ("server", "memory", "persistence", "replication"):
            ours, said = client.info(section), theirs.info(section)
            assert ours.keys() == said.keys()
            assert {k: type(ours[k]) for k in ours} == {k: type(said[k]) for k in said}
        theirs.ping()
        stats = theirs.info("commandstats")["cmdstat_ping"].keys()
        assert client.info("commandstats")["cmdstat_ping"].keys() == stats
    client.close()


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("redis://host", True),
        ("redis://host?socket_timeout=3", True),
        ("unix:///tmp/socket", True),
        ("rediss://host", False),
        ("redis://host?client_name=me", False),
        ("redis://host?socket_timeout=soon", False),
        ("redis+sentinel://host/service", False),
        ("redis+cluster://host", False),
    ],
)
def test_what_takes_more_is_left_to_redis_py(url, plain):
    assert (client_of(url) is not None) is plain


def test_a_store_is_used_without_what_takes_long_to_import(server, store):
    script = (
        "import sys\n"
        "from backends.opening import open_backend\n"
        f"backend = open_backend({server.url(store)!r})\n"
        "backend.claim([b'k' * 20])\n"
        "assert backend.locked_by(b'k' * 20)\n"
        "for name in ('redis', '_hashlib', 'asyncio', 'ssl'):\n"
        "    assert name not in sys.modules, name\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

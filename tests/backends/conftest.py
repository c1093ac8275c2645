"""Redis servers that run for as long as tests do; each test has a store of its own."""

import os

import pytest

from ..redis_servers import ONE, SERVERS, RedisServer


@pytest.fixture(scope="session", params=SERVERS)
def each_server(request):
    server = RedisServer(request.param)
    yield server
    server.close()


@pytest.fixture(scope="session")
def server():
    server = RedisServer(ONE)
    yield server
    server.close()


@pytest.fixture
def own_server():
    """Return what starts servers that end with the test."""
    started = []

    def start(*options):
        started.append(RedisServer(ONE, *options))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def store():
    return f"test-{os.urandom(4).hex()}"

"""Stores in buckets of servers on this machine."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

import pytest

from backends.bucket.address import parse_address
from backends.bucket.bucket_log import BucketLog
from backends.bucket.client import Client

from ...machine import IN_CI
from .meddler import Meddler
from .servers import azurite, let_in, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .servers import Server

_numbers = count()


@pytest.fixture(scope="session", autouse=True)
def credentials() -> Iterator[None]:
    """Let the servers of the tests know who asks, and nobody else be asked."""
    with pytest.MonkeyPatch.context() as patch:
        let_in(patch, os.environ)
        yield


@pytest.fixture(scope="session")
def s3() -> Iterator[Server]:
    with running("s3") as server:
        yield server


@pytest.fixture(scope="session")
def az() -> Iterator[Server]:
    if not IN_CI and azurite() is None:
        pytest.skip("needs Azurite (python -m tests.backends.bucket.servers)")
    with running("az") as server:
        yield server


@pytest.fixture
def server(s3) -> Server:
    """Return the server that a test uses; another one can be given by a class."""
    return s3


@pytest.fixture
def meddler(server) -> Iterator[Meddler]:
    """Return what stands between a test and its server, and may answer itself."""
    proxy = Meddler(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def bucket(server) -> str:
    """Return the name of an empty bucket: moto looks at all objects of one to list."""
    name = f"bucket-{next(_numbers)}"
    server.make_bucket(name)
    return name


@pytest.fixture
def url(server, bucket) -> str:
    """Return the URL of a store that is not there yet."""
    return server.url("some/store", bucket=bucket)


@pytest.fixture
def open_bucket(url) -> Iterator[Callable[..., BucketLog]]:
    """Return a function that opens the same, at first empty, log again.

    Each is told nothing that others have asked; `Shared` has tests of its own.
    """
    logs = []

    def open_it(url: str = url, **how: object) -> BucketLog:
        # A patience of its own makes it ask by itself, as on another machine.
        patience = how.pop("patience", 20.0) + len(logs) / 1000
        client = Client(parse_address(url), patience=patience)
        logs.append(BucketLog(client, **{"block": 6, "fresh": 0.0, **how}))
        return logs[-1]

    yield open_it
    for log in logs:
        log.close()

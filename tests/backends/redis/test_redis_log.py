"""The backend in Redis keeps the contract, on each server that is here."""

from functools import partial

import pytest

from ..contract import BackendContract
from .rooms import open_log, spoil


class TestRedis(BackendContract):
    more = ""

    @pytest.fixture
    def open_log(self, each_server, store):
        return partial(open_log, each_server.url(store, self.more), self.block)

    @pytest.fixture
    def spoil(self, each_server, store):
        return partial(spoil, each_server, store, self.block)


class TestRedisWithBlobsInAFolder(BackendContract):
    @pytest.fixture
    def open_log(self, server, store, tmp_path):
        url = server.url(store, f"&blobs={tmp_path}/blobs")
        return partial(open_log, url, self.block)

    @pytest.fixture
    def spoil(self, server, store):
        return partial(spoil, server, store, self.block)

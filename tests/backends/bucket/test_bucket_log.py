"""The backend in a bucket keeps the contract, on S3 and on Azure."""

from __future__ import annotations

import pytest

from backends.store import JournalStore
from backends.testing import BackendContract


class TestS3(BackendContract):
    @pytest.fixture
    def open_log(self, open_bucket):
        return open_bucket

    @pytest.fixture
    def spoil(self, open_bucket):
        def replace(position, data):
            log = open_bucket()
            log.client.put(log._segments.name(position), data)

        return replace

    @pytest.mark.parametrize("name", ["readme.txt", "000000/0331", "1/2/3", "9/9"])
    def test_somebody_elses_objects_are_no_segments(self, open_bucket, anna, name):
        key = b"k" * 20
        anna.claim([key])
        open_bucket().client.put(f"log/{name}", b"hello")
        bert = JournalStore(open_bucket(), worker="bert")
        bert.poll()
        assert bert.position == anna.position
        assert bert.claim([key[::-1], b"j" * 20]).keys == [b"j" * 20]

    @pytest.mark.cloud  # six hundred appends, of which the service sees nothing new
    def test_many_settled_claims_are_forgotten(self, anna, bert):
        super().test_many_settled_claims_are_forgotten(anna, bert)


@pytest.mark.cloud
class TestAzure(TestS3):
    @pytest.fixture
    def server(self, az):
        return az

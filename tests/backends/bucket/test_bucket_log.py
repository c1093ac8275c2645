"""The backend in a bucket keeps the contract, on S3 and on Azure."""

from __future__ import annotations

import pytest

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

    @pytest.mark.cloud  # six hundred appends, of which the service sees nothing new
    def test_many_settled_claims_are_forgotten(self, anna, bert):
        super().test_many_settled_claims_are_forgotten(anna, bert)


@pytest.mark.cloud
class TestAzure(TestS3):
    @pytest.fixture
    def server(self, az):
        return az

"""What is said of buckets, and that nothing is left in them."""

import pytest

from backends.bucket.address import parse_address
from backends.bucket.client import Client, FailedError
from backends.interface import Level
from backends.opening import open_backend, open_probe


@pytest.fixture
def probe(url):
    found = open_probe(url)
    yield found
    found.close()


def everything(url, bucket):
    address = parse_address(url)
    client = Client(address).above("")
    try:
        return [one.name for one in client.listed("")]
    finally:
        client.close()


def test_a_bucket_is_fit_and_nothing_is_left_in_it(probe, url, bucket):
    found = {one.what: one for one in probe.facts()}
    rights = ["write", "read", "list", "write if absent", "remove"]
    assert all(found[f"may {what}"].level is Level.FINE for what in rights)
    scratch = open_backend(probe.make_scratch("doctor-x"), create=False)
    scratch.claim([b"k" * 20])
    scratch.close()
    assert {one.what for one in probe.measures("doctor-x")} == {"put", "get", "list"}
    assert probe.service("doctor-x").read > 0
    probe.remove_scratch("doctor-x")
    assert everything(url, bucket) == []


def test_a_service_that_lets_the_second_win_is_unfit(probe, monkeypatch):
    put = Client.put
    monkeypatch.setattr(
        Client, "put", lambda self, name, data, new=False: put(self, name, data)
    )
    found = {one.what: one for one in probe.facts()}["may write if absent"]
    assert found.level is Level.UNFIT
    assert "If-None-Match" in found.advice


def test_a_right_that_is_lacking_is_named(probe, monkeypatch):
    delete = Client.delete

    def denied(self, names):
        raise self._explained(FailedError("denied", "403"), "remove something from")

    monkeypatch.setattr(Client, "delete", denied)
    found = {one.what: one for one in probe.facts()}
    monkeypatch.setattr(Client, "delete", delete)
    assert found["may write"].level is Level.FINE
    assert found["may remove"].level is Level.UNFIT
    assert "s3:DeleteObject" in found["may remove"].advice


def test_no_bucket_is_unfit(server):
    probe = open_probe(server.url("store", bucket="none"))
    last = list(probe.facts())[-1]
    probe.close()
    assert last.level is Level.UNFIT
    assert "there is no bucket" in last.meaning


def test_what_a_killed_probe_left_goes_when_the_next_one_ends(probe, url, bucket):
    probe.make_scratch("doctor-old")
    probe.make_scratch("doctor-new")
    probe.remove_scratch("doctor-new")
    assert len(everything(url, bucket)) == 1  # it may be at work
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backends.bucket.probe._ABANDONED", -1.0)
        probe.remove_scratch("doctor-new")
    assert everything(url, bucket) == []

"""Anything in any order, and somebody else at the worst moment, on a real service."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from backends.bucket.address import parse_address
from backends.bucket.bucket_log import BucketLog
from backends.bucket.client import Client
from backends.bucket.layout import LOG
from backends.store import JournalStore
from backends.testing.deeds import key, publish

from .. import test_interleavings
from ..test_state_machine import StoreMachine

_numbers = count()

# The interleavings of all backends, which use the fixture below; those of files need a
# directory, and say so by asking for its `root`.
for _name, _test in vars(test_interleavings).items():
    if _name.startswith("test_") and "root" not in _test.__code__.co_varnames:
        globals()[_name] = _test


@pytest.fixture
def open_store(open_bucket):
    return lambda worker: JournalStore(
        open_bucket(block=test_interleavings.BLOCK), worker
    )


@pytest.fixture
def anna(open_store):
    return open_store("anna")


@pytest.fixture
def bert(open_store):
    return open_store("bert")


@pytest.mark.parametrize("come", [1, 2, 3, 6])
def test_what_comes_while_somebody_looks_beyond_the_end_is_no_gap(open_bucket, come):
    """He has seen the end of a block, and sees the next one, which came with it."""
    bert = JournalStore(open_bucket(block=4), "bert")
    for number in range(3):
        publish(bert, key(number), since=0)
    log = open_bucket(block=4)
    listed = log.client.listed

    def late(prefix, *more, **how):
        if prefix == LOG and len(bert.keys()) == 3:
            for number in range(3, 3 + come):
                publish(bert, key(number), since=0)
        return listed(prefix, *more, **how)

    log.client.listed = late
    anna = JournalStore(log, "anna")
    anna.poll()
    anna.poll()

    assert anna.upkeep.damaged() == []
    assert anna.keys() == bert.keys()
    assert len(anna.keys()) == 3 + come


def run_machine(server, examples, steps):
    class BucketMachine(StoreMachine):
        def __init__(self):
            super().__init__()
            bucket = f"machine-{next(_numbers)}"
            server.make_bucket(bucket)
            self.client = Client(parse_address(server.url("some/store", bucket=bucket)))

        def open_log(self):
            return BucketLog(self.client, block=6, fresh=0.0)

        def spoil(self, position, data):
            self.client.put(self.open_log()._segments.name(position), data)

    checks = [HealthCheck.too_slow]
    run_state_machine_as_test(
        BucketMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=checks,
        ),
    )


def test_three_workers_do_anything(s3):
    run_machine(s3, examples=8, steps=25)


@pytest.mark.cloud
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scheme", ["s3", "az"])
def test_three_workers_do_anything_for_longer(request, scheme):
    run_machine(request.getfixturevalue(scheme), examples=40, steps=40)

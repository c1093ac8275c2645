"""`tg` on buckets: workers are killed and frozen, and what users are told."""

from __future__ import annotations

import pytest

from ...taskgraph.execution.test_storm import rage_over
from ...taskgraph.rough import ENVIRONMENT, SUM, tg, value_of
from .servers import CREDENTIALS, free_port

ARRAYS = """
import numpy as np
from taskgraph import TaskGenerator, barrier

@TaskGenerator
def ramp(size):
    return np.arange(size, dtype="f4")

@TaskGenerator
def total(arrays):
    return [float(array.sum(dtype="f8")) for array in arrays]

arrays = [ramp(size) for size in (0, 1, 1000, 300_000, 6_000_000)]
barrier()
result = total(arrays)
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch, credentials):
    for name in list(ENVIRONMENT):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delitem(ENVIRONMENT, name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setitem(ENVIRONMENT, name, value)


def test_a_short_storm_over_a_bucket(tmp_path, url):
    storm = rage_over(
        tmp_path,
        layers=5,
        width=16,
        seconds=0.02,
        workers=3,
        strikes=6,
        pause=0.5,
        seed=3,
        store=url,
    )
    assert storm.counts["workers"]


@pytest.mark.cloud
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scheme", ["s3", "az"])
def test_a_storm_over_a_bucket(tmp_path, request, scheme):
    server = request.getfixturevalue(scheme)
    server.make_bucket(bucket := f"storm-{scheme}")
    storm = rage_over(
        tmp_path,
        layers=20,
        width=30,
        seconds=0.02,
        workers=6,
        strikes=60,
        pause=0.5,
        seed=7,
        store=server.url("some/store", bucket=bucket),
    )
    assert all(storm.counts.values())


def test_arrays_of_all_sizes_and_barriers(tmp_path, url):
    (tmp_path / "job.py").write_text(ARRAYS)
    tg(tmp_path, "execute", "job.py", "-j", "4", "--store", url)
    sizes = 0, 1, 1000, 300_000, 6_000_000
    sums = [float(size * (size - 1) // 2) for size in sizes]

    assert value_of(tmp_path, store=url) == pytest.approx(sums, rel=1e-6)
    assert "5" in tg(tmp_path, "status", "job.py", "--store", url).stdout
    tg(tmp_path, "fsck", "job.py", "--store", url)
    tg(tmp_path, "invalidate", "job.py", "--name", "total", "--yes", "--store", url)
    tg(tmp_path, "undo", "job.py", "--store", url)
    tg(tmp_path, "cleanup", "job.py", "--yes", "--store", url)
    tg(tmp_path, "check", "job.py", "--store", url)


def test_exit_codes_tell_a_wrong_place_from_a_store_that_fails(tmp_path, server):
    (tmp_path / "job.py").write_text(SUM)
    nowhere = server.url("x", bucket="nobody")
    for command in ("execute", "status"):
        done = tg(tmp_path, command, "job.py", "--store", nowhere, code=2)
        assert "there is no bucket s3://nobody" in done.stderr
    deaf = server.url("x", port=free_port())
    done = tg(tmp_path, "status", "job.py", "--store", deaf, code=4)
    assert "cannot be reached" in done.stderr
    assert done.stderr.count("\n") == 1
    secret = "s3://me:hunter2@bucket/x"
    done = tg(tmp_path, "execute", "job.py", "--store", secret, code=2)
    assert "hunter2" not in done.stdout + done.stderr

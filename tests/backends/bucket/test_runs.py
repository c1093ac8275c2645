"""`tg` on buckets: workers are killed and frozen, and what users are told."""

from __future__ import annotations

import subprocess
import threading

import pytest

from backends.opening import open_backend

from ...taskgraph.execution.test_storm import rage_over
from ...taskgraph.rough import ENVIRONMENT, SUM, TG, assert_sound, end, tg, value_of
from .meddler import refusal
from .servers import free_port, let_in

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


NAPS = """
import time
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator
def nap(number):
    with Path("began").open("a") as file:
        file.write(".")
    time.sleep(0.3)
    return number

naps = [nap(number) for number in range(12)]
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch, credentials):
    let_in(monkeypatch, ENVIRONMENT)


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


def test_a_run_takes_from_a_bucket_what_it_has_and_from_a_directory(tmp_path, url):
    """Results are as good in either; neither the one nor the other store is changed."""
    (tmp_path / "job.py").write_text(ARRAYS)
    tg(tmp_path, "execute", "-q", "job.py", "--store", url)
    known = open_backend(url)
    known.refresh()
    there = known.position

    own = str(tmp_path / "own")
    for store, also in ((own, url), (url.replace("/store?", "/other?"), own)):
        said = tg(tmp_path, "execute", "job.py", "--store", store, "--also", also)
        assert "6 results taken from other stores" in said.stderr
        assert value_of(tmp_path, store=store) == value_of(tmp_path, store=url)
    known.refresh()
    assert known.position == there


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
    tg(tmp_path, "fsck", "job.py", "--store", url)
    tg(tmp_path, "invalidate", "job.py", "--name", "total", "--yes", "--store", url)
    tg(tmp_path, "undo", "job.py", "--store", url)
    tg(tmp_path, "cleanup", "job.py", "--yes", "--store", url)
    tg(tmp_path, "check", "job.py", "--store", url)


def test_exit_codes_tell_a_wrong_place_from_a_store_that_fails(
    tmp_path, server, bucket, meddler
):
    (tmp_path / "job.py").write_text(SUM)
    nowhere = server.url("x", bucket="nobody")
    done = tg(tmp_path, "status", "job.py", "--store", nowhere, code=2)
    assert "there is no bucket s3://nobody" in done.stderr
    meddler.without = b"if-none-match: *\r\n"
    unsafe = server.url("x", bucket=bucket, port=meddler.port)
    done = tg(tmp_path, "execute", "job.py", "--store", unsafe, code=2)
    assert "only if there is none (If-None-Match: *)" in done.stderr
    assert done.stderr.count("\n") == 1
    deaf = server.url("x", port=free_port())
    done = tg(tmp_path, "status", "job.py", "--store", deaf, code=4)
    assert "cannot be reached" in done.stderr
    assert done.stderr.count("\n") == 1
    secret = "s3://me:hunter2@bucket/x"
    done = tg(tmp_path, "execute", "job.py", "--store", secret, code=2)
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param(True, id="expired"),
        pytest.param(False, id="away", marks=pytest.mark.cloud),
    ],
)
def test_who_is_refused_in_mid_run_loses_nothing(
    tmp_path, server, bucket, meddler, ends
):
    """Expired credentials end it in a sentence; a service that is away is awaited."""
    (tmp_path / "job.py").write_text(NAPS)
    place = server.url("x", bucket=bucket, port=meddler.port)
    words = [TG, "execute", "job.py", "--store", place]
    began, pause = tmp_path / "began", threading.Event()
    run = subprocess.Popen(
        words, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    try:
        while not began.exists() or began.stat().st_size < 3:
            pause.wait(0.02)
        expired = refusal("400 Bad Request", "ExpiredToken")
        busy = refusal("503 Slow Down", "SlowDown")
        meddler.answer(b"HTTP/1.1", expired if ends else busy, 10_000)
        if not ends:
            pause.wait(3)
            meddler.forget()
        said = run.communicate(timeout=90)[1]
    finally:
        end(run)
    assert run.returncode == (4 if ends else 0), said
    if ends:
        assert "missing, wrong or expired; set AWS_ACCESS_KEY_ID" in said
        assert said.count("\n") == 1
        meddler.forget()
        tg(tmp_path, "execute", "-q", "job.py", "--store", place)
    assert_sound(place, 12)

"""The process that speaks to the service: forks, threads, large values, its end."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from backends.bucket import hiring
from backends.bucket.address import parse_address
from backends.bucket.client import Client
from backends.errors import DamagedError, UnavailableError
from backends.store import JournalStore
from backends.testing.deeds import A, B, publish

from .meddler import Meddler, refusal


@pytest.fixture
def marked(monkeypatch):
    """Return a function that finds the couriers that this test has hired."""
    mark = f"COURIER_OF={os.urandom(8).hex()}"
    monkeypatch.setenv(*mark.split("="))
    monkeypatch.setattr(hiring, "_agency", hiring._Agency())

    def find() -> list[int]:
        found = []
        for process in Path("/proc").iterdir():
            try:
                if mark.encode() in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except (OSError, ValueError):
                pass
        return found

    return find


def _in_a_fork(deed) -> int:
    child = os.fork()
    if not child:
        try:
            deed()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_fork_goes_on_with_the_same_store(open_bucket):
    store = JournalStore(open_bucket(), "anna")
    publish(store, A)

    def deed():
        publish(store, B, since=9)
        os._exit(0)

    assert _in_a_fork(deed) == 0
    store.poll()
    assert set(store.keys()) == {A, B}


def test_a_process_stays_without_threads_and_without_children(open_bucket):
    def deed():
        publish(JournalStore(open_bucket(), "anna"), A)
        assert len(list(Path("/proc/self/task").iterdir())) == 1
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            os._exit(0)

    assert _in_a_fork(deed) == 0


def test_a_courier_ends_with_who_hired_it(url, marked):
    def deed():
        Client(parse_address(url)).put("x", b"1")
        os.kill(os.getpid(), signal.SIGKILL)

    assert _in_a_fork(deed) == -signal.SIGKILL
    end = time.monotonic() + 20
    while marked() and time.monotonic() < end:
        time.sleep(0.05)
    assert marked() == []


def test_a_courier_that_is_killed_is_told_and_another_one_hired(open_bucket, marked):
    log = open_bucket()
    publish(JournalStore(log, "anna"), A)
    (courier,) = marked()
    os.kill(courier, signal.SIGKILL)
    with pytest.raises(UnavailableError, match="was ended; start again"):
        log.client.get("format.json")
    assert log.client.get("format.json") is not None


def test_threads_have_requests_of_their_own(open_bucket):
    client = open_bucket().client
    client.put("x", b"1" * 1000)
    found = []

    def read():
        found.extend(client.get("x").data for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"1" * 1000] * 80


@pytest.mark.parametrize("size", [0, 1, (8 << 20) - 1, 8 << 20, (20 << 20) + 7])
def test_values_of_any_size_come_back(open_bucket, size):
    blobs = open_bucket().blobs
    data = os.urandom(size)
    chunks = [data[at : at + 1_500_000] for at in range(0, size, 1_500_000)]

    assert blobs.write("ab/cd", map(memoryview, chunks)) == size
    assert blobs.open("ab/cd") == data


def test_an_object_that_goes_while_it_is_read_is_a_damage(open_bucket, server, bucket):
    with closing(Meddler(server.port)) as meddler:
        log = open_bucket(server.url("some/store", bucket=bucket, port=meddler.port))
        log.blobs.write("ab/cd", [bytes(20 << 20)])
        gone = refusal("404 Not Found", "NoSuchKey")
        meddler.answer(b"range: bytes=8388608-", gone)
        with pytest.raises(DamagedError, match="cut short"):
            log.blobs.open("ab/cd")
        assert meddler.answered == 1
        assert len(log.blobs.open("ab/cd")) == 20 << 20


def test_who_is_interrupted_gets_no_answer_that_was_for_another(open_bucket):
    client = open_bucket().client
    client.put("a", b"a")
    client.put("b", b"b")

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for delay in (0.0005, 0.001, 0.002, 0.004):
            signal.setitimer(signal.ITIMER_REAL, delay)
            try:
                while True:
                    assert client.get("a").data == b"a"
            except KeyboardInterrupt:
                assert client.get("b").data == b"b"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def silent(monkeypatch):
    """Return a client whose courier never answers."""
    ours, its = hiring._pair()
    client = Client(parse_address("s3://bucket/prefix"))
    monkeypatch.setattr(client, "_connection", lambda: ours)
    with ours, its:
        yield client


def test_who_is_told_to_end_waits_no_more_for_an_answer(silent):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main = threading.get_ident()
    timer = threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGTERM))
    timer.start()
    try:
        with pytest.raises(UnavailableError, match="does not answer"):
            silent.head("x")
        assert signal.sigpending() & {signal.SIGTERM}
    finally:
        signal.sigwait({signal.SIGTERM})
        timer.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

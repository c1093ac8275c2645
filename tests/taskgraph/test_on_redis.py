"""The engine on a store in Redis: the same promises, also if the server is killed."""

import os
import time

import pytest

from backends.opening import open_backend
from taskgraph import open_store, value
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.tasks.recording import Recording, recorded_in

from ..backends.lossy_proxy import LossyProxy
from ..redis_servers import ONE, RedisServer
from .execution import test_storm as storms

# These run here on a store in Redis, by the fixtures below.
from .execution.test_worker import (  # noqa: F401 - collected here
    test_a_failure_does_not_stop_the_others,
    test_a_failure_is_recorded_with_its_traceback,
    test_a_long_task_does_not_keep_finished_ones_back,
    test_a_second_run_runs_nothing,
    test_a_task_ends_at_its_timeout,
    test_a_task_that_kills_its_workers_fails_after_three,
    test_every_task_is_run_once,
    test_locks_of_a_dead_worker_are_taken_over,
    test_locks_of_a_living_worker_are_respected,
    test_what_a_task_prints_is_kept_with_it,
)
from .rough import LAYERED, SUM, assert_sound, tg


@pytest.fixture(scope="module")
def server():
    server = RedisServer(ONE, "--appendonly", "yes", "--appendfsync", "always")
    yield server
    server.close()


@pytest.fixture
def store(server):
    return server.url(f"test-{os.urandom(4).hex()}")


@pytest.fixture
def recording(store):
    with recorded_in(Recording(open_store(store))) as recording:
        yield recording


def value_of(folder, store):
    loaded = Jugfile(folder / "job.py").load(open_store(store))
    return value(loaded.space["result"])


def test_a_run_elsewhere_takes_results_and_writes_nothing(tmp_path, store):
    (tmp_path / "job.py").write_text(SUM)
    tg(tmp_path, "execute", "-q", "job.py", "--store", store)
    there = open_backend(store)
    there.refresh()
    end = there.position

    said = tg(tmp_path, "execute", "job.py", "--also", store).stderr

    assert "taken from other stores" in said
    assert tg(tmp_path, "value", "job.py", "total").stdout.strip() == "132"
    there.refresh()
    assert there.position == end


def test_a_jugfile_is_run_looked_at_and_forgotten(tmp_path, store):
    (tmp_path / "job.py").write_text(SUM)
    (tmp_path / "tg.toml").write_text(f'store = "{store}"\n')
    tg(tmp_path, "execute", "job.py", "-j", "3")
    assert tg(tmp_path, "value", "job.py", "total").stdout.strip() == "132"
    tg(tmp_path, "invalidate", "job.py", "--name", "double", "--yes")
    tg(tmp_path, "check", "job.py", code=1)
    tg(tmp_path, "undo", "job.py")
    tg(tmp_path, "check", "job.py")
    assert "nothing is wrong" in tg(tmp_path, "fsck", "job.py").stderr
    tg(tmp_path, "cleanup", "job.py", "--yes")
    assert sorted(x.name for x in tmp_path.iterdir()) == ["job.py", "tg.toml"]
    assert_sound(store, 13)


def test_a_storm_of_kills_lost_replies_and_restarts(tmp_path, server, store):
    job = LAYERED.format(layers=12, width=20, seconds=0.02)
    (tmp_path / "job.py").write_text(job)
    proxy = LossyProxy(server.port)
    url = store.replace(str(server.port), str(proxy.port))
    (tmp_path / "tg.toml").write_text(f'store = "{url}"\n')
    storm = storms.Storm(tmp_path, 3, seed=3)
    try:
        for number in range(4):
            proxy.lose(b"\r\n", 2, after=10 * number)
            storm.rage(2, 0.4)
            if number == 1:
                server.restart()
        storm.calm_down(100)
    finally:
        storm.end()
        proxy.close()
    assert value_of(tmp_path, store) == storms.expected(12, 20)
    assert_sound(store, 12 * 20 + 1)
    assert "Traceback" not in (tmp_path / "said").read_text()
    assert proxy.lost


def test_a_server_that_kept_nothing_ends_a_run_and_the_next_one_does_all(tmp_path):
    job = LAYERED.format(layers=5, width=4, seconds=0.3)
    (tmp_path / "job.py").write_text(job)
    server = RedisServer(ONE)
    store = server.url("s")
    (tmp_path / "tg.toml").write_text(f'store = "{store}"\n')
    storm = storms.Storm(tmp_path, 1, seed=1)
    try:
        storm.start()
        backend = open_backend(store)
        while not backend.keys():
            backend.poll()
            time.sleep(0.02)
        server.restart()
        (group,) = storm.groups
        assert group.wait(timeout=60) == 4
        said = (tmp_path / "said").read_text()
        assert "has lost results" in said
        assert "Traceback" not in said
        tg(tmp_path, "execute", "job.py", "-q", "-j", "2")
        assert value_of(tmp_path, store) == storms.expected(5, 4)
        assert_sound(store, 21)
    finally:
        storm.end()
        server.close()

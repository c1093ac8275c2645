"""`tg chaos` for two minutes on each system, with what else befalls it meanwhile."""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from ...backends.bucket.servers import azurite, let_in, running
from ...backends.lossy_proxy import LossyProxy
from ...machine import IN_CI, needs_clusters
from ...nfs.rig import EXPORT, MOUNT, PYTHON, ROOT, TG as NFS_TG, NodeDownError, Rig
from ...redis_servers import ONE, RedisServer
from ..rough import ENVIRONMENT, LAYERED, TG, assert_sound

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3000)]
logger = logging.getLogger(__name__)
LEASE = 8
CHAOS = f"chaos job.py --json --workers 16 --minutes 2 --lease {LEASE}"
JOB = LAYERED.format(layers=12, width=60, seconds="0.01 + 0.01 * (place % 10)")
TASKS = 12 * 60 + 1
CHECK = f"""
import sys

sys.path.insert(0, {str(ROOT)!r})
from tests.taskgraph.rough import assert_sound

assert_sound("job.chaos.tgdata", {TASKS})
"""


@contextmanager
def meanwhile(deed, seconds):
    """Do something again and again, about so many seconds apart."""
    over, rng, done = threading.Event(), random.Random(5), []

    def work():
        while not over.wait(rng.uniform(0.5, 1.5) * seconds):
            deed(rng)
            done.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()


def chaos(folder, store=""):
    """Run `tg chaos` in a folder; return what it found."""
    (folder / "job.py").write_text(JOB)
    done = subprocess.run(
        [TG, *CHAOS.split(), *(["--store", store] if store else [])],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def assert_nothing_was_lost(name, code, out, err):
    assert code == 0, out + err
    found = json.loads(out)
    logger.warning(
        "%s: %s; free after %s, a look took %.2f s; the last run took %.1f s",
        *(name, found["deeds"], spread(found["recoveries"])),
        *(found["blind"], found["seconds_after"]),
    )
    assert found["wrong"] == []
    assert found["exit_code"] == 0
    assert sum(found["deeds"].values()) > 0


def spread(recoveries):
    """Return half, 99 of 100, and all of them, in seconds."""
    ordered = sorted(recoveries) or [0.0]
    places = (int(part * (len(ordered) - 1)) for part in (0.5, 0.99, 1))
    return ", ".join(f"{ordered[place]:.2f}" for place in places) + " s"


def test_a_directory(tmp_path):
    assert_nothing_was_lost("directory", *chaos(tmp_path))
    assert_sound(tmp_path / "job.chaos.tgdata", TASKS)


def test_redis_that_is_killed_and_restarted_and_whose_replies_are_lost(tmp_path):
    server = RedisServer(ONE, "--appendonly", "yes", "--appendfsync", "always")
    proxy = LossyProxy(server.port)

    def deed(rng):
        proxy.lose(b"\r\n", 3, after=rng.randrange(20))
        if rng.random() < 0.4:
            server.restart()

    store = server.url("s")
    behind = store.replace(str(server.port), str(proxy.port))
    try:
        with meanwhile(deed, 6) as done:
            found = chaos(tmp_path, behind)
        assert_nothing_was_lost("Redis", *found)
        assert_sound(store, TASKS)
        assert done
        assert proxy.lost
    finally:
        proxy.close()
        server.close()


@pytest.mark.parametrize("scheme", ["s3", "az"])
def test_a_bucket_whose_replies_are_lost(tmp_path, monkeypatch, scheme):
    if scheme == "az" and not IN_CI and azurite() is None:
        pytest.skip("needs Azurite (python -m tests.backends.bucket.servers)")
    let_in(monkeypatch, os.environ, ENVIRONMENT)
    with running(scheme) as server:
        proxy = LossyProxy(server.port)

        def deed(rng):
            proxy.lose(rng.choice([b"PUT ", b"\r\n"]), 6, after=rng.randrange(20))

        try:
            with meanwhile(deed, 3):
                found = chaos(tmp_path, server.url("a/store", port=proxy.port))
            assert_nothing_was_lost(scheme, *found)
            assert_sound(server.url("a/store"), TASKS)
            assert proxy.lost
        finally:
            proxy.close()


@needs_clusters
def test_nfs_with_another_machine_that_freezes_is_cut_off_and_loses_its_power(tmp_path):
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "check.py").write_text(CHECK)
    with Rig(clients=2, lease=10, memory="768M") as rig:
        rig.mount("vers=4.2")
        a, b = rig.clients
        a.sh(f"mkdir {MOUNT}/c && cp {tmp_path}/*.py {MOUNT}/c", check=True)
        run = a.start(f"cd {MOUNT}/c && {NFS_TG} {CHAOS}", 2400)
        befall(b, rig)
        ended = run.result(2500)
        found = ended.rc, ended.out, ended.err
        assert_nothing_was_lost("NFS v4.2", *found)
        rig.server.sh(f"cd {EXPORT}/c && {PYTHON} check.py", check=True)


def befall(node, rig):
    """Let a node help, be frozen, cut off, and lose its power, in two minutes."""
    options = f"-j 2 -q --lease {LEASE} --store job.chaos.tgdata"
    help_out = f"cd {MOUNT}/c && while :; do {NFS_TG} execute job.py {options}; done"
    running = node.start(help_out, 2400)
    for strike, undo in ((node.pause, node.cont), (node.cut, node.heal)):
        time.sleep(20)
        strike()
        time.sleep(1.5 * LEASE)
        undo()
    time.sleep(15)
    node.kill()
    with pytest.raises(NodeDownError):
        running.result(10)

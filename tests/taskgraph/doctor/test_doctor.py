"""`tg doctor` on stores of each kind: what it finds, how it ends, what it leaves."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from backends.filesystem.file_log import FileLog
from backends.store import JournalStore
from taskgraph.doctor import meeting as meeting_module
from taskgraph.doctor.meeting import partner

from ...backends.bucket.servers import CREDENTIALS, running
from ...machine import needs_namespaces
from ...redis_servers import ONE, RedisServer

# Another machine, as far as anybody can tell by its name; there is one only.
SSH = """#!/bin/bash
[[ "$*" = *node8* ]] && { echo no route to host >&2; exit 255; }
for word; do :; done
exec unshare --uts bash -c "hostname node7; $word"
"""

WITHOUT_LINKS = """
import errno, os
def link(*_, **__):
    raise OSError(errno.EPERM, "Operation not permitted")
os.link = link
"""


def level(found, what):
    return next(one["level"] for one in found["findings"] if one["what"] == what)


CODES = {"fine": 0, "warning": 1, "unfit": 4}


def examined(tg, *words, env=None):
    """Return what is found, which the exit code says, too."""
    done = subprocess.run(
        [tg.script, "doctor", "--json", *words],
        cwd=tg.folder,
        env={**tg.env, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == CODES[found["level"]]
    return found


def test_a_directory_is_examined_while_a_worker_uses_it(tg):
    store = JournalStore(FileLog(tg.folder / "store"), "anna")
    store.claim([b"k" * 20])
    before = store.position
    found = examined(tg, "--store", "store")
    assert found["level"] in ("fine", "warning")
    assert {"put if absent", "news", "heartbeats", "appends", "fsync"} <= {
        one["what"] for one in found["findings"]
    }
    assert level(found, "put if absent") == "fine"
    assert 0 < found["costs"]["turn"] <= found["costs"]["append"]
    assert found["carries"][0]["workers"] == 1
    assert store.poll() == []
    assert store.position == before
    assert list((tg.folder / "store/tmp").iterdir()) == []
    assert [path.name for path in tg.folder.iterdir()] == ["store"]


@needs_namespaces
def test_a_peer_takes_part_from_its_own_machine_also_without_hard_links(tg):
    (tg.folder / "bin").mkdir()
    (tg.folder / "lib").mkdir()
    tg.write("lib/sitecustomize.py", WITHOUT_LINKS)
    ssh = tg.write("bin/ssh", SSH)
    ssh.chmod(0o755)
    path = f"{ssh.parent}:{os.environ['PATH']}"
    peers = ("--peer", "node7", "--peer", "node8")
    env = {"PATH": path, "PYTHONPATH": str(tg.folder / "lib")}
    found = examined(tg, "--store", "new", *peers, env=env)
    assert level(found, "hard links") == "warning"
    assert level(found, "put if absent") == "fine"
    absent = next(x for x in found["findings"] if x["what"] == "node8")
    assert absent["meaning"] == "no route to host"
    assert "node7" in found["hosts"]
    race = next(x for x in found["findings"] if x["what"] == "put if absent")
    assert "5 processes on 2 machines" in race["measured"]
    news = next(x for x in found["findings"] if x["what"] == "news")
    assert "another machine" in news["measured"]


def test_two_that_meet_examine_it_once(tg):
    words = ("doctor", "--store", "new", "--meet", "1")
    both = [tg.start(*words) for _ in range(2)]
    said = [process.stdout.read() for process in both]
    assert sum("put if absent" in text for text in said) == 1, said
    assert sum("took part" in text for text in said) == 1, said
    assert any("5 processes" in text for text in said)
    assert {process.wait() for process in both} <= {0, 1}
    assert list(tg.folder.iterdir()) == []


def test_a_place_that_is_unfit_ends_with_the_code_of_a_failed_store(tg):
    tg.write("letter.txt", "not a store")
    found = examined(tg, "--store", ".")
    assert found["level"] == "unfit"
    assert found["costs"] is None
    assert "no store can be kept there" in tg("doctor", "--store", ".", code=4).stdout


def test_a_store_in_memory_or_none_is_the_users_mistake(tg):
    assert "shared with nobody" in tg("doctor", "--store", "memory://", code=2).stderr
    tg("doctor", code=2)


def test_a_server_of_redis_is_examined(tg):
    server = RedisServer(ONE)
    try:
        found = examined(tg, "--store", server.url("lab"))
        assert level(found, "persistence") == "warning"
        assert level(found, "put if absent") == "fine"
        service = found["costs"]["service"]
        assert 0 < service["read"] < service["append"] < 0.1
        assert [row["workers"] for row in found["carries"]] == [10, 100, 1000, 10_000]
        with server.client() as client:
            left = [key for key in client.keys("*") if b":worker:" not in key]
        assert left == []
        with server.client() as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        found = examined(tg, "--store", server.url("lab"))
        assert level(found, "eviction") == "unfit"
    finally:
        server.close()


@pytest.mark.cloud  # its parts are tested beside the others of buckets
def test_a_bucket_is_examined(tg):
    with running("s3") as server:
        url = server.url("store")
        found = examined(tg, "--store", url, env=CREDENTIALS)
        assert level(found, "may write if absent") == "fine"
        assert level(found, "put if absent") == "fine"
        assert "writes" in found["assumed"]


def test_who_is_left_alone_removes_what_the_dead_one_made(tmp_path, monkeypatch):
    monkeypatch.setattr(meeting_module, "_SILENCE", 0.3)
    with pytest.raises(Exception, match="who began to examine it is gone"):
        partner(str(tmp_path / "store"), "doctor-x", 0.3)
    assert list(tmp_path.iterdir()) == []


def test_ended_by_a_batch_system_it_leaves_nothing(tg):
    process = tg.start("doctor", "--store", "new")
    while not list(Path(tg.folder).glob(".new.doctor-*/documents/joined-*")):
        time.sleep(0.02)
        assert process.poll() is None
    process.terminate()
    assert process.wait() == 143
    assert list(tg.folder.iterdir()) == []

"""What goes wrong with a store, at once or in mid-run: a sentence, and nothing lost."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import pytest

from backends.opening import open_backend
from taskgraph import open_store

from ..redis_servers import ONE, RedisServer
from .rough import SUM, assert_sound

SECRET = "hunter2"


@pytest.fixture(scope="module")
def server():
    server = RedisServer(ONE)
    yield server
    server.close()


@pytest.fixture(scope="module")
def guarded():
    server = RedisServer(ONE, "--requirepass", SECRET)
    yield server
    server.close()


@pytest.fixture
def store(server):
    return server.url(f"test-{os.urandom(4).hex()}")


def started(tg, store, count=12):
    """Return a run of short tasks of which some are done."""
    tg.jugfile("slow.py")
    given = ("--store", store) if store else ()
    run = tg.start("execute", "slow.py", "-j", "2", *given, "--", "0.2", str(count))
    tg.wait_for("began-*", 4)
    return run


def said_at_the_end_of(run, *codes):
    said = run.communicate(timeout=60)[0]
    assert run.returncode in codes, said
    assert said.count("\n") == 1, said
    return said


def finish(tg, store, count=12):
    given = ("--store", store) if store else ()
    tg("execute", "-q", "slow.py", *given, "--", "0.2", str(count))
    assert_sound(store or tg.folder / "slow.tgdata", count)


# passwords


def test_a_wrong_password_is_refused_and_not_repeated(tg, guarded):
    tg.write("job.py", SUM)
    wrong = f"redis://:swordfish@127.0.0.1:{guarded.port}"
    said = tg("execute", "job.py", "--store", wrong, code=2).stderr
    assert "refuses name or password" in said
    assert said.count("\n") == 1
    assert "swordfish" not in said
    assert [path.name for path in tg.folder.glob("job*")] == ["job.py"]


def test_a_password_is_in_no_log_script_process_list_or_record(tg, guarded):
    tg.jugfile("slow.py")
    url = f"redis://:{SECRET}@127.0.0.1:{guarded.port}?store=jobs"
    tg.env["TG_STORE"] = url
    said = tg("submit", "slow.py", "-n", "2", "--local", "--", "0.5", "6")
    by_hand = tg.start("execute", "slow.py", "--store", url, "--", "0.5", "6")
    tg.wait_for("began-*", 3)
    listed = command_lines(b"slow.py")
    said_by_hand = by_hand.communicate(timeout=60)[0]
    while any(row["state"] != "ended" for row in tg.json("jobs", "slow.py", "1")):
        time.sleep(0.1)

    kept = {path.name: path for path in (tg.folder / "slow.tgjobs").rglob("*")}
    environment = kept.pop("environment")
    texts = [path.read_text() for path in kept.values() if path.is_file()]
    texts += [said.stdout, said.stderr, said_by_hand, repr(listed)]
    results = open_store(url)
    results.backend.poll()
    records = [results.record(key) for key in list(results.backend.keys())]
    assert len(records) == 6
    assert len(listed) >= 3
    assert SECRET not in repr(records) + "".join(texts)
    assert SECRET in environment.read_text()


def command_lines(word):
    """Return the command lines that everybody sees of processes with a word in it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            line = path.read_bytes()
            found += [line] if word in line else []
    return found


# in mid-run


def test_something_else_in_the_place_of_a_store_ends_its_workers(tg, server, store):
    run = started(tg, store)
    name = f"{{taskgraph:{store.rpartition('=')[2]}}}:log:0"
    with server.client() as client:
        client.rename(name, "aside")
        client.set(name, "thesis")
        said = said_at_the_end_of(run, 2, 4)  # whoever appends, or reads on, is first
        assert ("has lost results" in said) or ("something else" in said)
        assert client.get(name) == b"thesis"
        client.rename("aside", name)
    finish(tg, store)


def test_a_folder_that_is_removed_under_its_workers_is_told_and_not_made_again(tg):
    run = started(tg, "")
    shutil.rmtree(tg.folder / "slow.tgdata")
    said = run.communicate(timeout=60)[0]
    assert run.returncode == 4, said
    told = ("what is missing is computed again", "it was removed meanwhile")
    assert any(sentence in said for sentence in told), said  # by who is at work, or not
    assert "Traceback" not in said
    assert not (tg.folder / "slow.tgdata").exists()
    finish(tg, "")


def test_a_server_that_is_away_in_mid_run_is_waited_for(tg):
    kept = RedisServer(ONE, "--appendonly", "yes", "--appendfsync", "always")
    try:
        run = started(tg, kept.url("s"))
        kept.kill()
        time.sleep(1)
        kept.restart()
        said = run.communicate(timeout=60)[0]
        assert run.returncode == 0, said
        finish(tg, kept.url("s"))
        assert len(list(tg.folder.glob("began-*"))) == 12
    finally:
        kept.close()


def test_a_server_whose_memory_is_full_in_mid_run_ends_it_and_the_next_one_goes_on(tg):
    own = RedisServer(ONE)
    try:
        run = started(tg, own.url("s"))
        with own.client() as client:
            client.config_set("maxmemory", 1)
            said = run.communicate(timeout=60)[0]
            assert run.returncode == 4, said
            assert said.count("out of memory (maxmemory)") == 1
            assert "Traceback" not in said
            client.config_set("maxmemory", 0)
        finish(tg, own.url("s"))
    finally:
        own.close()


def test_a_server_that_becomes_a_replica_in_mid_run_is_waited_for_aloud(tg):
    own = RedisServer(ONE)
    try:
        run = started(tg, own.url("s"))
        with own.client() as client:
            client.replicaof("127.0.0.1", "1")
            time.sleep(4)
            client.replicaof("NO", "ONE")
        said = run.communicate(timeout=60)[0]
        assert run.returncode == 0, said
        assert "does not answer; waiting for it, 60 s at most" in said
        assert all(line.startswith("tg: ") for line in said.splitlines()), said
        assert_sound(own.url("s"), 12)
    finally:
        own.close()


def test_a_server_that_begins_to_forget_results_in_mid_run_ends_it(tg):
    own = RedisServer(ONE)
    try:
        run = started(tg, own.url("s"))
        with own.client() as client:
            client.config_set("maxmemory-policy", "allkeys-random")
            client.config_set("maxmemory", 1)
            said = run.communicate(timeout=60)[0]
            assert run.returncode == 4, said
            assert "lost or threw away what it had confirmed" in said
            client.config_set("maxmemory", 0)
            client.config_set("maxmemory-policy", "noeviction")
        finish(tg, own.url("s"))
    finally:
        own.close()


# the wrong place


def test_an_unknown_host_is_told_in_a_sentence(tg):
    tg.write("job.py", SUM)
    said = tg("execute", "job.py", "--store", "redis://no.such.host.invalid", code=4)
    assert "no server answers" in said.stderr
    assert said.stderr.count("\n") == 1


def test_projects_that_share_a_store_are_told_so_and_remove_nothing_of_each_other(
    tg, store
):
    for name, factor in (("ann", 2), ("bob", 3)):
        (tg.folder / name).mkdir()
        text = SUM.replace("2 * number", f"{factor} * number")
        tg.write(f"{name}/job.py", text)
    tg("execute", "-q", "ann/job.py", "--store", store)

    said = tg("execute", "-q", "bob/job.py", "--store", store).stderr
    assert "code of `double` changed since 12 results" in said
    assert "if they are another project's, take another store" in said
    tg("cleanup", "bob/job.py", "--yes", "--store", store)
    tg("check", "ann/job.py", "--store", store)
    own = f"{store}-bob"
    assert tg("execute", "-q", "bob/job.py", "--store", own).stderr == ""
    assert tg("value", "bob/job.py", "total", "--store", own).stdout == "198\n"
    assert tg("value", "ann/job.py", "total", "--store", store).stdout == "132\n"


# no time


@pytest.mark.parametrize("more", [(), ("--requeue",)])
def test_a_job_without_any_time_left_says_so_and_does_nothing(tg, more):
    tg.jugfile("slow.py")
    tg.env |= {"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": str(int(time.time()) - 5)}

    said = tg("execute", "slow.py", *more, "--", "0", "4", code=1).stderr

    assert "no task was finished in the time that there was" in said
    assert ("the job is not queued again" in said) == bool(more)
    assert not list(tg.folder.glob("began-*"))
    backend = open_backend(tg.folder / "slow.tgdata")
    backend.poll()
    assert not backend.locks()

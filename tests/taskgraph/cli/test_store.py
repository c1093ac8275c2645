"""`tg locks` and `tg fsck`: what workers leave behind and what disks do."""

import os
import signal
import subprocess
import time

import pytest

from backends.liveness import worker_identity
from backends.opening import open_backend
from taskgraph import TaskGenerator, run


@pytest.fixture
def killed(tg):
    """Return a folder in which a worker and its supervisor were killed at work."""
    tg.jugfile("slow.py")
    worker = tg.start("execute", "slow.py", "--", "60", "2")
    tg.wait_for("began-0")
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    return tg


def blobs(tg, store):
    return [p for p in (tg.folder / store / "blobs").rglob("*") if p.is_file()]


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def last_segment(tg, store, *, at_least):
    """Return the youngest segment of some size: that of the results."""
    segments = sorted((tg.folder / store / "log").glob("*/*"))
    return [path for path in segments if path.stat().st_size > at_least][-1]


def test_locks_of_the_dead_are_listed_and_released(killed):
    (row,) = killed.json("locks", "slow.py")
    assert not row["alive"]
    assert len(row["tasks"]) >= 1
    assert row["host"] == os.uname().nodename
    assert "dead" in killed("locks", "slow.py").stdout
    assert "locked by workers that seem dead" in killed("status", "slow.py").stderr

    killed("locks", "slow.py", "--release", "dead")

    assert killed.json("locks", "slow.py") == []
    assert killed.json("status", "slow.py")["total"]["ready"] == 2


def test_a_worker_that_takes_over_says_so_in_the_name_of_the_program(tg):
    tg.ran("sums.py")
    key = tg.json("show", "sums.py", "total")["key"]
    tg("invalidate", "-y", "sums.py", "--key", key)
    gone = subprocess.Popen(["sleep", "60"])
    about = worker_identity(gone.pid, 100.0)
    gone.kill()
    gone.wait()
    backend = open_backend(tg.folder / "sums.tgdata", worker="dead")
    backend.poll()
    backend.members.beat("dead", about)
    assert backend.claim([bytes.fromhex(key)]).keys

    done = tg("execute", "-q", "sums.py")

    sentence = "tg: dead does not answer any more; what it had locked is free\n"
    assert (done.stdout, done.stderr) == ("", sentence)
    assert tg.json("show", "sums.py", "total")["output"] == ""


def test_a_living_worker_is_not_released_with_the_dead(tg):
    tg.ran("sums.py")
    backend = open_backend(tg.folder / "sums.tgdata", worker="me")
    backend.members.beat("me", worker_identity(os.getpid(), 100.0))
    backend.claim([b"k" * 20])

    (row,) = tg.json("locks", "sums.py")
    assert (row["worker"], row["alive"]) == ("me", True)
    tg("locks", "sums.py", "--release", "dead")
    assert len(tg.json("locks", "sums.py")[0]["tasks"]) == 1
    assert (
        "no worker 'you'" in tg("locks", "sums.py", "--release", "you", code=2).stderr
    )

    (freed,) = tg.json("locks", "sums.py", "--release", "me")

    assert (freed["worker"], len(freed["tasks"])) == ("me", 1)
    assert tg.json("locks", "sums.py")[0]["tasks"] == []


def test_a_sound_store_passes(tg):
    tg.ran("outputs.py")

    assert "nothing is wrong" in tg("fsck", "outputs.py").stderr
    assert tg.json("fsck", "outputs.py")["faults"] == []


def test_a_flipped_bit_in_a_large_value_is_found_and_computed_again(tg):
    tg.ran("outputs.py")
    for path in blobs(tg, "outputs.tgdata"):
        flip(path, -10)

    found = tg.json("fsck", "outputs.py", code=1)["faults"]
    assert {fault["kind"] for fault in found} == {"damaged"}
    assert sum(fault["tasks"] for fault in found) == 2

    tg("fsck", "outputs.py", "--repair")
    assert tg.json("status", "outputs.py")["total"]["done"] == 3
    tg("execute", "-q", "outputs.py")
    assert tg.json("fsck", "outputs.py")["faults"] == []


@pytest.mark.parametrize("place", [3, 60, -10], ids=["header", "head", "body"])
def test_a_flipped_bit_in_a_segment_is_found_and_computed_again(tg, place):
    tg.ran("sums.py")
    flip(last_segment(tg, "sums.tgdata", at_least=200), place)

    (fault,) = tg.json("fsck", "sums.py", code=1)["faults"]
    assert fault["kind"] == "damaged"

    tg("fsck", "sums.py", "--repair")
    tg("fsck", "sums.py")
    tg("execute", "sums.py")
    assert tg("value", "sums.py", "total").stdout == "14\n"


def test_orphans_and_leftovers_are_removed_when_they_are_old(tg):
    tg.ran("outputs.py")
    store = tg.folder / "outputs.tgdata"
    orphan = blobs(tg, "outputs.tgdata")[0].with_name("ab" * 20 + "-0000abcd-0.npy")
    leftover = store / "tmp" / "123-abc-1"
    orphan.write_bytes(b"data")
    leftover.write_bytes(b"data")
    assert tg.json("fsck", "outputs.py")["faults"] == []

    long_ago = time.time() - 2 * 86400
    os.utime(orphan, (long_ago, long_ago))
    os.utime(leftover, (long_ago, long_ago))
    found = tg.json("fsck", "outputs.py", code=1)["faults"]
    assert {fault["kind"] for fault in found} == {"orphan", "leftover"}

    tg("fsck", "outputs.py", "--repair")
    assert tg.json("fsck", "outputs.py")["faults"] == []
    assert len(blobs(tg, "outputs.tgdata")) == 2


def test_a_dead_worker_is_found_and_buried(killed):
    found = killed.json("fsck", "slow.py", code=1)["faults"]
    assert [fault["kind"] for fault in found] == ["dead"]

    killed("fsck", "slow.py", "--repair")

    assert killed.json("locks", "slow.py") == []


def test_a_store_of_a_newer_format_is_refused(tg):
    tg.ran("sums.py")
    (tg.folder / "sums.tgdata" / "format.json").write_text(
        '{"format": "taskgraph store", "version": 99}'
    )

    refused = tg("status", "sums.py", code=4)

    assert "install a newer taskgraph-segkit" in refused.stderr


def documents(tg, store):
    return list((tg.folder / store / "documents").glob("graph-*"))


@pytest.mark.parametrize("place", [20, 200, -1])
def test_a_damaged_list_of_tasks_is_told_by_status_and_by_fsck(tg, place):
    tg.jugfile("sums.py")
    tg("execute", "-q", "sums.py")
    (path,) = documents(tg, "sums.tgdata")
    flip(path, place)

    said = tg("status", "sums.py", code=4).stderr
    assert "is damaged" in said
    assert "tg execute sums.py` lists the tasks again" in said
    (fault,) = tg.json("fsck", "sums.py", code=1)["faults"]
    assert fault["kind"] == "document"

    tg("execute", "-q", "sums.py")
    assert tg.json("status", "sums.py")["finished"]
    tg("fsck", "sums.py")


def test_fsck_forgets_a_damaged_list_of_tasks(tg):
    tg.ran("sums.py")
    (path,) = documents(tg, "sums.tgdata")
    path.write_bytes(b"")

    tg("fsck", "--repair", "sums.py")

    tg("fsck", "sums.py")
    assert "has not run" in tg("status", "sums.py").stderr


def test_a_jugfile_that_moved_is_shown_and_says_where_it_ran(tg):
    path = tg.jugfile("sums.py")
    tg("execute", "-q", "sums.py")
    (tg.folder / "inner").mkdir()
    path.rename(tg.folder / "inner" / "sums.py")

    said = tg("status", "inner/sums.py", "--store", "sums.tgdata").stderr

    assert f"as it last ran as {path}" in said


@pytest.mark.parametrize("places", [[1], [2, 3], [0]], ids=str)
def test_removed_segments_are_told_and_later_ones_still_count(tg, places):
    tg.jugfile("sums.py")
    tg("execute", "-q", "sums.py")
    log = tg.folder / "sums.tgdata" / "log" / "000000"
    count = len(list(log.iterdir()))
    for place in places:
        (log / f"{place:03d}").unlink()

    assert "gone, though later ones are there" in tg("status", "sums.py").stderr
    (fault,) = tg.json("fsck", "sums.py", code=1)["faults"]
    assert fault["kind"] == "damaged"
    tg("execute", "-q", "sums.py")
    assert not (log / f"{places[0]:03d}").exists()

    tg("fsck", "--repair", "sums.py")
    tg("fsck", "sums.py")
    assert tg.json("status", "sums.py")["finished"]
    assert len(list(log.iterdir())) >= count


@pytest.mark.parametrize("place", [1, None], ids=["amidst", "at the end"])
def test_a_segment_that_is_a_folder_is_damaged_and_stops_nobody(tg, place):
    tg.jugfile("sums.py")
    tg("execute", "-q", "sums.py")
    log = tg.folder / "sums.tgdata" / "log" / "000000"
    path = log / f"{len(list(log.iterdir())) if place is None else place:03d}"
    path.unlink(missing_ok=True)
    path.mkdir()

    said = tg("execute", "sums.py").stderr

    assert "is damaged (it is a directory)" in said
    tg("fsck", "sums.py", code=1)
    tg("fsck", "--repair", "sums.py")
    tg("fsck", "sums.py")
    tg("invalidate", "-y", "--name", "*", "sums.py")
    tg("execute", "-q", "sums.py")
    assert tg.json("status", "sums.py")["finished"]


def test_a_large_value_that_is_a_folder_is_damaged_and_computed_again(tg):
    tg.ran("outputs.py")
    for path in blobs(tg, "outputs.tgdata"):
        path.unlink()
        path.mkdir()

    found = tg.json("fsck", "outputs.py", code=1)["faults"]
    assert {fault["why"] for fault in found} == {"it is no file"}
    tg("fsck", "--repair", "outputs.py")
    tg("execute", "-q", "outputs.py")
    tg("fsck", "outputs.py")


def test_a_format_file_that_is_a_folder_is_damaged(tg):
    tg.ran("sums.py")
    path = tg.folder / "sums.tgdata" / "format.json"
    path.unlink()
    path.mkdir()

    assert "format.json is damaged" in tg("status", "sums.py", code=4).stderr


def test_a_store_where_no_folder_can_be_made_says_so(tg):
    tg.jugfile("sums.py")

    said = tg("execute", "sums.py", "--store", "/proc/none", code=2).stderr

    assert "no directory can be made at /proc/none" in said


GIVEN = """
import sys
from taskgraph import TaskGenerator
@TaskGenerator
def double(x):
    return 2 * x
double(int(sys.argv[1]))
"""


def test_the_arguments_of_a_script_are_taken_or_told(forked_tg):
    tg = forked_tg
    tg.write("work.py", GIVEN)
    for number in ("3", "4"):
        tg("execute", "-q", "work.py", "--", number)
    done = tg("value", "work.py", "double")
    assert (done.stdout, "as it last ran, with 4" in done.stderr) == ("8\n", True)
    done = tg("value", "work.py", "double", "--", "3")
    assert (done.stdout, done.stderr) == ("6\n", "")
    assert "6" in tg("table", "work.py", "double", "--", "3").stdout.split()
    assert tg.json("show", "work.py", "double", "--", "3")["arguments"] == "3"
    told = tg("value", "work.py", "double", "--", "5", code=2).stderr
    assert "has not run with 5" in told


def test_a_store_of_no_script_is_looked_at_by_itself(forked_tg):
    tg = forked_tg
    run([TaskGenerator(divmod)(7, 2), TaskGenerator(abs)(-3)], store=tg.folder / "nb")
    found = tg.json("status", "--store", "nb")
    assert found["total"]["done"] == 2
    assert "no script ran with" in tg("status", "--store", "nb").stderr
    assert tg("value", "--store", "nb", "divmod").stdout == "(3, 1)\n"
    assert tg.json("show", "--store", "nb", "abs")["arguments"] == "-3"
    told = tg("table", "--store", "nb", "abs", code=2).stderr
    assert "`taskgraph.table(tasks)` shows them" in told
    for command in (["status"], ["value", "abs"]):
        assert "jugfile.py" in tg(*command, "--store", "absent", code=2).stderr

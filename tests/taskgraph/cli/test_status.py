"""`tg status`, `check`, `wait` and `count` by real processes."""

import ctypes
import time

import pytest

STATES = ["failed", "blocked", "waiting", "ready", "running", "done"]


def counts(tg, *args):
    return tg.json("status", *args)["total"]


def without_override():
    """Let the child respect read-only permissions even if it runs as root."""
    drop_bounding, dac_override = 24, 1
    ctypes.CDLL(None).prctl(drop_bounding, dac_override, 0, 0, 0)


@pytest.fixture
def read_only(tmp_path):
    def make(folder):
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)

    yield make
    for path in [tmp_path, *tmp_path.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


def test_status_counts_every_state_by_function(tg):
    tg.ran("failing.py", code=1)

    status = tg.json("status", "failing.py")

    assert status["total"] == dict(zip(STATES, [4, 1, 0, 0, 0, 4], strict=True))
    by_name = {row["name"]: row for row in status["functions"]}
    assert by_name["failing.load"]["failed"] == 3
    assert by_name["failing.merge"]["blocked"] == 1
    assert by_name["failing.merge"]["done"] == 1
    assert not status["finished"]


def test_status_does_not_run_the_jugfile(tg):
    tg.ran("sums.py")
    tg.write("sums.py", "raise SystemExit('it was run')")

    done = tg("status", "sums.py")

    assert "9" in done.stdout.splitlines()[-1]
    assert "has changed since its tasks were listed" in done.stderr


def test_status_is_not_outdated_by_a_touch(tg):
    path = tg.ran("sums.py")
    path.touch()

    assert tg("status", "sums.py").stderr == ""


def test_status_before_the_first_run_is_an_empty_table(tg):
    tg.jugfile("sums.py")

    done = tg("status", "sums.py")

    assert "has not run yet" in done.stderr
    assert done.stdout.splitlines()[-1].split() == ["all"] + ["0"] * 6
    assert tg.json("status", "sums.py")["tasks"] == 0
    assert not (tg.folder / "sums.tgdata").exists()


def test_status_of_a_jugfile_without_tasks(tg):
    tg.ran("nothing.py")

    assert "has no tasks" in tg("status", "nothing.py").stderr
    assert tg.json("status", "nothing.py")["finished"]


@pytest.mark.parametrize("command", ["status", "check", "wait", "count", "errors"])
def test_a_missing_jugfile_is_a_usage_error(tg, command):
    done = tg(command, "absent.py", code=2)

    assert "there is no jugfile absent.py" in done.stderr


def test_status_says_that_a_barrier_hides_tasks(tg):
    tg.ran("broken_barrier.py", code=1)

    done = tg("status", "broken_barrier.py")

    assert "more tasks may appear after 1 task, of which some failed" in done.stderr
    assert not tg.json("status", "broken_barrier.py")["complete"]


def test_status_knows_graphs_of_other_arguments(tg):
    tg.jugfile("sums.py")
    tg("execute", "sums.py", "--", "2")
    tg("execute", "sums.py", "--", "3")

    assert tg.json("status", "sums.py", "--", "2")["tasks"] == 5
    assert tg.json("status", "sums.py")["tasks"] == 7


def test_status_reads_a_read_only_store(tg, read_only):
    tg.ran("sums.py")
    read_only(tg.folder)

    done = tg("status", "sums.py", prepare=without_override)

    assert done.stdout.splitlines()[-1].split()[-1] == "9"
    assert tg("value", "sums.py", "total", prepare=without_override).stdout == "14\n"
    tg("execute", "sums.py", prepare=without_override)
    tg("fsck", "sums.py", prepare=without_override)


def test_executing_with_a_read_only_store_is_the_stores_failure(tg, read_only):
    tg.jugfile("sums.py")
    tg("execute", "sums.py", "--", "2")
    read_only(tg.folder)

    done = tg("execute", "sums.py", "--", "3", code=4, prepare=without_override)

    assert "permission denied" in done.stderr


def test_running_tasks_are_seen(tg):
    tg.jugfile("slow.py")
    worker = tg.start("execute", "slow.py", "--", "30", "2")
    tg.wait_for("began-0")

    end = time.monotonic() + 30  # a task may begin before the graph is kept
    while counts(tg, "slow.py")["running"] < 1:
        assert time.monotonic() < end
    worker.kill()


def test_check_says_whether_all_is_done(tg):
    tg.jugfile("sums.py")
    tg("check", "sums.py", code=1)
    tg("execute", "sums.py")

    tg("check", "sums.py")

    done = tg("check", "sums.py", "--", "5", code=1)
    assert "8 of 11 tasks done" in done.stderr


def test_check_says_it_for_programs_too(tg):
    tg.jugfile("sums.py")
    nothing = {"finished": False, "complete": False, "tasks": 0}
    states = {"done": 0, "failed": 0, "blocked": 0}
    assert tg.json("check", "sums.py", code=1) == nothing | states
    tg("execute", "sums.py")
    all_done = {"finished": True, "complete": True, "tasks": 9}
    assert tg.json("check", "sums.py") == all_done | states | {"done": 9}
    tg.ran("failing.py", code=1)
    failed = tg.json("check", "failing.py", code=1)
    total = tg.json("status", "failing.py")["total"]
    assert not failed["finished"]
    assert {state: failed[state] for state in states} == {
        state: total[state] for state in states
    }
    assert failed["failed"] == 4


def test_check_loads_a_jugfile_that_changed(tg):
    path = tg.ran("sums.py")
    path.write_text(path.read_text() + "\nnumber(77)\n")

    assert "9 of 10 tasks done" in tg("check", "sums.py", code=1).stderr


def test_wait_follows_barriers(tg):
    tg.jugfile("barriers.py")
    waiting = tg.start("wait", "barriers.py")
    tg("execute", "barriers.py")

    assert waiting.wait(timeout=60) == 0
    assert tg.json("status", "barriers.py")["tasks"] == 5


def test_wait_ends_when_what_is_left_is_blocked(tg):
    tg.ran("failing.py", code=1)

    assert "4 failed, 1 blocked" in tg("wait", "failing.py", code=1).stderr


def test_wait_ends_when_a_barrier_waits_for_a_failure(tg):
    tg.ran("broken_barrier.py", code=1)

    tg("wait", "broken_barrier.py", code=1)


def test_wait_gives_up_after_its_timeout(tg):
    tg.jugfile("sums.py")

    assert "gave up waiting" in tg("wait", "sums.py", "--timeout", "0.3", code=3).stderr


def test_count_needs_no_store(tg):
    tg.jugfile("sums.py")

    counted = tg.json("count", "sums.py", "--", "7")

    assert counted["tasks"] == 15
    assert not (tg.folder / "sums.tgdata").exists()


def test_count_stops_at_a_barrier(tg):
    tg.jugfile("barriers.py")

    done = tg("count", "barriers.py")

    assert "more tasks may appear after 1 task" in done.stderr


PRINTING = """
from taskgraph import CompoundTaskGenerator, TaskGenerator

print("read")

@TaskGenerator
def double(x):
    return 2 * x

@CompoundTaskGenerator
def twice(x):
    print("written down")
    return [double(x)]

numbers = twice(2)
"""


def test_what_a_jugfile_prints_is_no_part_of_what_is_asked_for(tg):
    path = tg.write("work.py", PRINTING)
    tg("execute", path, "-q")
    (tg.folder / "work.py").write_text(PRINTING.replace("2 * x", "3 * x"))
    for words in (
        ("value", path, "numbers", "--json"),
        ("execute", path, "--dry-run", "--json"),
        ("invalidate", path, "--changed", "--dry-run", "--json"),
        ("status", path, "--json"),
        ("count", path),
        ("graph", path),
    ):
        told = tg(*words).stdout
        assert told
        assert not {"read", "written down"} & set(told.splitlines()), words

"""A store followed while it comes, grows, fails, goes, and while its script changes."""

from __future__ import annotations

import shutil
import time

import pytest

from backends.opening import open_backend
from taskgraph import invalidate, undo
from taskgraph.api import run
from taskgraph.live.following import Following
from taskgraph.live.state import told_of

SCRIPT = """
from taskgraph import TaskGenerator, barrier
@TaskGenerator
def half(x):
    return 10 // x
@TaskGenerator
def both(x, y):
    return x + y
parts = [half(x) for x in range(LOW, 4)]
both(parts[0], parts[1])
barrier()
both(parts[1], parts[2])
"""


class Patient(Following):
    """Each look comes long after the last one."""

    seconds = 0.0

    def look(self) -> None:
        type(self).seconds += 1000.0
        super().look()


@pytest.fixture
def jugfile(tmp_path):
    path = tmp_path / "work.py"
    path.write_text(SCRIPT.replace("LOW", "1"))
    return path


@pytest.fixture
def follows(jugfile):
    store = jugfile.with_suffix(".tgdata")

    def opened():
        if not store.exists():
            return None
        backend = open_backend(str(store), create=False)
        backend.refresh()
        return backend

    found = Patient(opened, jugfile, clock=lambda: Patient.seconds)
    yield found
    found.close()


def ran(jugfile):
    run(jugfile, store=str(jugfile.with_suffix(".tgdata")), check=False, workers=0)


def totals(follows):
    return {name: count for name, count in follows.tasks.totals().items() if count}


def test_a_jugfile_that_never_ran_is_told_and_seen_once_it_has(follows, jugfile):
    follows.look()
    assert "has not run yet; start it with `tg execute`" in follows.trouble
    assert follows.tasks is None
    ran(jugfile)
    follows.look()
    assert follows.trouble == ""
    assert totals(follows) == {"done": 5}
    assert told_of(follows) == []


def test_failures_and_what_they_block_are_seen(follows, jugfile):
    jugfile.write_text(SCRIPT.replace("LOW", "0"))
    ran(jugfile)
    follows.look()
    assert totals(follows) == {"failed": 1, "blocked": 1, "done": 3}
    (note,) = told_of(follows)
    assert "stops at a barrier" in note
    assert "some failed or are blocked" in note


def test_what_is_forgotten_and_undone_is_seen(follows, jugfile):
    ran(jugfile)
    follows.look()
    store = str(jugfile.with_suffix(".tgdata"))
    before = follows.forgot
    invalidate(jugfile, name="both", store=store)
    follows.look()
    assert totals(follows) == {"ready": 2, "done": 3}
    assert follows.forgot > before
    assert "no worker is at work" in told_of(follows)[0]
    undo(jugfile, store=store)
    follows.look()
    assert totals(follows) == {"done": 5}


def test_times_are_read_from_records(follows, jugfile):
    began = time.time()
    ran(jugfile)
    follows.look()
    while follows.reading:  # each look reads some
        follows.look()
    plain = follows.history.timeline.plain()
    assert sum(map(sum, plain["counts"].values())) == 5
    assert all(began - 1 < one < time.time() + 1 for one in follows.history.ended)


def test_a_store_that_goes_is_told_and_the_last_state_stays(follows, jugfile):
    ran(jugfile)
    follows.look()
    store = jugfile.with_suffix(".tgdata")
    shutil.move(store, store.with_name("elsewhere"))
    for _ in range(3):
        follows.look()
        assert follows.trouble
    shutil.move(store.with_name("elsewhere"), store)
    follows.look()
    assert follows.trouble == ""
    assert totals(follows) == {"done": 5}


def test_a_store_made_anew_is_followed(follows, jugfile):
    ran(jugfile)
    follows.look()
    shutil.rmtree(jugfile.with_suffix(".tgdata"))
    jugfile.write_text(SCRIPT.replace("LOW", "2"))
    follows.look()
    jugfile.write_text(SCRIPT.replace("LOW", "1").replace("range(1, 4)", "range(1, 6)"))
    ran(jugfile)
    for _ in range(2):
        follows.look()
    assert follows.trouble == ""
    assert totals(follows) == {"done": 7}


def test_a_script_that_is_edited_is_told_and_its_new_tasks_are_seen(follows, jugfile):
    ran(jugfile)
    follows.look()
    jugfile.write_text(SCRIPT.replace("range(LOW, 4)", "range(1, 9)"))
    follows.look()
    assert "has changed since its tasks were listed" in told_of(follows)[0]
    assert totals(follows) == {"done": 5}
    ran(jugfile)
    follows.look()
    assert totals(follows) == {"done": 10}


def test_a_damaged_store_is_told(follows, jugfile):
    ran(jugfile)
    store = jugfile.with_suffix(".tgdata")
    for path in store.rglob("*"):
        if path.is_file() and "graph" in path.name:
            path.write_bytes(b"nonsense" + path.read_bytes()[8:])
    follows.look()
    assert follows.trouble


@pytest.mark.parametrize("looked", [True, False])
def test_times_are_those_of_the_store_that_is_there_now(follows, jugfile, looked):
    ran(jugfile)
    follows.look()
    shutil.rmtree(jugfile.with_suffix(".tgdata"))
    if looked:
        follows.look()
    again = time.time()
    ran(jugfile)
    for _ in range(3):
        follows.look()
    while follows.reading:  # each look reads some
        follows.look()
    assert follows.trouble == ""
    assert all(one >= again - 0.1 for one in follows.history.ended)

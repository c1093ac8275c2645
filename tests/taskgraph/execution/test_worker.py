"""Workers: what they run, in what order they publish, and what becomes of failures."""

import dataclasses
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from backends.interface import Cause
from backends.opening import open_backend
from taskgraph import TaskGenerator, WorkerOptions, open_store, run, value
from taskgraph.errors import GaveUpError, TasksFailedError
from taskgraph.tasks.graph import selector
from taskgraph.tasks.recording import Recording, recorded_in


@TaskGenerator
def note_run(folder, label, *needs):
    with Path(folder, f"ran-{label}").open("a") as file:
        file.write("x")
    return label


@TaskGenerator
def fail(message, *needs):
    raise ValueError(message)


@TaskGenerator
def join(items):
    return "".join(items)


@TaskGenerator(retries=2)
def works_the_third_time(folder):
    tries = Path(folder, "tries")
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    if len(tries.read_text()) < 3:
        raise OSError("not yet")
    return "done"


@TaskGenerator(timeout=0.2)
def never_ends():
    time.sleep(60)


@TaskGenerator
def kill_the_worker(how):
    if how == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(3)


@TaskGenerator
def publish_and_wait(store, key, seconds):
    """Return whether `key` gets a record in the store while this task runs."""
    backend = open_backend(store)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        backend.poll()
        if backend.find(key) is not None:
            return True
        time.sleep(0.05)
    return False


@TaskGenerator
def quick(label):
    return label


@TaskGenerator
def print_twice(text):
    print(text)  # noqa: T201 - what is tested
    os.write(2, text.encode() + b"!\n")
    return text


@TaskGenerator
def fork_and_forget(how):
    if os.fork() == 0:
        if how == "exit":
            sys.exit(5)
        if how == "raise":
            raise ValueError("in the child")
        return "child"
    _, status = os.wait()
    return os.waitstatus_to_exitcode(status)


class Unspeakable(Exception):  # noqa: N818 - it cannot even say so
    def __str__(self):
        raise RuntimeError("no words")


@TaskGenerator
def raise_strangely(kind):
    raise {
        "KeyboardInterrupt": KeyboardInterrupt,
        "GeneratorExit": GeneratorExit,
        "SystemExit": SystemExit(3),
        "Unspeakable": Unspeakable(),
    }[kind]


@dataclasses.dataclass
class Unseen:
    number: int

    def __repr__(self):
        raise RuntimeError("no words")


@TaskGenerator
def accept(value):
    return 1


@TaskGenerator
def run_long(folder, seconds):
    with Path(folder, "ran-long").open("a") as file:
        file.write("x")
    time.sleep(seconds)
    return "long"


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture
def recording(store):
    with recorded_in(Recording(open_store(store))) as recording:
        yield recording


def diamonds(folder, count=6):
    for place in range(count):
        top = note_run(folder, f"{place}a")
        sides = [note_run(folder, f"{place}{side}", top) for side in "bc"]
        join([top, *sides])


def runs(folder):
    return {path.name: len(path.read_text()) for path in Path(folder).glob("ran-*")}


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_every_task_is_run_once(recording, tmp_path, workers):
    diamonds(tmp_path)
    assert run(recording.tasks, workers=workers).done == 24
    assert runs(tmp_path) == {f"ran-{i}{s}": 1 for i in range(6) for s in "abc"}


def test_a_second_run_runs_nothing(recording, tmp_path):
    diamonds(tmp_path)
    run(recording.tasks)
    before = runs(tmp_path)
    run(recording.tasks, workers=2)
    assert runs(tmp_path) == before


def test_workers_in_numbers_give_the_same_bytes(tmp_path):
    payloads = []
    for workers in (1, 2):
        results = open_store(tmp_path / f"store{workers}")
        with recorded_in(Recording(results)) as recording:
            diamonds(tmp_path)
        run(recording.tasks, workers=workers)
        payloads.append([results.payload(task.key) for task in recording.tasks])
    assert payloads[0] == payloads[1]


def test_a_failure_does_not_stop_the_others(recording, tmp_path):
    bad = fail("no luck", note_run(tmp_path, "a"))
    join([bad])
    good = note_run(tmp_path, "b")
    with pytest.raises(TasksFailedError, match=r"tasks: 1 failed(?s:.*)no luck"):
        run(recording.tasks)
    report = run(recording.tasks, check=False)
    assert (report.done, report.failed, report.blocked, report.open) == (2, 1, 1, 0)
    assert value(good) == "b"


def test_a_failure_is_recorded_with_its_traceback(recording):
    task = fail("no luck")
    run(recording.tasks, check=False)
    record = recording.results.record(task.key)
    assert record.failure.error == "ValueError"
    assert record.failure.message == "no luck"
    assert "in fail" in record.failure.traceback
    assert "running.py" not in record.failure.traceback


def test_fail_fast_starts_nothing_new(recording, tmp_path):
    fail("first")
    for label in range(50):
        note_run(tmp_path, label)
    run(recording.tasks, options=WorkerOptions(fail_fast=True), check=False)
    assert len(runs(tmp_path)) < 50


def test_a_task_is_tried_again(recording, tmp_path):
    task = works_the_third_time(str(tmp_path))
    run(recording.tasks)
    assert value(task) == "done"
    assert recording.results.record(task.key).attempt == 3


@TaskGenerator
def fails_in_many_ways():
    inner = ExceptionGroup("deeper", [KeyError("the last one")])
    raise ExceptionGroup("many", [ValueError("the first one"), inner])


def test_all_that_is_in_a_group_of_exceptions_is_recorded(recording):
    task = fails_in_many_ways()
    run(task, check=False)
    told = recording.results.record(task.key).failure.traceback
    assert "many (2 sub-exceptions)" in told
    assert "ValueError: the first one" in told
    assert "KeyError: 'the last one'" in told


def test_a_task_ends_at_its_timeout(recording):
    task = never_ends()
    run(recording.tasks, check=False)
    assert recording.results.record(task.key).failure.cause == "timeout"


@pytest.mark.parametrize("how", ["signal", "exit"])
def test_a_task_that_kills_its_workers_fails_after_three(recording, tmp_path, how):
    bad = kill_the_worker(how)
    good = note_run(tmp_path, "good")
    report = run(recording.tasks, check=False)
    assert recording.results.record(bad.key).failure.cause == "killed"
    assert (report.done, report.failed) == (1, 1)
    assert value(good) == "good"


def test_what_a_task_prints_is_kept_with_it(recording, capfd):
    task = print_twice("hello")
    quiet = quick(1)
    run(recording.tasks)
    assert recording.results.record(task.key).output == "hello\nhello!\n"
    assert recording.results.record(quiet.key).output == ""
    assert "hello\nhello!" in capfd.readouterr().out


def test_provenance_is_kept_with_a_result(recording):
    task = quick(7)
    before = time.time()
    run(recording.tasks)
    record = recording.results.record(task.key)
    assert record.name == quick.name
    assert record.summary == "7"
    assert before - 1 <= record.start <= record.end <= time.time() + 1
    assert record.rss > 1_000_000
    assert len(record.code.split()[0]) == 16
    assert record.context["host"] == os.uname().nodename
    assert {"user", "pid", "job", "python", "packages", "git"} <= record.context.keys()
    assert "pytest" in record.context["packages"]


def test_a_long_task_does_not_keep_finished_ones_back(recording, store):
    for label in range(20):
        done = quick(label)
    seen = publish_and_wait(store, done.key, 20.0)
    # Both are of a known, short duration, so they are locked and run in one batch.
    run([quick("warm"), publish_and_wait(store, b"", 0.0)], store=recording.results)
    run([*recording.tasks[:20], seen])
    assert value(seen) is True


@pytest.mark.parametrize(("how", "status"), [("return", 0), ("exit", 5), ("raise", 1)])
def test_a_forked_child_never_answers_for_the_task(recording, how, status):
    task = fork_and_forget(how)
    run(recording.tasks)
    assert value(task) == status


@pytest.mark.parametrize(
    "kind", ["KeyboardInterrupt", "GeneratorExit", "SystemExit", "Unspeakable"]
)
def test_whatever_a_task_raises_is_its_own_failure(recording, tmp_path, kind):
    bad = raise_strangely(kind)
    note_run(tmp_path, "good")
    report = run(recording.tasks, check=False)
    assert (report.done, report.failed) == (1, 1)
    assert recording.results.record(bad.key).failure.error == kind


@pytest.mark.parametrize("argument", [10**5000, Unseen(3)], ids=["huge", "unseen"])
def test_arguments_that_cannot_be_shown_are_still_arguments(recording, argument):
    task = accept(argument)
    run(recording.tasks)
    assert value(task) == 1


def test_a_long_task_after_short_ones_is_run_once_and_kept(recording, tmp_path):
    run([run_long(tmp_path, 0.0), quick("warm")], store=recording.results)
    for label in range(20):
        quick(label)
    task = run_long(tmp_path, 1.5)  # looks short, so it shares a batch with others
    run(recording.tasks)
    assert value(task) == "long"
    assert runs(tmp_path) == {"ran-long": 2}


def test_only_selected_functions_are_run(recording, tmp_path):
    one = quick("one")
    note_run(tmp_path, "other", one)
    options = WorkerOptions(select=selector(["quick"]))
    report = run(recording.tasks, options=options, check=False)
    assert (report.done, report.open) == (1, 1)


def test_waiting_for_nobody_is_given_up(recording, tmp_path):
    quick(note_run(tmp_path, "nobody runs it"))
    options = WorkerOptions(select=selector(["quick"]), max_wait=0.0)
    with pytest.raises(GaveUpError, match=r"tasks still open: [12]"):
        run(recording.tasks, options=options)


def test_locks_of_a_dead_worker_are_taken_over(recording, store):
    task = quick(1)
    dead = open_backend(store, worker="dead")
    dead.claim([task.key])
    run(recording.tasks)
    assert value(task) == 1
    recording.results.backend.poll()
    assert recording.results.backend.locks() == []


def test_locks_of_a_living_worker_are_respected(recording, store):
    from backends.liveness import worker_identity

    task = quick(1)
    other = open_backend(store, worker="other")
    other.members.beat("other", worker_identity(os.getpid(), 120.0))
    other.claim([task.key])
    backend = open_backend(store)
    backend.poll()
    assert backend.locked_by(task.key) == "other"
    other.expel("other", Cause.RELEASED)
    run([task])
    assert value(task) == 1

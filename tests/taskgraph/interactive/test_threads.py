"""Threads and forks of a notebook ask one store at once, each as a worker does."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from taskgraph import (
    TaskGenerator,
    UsageError,
    in_store,
    memory,
    open_store,
    run,
    value,
)

lock = threading.Lock()
calls: list[object] = []
of_forks: dict[str, object] = {}


def noted(x):
    with lock:
        calls.append(x)


def squared(x):
    noted(x)
    time.sleep(0.001)
    return x * x


def of_a_pool(x):
    """Let threads of its own ask for what is remembered, too."""
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(memory(os.environ["STORE_OF_TEST"])(squared), range(x)))


def met(barrier):
    """Return whether both threads are in here at once."""
    barrier.wait(20)
    return True


@TaskGenerator
def ramp(n):
    return np.arange(n * 1000)


@pytest.fixture(params=["files", "memory"])
def store(request, tmp_path):
    calls.clear()
    return str(tmp_path / "store") if request.param == "files" else "memory://"


def test_what_threads_ask_for_is_right_and_made_once(store):
    memo = memory(store)(squared)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(memo, [*range(20)] * 5)) == [x * x for x in range(20)] * 5
    made = len(calls)
    assert {*calls} == {*range(20)}
    if store != "memory://":  # there nobody waits for another thread: both may make it
        assert made == 20
    assert [memo(x) for x in range(20)] == [x * x for x in range(20)]
    assert len(calls) == made


def test_functions_of_two_threads_run_at_once(store):
    memo, barrier = memory(store), threading.Barrier(2)
    first, second = (memo(met, name=name, ignore="barrier") for name in "ab")
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(call, barrier) for call in (first, second)]
        assert [one.result(20) for one in both] == [True, True]


def test_threads_with_two_memories_use_each_its_own(tmp_path):
    calls.clear()
    memos = [memory(tmp_path / name)(squared) for name in "ab"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: memos[i % 2](i // 2), range(40)))
    stores = [open_store(tmp_path / name) for name in "ab"]
    for results in stores:
        results.backend.poll()
    assert [len(results.keys()) for results in stores] == [20, 20]


def test_what_runs_in_one_thread_does_not_keep_others_from_remembering(tmp_path):
    calls.clear()
    memo, inside, over = memory(tmp_path), threading.Event(), threading.Event()

    @memo(name="holds")
    def holds():
        inside.set()
        return over.wait(20)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(holds)
        inside.wait(20)
        assert [memo(squared)(3), memo(squared)(3)] == [9, 9]
        over.set()
        assert held.result()
    assert calls == [3]


def test_threads_of_a_function_may_ask_for_what_is_remembered(tmp_path, monkeypatch):
    calls.clear()
    monkeypatch.setenv("STORE_OF_TEST", str(tmp_path))
    assert memory(tmp_path)(of_a_pool)(4) == 14
    assert memory(tmp_path)(squared)(3) == 9
    assert sorted(calls) == [0, 1, 2, 3]


def test_values_are_loaded_by_many_threads(store):
    with in_store(store) as results:
        tasks = [ramp(n) for n in range(1, 40)]
        run(tasks, store=results)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(value, tasks * 3))
    for array, task in zip(found, tasks * 3, strict=True):
        np.testing.assert_array_equal(array, np.arange(task.args[0] * 1000))


def asked(x):
    return of_forks["memory"](squared)(x)


def test_forked_pools_remember_in_one_store(tmp_path):
    memo = of_forks["memory"] = memory(tmp_path)
    assert memo(squared)(1) == 1  # it is open before the fork
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(asked, [*range(30)] * 2) == [x * x for x in range(30)] * 2
    calls.clear()
    assert [memo(squared)(x) for x in range(30)] == [x * x for x in range(30)]
    assert calls == []


SCRIPT = """
import multiprocessing
import sys
import joblib
from taskgraph import memory

memo = memory("work.tgdata")

@memo
def squared(x):
    return x * x

if __name__ == "__main__":
    calls = joblib.Parallel(n_jobs=2, backend=sys.argv[1])
    assert calls(joblib.delayed(squared)(x) for x in range(4)) == [0, 1, 4, 9]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(squared, range(4)) == [0, 1, 4, 9]
"""


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_processes_of_other_libraries_know_functions_by_one_name(tmp_path, backend):
    (tmp_path / "work.py").write_text(SCRIPT)
    subprocess.run([sys.executable, "work.py", backend], cwd=tmp_path, check=True)
    results = open_store(tmp_path / "work.tgdata")
    results.backend.poll()
    names = {record.name for _, record in results.records(iter([*results.keys()]))}
    assert (len(results.keys()), names) == (4, {"work.squared"})


def test_what_remembers_in_memory_is_not_sent_to_other_processes():
    with pytest.raises(UsageError, match="give memory\\(\\) a directory or a URL"):
        pickle.dumps(memory("memory://"))


def test_no_thread_of_a_fork_takes_the_store_of_its_parent(tmp_path, monkeypatch):
    """Also while another one opens it for the fork."""
    memo, going, over = memory(tmp_path), threading.Event(), threading.Event()
    of_parent, again = memo.results, type(memo.results.backend).again

    def slow(backend):
        if not going.is_set():
            going.set()
            over.wait(60)
        return again(backend)

    monkeypatch.setattr(type(of_parent.backend), "again", slow)
    memo._pid = -1  # as in a fork
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(memo.here)
        assert going.wait(60)
        try:
            assert memo.here() is not of_parent
        finally:
            over.set()
        assert other.result() is not of_parent


turns = {name: threading.Event() for name in ("a begins", "b begins", "a is over")}


@TaskGenerator
def in_turn(name):
    turns[f"{name} begins"].set()
    return turns["b begins" if name == "a" else "a is over"].wait(20)


def test_tasks_that_threads_run_at_once_leave_nothing_behind(tmp_path):
    """The one that begins first ends first."""
    tasks = {}
    for name in "ab":
        with in_store(tmp_path / name):
            tasks[name] = in_turn(name)

    def runs(name):
        return run([tasks[name]], store=tmp_path / name, workers=0).done

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(runs, "a")
        assert turns["a begins"].wait(20)
        second = pool.submit(runs, "b")
        assert first.result() == 1
        turns["a is over"].set()
        assert second.result() == 1
    assert [value(task) for task in tasks.values()] == [True, True]
    assert ramp(2).args == (2,)  # no task is taken to run still


def store_of_a_child():
    """Return the store that a process is told of which a task starts."""
    asks = "import os; print(os.environ.get('_TASKGRAPH_STORE', ''))"
    return subprocess.check_output([sys.executable, "-c", asks], text=True).strip()


def test_runs_of_threads_that_overlap_tell_their_children_and_leave_nothing(tmp_path):
    begun, ends = threading.Barrier(3), [threading.Event(), threading.Event()]

    def holds(number):
        told = store_of_a_child()
        begun.wait(20)
        return ends[number].wait(20) and told

    def run_one(number):
        task = TaskGenerator(holds, name="holds")(number)
        run(task, store=tmp_path / str(number), workers=0)
        return value(task)

    calls.clear()
    memo = memory(tmp_path / "memo")(squared)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(run_one, number) for number in range(2)]
        begun.wait(20)
        assert [memo(3), memo(3), calls] == [9, 9, [3]]  # it is no task of theirs
        for one, end in zip(both, ends, strict=True):  # the first to begin ends first
            end.set()
            assert one.result(20)
    assert store_of_a_child() == ""
    assert [memo(3), calls] == [9, [3]]

"""How much is done at once, by what was measured and how many there are, and when."""

import itertools
import os
import threading
import time
from collections import Counter

import pytest

from backends.errors import UnavailableError
from backends.liveness import worker_identity
from backends.opening import open_backend
from backends.store import JournalStore
from backends.warning import warn, warnings_told
from taskgraph import TaskGenerator, run
from taskgraph.execution.background_flush import BackgroundFlush
from taskgraph.execution.pace import Pace
from taskgraph.execution.runner import Runner
from taskgraph.execution.shared_page import NoPage
from taskgraph.tasks.frontier import Budget, Frontier
from taskgraph.tasks.graph import Graph


def pace(others=0, cost=0.001, latency=0.02):
    return Pace(latency, "anna", others=others, cost=cost)


def test_records_wait_half_a_second_whoever_is_there():
    for others in (0, 1, 50):
        assert pace(others).interval == 0.5
        assert not pace(others).due(0.1, 0.1)
        assert pace(others).due(0.1, 0.5)
        assert pace(others).due(0.0, float("inf"))


def test_intervals_follow_what_an_append_takes():
    slow = pace(3)
    for _ in range(30):
        slow.published(0.02)
    assert slow.interval == pytest.approx(1.0, rel=0.01)
    assert slow.worthwhile == pytest.approx(0.2, rel=0.01)
    for _ in range(30):
        slow.published(0.2)
    assert slow.interval == 3.0
    assert slow.worthwhile == 0.5  # or all would wait for who locked last


@pytest.mark.parametrize("cost", [1.0, 3.0, 60.0])
def test_where_many_are_in_each_others_way_they_append_the_more_seldom(cost):
    """What is locked takes at least as long as to lock it, and to publish it."""
    slow = pace(100)
    for _ in range(30):
        slow.published(cost)
    assert slow.interval == pytest.approx(min(4 * cost, 30.0), rel=0.01)
    assert slow.worthwhile == pytest.approx(min(2 * cost, 30.0), rel=0.01)
    assert not slow.due(2.9, 0.2)
    assert slow.due(2.9, 0.2, wanted=True)  # who waits does not wait longer
    for _ in range(99):
        slow.published(0.001)
    assert slow.interval == pace(100).interval


def test_that_a_store_is_slow_is_known_from_the_first_lock_on():
    """Else each of many would publish its first few tasks, all at the same moment."""
    slow = pace(15, cost=0.0, latency=0.25)
    slow.locked(0.8)
    assert slow.interval == pytest.approx(3.2)
    slow.published(1.6)
    assert slow.cost == pytest.approx(1.0)
    slow.locked(0.02)
    assert slow.cost == pytest.approx(1.0)


def test_that_locking_is_fast_says_nothing_of_publishing():
    fast = pace(15, cost=0.0)
    fast.locked(0.002)
    assert fast.cost == 0.0


@pytest.mark.parametrize("others", [1, 3, 15, 63, 255])
def test_where_many_share_a_core_they_append_so_seldom_that_it_stays_free(others):
    """Each appends twice in an interval; all together take a fifth of the cores."""
    for crowd in (1.0, (1 + others) / 8, (1 + others) / 2):
        shared = Pace(0.02, others=others, crowd=max(1.0, crowd), cost=0.001)
        taken = 2 * shared.crowd * (0.003 + others * 40e-6) / shared.interval
        assert taken <= 0.2 or shared.interval == 3.0
        assert shared.worthwhile <= 0.5
        assert shared.due(0.01, 0.02, wanted=True)  # who waits does not wait longer


def test_records_that_somebody_may_wait_for_go_out_soon():
    assert pace(1).due(0.01, 0.015, wanted=True)
    assert not pace(1).due(0.01, 0.005, wanted=True)
    assert not pace(0).due(0.01, 0.02, wanted=True)
    assert pace(1, cost=1.0).due(2.9, 0.2, wanted=True)


@pytest.mark.parametrize("others", [1, 3, 15, 63, 255])
def test_shares_leave_something_for_each_and_end_with_little(others):
    """All take in turn: nobody gets much more than the others, in few turns."""
    shared, left, turns = pace(others), 100 * (others + 1), 0
    shares = Counter()
    while left:
        took = min(left, shared.tasks(left))
        shares[turns % (others + 1)] += took
        left -= took
        turns += 1
    assert max(shares.values()) <= 130
    assert turns <= 12 * (others + 1)


def test_alone_one_takes_whatever_there_is_from_the_first_on():
    assert pace().tasks(10) > 10_000
    assert pace().skip(10_000, 0) == 0


def test_many_who_choose_at_once_choose_differently():
    names = [f"w{number}" for number in range(64)]
    chosen = [Pace(0.02, name, others=63).skip(10, 0) for name in names]
    assert len({place // 10 for place in chosen}) > 32
    assert max(chosen) <= 630


def test_who_fails_to_lock_looks_further_away():
    """Before the others are known, too: all that start together see nobody."""
    names = [f"w{number}" for number in range(200)]
    lone = {Pace(0.02, name).skip(1, 0) for name in names}
    again = {Pace(0.02, name).skip(1, 7) for name in names}
    assert lone == {0}
    assert len(again) > 60


def test_few_wake_at_each_append_and_many_let_news_come_together():
    assert pace(7).rest == 0.0
    assert 0.0 < pace(15).rest < 0.01 < pace(31).rest < pace(63).rest
    assert pace(1000).rest == 0.2
    assert pace(15, latency=0.25).rest < pace(1000, latency=0.25).rest == 3.0
    assert pace(15, cost=9, latency=0.25).rest < 1.0  # it is few who are in the way


@pytest.mark.parametrize(("rest", "asked"), [(0.0, True), (0.5, True), (2.0, False)])
def test_who_rests_for_long_does_not_ask_first_whether_there_is_news(
    tmp_path, monkeypatch, rest, asked
):
    """At a bucket each question is a request, and each look is one anyway."""
    task, store, deeds = at_once(1), str(tmp_path / "store"), []
    other = open_backend(store)
    other.members.beat(other.worker, worker_identity(os.getpid(), 60.0))
    other.claim([task.key])

    def waited(*_):
        deeds.append("wait")

    def rested(page, seconds, clock):
        deeds.append(seconds)
        other.release([task.key])

    monkeypatch.setattr(Pace, "rest", rest)
    monkeypatch.setattr(JournalStore, "wait", waited)
    monkeypatch.setattr(NoPage, "rest", rested)
    run([task], workers=0, store=store)
    assert deeds == (["wait", rest] if asked else [rest])


def test_nobody_looks_twice_at_what_he_has_just_read(tmp_path, monkeypatch):
    """Who publishes reads all that came before; at a bucket each look is a request."""
    deeds = []

    def noting(kind, name):
        method = getattr(kind, name)

        def noted(self, *args, **kwargs):
            deeds.append(name)
            return method(self, *args, **kwargs)

        monkeypatch.setattr(kind, name, noted)

    for name in ("poll", "publish", "claim"):
        noting(JournalStore, name)
    noting(Runner, "run")
    monkeypatch.setattr(Pace, "interval", 0.0)
    monkeypatch.setattr(Pace, "tasks", lambda pace, free: 2)
    run([at_once(i) for i in range(9)], workers=0, store=str(tmp_path / "store"))
    last = len(deeds) - deeds[::-1].index("run")
    pairs = set(itertools.pairwise(deeds[deeds.index("run") : last]))
    assert {("run", "publish"), ("publish", "claim"), ("claim", "run")} <= pairs
    assert not pairs & {("publish", "poll"), ("poll", "poll"), ("claim", "poll")}


@TaskGenerator
def at_once(number):
    return number


@TaskGenerator
def nap(number):
    time.sleep(0.02)
    return number


def test_short_tasks_do_not_wait_for_the_store(tmp_path, monkeypatch):
    main, beside = threading.current_thread(), []

    def noting(name):
        method = getattr(JournalStore, name)

        def noted(store, *args, **kwargs):
            beside.append((name, threading.current_thread() is not main))
            return method(store, *args, **kwargs)

        monkeypatch.setattr(JournalStore, name, noted)

    noting("publish")
    noting("claim")
    tasks = [nap(i) for i in range(50)]  # twice as long as records wait
    run(tasks, workers=0, store=str(tmp_path / "store"))
    assert {("publish", True), ("claim", True)} <= set(beside)


def test_what_is_not_done_beside_a_task_is_done_before_the_next_one():
    came = threading.Event()
    flush = BackgroundFlush(lambda: None, came.set)
    assert not flush.ask()  # nobody is there yet
    flush.start()
    try:
        assert flush.ask()
        assert not flush.ask()  # no task has run: it is not left for ever
        assert flush.ask()
        flush.hand_over()
        assert came.wait(30)
        flush.take_back()
        assert flush.ask()
    finally:
        flush.__exit__()


def test_what_fails_beside_a_task_is_raised_after_it():
    came = threading.Event()

    def provide():
        came.set()
        raise OSError("no store")

    flush = BackgroundFlush(lambda: None, provide)
    flush.start()
    assert flush.ask()
    flush.hand_over()
    assert came.wait(30)
    with pytest.raises(OSError, match="no store"):
        flush.take_back()
    flush.__exit__()


def test_what_is_warned_of_beside_a_task_is_told_as_all_else_is():
    came, said = threading.Event(), []

    def provide():
        warn("the sky falls")
        came.set()

    with warnings_told(said.append):
        flush = BackgroundFlush(lambda: None, provide)
        flush.start()
        assert flush.ask()
        flush.hand_over()
        assert came.wait(30)
        flush.take_back()
        flush.__exit__()
    assert said == ["the sky falls"]


def test_a_task_that_runs_is_not_run_once_more_here_whoever_holds_it():
    graph = Graph([nap(1), nap(2)])
    one, two = graph
    frontier = Frontier(graph)
    budget = Budget(10, 10.0, {}, running=one)
    assert frontier.take(lambda task: 0.1, budget) == [two]
    assert frontier.take(lambda task: 0.1, Budget(10, 10.0, {})) == [one]


def test_only_beside_tasks_that_are_neither_long_nor_very_short():
    assert [pace(3).aside(x) for x in (0.0, 0.001, 0.01, 0.3, 1.0, float("inf"))] == [
        False, False, True, True, False, False
    ]  # fmt: skip


@TaskGenerator
def leave_nothing_to_others(folder, number):
    os.umask(0o777)
    os.chdir("/")
    time.sleep(0.02)
    return number


def test_what_a_task_does_to_umask_and_folder_is_not_the_store_s(tmp_path):
    store = tmp_path / "store"
    tasks = [leave_nothing_to_others(str(tmp_path), i) for i in range(50)]
    run(tasks, workers=1, store=str(store))
    modes = {path.stat().st_mode & 0o777 for path in store.rglob("*") if path.is_file()}
    assert 0 not in modes


def test_the_worker_tries_again_what_a_task_spoiled(tmp_path, monkeypatch):
    main, failed = threading.current_thread(), []
    claim = JournalStore.claim

    def spoiled(store, keys):
        found = claim(store, keys)
        if threading.current_thread() is not main and not failed:
            failed.append(keys)
            raise UnavailableError("cannot read: bad file descriptor")
        return found

    monkeypatch.setattr(JournalStore, "claim", spoiled)
    tasks = [nap(i) for i in range(60)]
    report = run(tasks, workers=0, store=str(tmp_path / "store"))
    assert failed
    assert report.done

"""Workers are started as there are cores to read the jugfile, and only if needed."""

import os
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest

from backends.errors import UnavailableError
from taskgraph import Task, open_store
from taskgraph.execution.options import RunOptions
from taskgraph.execution.pace import processors
from taskgraph.execution.processes.child import Child
from taskgraph.execution.processes.letters import Letters
from taskgraph.execution.processes.reading import Reader
from taskgraph.execution.processes.starting import Starting
from taskgraph.execution.processes.worker_process import HasRead, Seat
from taskgraph.execution.shared_page import NoPage, SharedPage
from taskgraph.execution.supervisor import Supervisor
from taskgraph.exit_codes import ExitCode
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Jugfile, Loaded
from taskgraph.upkeep.kept_jugfile import KeptJugfile


@pytest.fixture
def one_core():
    """Let this process, and what it starts, have one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


class Run:
    """Workers of a run on a clock of its own, and what is started of them."""

    def __init__(self, workers, **options):
        self.now, self.children = 50.0, []
        self.starting = Starting(workers, lambda: self.now, **options)

    def started(self, tasks=0):
        """Start what is due; return how many that were."""
        before = len(self.children)
        while self.starting.is_due(self.children, tasks):
            self.starting.left -= 1
            child = Child(0, Seat("w", SharedPage(), Letters()))
            child.started = self.now
            self.children.append(child)
        return len(self.children) - before

    def look(self, seconds=0.11, tasks=0, ended=0):
        """Let time pass, in which each of those who have read ends some tasks."""
        self.now += seconds
        for child in self.children:
            for _ in range(ended if child.read else 0):
                child.page.begin(b"k" * 20, 0.0)
                child.page.end()
        return self.started(tasks)

    def read(self):
        for child in self.children:
            child.read = True


def test_the_next_one_reads_when_another_one_has_read(one_core):
    assert processors() == 1
    run = Run(5)
    assert run.started() == 2
    run.read()
    assert run.started(100) == 0  # what they do is looked at first
    assert run.look(tasks=100) == 2
    run.children[2].read = True
    assert run.started(100) == 1
    assert not run.starting.left


def test_those_beyond_the_cores_are_not_started_for_what_is_over_sooner(one_core):
    run = Run(8)
    run.started()
    run.read()
    run.started(10_000)
    assert run.look(tasks=10_000, ended=2500) == 0
    assert run.look(tasks=10_000, ended=2400) == 0
    assert run.starting.left == 6


@pytest.mark.parametrize("ended", [0, 1, 100])
def test_those_beyond_the_cores_are_started_for_what_takes_longer(one_core, ended):
    run = Run(8)
    run.started()
    for _ in range(10):
        run.read()
        run.look(tasks=10_000, ended=ended)
    assert not run.starting.left


def test_tasks_that_take_long_are_not_taken_for_those_before_them(one_core):
    run = Run(4)
    run.started()
    run.read()
    run.started(10_000)
    assert run.look(tasks=10_000, ended=4998) == 0
    assert run.look(tasks=10_000) == 2  # each of the two runs another one


def test_who_runs_a_task_has_not_ended_it():
    page = SharedPage()
    assert page.ended == 0
    page.begin(b"k" * 20, 0.0)
    assert page.ended == 0
    page.end()
    assert page.ended == 1


def test_a_script_that_takes_long_to_read_is_not_waited_for(one_core):
    run = Run(8)
    run.started()
    assert run.look(0.3) == 0
    assert run.look(0.3) == 2


def test_who_waits_while_it_reads_keeps_nobody_waiting(one_core):
    run = Run(64)
    while run.starting.left:
        run.started()
        run.now += 1.01 * min(run.starting.pause, 1.0)
    assert run.now - 50.0 < 5.0


def test_those_who_need_not_read_are_started_at_once(one_core):
    run = Run(64, reads=False)
    assert run.started(64) == 64


MEETING = """
import os, time
from taskgraph import TaskGenerator
@TaskGenerator
def quick(i): return i
@TaskGenerator
def meet(i, after):
    open(f"here{i}", "w").close()
    while not all(os.path.exists(f"here{k}") for k in range(4)): time.sleep(0.01)
    return i
quick_ones = [quick(i) for i in range(300)]
for i in range(4): meet(i, quick_ones)
"""


def test_tasks_that_wait_for_each_other_get_as_many_workers_as_asked_for(tg, one_core):
    tg.write("job.py", MEETING)
    assert tg("execute", "job.py", "-j", "4").returncode == 0


JOB = """
from taskgraph import TaskGenerator
with open("reads.txt", "a") as file:
    print("read", file=file)
@TaskGenerator
def f(x): return x
f(1)
"""


@pytest.mark.parametrize("options", [(), ("--max-wait", "5")])
def test_workers_that_nobody_needs_are_not_started(tg, one_core, options):
    tg.write("job.py", JOB)
    reads = tg.folder / "reads.txt"
    for _ in ("cold", "warm"):
        tg("execute", "job.py", "-j", "200", *options)
        assert reads.read_text().count("read") < 200
        reads.unlink()
    assert tg("value", "job.py", "f").stdout == "1\n"


def test_workers_load_nothing_of_the_engine_again(tg):
    tg.write(
        "job.py",
        """
import sys
before = set(sys.modules)
from taskgraph import Task, TaskGenerator, barrier
@TaskGenerator
def f(x): return x
f(f(1))
new = [x for x in set(sys.modules) - before if x.startswith(("taskgraph", "backends"))]
with open("loaded.txt", "a") as file:
    print(new, file=file)
""",
    )
    tg("execute", "job.py", "-j", "2")
    assert set((tg.folder / "loaded.txt").read_text().split("\n")) == {"[]", ""}


@pytest.fixture
def supervisor(tmp_path):
    """Return one that has read what to run, and starts nobody."""
    loaded = Loaded(Graph([Task(divmod, 7, 2)]), {}, open_store(tmp_path / "store"))
    return Supervisor(HasRead(None, loaded, ""), RunOptions(workers=0))


def seated(supervisor, pid):
    child = supervisor._children[pid] = Child(pid, Seat("w", SharedPage(), Letters()))
    return child


def test_a_worker_begins_with_what_its_supervisor_has_read(tmp_path):
    reader, other = (open_store(tmp_path / "store").backend for _ in range(2))
    keys = [bytes([number]) * 20 for number in range(30)]
    for key in keys:
        other.claim([key])

    Starting(1).look(reader)
    assert set(reader.holders()) == set(keys)


def test_a_store_that_is_away_is_not_waited_for_once_for_each_worker(
    supervisor, monkeypatch
):
    tried = []

    def beat(worker, identity):
        tried.append(worker)
        raise UnavailableError("nobody answers")

    monkeypatch.setattr(supervisor.results.backend.members, "beat", beat)
    for _ in range(3):
        seated(supervisor, os.getpid() + len(supervisor._children)).joined = True
    supervisor._beat()
    assert len(tried) == 1


def test_a_slow_store_is_not_read_for_each_worker():
    asked = []
    backend = SimpleNamespace(latency=0.5, poll=lambda: asked.append(1))
    now = 50.0
    starting = Starting(64, lambda: now)
    for _ in range(64):
        starting.look(backend)
        now += 0.01
    assert len(asked) == 2


def test_a_store_that_fails_is_for_the_worker_to_meet():
    def fail():
        raise UnavailableError("gone")

    Starting(1).look(SimpleNamespace(latency=0.02, poll=fail))


@pytest.fixture
def two_processes():
    """Two that do nothing; who is not at work at the end is told to end by a signal."""
    sleeping = [subprocess.Popen(["sleep", "100"]) for _ in range(2)]
    yield [process.pid for process in sleeping]
    for process in sleeping:
        process.kill()
        process.wait()


def test_who_rests_is_told_when_another_has_met_the_end(supervisor, two_processes):
    ended, resting = (seated(supervisor, pid) for pid in two_processes)
    slept = []
    resting.page.rest(0.2, SimpleNamespace(sleep=slept.append))
    assert sum(slept) == pytest.approx(0.2)

    ended.page.finish(ExitCode.DONE)
    supervisor._settle_ended(ended, 0)
    slept.clear()
    resting.page.rest(0.2, SimpleNamespace(sleep=slept.append))
    assert not slept


def test_who_has_no_supervisor_rests_as_long_as_it_wants_to():
    slept = []
    clock = SimpleNamespace(sleep=slept.append)
    NoPage().rest(0.2, clock)
    NoPage().rest(0.0, clock)
    assert slept == [0.2]


SLOW_READER = """
import os, time
from pathlib import Path
from taskgraph import TaskGenerator

Path("readers", str(os.getpid())).touch()
while len(readers := os.listdir("readers")) < 2:
    time.sleep(0.01)
if os.getpid() == max(map(int, readers)):
    time.sleep(20)
    Path("read").touch()

@TaskGenerator
def double(x):
    return 2 * x

[double(x) for x in range(3)]
"""


def test_who_still_reads_when_all_is_done_is_not_waited_for(tg):
    (tg.folder / "readers").mkdir()
    tg.write("job.py", SLOW_READER)
    done = tg("execute", "-j", "2", "job.py")
    assert "3 done" in done.stderr
    assert not (tg.folder / "read").exists()
    assert tg.json("locks", "job.py") == []


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ("the same", {"known"}),
        ("in another order", {"digests"}),
        ("another barrier", {"digests"}),
        ("none", {"digests"}),
    ],
)
def test_of_a_graph_that_is_known_no_more_is_told(tmp_path, known, told):
    """To compare them function by function takes each of many workers its time."""
    path = tmp_path / "work.py"
    path.write_text("from taskgraph import Task\nfor i in range(3): Task(abs, i)\n")
    script, results = KeptJugfile(Jugfile(path)), open_store("memory://")
    (graph,) = script.growing().pieces(script.read(results, None).graph)
    keys = graph.keys[20:] + graph.keys[:20]
    other = {
        "the same": graph,
        "in another order": replace(graph, keys=keys),
        "another barrier": replace(graph, missing=graph.keys[:20]),
    }
    letters = Letters()
    asked = script, letters, False, lambda _: None, False, 1.0
    Reader(*asked, known=other.get(known)).begin(results)
    child = Child(0, Seat("w", SharedPage(), letters))

    assert {about for about, _ in child.told()} == {"store"} | told
    assert child.read

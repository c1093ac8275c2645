"""Compound tasks: with their inside until they have a result, and alone after that."""

import os
import signal
import threading
from pathlib import Path

import pytest

from taskgraph import (
    CompoundTask,
    CompoundTaskGenerator,
    Task,
    TaskGenerator,
    UsageError,
    barrier,
    bvalue,
    init,
    invalidate,
    open_store,
    run,
    set_jugdir,
    value,
)
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Jugfile

SCRIPT = """
import time
from pathlib import Path
from taskgraph import CompoundTaskGenerator, TaskGenerator, barrier, bvalue, value

PAUSE = 0.0

@TaskGenerator
def part(x):
    time.sleep(PAUSE)
    return x

@TaskGenerator
def total(xs):
    return sum(xs)

@CompoundTaskGenerator
def whole(n):
    Path(__file__).with_name("called.txt").touch()
    first = part(n)
    barrier()
    return {"sum": total([part(i) for i in range(value(first))]), "n": [first]}

@CompoundTaskGenerator
def both(n):
    return [whole(n)["sum"], bvalue(whole(n + 1))["sum"]]

@TaskGenerator
def final(xs):
    return sum(xs)

out = final(both(6))
"""
EXPECTED = sum(range(6)) + sum(range(7))


@pytest.fixture
def tg(forked_tg):
    return forked_tg


@TaskGenerator
def double(x):
    return 2 * x


def fourfold(x):
    return double(double(x))


def test_the_key_is_that_of_the_call():
    assert CompoundTask(fourfold, 3).key == Task(fourfold, 3).key


def test_it_stands_alone_when_its_result_is_known():
    results = set_jugdir("memory://")
    first = CompoundTask(fourfold, 3)
    assert [task.name for task in Graph([first]).tasks][:-1] == [double(1).name] * 2
    run(first, store=results)

    again = CompoundTask(fourfold, 3)
    assert (again.key, again.needs, value(again)) == (first.key, (), 12)


def test_what_has_lost_its_result_is_made_in_one_task():
    results = set_jugdir("memory://")
    run(CompoundTask(fourfold, 3), store=results)
    alone = CompoundTask(fourfold, 3)
    elsewhere = open_store("memory://")
    assert run(alone, store=elsewhere).done == 1
    assert elsewhere.load(alone.key) == 12


def waiting(x):
    first = double(x)
    first.run()
    barrier()
    return [bvalue(first), CompoundTask(fourfold, x)]


def test_barriers_in_what_has_lost_its_result_wait_for_its_own_tasks():
    results = set_jugdir("memory://")
    whole = CompoundTask(waiting, 3)
    run(whole, store=results)
    assert results.load(whole.key) == [6, 12]

    alone = CompoundTask(waiting, 3)
    elsewhere = open_store("memory://")
    assert run(alone, store=elsewhere).done == 1
    assert elsewhere.load(alone.key) == [6, 12]


def test_a_failure_inside_blocks_it():
    def fails():
        return Task(divmod, 1, 0)

    report = run(CompoundTask(fails), check=False)
    assert (report.failed, report.blocked) == (1, 1)


def test_it_cannot_be_given_another_name():
    task = CompoundTask(fourfold, 3)
    with pytest.raises(UsageError, match="TaskGenerator"):
        task.name = "other"


def test_it_is_no_task_generator_twice():
    decorated = CompoundTaskGenerator(fourfold)
    with pytest.raises(UsageError, match="writes its calls down already"):
        TaskGenerator(decorated)


def test_the_graph_has_one_task_in_the_place_of_many(tg):
    path = tg.write("work.py", SCRIPT)
    tg("execute", "-q", path, "-j", "2")
    assert tg("value", path, "final").stdout.strip().endswith(str(EXPECTED))
    (tg.folder / "called.txt").unlink()

    counts = tg.json("count", path)
    assert not (tg.folder / "called.txt").exists()
    assert "work.part" not in str(counts)


def test_forgotten_it_is_made_of_inner_tasks_that_are_there(tg):
    path = tg.write("work.py", SCRIPT)
    tg("execute", "-q", path)
    tg("invalidate", path, "--name", "whole", "--yes")
    tg("check", path, code=1)
    tg("execute", "-q", path)
    tg("check", path)


def test_a_function_inside_is_forgotten_by_its_name_with_what_was_made_of_it(tg):
    path = tg.write("work.py", SCRIPT)
    tg("execute", "-q", path)
    tg("execute", "-q", path)  # the graph has the compound alone now
    done = tg("invalidate", path, "--name", "part", "--yes").stdout
    for name in ("work.part", "work.total", "work.whole", "work.both", "work.final"):
        assert name in done
    tg("check", path, code=1)
    (tg.folder / "work.py").write_text(SCRIPT.replace("return x\n", "return 2 * x\n"))
    tg("execute", "-q", path)
    assert str(2 * EXPECTED) not in tg("value", path, "final").stdout  # 12 parts, not 6
    assert str(EXPECTED) != tg("value", path, "final").stdout.split()[-1]


def test_what_is_inside_is_forgotten_from_python_too():
    results = open_store("memory://")
    results = set_jugdir(results)
    run(CompoundTask(fourfold, 3), store=results)
    alone = CompoundTask(fourfold, 3)
    after = double(alone)
    run(after, store=results)
    assert invalidate(after, name="double", store=results) == 4
    assert not results.has(alone.key)


def test_what_is_inside_is_forgotten_when_its_code_has_changed(tg):
    path = tg.write("work.py", SCRIPT)
    tg("execute", "-q", path)
    tg("execute", "-q", path)  # the graph has the compound alone now
    (tg.folder / "work.py").write_text(SCRIPT.replace("sum(xs)", "-sum(xs)", 1))
    tg("invalidate", path, "--name", "whole", "--yes")  # made anew, as before
    tg("execute", "-q", path)
    assert tg("value", path, "final").stdout.split()[-1] == str(EXPECTED)
    done = tg("invalidate", path, "--changed", "--yes").stdout
    for name in ("work.total", "work.whole", "work.both", "work.final"):
        assert name in done
    assert "work.part" not in done
    tg("execute", "-q", path)
    assert tg("value", path, "final").stdout.split()[-1] == str(-EXPECTED)
    assert "nothing" in tg("invalidate", path, "--changed", "--yes").stderr


def test_what_is_inside_is_forgotten_with_a_compound_of_changed_code(tmp_path):
    path, store = tmp_path / "work.py", f"file://{tmp_path}/store"
    for sign in ("", "-"):
        path.write_text(SCRIPT.replace("sum(xs)", f"{sign}sum(xs)", 1))
        invalidate(path, changed=True, store=store)
        run(path, store=store)
    assert not invalidate(path, changed=True, store=store)
    assert value(init(path, store)[1]["out"]) == -EXPECTED


def test_after_a_cleanup_nothing_is_open(tg):
    path = tg.write("work.py", SCRIPT)
    tg("execute", "-q", path)
    tg("cleanup", path, "--yes")
    assert tg.json("status", path)
    tg("check", path)
    tg("wait", path)


def test_a_killed_worker_changes_no_value_and_done_is_never_said_too_early(tg):
    path = tg.write("work.py", SCRIPT.replace("PAUSE = 0.0", "PAUSE = 0.1"))
    running = tg.start("execute", "-q", "-j", "2", path)
    tg.wait_for("called.txt")
    pause = threading.Event()
    killed = False
    while running.poll() is None:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        if not killed and (workers := children.read_text().split()):
            os.kill(int(workers[0]), signal.SIGKILL)
            killed = True
        if done(path):
            break
        pause.wait(0.1)
    assert killed
    assert done(path)
    assert running.wait(60) == 0


def done(path):
    """Return whether all is done that a jugfile has now; then it has its value."""
    results = open_store(str(path.with_suffix(".tgdata")))
    loaded = Jugfile(path).load(results)
    if loaded.missing or not all(map(results.has, loaded.graph)):
        return False
    assert value(loaded.space["out"]) == EXPECTED
    return True


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_behind_it_is_told_when_the_graph_has_become_shorter(tg, jobs):
    tg.write(
        "job.py",
        """
from taskgraph import CompoundTaskGenerator, TaskGenerator, barrier, bvalue

@TaskGenerator
def part(x):
    return x

@CompoundTaskGenerator
def whole(n):
    return part([part(i) for i in range(n)])

@TaskGenerator
def fails(x):
    raise RuntimeError("on purpose")

after = part(whole(5))
bvalue(part(9))
fails(after)
barrier()
part(10)
""",
    )
    ran = tg("execute", "job.py", "-j", jobs, code=1)
    assert "1 failed" in ran.stderr
    assert "fails" in tg("errors", "job.py").stdout

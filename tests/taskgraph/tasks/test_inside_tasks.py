"""What a task cannot do to the store that it runs for, and what it can elsewhere."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskgraph import TaskGenerator, open_store, run

JOB = """
import taskgraph
from taskgraph import TaskGenerator

@TaskGenerator
def one():
    return 1

@TaskGenerator
def two(x):
    {body}
    return 2

first = one()
two(first)
"""


@pytest.fixture
def tg(forked_tg):
    return forked_tg


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("taskgraph.run('job.py')", "run()"),
        ("taskgraph.invalidate(first)", "invalidate()"),
        ("taskgraph.invalidate('job.py', name='one')", "invalidate()"),
        ("taskgraph.undo('job.py')", "undo()"),
    ],
)
def test_a_task_neither_runs_nor_forgets_what_it_belongs_to(tg, call, what):
    tg.write("job.py", JOB.format(body=call))

    tg("execute", "-q", "--max-time", "60s", "job.py", code=1)

    (failure,) = tg.json("errors", "job.py")
    assert failure["error"] == "TaskInsideTaskError"
    assert f"job.two called {what} while it ran" in failure["message"]
    assert "or for another store" in failure["message"]


def test_a_task_may_run_another_jugfile_in_a_store_of_its_own(tg):
    tg.write("other.py", JOB.format(body="pass"))
    call = "taskgraph.run('other.py'); taskgraph.invalidate('other.py', name='two')"
    tg.write("job.py", JOB.format(body=call))

    tg("execute", "-q", "job.py")

    assert tg.json("status", "other.py")["total"]["done"] == 1


@pytest.mark.parametrize("what", ["barrier()", "bvalue(first)"])
def test_a_task_that_waits_is_told_to_take_what_it_waits_for(tg, what):
    tg.write("job.py", JOB.format(body=f"taskgraph.{what}"))

    tg("execute", "-q", "job.py", code=1)

    (failure,) = tg.json("errors", "job.py")
    name = what.partition("(")[0]
    assert f"job.two called {name}() while it ran" in failure["message"]
    assert "pass this one as an argument" in failure["message"]


@pytest.mark.parametrize(
    "asked", ["taskgraph.value(first)", "first.value()", "taskgraph.value([first] * 9)"]
)
def test_a_task_is_not_told_results_that_it_does_not_need(tg, asked):
    tg.write("job.py", JOB.format(body=asked).replace("two(first)", "two(1)"))

    tg("execute", "-q", "job.py", code=1)

    (failure,) = tg.json("errors", "job.py")
    assert failure["error"] == "TaskInsideTaskError"
    assert "job.two asked for the result of job.one while it ran" in failure["message"]
    assert "Pass the task as an argument" in failure["message"]


def test_another_thread_may_ask_while_a_task_runs_in_this_process():
    began, asked = threading.Event(), threading.Event()

    def wait(first):
        began.set()
        return asked.wait(30)

    first = TaskGenerator(divmod, name="first")(7, 2)
    store = open_store("memory://")
    run(first, store=store)
    second = TaskGenerator(wait, name="second")(1)

    def ask():
        began.wait(30)
        try:
            return first.value()
        finally:
            asked.set()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask)
        run(second, store=store)
    assert answer.result() == (3, 1)


LATE = """
import taskgraph
from taskgraph import TaskGenerator

class Late:
    def __init__(self, tasks):
        self.tasks = tasks

    def __taskgraph_hash__(self):
        return self.tasks  # so it needs them

    def __taskgraph_value__(self):
        return self  # and is not given their results

@TaskGenerator
def one(x):
    return 1

@TaskGenerator
def two(late):
    return taskgraph.value(late.tasks), taskgraph.value(base)

base = one(0)
tasks = [one([base, i]) for i in (1, 2)]
last = two(Late(tasks))
"""


def test_a_task_loads_what_it_needs_when_it_likes_and_what_that_needs(tg):
    tg.write("job.py", LATE)

    tg("execute", "-q", "job.py")

    assert tg.json("status", "job.py")["total"]["done"] == 4


def test_a_task_is_told_results_of_another_store(tg):
    tg.write("other.py", JOB.format(body="pass"))
    tg("execute", "-q", "other.py")
    other = "taskgraph.init('other.py', 'other.tgdata')[1]"
    tg.write("job.py", JOB.format(body=f"assert {other}['first'].value() == x"))

    tg("execute", "-q", "job.py")

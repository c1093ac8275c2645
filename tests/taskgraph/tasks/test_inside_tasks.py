"""What a task cannot do to the store that it runs for, and what it can elsewhere."""

import pytest

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

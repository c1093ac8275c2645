"""Failures are tried again by their causes."""

import pytest

from backends.interface import Cause
from taskgraph import OptionError, TaskGenerator, open_store, run
from taskgraph.execution.poison import poisonous
from taskgraph.records import Failure
from taskgraph.results.causes import is_among, named_causes
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.limits import checked_causes
from taskgraph.tasks.recording import Recording, recorded_in


@pytest.fixture
def tg(forked_tg):
    return forked_tg


class OwnError(Exception):
    """One that is not Python's."""


class CloserError(OwnError):
    """One that extends it."""


def failure(kind, cause="exception"):
    return Failure(cause, kind if isinstance(kind, str) else kind.__qualname__, "", "")


@pytest.mark.parametrize(
    ("causes", "failed", "again"),
    [
        (OSError, failure(ConnectionResetError), True),
        ("OSError", failure(ConnectionResetError), True),
        ("OSError", failure(ValueError), False),
        (OwnError, failure(CloserError), True),
        ("CloserError", failure(CloserError), True),
        ("mine.CloserError", failure(CloserError), True),
        ("OwnError", failure(CloserError), False),
        (["timeout", ValueError], failure("Timeout", "timeout"), True),
        ("killed", failure("Timeout", "timeout"), False),
        ("killed", failure("WorkerDied", "killed"), True),
        ("killed,timeout", failure("WorkerDied", "killed"), True),
        ("Exception", failure("WorkerDied", "killed"), False),
        ("unstorable", failure(TypeError, "unstorable"), True),
        (TypeError, failure(TypeError, "unstorable"), True),
        ("exception", failure(CloserError), True),
    ],
)
def test_causes_are_exceptions_by_what_they_extend_and_other_ends(
    causes, failed, again
):
    checked = checked_causes(causes, "f")
    assert is_among(failed, checked) is again
    assert is_among(failed, named_causes(checked)) is again


@pytest.mark.parametrize("causes", [3, int, "", "two words", [None], ["a", 1]])
def test_what_is_no_cause_is_refused(causes):
    with pytest.raises(OptionError, match="give exceptions or their names"):
        checked_causes(causes, "f")


def fail(kind):
    tries.append(kind)
    raise {"own": CloserError, "os": ConnectionResetError, "value": ValueError}[kind]


tries: list[str] = []


def test_only_failures_of_a_cause_are_tried_again_in_a_run_and_by_the_next():
    store = open_store("memory://")
    written = TaskGenerator(fail, retries=2, retries_on=(OwnError, "OSError"))
    tasks = [written("own"), written("os"), written("value")]
    tries.clear()

    run(tasks, store=store, workers=0, check=False)
    assert sorted(tries) == ["os"] * 3 + ["own"] * 3 + ["value"]
    tries.clear()
    report = run(tasks, store=store, workers=0, check=False)
    assert sorted(tries) == ["os"] * 3 + ["own"] * 3
    assert report.failed == 3


def test_one_kill_is_enough_if_that_is_not_tried_again():
    backend = open_store("memory://").backend
    with recorded_in(Recording()):
        never = TaskGenerator(fail, retries_on=OSError)("own")
        again = TaskGenerator(fail, retries_on="killed", version=2)("own")
        plain = TaskGenerator(fail, version=3)("own")
    graph = Graph([never, again, plain])
    for task in graph.tasks:
        backend.claim([task.key])
        backend.expel(backend.worker, Cause.KILLED, running=task.key)

    assert set(poisonous(graph, backend, graph)) == {never.key}
    assert set(poisonous(graph, backend, graph, ("timeout",))) == {never.key, plain.key}


def test_a_run_is_told_for_functions_that_do_not_say_it(tg):
    tg.write(
        "falls.py",
        "from taskgraph import TaskGenerator\n\n"
        "@TaskGenerator(retries=2)\n"
        "def fall(number):\n"
        "    print('try')\n"
        "    raise ValueError\n\n"
        "fall(1)\n",
    )
    tg("execute", "falls.py", "--retries-on", "OSError", code=1)
    assert tg.json("show", "falls.py", "fall")["attempt"] == 1
    said = tg("execute", "falls.py", "--retries-on", "timeout,OSError", code=1).stderr
    assert "1 task failed for causes that are not tried again" in said
    tg("execute", "falls.py", "--retries-on", "ValueError", code=1)
    assert tg.json("show", "falls.py", "fall")["attempt"] == 3
    refused = tg("execute", "falls.py", "--retries-on", "a b", code=2).stderr
    assert "--retries-on: retries_on='a b'; give exceptions" in refused

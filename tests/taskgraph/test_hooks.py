"""Functions that workers call, and what ends a worker before all is done."""

import pytest

from taskgraph import UsageError
from taskgraph.hooks import exit_checks, register_hook, register_hook_once, workers

SCRIPT = """
from taskgraph import TaskGenerator, barrier
from taskgraph.hooks import exit_checks, register_hook, register_hook_once
def say(word):
    with open("said.txt", "a") as file:
        file.write(word + " ")
def interrupt(task):
    raise KeyboardInterrupt
@TaskGenerator
def double(x):
    if x == 4:
        raise ValueError("no")
    return 2 * x
{}
out = [double(x) for x in range({})]
"""
CALLS = """
register_hook("execute.task-loadable", lambda task: say(f"there-{task.args[0]}"))
register_hook("execute.task-pre-execute", lambda task: say(f"before-{task.args[0]}"))
register_hook("execute.task-executed1", lambda task: say(f"after-{task.result}"))
register_hook("execute.finished_pre_status", lambda: say("end"))
register_hook("execute.finished_post_status", lambda: say("over"))
"""


@pytest.fixture
def tg(forked_tg):
    return forked_tg


@pytest.fixture(autouse=True)
def no_hooks():
    from taskgraph.hooks import reset_all_hooks

    reset_all_hooks()
    yield
    reset_all_hooks()


def said(tg):
    text = (tg.folder / "said.txt").read_text().split()
    (tg.folder / "said.txt").unlink()
    return text


def test_hooks_are_called_at_their_points(tg):
    path = tg.write("work.py", SCRIPT.format(CALLS, 2))
    tg("execute", "-q", path)
    around = ["before-0", "after-0", "before-1", "after-2"]
    words = said(tg)
    assert sorted(words[:4]) == sorted(around)
    assert words[4:] == ["end", "over"]

    tg.write("work.py", SCRIPT.format(CALLS, 5))
    tg("execute", "-q", path, code=1)
    words = said(tg)
    assert words[:2] == ["there-0", "there-1"]
    assert "before-4" in words
    assert "after-8" not in words  # it raised


@pytest.mark.parametrize(
    ("check", "left"),
    [
        ("exit_checks.exit_after_n_tasks(2)", 2),
        ("exit_checks.exit_after_time(seconds=0)", 3),
        ("exit_checks.exit_when_true(lambda t: True, function_takes_Task=True)", 3),
        ("register_hook('execute.task-executed1', lambda t: 1 / 0)", 3),
        ("register_hook('execute.task-executed1', interrupt)", 3),
    ],
    ids=["number", "time", "a function", "an error", "an interrupt"],
)
def test_a_worker_ends_after_a_task_and_keeps_its_result(tg, check, left):
    path = tg.write("work.py", SCRIPT.format(check, 4))
    done = tg("execute", path, code=5)
    assert f"{4 - left} done, {left} open" in done.stderr
    assert ("ZeroDivisionError" in done.stdout + done.stderr) == ("1 / 0" in check)


def test_a_hook_that_raises_before_the_first_task_is_not_told_as_time_alone(tg):
    check = "register_hook('execute.task-pre-execute', interrupt)"
    path = tg.write("work.py", SCRIPT.format(check, 2))
    done = tg("execute", path, code=1)
    assert "2 open" in done.stderr  # and none is taken for one that kills its worker
    assert "or mend the hook" in done.stderr


def test_a_worker_ends_before_a_task_if_there_is_a_file(tg):
    check = "exit_checks.exit_if_file_exists('enough')"
    path = tg.write("work.py", SCRIPT.format(check, 3))
    tg.write("enough", "")
    assert "3 open" in tg("execute", path, code=1).stderr
    (tg.folder / "enough").unlink()
    tg("execute", path)


def test_hooks_behind_a_barrier_are_called(tg):
    text = SCRIPT.format("double(100)\nbarrier()\n" + CALLS, 2)
    path = tg.write("work.py", text)
    tg("execute", "-q", path)
    assert {"before-0", "after-2", "end"} <= set(said(tg))


def test_variables_of_jug_are_heeded(tg):
    path = tg.write("work.py", SCRIPT.format("", 4))
    done = tg("execute", path, code=5, env={"JUG_MAX_TASKS": "3"})
    assert "3 done, 1 open" in done.stderr
    done = tg("execute", path, code=2, env={"JUG_MAX_HOURS": "0.5"})
    assert "JUG_MAX_HOURS=0.5: write a whole number" in done.stderr


def test_the_stop_file_of_jug_stops_a_run(tg):
    path = tg.write("work.py", SCRIPT.format("", 4))
    name = "__jug_please_stop_running.txt"
    tg.write(name, "")
    assert name in tg("execute", path, code=1).stderr
    (tg.folder / name).unlink()
    tg("execute", "-q", path)


def test_times_add_up():
    exit_checks.exit_env_vars({"JUG_MAX_HOURS": "0", "JUG_MAX_SECONDS": "0"})
    assert workers.after(None)
    exit_checks.exit_env_vars({"JUG_MAX_MINUTES": "-1", "JUG_MAX_SECONDS": "59"})
    assert not workers.after(None)


def test_what_is_registered_once_is_called_once():
    calls = []
    for _ in range(2):
        register_hook_once("execute.task-executed1", "mine", calls.append)
    assert workers.after("task")
    assert calls == ["task"]


def test_a_hook_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="there are execute"):
        register_hook("execute.started", print)

"""Scripts that Python runs: the same tasks as for `tg`, and what they are told."""

import subprocess
import sys

import pytest

from ..forking_tg import call_tg

SCRIPT = """
import multiprocessing
import taskgraph
from taskgraph import TaskGenerator
class Point:
    def __init__(self, x):
        self.x = x
@TaskGenerator
def shift(point, by):
    with open("log", "a") as log:
        print(point.x, file=log)
    return Point(point.x + by)
@TaskGenerator
def total(points):
    return sum(point.x for point in points)
points = [shift(Point(x), 1) for x in range(3)]
answer = total(points)
"""
RUNS_ITSELF = f"""{SCRIPT}
report = taskgraph.run(workers=2)
print("then", taskgraph.value(answer), report.done)
"""
GUARDED = f"""{SCRIPT}
if __name__ == "__main__":
    taskgraph.run(__file__)
    print("then", taskgraph.value(answer), type(taskgraph.value(points[0])).__name__)
"""
OF_TASKS = f"""{SCRIPT}
if __name__ == "__main__":
    taskgraph.run(answer, store="work.tgdata")
    print("then", taskgraph.value(answer))
"""


def python(tg, name="work.py"):
    return subprocess.run(
        [sys.executable, name],
        cwd=tg.folder,
        env=tg.env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (RUNS_ITSELF, "python"),
        (RUNS_ITSELF, "tg"),
        (GUARDED, "tg"),
        (OF_TASKS, "python"),
    ],
    ids=["itself", "itself-tg-first", "guarded", "tasks"],
)
def test_python_and_tg_run_the_same_tasks(tg, text, first):
    tg.write("work.py", text)

    for who in (first, *{"python", "tg"} - {first}):
        if who == "python":
            assert "then 6" in python(tg).stdout
        else:
            assert call_tg(tg.folder, "execute", "work.py", "-q", "-j", "2")[0] == 0
    assert sorted((tg.folder / "log").read_text().split()) == ["0", "1", "2"]
    if text == OF_TASKS:
        assert call_tg(tg.folder, "value", "work.py", "total") == (0, "6\n")
        assert "Point" in call_tg(tg.folder, "value", "work.py", "shift", "--all")[1]


def test_a_script_that_runs_nothing_is_told_how(tg):
    (tg.folder / "work.py").write_text(SCRIPT)

    told = python(tg).stderr

    assert "work.py has written down 4 tasks and run none" in told
    assert "`tg execute work.py` runs them" in told


@pytest.mark.parametrize("end", ["raise SystemExit", "taskgraph.status(answer)", ""])
def test_who_knows_what_to_do_is_told_nothing(tg, end):
    text = SCRIPT.replace("points = ", "points = []\n#").replace("answer = ", "#")
    text = SCRIPT if "status" in end else text
    (tg.folder / "work.py").write_text(f"{text}\n{end}\n")

    assert python(tg).stderr == ""


def test_a_script_named_like_a_module_of_python_keeps_its_own_names(tg):
    (tg.folder / "random.py").write_text(
        "from taskgraph import TaskGenerator, run, value\n"
        "@TaskGenerator\ndef f(x):\n    return x\n"
        "task = f(1)\nrun(task)\nprint(f.name, value(task))\n"
    )
    assert python(tg, "random.py").stdout == "__main__.f 1\n"


KEPT = """
import taskgraph
from taskgraph import Task, TaskGenerator
@TaskGenerator
def f(x):
    return x
if __name__ == "__main__":
    taskgraph.run([f(1), f(2)]MORE)
"""


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "in the memory of this process alone, and"),
        (", workers=2", "in the memory of this process alone, which therefore runs"),
        (", store='memory://'", ""),
        (", store='kept', workers=2", ""),
    ],
)
def test_a_script_is_told_that_results_are_not_kept(tmp_path, more, told):
    (tmp_path / "script.py").write_text(KEPT.replace("MORE", more))
    command = [sys.executable, "script.py"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    if told:
        assert told in done.stderr
        assert 'run(..., store="script.tgdata") keeps them' in done.stderr
    else:
        assert not done.stderr

"""Jugfiles are scripts: their names, neighbours, threads, ends, and other jugfiles."""

import subprocess
import sys

import pytest

from taskgraph import (
    Task,
    UsageError,
    init,
    is_jug_running,
    open_store,
    run,
    set_jugdir,
    value,
)
from taskgraph.tasks.jugfile import Jugfile

ONE = """
from taskgraph import TaskGenerator
@TaskGenerator
def f(x): return x
f(1)
"""
THREADS = """
import threading
from concurrent.futures import ThreadPoolExecutor
from taskgraph import TaskGenerator

@TaskGenerator
def f(x, needs=()): return x

f(-1)
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda i: f(i, [f(i + 1000)]), range(200)))
thread = threading.Thread(target=f, args=(-2,))
thread.start()
thread.join()
"""


def test_tasks_written_down_in_threads_count_and_are_not_mixed_up(tmp_path):
    path = tmp_path / "job.py"
    path.write_text(THREADS)

    graph = Jugfile(path).load(open_store("memory://")).graph

    assert len(graph) == 402
    pairs = [task for task in graph.tasks if task.needs]
    assert sorted(task.args[0] for task in pairs) == list(range(200))
    assert all(task.needs[0].args[0] == task.args[0] + 1000 for task in pairs)
    assert all(task.recording.results is not None for task in graph.tasks)


def test_a_task_inside_a_task_is_refused_in_a_thread_of_it_too(tg):
    tg.write(
        "job.py",
        """
from concurrent.futures import ThreadPoolExecutor
from taskgraph import TaskGenerator
@TaskGenerator
def inner(x): return x
@TaskGenerator
def outer():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(inner, 1).result()
outer()
""",
    )

    tg("execute", "-q", "job.py", code=1)

    assert tg.json("errors", "job.py")[0]["error"] == "TaskInsideTaskError"


def test_a_thread_that_is_late_with_a_task_is_told(tmp_path):
    path = tmp_path / "job.py"
    path.write_text(
        "import threading\nfrom taskgraph import Task\n"
        "go, said = threading.Event(), []\n"
        "def late():\n"
        "    go.wait(60)\n"
        "    try:\n"
        "        Task(divmod, 7, 2)\n"
        "    except Exception as error:\n"
        "        said.append(error)\n"
        "thread = threading.Thread(target=late)\n"
        "thread.start()\n"
    )
    space = Jugfile(path).load(open_store("memory://")).space

    space["go"].set()
    space["thread"].join()

    assert isinstance(space["said"][0], UsageError)
    assert "wait for the thread" in str(space["said"][0])


@pytest.mark.parametrize("end", ["sys.exit()", "sys.exit(0)", "exit()", "quit(0)"])
def test_a_script_may_end_by_leaving(tg, end):
    tg.write("job.py", f"import sys{ONE}{end}\n1 / 0\n")

    assert "1 done" in tg("execute", "job.py").stderr


def test_a_script_that_leaves_with_an_error_is_one(tg):
    tg.write("job.py", f"import sys{ONE}sys.exit(3)\n")

    assert "job.py:6: SystemExit: 3" in tg("execute", "job.py", code=2).stderr


def test_a_guard_that_hides_all_tasks_is_named(tg):
    guarded = ONE.replace("f(1)", 'if __name__ == "__main__":\n    f(1)')
    tg.write("job.py", guarded)

    assert 'under `if __name__ == "__main__":`' in tg("execute", "job.py").stderr


@pytest.mark.parametrize(
    "name",
    [
        *[
            "signal",
            "random",
            "math",
            "io",
            "resource",
            "types",
            "copy",
            "json",
            "this",
        ],
        "numpy",
    ],
)
def test_a_jugfile_that_would_hide_a_module_is_refused_in_one_sentence(tg, name):
    path = tg.write(f"{name}.py", ONE)

    refused = tg("execute", path.name, code=2).stderr

    assert f"{name}.py is named like " in refused
    assert "rename the jugfile" in refused
    assert len(refused.splitlines()) == 1
    assert not (tg.folder / f"{name}.tgdata").exists()


CLASSES = """
from dataclasses import dataclass
from taskgraph import TaskGenerator
@dataclass
class Cell:
    area: int
@TaskGenerator
def measure():
    return Cell(3)
measure()
"""


@pytest.mark.parametrize("name", ["analysis.v2.py", "2024-05.01 run.py", "job"])
def test_a_jugfile_may_have_dots_in_its_name_and_classes_of_its_own(tg, name):
    tg.write(name, CLASSES)

    tg("execute", name, "-q")

    assert tg("value", name, "measure").stdout == "Cell(area=3)\n"


def test_two_jugfiles_that_would_be_one_module_are_refused(tg):
    tg.write("analysis.v2.py", ONE)
    tg.write("analysis_v2.py", ONE)

    assert "rename one of them" in tg("execute", "analysis.v2.py", code=2).stderr


def test_modules_are_found_beside_the_jugfile_and_then_where_it_began(tg):
    (tg.folder / "scripts").mkdir()
    for folder in ("scripts/", ""):
        tg.write(f"{folder}both.py", f"WHERE = '{folder}'\n")
    tg.write("mine.py", "WHERE = 'start'\n")
    tg.write(
        "scripts/job.py",
        "import both, mine\nfrom taskgraph import Task\n"
        "Task(list, both.WHERE + mine.WHERE)\n",
    )

    tg("execute", "-q", "scripts/job.py")

    assert "['s', 'c', 'r'" in tg("value", "scripts/job.py", "list").stdout


HELPED = """
import helper
from helper.inside import FACTOR
from taskgraph import TaskGenerator
@TaskGenerator
def f(x): return x * FACTOR * helper.FACTOR
f(10)
"""


@pytest.mark.parametrize("workers", [0, 1])
def test_jugfiles_of_two_folders_have_their_own_neighbours(tmp_path, workers):
    found = []
    for folder, factor in (("a", 1), ("b", 2), ("a", 1)):
        home = tmp_path / folder
        (home / "helper").mkdir(parents=True, exist_ok=True)
        for name in ("__init__", "inside"):
            (home / "helper" / f"{name}.py").write_text(f"FACTOR = {factor}\n")
        (home / "job.py").write_text(HELPED)
        report = run(home / "job.py", workers=workers)
        (key,) = report.store.backend.keys()
        found.append(report.store.load(key))

    assert found == [10, 40, 10]


def test_a_script_is_told_that_results_are_of_another_ones_function(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "work.py").write_text(
            "from taskgraph import TaskGenerator, run, set_jugdir, value\n"
            "set_jugdir('results')\n"
            f"@TaskGenerator\ndef f(x): return '{name}', x\n"
            "t = f(1)\nrun(t)\nprint(value(t))\n"
        )

    said = [
        subprocess.run(
            [sys.executable, f"{name}/work.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stderr
        for name in "ab"
    ]

    assert "changed" not in said[0]
    assert "code of `f` changed since 1 result: it is kept" in said[1]


def test_a_jugfile_may_use_the_results_of_another(tg):
    tg.write("first.py", ONE.replace("f(1)", "res = f(4)"))
    tg("execute", "-q", "first.py", "--store", "first.data")
    tg.write(
        "second.py",
        """
import taskgraph
_, space = taskgraph.init('first.py', 'first.data')
@taskgraph.TaskGenerator
def two(x, y): return x * 10 + y
out = two(taskgraph.value(space['res']), space['res'])
""",
    )

    done = tg("execute", "second.py", "-j", "2")

    assert "2 done" in done.stderr
    assert tg("value", "second.py", "two").stdout == "44\n"


def test_a_notebook_that_loads_a_jugfile_writes_to_its_store(tmp_path):
    (tmp_path / "job.py").write_text(ONE)
    init(tmp_path / "job.py", tmp_path / "store")

    task = Task(divmod, 7, 2)

    assert run(task, workers=0).store.backend.url == str(tmp_path / "store")
    assert value(task) == (3, 1)


def test_only_a_jugfile_or_a_task_is_run_by_the_engine(tmp_path):
    assert not is_jug_running()
    set_jugdir(tmp_path / "store")
    assert not is_jug_running()
    task = Task(is_jug_running)
    run(task, workers=0)
    assert value(task) is True
    path = tmp_path / "job.py"
    path.write_text("from taskgraph import is_jug_running\nseen = is_jug_running()\n")
    assert Jugfile(path).load(open_store("memory://")).space["seen"] is True
    assert not is_jug_running()


POOLS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from taskgraph import CachedFunction, TaskGenerator, barrier, bvalue, value

def square(x):
    return x * x

@TaskGenerator
def how_many():
    return 3

@TaskGenerator
def squares(n, kind):
    context = multiprocessing.get_context(kind)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        return list(pool.map(square, range(n)))

n = how_many()
barrier()
assert bvalue(n) == value(n) == CachedFunction(len, "abc") == 3
for kind in ("fork", "spawn", "forkserver"):
    squares(bvalue(n), kind)
"""


@pytest.mark.parametrize("options", [(), ("--preload",), ("--debug",)])
def test_pools_of_all_kinds_work_in_a_jugfile_with_barriers(tg, options):
    tg.write("job.py", POOLS)

    tg("execute", "-q", *options, "job.py")

    assert tg("value", "job.py", "squares", "--all").stdout.count("[0, 1, 4]") == 3


def test_breakpoint_in_a_worker_says_how_to_have_a_debugger(tg):
    tg.write("job.py", ONE.replace("return x", "breakpoint()"))

    tg("execute", "-q", "job.py", code=1)

    assert "run it with --debug" in tg.json("errors", "job.py")[0]["message"]
    tried = tg("execute", "job.py", "--debug", "--retry", stdin="p 'seen'\nc\n")
    assert "seen" in tried.stdout


@pytest.mark.parametrize(
    ("neighbour", "content", "job"),
    [
        ("random.py", "x = 1", "from random import Random"),
        ("queue.py", "from missing import x", "import queue"),
        ("numpy.py", "x = 1", "import numpy\nnumpy.zeros(3)"),
    ],
)
def test_a_neighbour_that_hides_a_module_is_named(fresh_tg, neighbour, content, job):
    fresh_tg.write(neighbour, f"{content}\n")
    fresh_tg.write("job.py", f"{job}\n")

    said = fresh_tg("execute", "job.py", code=2).stderr

    name = neighbour.removesuffix(".py")
    assert f"{neighbour} beside it hides the module {name}" in said

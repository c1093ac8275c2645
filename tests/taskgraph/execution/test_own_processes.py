"""Each worker reads the jugfile itself: nothing that it makes at its top is shared."""

import pytest

RANDOM = """
import random, time
import numpy as np
from taskgraph import TaskGenerator

rng = np.random.default_rng()

@TaskGenerator
def draw(i):
    time.sleep(0.03)
    return random.random(), np.random.rand(), rng.random()

@TaskGenerator
def distinct(drawn):
    return [len(set(numbers)) for numbers in zip(*drawn)]

distinct([draw(i) for i in range(12)])
"""
RECORDS = """
import time
from taskgraph import TaskGenerator

records = open("records.txt", buffering=1)

@TaskGenerator
def read(i):
    records.seek(10 * i)
    time.sleep(0.002)
    return records.readline() == f"{i:09}\\n"

@TaskGenerator
def right(found):
    return sum(found)

right([read(i) for i in range(200)])
"""
NAMES = """
import os, tempfile, time
from taskgraph import TaskGenerator

folder = tempfile.mkdtemp(dir=".")

@TaskGenerator
def write_and_read(i):
    path = f"{folder}/part.txt"
    with open(path, "w") as file:
        file.write(str(i))
    time.sleep(0.02)
    with open(path) as file:
        return file.read() == str(i)

@TaskGenerator
def right(found):
    return sum(found)

right([write_and_read(i) for i in range(24)])
"""
POOLS = """
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from taskgraph import TaskGenerator

def slow(x):
    time.sleep(0.01)
    return abs(x)

threads, processes = ThreadPoolExecutor(2), ProcessPoolExecutor(2)
n = sum(threads.map(slow, range(-4, 0))) + sum(processes.map(slow, range(-4, 0)))

@TaskGenerator
def use(n):
    return sum(threads.map(slow, (-1, -2))) + sum(processes.map(slow, (-1, -2)))

use(n)
"""


@pytest.mark.parametrize(
    ("script", "name", "result"),
    [
        (RANDOM, "distinct", "[12, 12, 12]"),
        (RECORDS, "right", "200"),
        (NAMES, "right", "24"),
        (POOLS, "use", "6"),
    ],
    ids=["random numbers", "open files", "names", "pools"],
)
def test_workers_share_nothing_that_the_jugfile_made(tg, script, name, result):
    tg.write("records.txt", "".join(f"{i:09}\n" for i in range(200)))
    tg.write("job.py", script)

    tg("execute", "job.py", "-j", "4", "-q")

    assert tg("value", "job.py", name).stdout.strip() == result


def test_a_worker_that_is_started_again_draws_other_numbers(tg):
    tg.write(
        "job.py",
        """
import os, numpy as np
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator
def draw():
    with open("drawn.txt", "a") as file:
        file.write(f"{np.random.rand()}\\n")
    if len(Path("drawn.txt").read_text().split()) < 3:
        os._exit(9)

draw()
""",
    )

    tg("execute", "job.py", "-q")

    drawn = (tg.folder / "drawn.txt").read_text().split()
    assert len(drawn) == len(set(drawn)) == 3


def test_what_the_jugfile_prints_is_shown_once(tg):
    tg.write(
        "job.py",
        """
import sys
from taskgraph import TaskGenerator
print("from its top"); print("and aside", file=sys.stderr)
@TaskGenerator
def f(x):
    print("from a task")
for i in range(4): f(i)
""",
    )

    done = tg("execute", "job.py", "-j", "3")

    assert done.stdout.count("from its top") == 1
    assert done.stderr.count("and aside") == 1
    assert done.stdout.count("from a task") == 4


def test_the_user_is_told_that_workers_have_read_different_tasks(tg):
    tg.write(
        "job.py",
        """
import os, time
from taskgraph import TaskGenerator
@TaskGenerator
def same(x): time.sleep(0.1)
@TaskGenerator
def other(x): pass
same(1), other(os.getpid())
""",
    )

    alone = tg("execute", "job.py")
    together = tg("execute", "job.py", "-j", "2", "--retry")

    assert "different tasks" not in alone.stderr
    assert (
        "workers read different tasks of job.other from one jugfile" in together.stderr
    )


def test_two_stores_of_one_jugfile_are_refused(tg):
    tg.write(
        "job.py",
        """
import os
from taskgraph import TaskGenerator, set_jugdir
set_jugdir(f"store-{os.getpid()}")
@TaskGenerator
def f(x): return x
f(1)
""",
    )

    assert (
        "workers chose two stores" in tg("execute", "job.py", "-j", "2", code=2).stderr
    )


@pytest.mark.parametrize("chosen", ["", "set_jugdir('chosen')"])
def test_a_function_called_at_once_runs_once_while_the_other_workers_wait(tg, chosen):
    tg.write(
        "job.py",
        f"""
import os, time
from taskgraph import CachedFunction, TaskGenerator, set_jugdir
{chosen}
def slow():
    with open("calls.txt", "a") as file:
        file.write("called\\n")
    time.sleep(1)
    return 3
@TaskGenerator
def f(x): return x
for i in range(CachedFunction(slow)): f(i)
""",
    )

    done = tg("execute", "job.py", "-j", "3")

    assert (tg.folder / "calls.txt").read_text() == "called\n"
    assert "3 done" in done.stderr
    assert tg.json("locks", "job.py") == []


def test_who_runs_a_function_at_once_and_dies_hands_it_on(tg):
    tg.write(
        "job.py",
        """
import os
from taskgraph import CachedFunction, TaskGenerator
def deadly():
    if not os.path.exists("died"):
        open("died", "w").close()
        os.kill(os.getpid(), 9)
    return 2
@TaskGenerator
def f(x): return x
for i in range(CachedFunction(deadly)): f(i)
""",
    )

    done = tg("execute", "job.py", "-j", "2")

    assert "died of SIGKILL while it read the jugfile" in done.stderr
    assert "2 done" in done.stderr
    assert tg.json("locks", "job.py") == []


def test_a_jugfile_that_kills_whoever_reads_it_ends_the_run(tg):
    tg.write("job.py", "import os\nos.kill(os.getpid(), 11)\n")

    done = tg("execute", "job.py", "-j", "2", code=1)

    assert "died of SIGSEGV while it read the jugfile" in done.stderr
    assert "again and again" in done.stderr


def test_nobody_waits_for_ever_for_a_first_reader_that_dies_again_and_again(tg):
    tg.write(
        "job.py",
        "import os\n"
        "shown = os.fstat(1).st_rdev != os.stat('/dev/null').st_rdev\n"
        "if shown: os._exit(3)  # only the first one shows what it prints\n",
    )

    done = tg("execute", "job.py", "-j", "2", code=1)

    assert "workers die again and again before they run anything" in done.stderr


DAEMONS = """
import queue, threading, time

def wait_forever():
    inbox = queue.SimpleQueue()
    while True:
        try:
            inbox.get(timeout=0.001)
        except queue.Empty:
            time.sleep(0)

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.3)

queue.last = Slow()  # what is named in the module is gone while that waits
"""
LEFT = """
import daemons, threading
from taskgraph import TaskGenerator

@TaskGenerator
def start(x):
    for _ in range(3):
        threading.Thread(target=daemons.wait_forever, daemon=True).start()
    return x

start(1)
"""


def test_daemons_that_find_modules_emptied_at_the_end_say_nothing(tg):
    tg.write("daemons.py", DAEMONS)
    tg.write("job.py", LEFT)
    done = tg("execute", "job.py")
    assert "1 done" in done.stderr
    assert "Exception" not in done.stderr + done.stdout

"""A jugfile goes on from a barrier where it stands, as if it had been read anew."""

import decimal
import json

import pytest

from taskgraph import open_store, run, value
from taskgraph.execution.worker import Worker
from taskgraph.exit_codes import ExitCode
from taskgraph.tasks.jugfile import Jugfile

TOP = """\
import contextlib, io, itertools, random
from pathlib import Path
import numpy as np
from taskgraph import TaskGenerator, barrier, bvalue, value

def reads():
    with Path(__file__).with_name("reads").open("a") as log:
        log.write("r")

reads()

@TaskGenerator
def note(what): return what
"""

GOES_ON = {
    "barriers": "xs = []\nfor i in range(9):\n    xs.append(note(i))\n    barrier()\n",
    "values": "x = 0\nfor i in range(9):\n    x = bvalue(note(x)) + 1\n",
    "a comprehension": "xs = [bvalue(note(i)) for i in range(9)]",
    "a function": "def f(i): return bvalue(note(i))\nxs = [f(i) for i in range(9)]",
    "an exception that was handled": (
        "for i in range(9):\n    try: 1 / 0\n    except ZeroDivisionError: pass\n"
        "    bvalue(note(i))\n"
    ),
    "what functions only read": (
        "table = {'a': np.arange(9)}\nclass Point:\n    x: int = 1\n"
        "@TaskGenerator\ndef f(i): return int(table['a'][i]) + Point.x\n"
        "for i in range(9): bvalue(f(i))\n"
    ),
}
"""Scripts with nine barriers that are read twice by a worker, and once at the end."""


def outcome(folder, text):
    """Run a script; return how often it was read, and what it defines at its end.

    `run` reads it once more at its end, and raises if any of its tasks is not done.
    """
    path = folder / "job.py"
    path.write_text(TOP + text)
    report = run(path, workers=0)
    read = len((folder / "reads").read_text())
    loaded = Jugfile(path).load(report.store)
    assert not loaded.missing
    assert report.done == len(loaded.graph)
    return read, loaded.space


@pytest.mark.parametrize("text", GOES_ON.values(), ids=GOES_ON.keys())
def test_a_script_stands_at_its_barriers(tmp_path, text):
    assert outcome(tmp_path, text)[0] == 3


SPOILT = {
    "a name": "n = 0\n@TaskGenerator\ndef f(i):\n    global n\n    n += 1\n",
    "a list": "n = []\n@TaskGenerator\ndef f(i): n.append(i)\n",
    "an array": "n = np.zeros(3)\n@TaskGenerator\ndef f(i): n[0] += 1\n",
    "an array that is an argument": (
        "n = np.zeros(3)\n@TaskGenerator\ndef g(i, a): a[0] += 1\n"
        "def f(i): return g(i, n.copy() if i else n)\n"
    ),
    "an attribute": (
        "class Box: pass\nn = Box()\nn.x = 0\n@TaskGenerator\ndef f(i): n.x += 1\n"
    ),
    "an attribute of a class": (
        "class n:\n    x = 0\n    def state(self=0): return n.x\n"
        "@TaskGenerator\ndef f(i): n.x += 1\n"
    ),
    "a list of a class": (
        "class n:\n    x = []\n    def state(self=0): return len(n.x)\n"
        "@TaskGenerator\ndef f(i): n.x.append(i)\n"
    ),
    "a default": (
        "def n(x={}): return x\nn.state = lambda: dict(n())\n"
        "@TaskGenerator\ndef f(i): n()[i] = i\n"
    ),
    "an attribute of a function": (
        "def n(): pass\nn.x = 0\nn.state = lambda: n.x\n"
        "@TaskGenerator\ndef f(i): n.x += 1\n"
    ),
    "a variable of a function around": (
        "def make():\n    x = 0\n    def n(more=0):\n        nonlocal x\n"
        "        x += more\n        return x\n    n.state = n\n    return n\n"
        "n = make()\n@TaskGenerator\ndef f(i): n(1)\n"
    ),
    "a counter": (
        "c = itertools.count()\nclass n:\n    def state(self=0): return next(c)\n"
        "@TaskGenerator\ndef f(i): next(c)\n"
    ),
    "a file": (
        "file = io.BytesIO(bytes(range(99)))\n"
        "class n:\n    def state(self=0): return file.read(2)\n"
        "@TaskGenerator\ndef f(i): file.read(7)\n"
    ),
    "a generator of random numbers": (
        "rng = np.random.default_rng(0)\n"
        "class n:\n    def state(self=0): return float(rng.random())\n"
        "@TaskGenerator\ndef f(i): rng.random()\n"
    ),
    "numbers of random": (
        "random.seed(0)\nclass n:\n    def state(self=0): return random.random()\n"
        "@TaskGenerator\ndef f(i): random.random()\n"
    ),
    "numbers of numpy.random": (
        "np.random.seed(0)\n"
        "class n:\n    def state(self=0): return float(np.random.random())\n"
        "@TaskGenerator\ndef f(i): np.random.random()\n"
    ),
    "a list, by its method": (
        "xs = []\nadd = xs.append\n"
        "class n:\n    def state(self=0): return len(xs)\n"
        "@TaskGenerator\ndef f(i): add(i)\n"
    ),
    "a generator of random numbers, by its method": (
        "draw = random.Random(1).random\n"
        "class n:\n    def state(self=0): return draw()\n"
        "@TaskGenerator\ndef f(i): draw()\n"
    ),
    "what is cached": (
        "import functools\n@functools.lru_cache\ndef made(): return {'x': 1}\n"
        "class n:\n    def state(self=0): return made()['x']\n"
        "@TaskGenerator\ndef f(i): made()['x'] *= 2\n"
    ),
    "a name that nobody should use": (
        "__n = []\nclass n:\n    def state(self=0): return len(globals()['__n'])\n"
        "@TaskGenerator\ndef f(i): __n.append(i)\n"
    ),
    "an attribute of a member": (
        "import enum\nclass E(enum.Enum):\n    A = 1\nE.A.x = 0\n"
        "class n:\n    def state(self=0): return E.A.x\n"
        "@TaskGenerator\ndef f(i): E.A.x += 1\n"
    ),
    "an attribute of a text": (
        "class Text(str): pass\nt = Text('t')\nt.x = 0\n"
        "class n:\n    def state(self=0): return t.x\n"
        "@TaskGenerator\ndef f(i): t.x += 1\n"
    ),
    "an attribute of a logger": (
        "import logging\nlog = logging.getLogger('a test')\nlog.x = 0\n"
        "class n:\n    def state(self=0): return log.x\n"
        "@TaskGenerator\ndef f(i): log.x += 1\n"
    ),
    "a function's globals": (
        "xs = []\ndef g(): pass\nclass n:\n    def state(self=0): return len(xs)\n"
        "@TaskGenerator\ndef f(i): g.__globals__['xs'].append(i)\n"
    ),
    "the environment": (
        "import os\nos.environ['A_TEST'] = 'a'\n"
        "class n:\n    def state(self=0): return os.environ['A_TEST']\n"
        "@TaskGenerator\ndef f(i): os.environ['A_TEST'] += 'a'\n"
    ),
    "an attribute of a module": (
        "import json\njson.a_test = 0\n"
        "class n:\n    def state(self=0): return json.a_test\n"
        "@TaskGenerator\ndef f(i): json.a_test += 1\n"
    ),
    "how exact decimals are": (
        "import decimal\ndecimal.getcontext().prec = 10\n"
        "class n:\n    def state(self=0): return decimal.getcontext().prec\n"
        "@TaskGenerator\ndef f(i): decimal.getcontext().prec += 1\n"
    ),
    "globals()": "n = 0\n@TaskGenerator\ndef f(i): globals()['n'] += 1\n",
    "itself, imported": (
        "n = 0\n@TaskGenerator\ndef f(i):\n    import job\n    job.n += 1\n"
    ),
}
"""What a task may change in its process that the script uses: `n`, or `n.state()`."""
SEES = """
def seen():
    if hasattr(n, "state"): return n.state()
    return getattr(n, "x", None) if type(n).__name__ == "Box" else n
for i in range(4):
    barrier()
    note([i, seen()])
    f(i)
barrier()
note(["end", seen()])
"""


@pytest.mark.parametrize("text", SPOILT.values(), ids=SPOILT.keys())
def test_a_script_never_sees_what_tasks_did_to_it(tmp_path, monkeypatch, text):
    monkeypatch.setenv("A_TEST", "")
    monkeypatch.setattr(json, "a_test", 0, raising=False)
    with decimal.localcontext():
        outcome(tmp_path, text + SEES)


def test_random_numbers_of_tasks_go_on_too(tmp_path):
    text = (
        "random.seed(0)\n@TaskGenerator\ndef f(i): return random.random()\n"
        "xs = []\nfor i in range(5):\n    xs.append(f(i))\n    barrier()\n"
    )
    read, space = outcome(tmp_path, text)
    assert read == 3
    assert len(set(value(space["xs"]))) >= 4  # it began anew once, as the script did


OPEN = {
    "with": "with contextlib.suppress(ZeroDivisionError):\n        ",
    "try": "try:\n        ",
}


@pytest.mark.parametrize("end", ["", "    finally: pass\n"])
def test_a_script_is_left_where_something_is_open(tmp_path, end):
    begin = OPEN["try" if end else "with"]
    text = f"for i in range(5):\n    {begin}bvalue(note(i))\n{end}"
    assert outcome(tmp_path, text)[0] == 7


GUESSES = {
    "Exception": "try: x = bvalue(note(1))\nexcept Exception: x = 100\n",
    "everything": "try: x = bvalue(note(1))\nexcept: x = 100\n",
    "twice": (
        "x = 0\nfor i in range(3):\n    try: x += bvalue(note(i))\n"
        "    except Exception: x += 100\n"
    ),
    "and fails": "try: x = bvalue(note(1))\nexcept Exception: pass\nx += 0\n",
    "and exits": (
        "try: x = bvalue(note(1))\nexcept Exception:\n    note(100)\n"
        "    raise SystemExit(1)\n"
    ),
    "finally": "try: x = bvalue(note(1))\nfinally: note('cleared')\n",
    "in a thread": (
        "import threading\nx = []\n"
        "def ask():\n    try: x.append(bvalue(note(1)))\n"
        "    except Exception: x.append(100)\n"
        "thread = threading.Thread(target=ask)\nthread.start()\nthread.join()\n"
    ),
}
"""Scripts that catch what ends them at a barrier, and go on without the value."""


@pytest.mark.parametrize("text", GUESSES.values(), ids=GUESSES.keys())
def test_what_a_script_guesses_is_never_run(tmp_path, text):
    _, space = outcome(tmp_path, text + "end = note([x])\n")
    assert value(space["end"]) in ([1], [[1]], [3])
    results = space["end"].recording.results
    told = {record.summary for _, record in results.records(results.backend.keys())}
    assert not any("100" in summary for summary in told)


def test_a_script_that_asks_what_is_there_is_answered_anew(tmp_path):
    text = (
        "a = note(1)\nknown = a.can_load()\nbarrier()\n"
        "b, c = note(2), note(known)\nb_known = b.can_load()\nbarrier()\n"
        "note([known, b_known])\n"
    )
    _, space = outcome(tmp_path, text)
    assert space["known"]
    assert space["b_known"]


FORGETS = """
from taskgraph import open_store

def runs(name):
    path = Path(__file__).with_name(name)
    path.write_text((path.read_text() if path.exists() else "") + "x")
    return len(path.read_text())

@TaskGenerator
def one(): return runs("one")

@TaskGenerator
def forget(x, key):
    if runs("forget") == 1:
        open_store(str(Path(__file__).with_name("jugdata"))).backend.discard(
            [bytes.fromhex(key)], reason="as somebody wants it")
    return x

a = one()
first = bvalue(a)
second = bvalue(note(first))
third = bvalue(forget(second, a.key.hex()))
last = note([first, second, third])
barrier()
"""


def test_a_script_that_has_seen_a_result_that_is_gone_is_read_anew(tmp_path):
    path = tmp_path / "job.py"
    path.write_text(TOP + FORGETS)
    report = run(path, store=tmp_path / "jugdata", workers=0)
    loaded = Jugfile(path).load(report.store)
    assert value(loaded.space["last"]) == [2, 2, 2]


def test_a_script_that_was_edited_while_it_stands_is_read_anew(tmp_path):
    text = (
        "@TaskGenerator\ndef edit(i):\n"
        "    path = Path(__file__)\n"
        "    path.write_text(path.read_text().replace('note(7)', 'note(8888)'))\n"
        "bvalue(note(0))\nbvalue(edit(1))\nlast = note(7)\n"
    )
    _, space = outcome(tmp_path, text)
    assert value(space["last"]) == 8888


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_stand_each_at_its_own_barrier(tg, workers):
    tg.write(
        "job.py",
        "import time\n" + TOP + "@TaskGenerator\ndef slow(i, j):\n"
        "    time.sleep(0.01 * (i % 2))\n    return i + j\n"
        "x = 0\nfor i in range(12):\n"
        "    x = bvalue(slow(x, i))\n    [slow(i, -j) for j in range(5)]\n"
        "last = note(x)\n",
    )
    tg("execute", "-q", "-j", str(workers), "job.py")
    assert tg("value", "job.py", "note").stdout == "66\n"
    assert tg.json("status", "job.py")["finished"]
    assert len((tg.folder / "reads").read_text()) <= 2 * workers + 1


def test_a_failure_before_a_barrier_ends_a_script_that_stands(tg):
    tg.write(
        "job.py",
        TOP + "@TaskGenerator\ndef fails(i): return 1 / (3 - i)\n"
        "for i in range(9):\n    fails(i)\n    barrier()\n",
    )
    tg("execute", "-q", "job.py", code=1)
    status = tg.json("status", "job.py")
    assert status["total"]["done"] == 3
    assert status["total"]["failed"] == 1
    assert not status["complete"]


def test_what_a_script_prints_is_of_no_task(tg):
    printed = "for i in range(4):\n    print('script', i)\n    bvalue(note(i))\n"
    path = tg.write("job.py", TOP + printed)
    assert "script 3" in tg("execute", "-q", "job.py").stdout
    results = open_store(str(path.with_suffix(".tgdata")))
    results.backend.poll()
    records = dict(results.records(iter(results.backend.keys())))
    assert [record.output for record in records.values()] == [""] * 4


FAILS_ONCE = """\
@TaskGenerator
def flaky():
    Path(__file__).with_name("reads").rename(Path(__file__).with_name("mended"))
note(0)
barrier()
flaky()
barrier()
note(1)
"""


def test_a_failure_that_was_taken_away_while_a_script_stood_is_run_again(
    tmp_path, monkeypatch
):
    path = tmp_path / "job.py"
    path.write_text(TOP.replace("reads()\n\n@", "@") + FAILS_ONCE)
    read_on, codes = Worker._read_on, []

    def retried(worker):
        codes.append(read_on(worker))
        failed = worker._backend.failures()
        if failed:
            (tmp_path / "reads").touch()
            worker._backend.discard(list(failed), reason="retry")
        return codes[-1]

    monkeypatch.setattr(Worker, "_read_on", retried)
    report = run(path, workers=0)
    assert report.done == 3
    assert codes[0] is ExitCode.DONE


def test_who_runs_something_at_once_after_a_barrier_stays_a_member(tg):
    tg.write(
        "job.py",
        "import os\nfrom taskgraph import CachedFunction, open_store\n" + TOP + "\n"
        "def members():\n"
        "    backend = open_store(os.environ['_TASKGRAPH_STORE']).backend\n"
        "    return len(backend.members.names())\n"
        "@TaskGenerator\ndef count(i): return members()\n"
        "bvalue(note(0))\nCachedFunction(members)\nbvalue(count(1))\n",
    )
    tg("execute", "-q", "job.py")
    assert tg("value", "job.py", "count").stdout == "1\n"

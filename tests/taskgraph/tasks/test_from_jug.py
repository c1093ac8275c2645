"""Each row of what differs from jug on purpose, in docs/from-jug.md."""

import re
from pathlib import Path

import pytest

from taskgraph import NoResultError, UsageError, open_store, run, value
from taskgraph.errors import JugfileError
from taskgraph.execution.at_once import run_at_once
from taskgraph.tasks.jugfile import Jugfile

PAGE = Path(__file__).parents[3] / "docs" / "from-jug.md"
HEAD = """
import taskgraph
from taskgraph import *
from collections import OrderedDict, deque, namedtuple
import numpy as np
Pair = namedtuple("Pair", "x y")
@TaskGenerator
def t(x): return x % 2
@TaskGenerator
def same(x): return x
@TaskGenerator
def base(): return [3, 1, 2]
"""
VALUES = {
    "`f([[1], 2])`, `f([[1, 2]])`": (
        "out = same([[1], 2]), same([[1, 2]])",
        ([[1], 2], [[1, 2]]),
    ),
    "`f(1)`, `f(x=1)`, `f(1, y=2)` with `y=2` by default": (
        """
@TaskGenerator
def f(x, y=2): return x
out = len({f(1).key, f(x=1).key, f(1, y=2).key})
""",
        1,
    ),
    "`f(t, t)`, `f(x, x)`": (
        """
@TaskGenerator
def f(a, b):
    a.append(4)
    return len(b), a is b
x = [1]
b = base()
out = f(b, b), f(x, x)
""",
        ((3, False), (1, False)),
    ),
    "`f({3, 1, 2})`": ("out = same({3, 1, 2}).key == same({2, 1, 3}).key", True),
    "`def f(x, seen=[])`, filled by `f`": (
        """
@TaskGenerator
def f(x, seen=[]):
    seen.append(x)
    return list(seen)
out = f(1), f(2)
""",
        ([1], [2]),
    ),
    "`x.sort()` in a task": (
        """
@TaskGenerator
def a(x):
    x.sort()
    return x[0]
@TaskGenerator
def b(x, after): return x[0]
out = a(base()), b(base(), a(base()))
""",
        (1, 3),
    ),
    "`def f(x, y=task)`": (
        """
task = base()
@TaskGenerator
def f(x, y=task): return type(y).__name__
out = f(1)
""",
        "list",
    ),
    '`def f(x, opts={"a": 1})`, and `f` changes `opts`': (
        """
@TaskGenerator
def f(x, opts={"a": 1}):
    opts[x] = x
    return len(opts)
out = f(1), f(2)
""",
        (2, 2),
    ),
    "`def f(x, k=k)` in a loop": (
        """
out = []
for k in range(3):
    def f(x, k=k): return x * k
    out.append(TaskGenerator(f)(10))
""",
        [0, 10, 20],
    ),
    "`OrderedDict(a=t)`, `deque([t])`, named tuples, objects, arrays of objects": (
        """
def kinds(box):
    return [type(e) for e in getattr(box, 'values', box.__iter__)()]
out = [Task(kinds, box) for box in (
    OrderedDict(a=t(1)), deque([t(1)]),
    Pair(t(1), t(2)), np.array([t(1), t(2)], dtype=object)
)]
""",
        [[int], [int], [int, int], [int, int]],
    ),
    "`t.is_loaded()`, `t.unload()`": (
        """
one = base()
out = one.is_loaded(), one.unload()
""",
        (False, None),
    ),
    "`t.run()` while the jugfile is read": (
        "out = CachedFunction(len, 'ab'), base().run(), base().run()",
        (2, [3, 1, 2], [3, 1, 2]),
    ),
}
REFUSED = {
    "two functions of one name": (
        """
@TaskGenerator
def f(): return 1
f()
@TaskGenerator
def f(): return 2
f()
""",
        "names two functions",
    ),
    '`if task:`, `task == 3`, `len(task)`, `f"{task}"`, `np.array(task)`': (
        "if base(): pass",
        r"wait for it with bvalue\(task\)",
    ),
    "`Tasklet(t, lambda r: r[-1])`": (
        "Tasklet(base(), lambda r: r[-1])",
        r"write task\[-1\]",
    ),
    "`TaskGenerator(rng.normal)`, a method of an object": (
        "TaskGenerator(np.random.default_rng(1).normal)",
        "write a function that takes what it needs",
    ),
    "`f(rng)`, `f(open(...))`, `f(zip(a, b))`": (
        "same(zip([1], [2]))",
        "no stable hash; pass plain data",
    ),
    "`async def`, or a function that yields": (
        """
@TaskGenerator
async def f(): pass
""",
        "asyncio.run",
    ),
    '`t.name = "x"` after `f(t)`': (
        "b = base(); same(b); b.name = 'x'",
        "TaskGenerator.*name='x'",
    ),
    '`set_jugdir("dict_store")`, `--store "%(jugfile)s"`': (
        "set_jugdir('dict_store')",
        "memory://",
    ),
}
FAILS = {
    "`parts.append(...)` after `f(parts)`": (
        """
parts = [t(1)]
out = same(parts)
parts.append(t(2))
""",
        "changed after the call was written down",
    ),
    "`g({t1: 10, t2: 20})`, `g({t1, t2})`": (
        "out = same({t(1): 10, t(3): 20})",
        r"Use a list \(of pairs\)",
    ),
    "`g.f` of a task that calls `h(1).run()`": (
        """
@TaskGenerator
def outer(): return base().run()
out = outer()
""",
        r"Call the plain function with g\.f",
    ),
    "`value(t)` in a function that runs as a task": (
        """
@TaskGenerator
def outer(): return value(one)
one = base()
out = outer()
""",
        "Pass the task as an argument",
    ),
    "`return_tuple(3)` of two items": (
        """
@return_tuple(3)
def f(): return same((1, 2))
out = same(f()[0])
""",
        "has 2 items",
    ),
}
WITHOUT = "`value(t)` without a result"


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "work.py"
        path.write_text(HEAD + text)
        results = open_store("memory://")
        return results, Jugfile(path, run_at_once=run_at_once).load(results)

    return load


@pytest.mark.parametrize("row", VALUES)
def test_a_jugfile_has_other_values_on_purpose(row, load):
    text, expected = VALUES[row]
    results, loaded = load(text)
    run(loaded.graph.tasks, store=results)
    assert value(loaded.space["out"]) == expected


@pytest.mark.parametrize("row", REFUSED)
def test_a_jugfile_is_refused_on_purpose(row, load):
    text, said = REFUSED[row]
    with pytest.raises((JugfileError, UsageError), match=said):
        load(text)


@pytest.mark.parametrize("row", FAILS)
def test_a_task_fails_on_purpose(row, load):
    text, said = FAILS[row]
    results, loaded = load(text)
    run(loaded.graph.tasks, store=results, check=False)
    assert re.search(said, results.record(loaded.space["out"].key).failure.message)


def test_a_missing_result_is_a_lookup_error(load):
    _, loaded = load("out = base()")
    with pytest.raises(NoResultError):
        value(loaded.space["out"])
    assert issubclass(NoResultError, LookupError)


def test_the_page_has_the_rows_that_are_tested():
    table = PAGE.read_text().partition("| in a jugfile |")[2].partition("\n\n")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2:]]
    assert sorted(rows) == sorted([*VALUES, *REFUSED, *FAILS, WITHOUT])

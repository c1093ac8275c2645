"""Cells of a notebook, run by IPython itself in a process of its own."""

import subprocess
import sys

import pytest

pytest.importorskip("IPython")

CELLS = '''
from taskgraph import *
import taskgraph
@TaskGenerator
def square(x):
    return x * x
@TaskGenerator
def total(xs):
    return sum(xs)
class Point:
    def __init__(self, x):
        self.x = x
@TaskGenerator
def x_of(point):
    return point.x
def tasks():
    return [total([square(x) for x in range(4)]), x_of(Point(3))]
first = tasks()
assert run(first, store="nb", workers=2).done == 6
assert value(first) == [14, 3]
# %% the same cell, run again
@TaskGenerator
def square(x):
    return x * x
class Point:
    def __init__(self, x):
        self.x = x
assert [task.key for task in tasks()] == [task.key for task in first]
# %% edited
@TaskGenerator
def square(x):
    return x * x + 1
again = tasks()
assert run(again, store="nb").done == 6
assert value(again[0]) == 14
assert invalidate(again, name="square", store="nb") == 5
assert run(again, store="nb", workers=2, progress=True).done == 6
assert value(again[0]) == 18
# %% taken back
assert undo(again) == 5
assert value(again[0]) == 14
assert "__main__.square" in status(again).counts
# %% two functions of one name, of two cells
old = square(1)
@TaskGenerator
def square(x):
    return -x
new = square(2)
with in_store():
    run([old, new])
    assert value([old, new]) == [2, -2]
# %% an error points into the cell
@TaskGenerator
def fail(x):
    return x / 0
report = run(fail(1), store="nb", check=False)
assert "return x / 0" in report.errors[0].traceback
# %% scripts and modules
open("script.py", "w").write("""
from taskgraph import TaskGenerator
@TaskGenerator
def half(x):
    return x / 2
""")
%run script.py
assert half.name == "__main__.half"
run(half(3), store="nb")
%load_ext autoreload
%autoreload 2
import script
run(script.half(3), store="nb")
# %% edited outside
import os
text = open("script.py").read().replace("x / 2", "x / 2 + 1")
open("script.py", "w").write(text)
os.utime("script.py", (2e9, 2e9))
# %%
edited = script.half(3)
run(edited, store="nb")
assert value(edited) == 1.5
invalidate(edited)
run(edited, store="nb")
assert value(edited) == 2.5
# %% processes of tasks
@TaskGenerator
def spread(n):
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(abs, range(-n, 0))
task = spread(2)
run(task, store="nb", workers=1)
assert value(task) == [2, 1]
try:
    run()
except UsageError as error:
    assert "tasks, not nothing" in str(error)
else:
    raise AssertionError
print("all cells ran")
'''
RUN = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in {CELLS!r}.split("# %%"):
    done = shell.run_cell("#" + cell)
    done.raise_error()
"""


def test_cells_are_run_again_edited_forgotten_and_taken_back(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={"IPYTHONDIR": str(tmp_path / "ipython"), "HOME": str(tmp_path)},
    )

    assert "all cells ran" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    assert "code of `square` changed since 4 results: they are kept" in done.stderr
    assert "6 of 6 tasks done" in done.stderr

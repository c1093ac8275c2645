"""Results of other code: told, accepted, taken back, forgotten."""

from __future__ import annotations

from taskgraph import accept, run, undo

WORK = """
from taskgraph import TaskGenerator
from helpers import grey

@TaskGenerator
def segment(x):
    return grey(x) + 1

@TaskGenerator
def total(xs):
    return sum(xs)

t = total([segment(i) for i in range(4)])
"""
HELPERS = "SIGMA = 2\ndef grey(x):\n    return x * SIGMA\n"


def test_other_code_is_told_accepted_taken_back_and_forgotten(tg):
    tg.write("helpers.py", HELPERS)
    tg.write("work.py", WORK)
    tg("execute", "-q", "work.py")
    assert "code of" not in tg("status", "work.py").stderr

    tg.write("helpers.py", HELPERS.replace("return", "# why\n    return"))
    assert "code of" not in tg("status", "work.py").stderr
    # Of another length: what Python compiled in the same second would be imported else.
    tg.write("helpers.py", HELPERS.replace("x * SIGMA", "(SIGMA * x) * 1"))
    told = "code of `segment` (its helper `grey`) changed since 4 results"
    assert told in tg("status", "work.py").stderr
    assert told in tg("execute", "work.py").stderr

    assert "4 results would be" in tg("accept", "work.py", "segment", "-n").stderr
    assert tg("accept", "work.py", "nosuch", code=2)
    accepted = tg.json("accept", "work.py", "seg*")
    assert accepted["accepted"][0]["results"] == 4
    for command in ("status", "execute"):
        assert "code of" not in tg(command, "work.py").stderr
    tg("invalidate", "work.py", "--changed", "--yes")
    assert tg.json("status", "work.py")["total"]["done"] == 5

    assert accepted["number"] in tg("undo", "work.py", "--list").stdout
    tg("undo", "work.py")
    assert told in tg("status", "work.py").stderr
    tg("invalidate", "work.py", "--changed", "--name", "segment", "--yes")
    assert tg.json("status", "work.py")["total"]["done"] == 0


def test_code_that_is_given_as_an_argument_counts(tg):
    given = WORK.replace("segment(x)", "segment(f, x)").replace("grey(x)", "f(x)")
    tg.write("helpers.py", HELPERS)
    tg.write("work.py", given.replace("segment(i)", "segment(grey, i)"))
    tg("execute", "-q", "work.py")
    tg.write("helpers.py", HELPERS.replace("x * SIGMA", "(SIGMA * x) * 1"))

    told = "code of `segment` (its helper `grey`) changed since 4 results"
    assert told in tg("status", "work.py").stderr
    assert told in tg("execute", "work.py").stderr


def test_python_takes_an_acceptance_back(tmp_path):
    path = tmp_path / "work.py"
    path.write_text("from taskgraph import Task\ndef f(x): return x\nTask(f, 1)\n")
    run(path, workers=0)
    path.write_text(path.read_text().replace("return x", "return 0 + x"))
    assert accept(path) == 1
    assert accept(path) == 0
    assert undo(path) == 1
    assert accept(path) == 1

"""What a task sets in context variables ends with it; what the script set holds."""

import ast
import decimal

import numpy as np
import pytest

from taskgraph import TaskGenerator, open_store, run, value
from taskgraph.execution.at_once import run_at_once
from taskgraph.tasks.recording import Recording, recorded_in

SPOILT = """
import contextvars, decimal
import numpy as np
from taskgraph import TaskGenerator

asked = contextvars.ContextVar("asked", default="nothing")
{more}
@TaskGenerator{options}
def spoil(x):
    {what}
    return x

@TaskGenerator
def third(before, x):
    errors = np.geterr()["divide"]
    return [str(decimal.Decimal(1) / 3), str(np.array([1 / 3])), asked.get(), errors]

found = [third(spoil(i), i) for i in range(3)]
"""
UNSPOILT = ["0." + 28 * "3", "[0.33333333]", "nothing", "warn"]


@pytest.fixture
def tg(forked_tg):
    return forked_tg


def found_after(tg, what, *, more="", options=""):
    text = SPOILT.format(what=what, more=more, options=options)
    (tg.folder / "job.py").write_text(text)
    tg("execute", "job.py")
    return ast.literal_eval(tg("value", "job.py", "found").stdout)


@pytest.mark.parametrize("options", ["", "(timeout=60)"])
@pytest.mark.parametrize(
    "what",
    [
        "decimal.getcontext().prec = 4",
        "decimal.setcontext(decimal.Context(prec=4))",
        "decimal.getcontext().traps[decimal.Inexact] = True",
        "np.seterr(all='raise')",
        "np.set_printoptions(precision=2)",
        "asked.set('something')",
    ],
)
def test_the_next_task_finds_nothing_of_it(tg, what, options):
    assert found_after(tg, what, options=options) == [UNSPOILT] * 3


def test_what_the_script_set_holds_for_all_tasks(tg):
    more = "decimal.getcontext().prec = 3; asked.set('all'); np.seterr(all='ignore')"
    rows = found_after(tg, "decimal.getcontext().prec += 5", more=more)
    assert rows == [["0.333", "[0.33333333]", "all", "ignore"]] * 3


@TaskGenerator
def spoil_decimals(x):
    decimal.getcontext().prec = 4
    np.seterr(all="raise")
    return x


def test_a_notebook_keeps_its_own():
    mine, before = decimal.getcontext(), np.geterr()
    with recorded_in(Recording(open_store("memory://"), run_at_once)):
        task = spoil_decimals(1)
        run(task)
        assert value(task) == 1
    assert decimal.getcontext() is mine
    assert mine.prec == 28
    assert np.geterr() == before

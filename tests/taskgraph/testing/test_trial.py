"""What `taskgraph.testing` offers to those who test their jugfiles."""

import pytest

from taskgraph import JugfileError, NoResultError, TasksFailedError, UsageError
from taskgraph.testing import Trial

WORK = """
import sys
from taskgraph import TaskGenerator, barrier, bvalue
import helping
@TaskGenerator
def square(x):
    return x * x
@TaskGenerator
def total(xs):
    return sum(xs)
squares = [square(x) for x in range(int((sys.argv + [3])[1]))]
if bvalue(total(squares)):
    helping.half(squares[-1])
"""
HELPING = """
from taskgraph import TaskGenerator
@TaskGenerator
def half(x):
    if x == 9:
        raise ValueError("nine")
    return x / 2
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "helping.py").write_text(HELPING)
    path = tmp_path / "work.py"
    path.write_text(WORK)
    return path


@pytest.mark.parametrize("workers", [0, 1])
def test_a_trial_tells_what_ran_and_what_came_out(script, tmp_path, workers):
    store = tmp_path / "store" if workers else "memory://"
    trial = Trial(script, store=store, workers=workers)

    assert trial.run() == {"square": 3, "total": 1, "helping.half": 1}
    assert trial.run() == {}
    assert trial.values("square") == [0, 1, 4]
    assert (trial.value("total"), trial.value("helping.half")) == (5, 2.0)
    assert trial.counts["square"] == {"done": 3, "failed": 0, "blocked": 0, "open": 0}


def test_only_what_an_edit_or_an_invalidation_touches_runs_again(script):
    trial = Trial(script)
    trial.run()

    script.write_text(WORK.replace("[3]", "[5]").replace("squares[-1]", "squares[2]"))
    assert trial.run() == {"square": 2, "total": 1}
    assert trial.invalidate("total") == 1
    assert trial.run() == {"total": 1}
    assert trial.invalidate("square") == 8  # with the total of three
    assert trial.run() == {"square": 5, "total": 1, "helping.half": 1}


def test_failures_are_raised_or_looked_at(script):
    trial = Trial(script, "4")

    with pytest.raises(TasksFailedError, match="nine"):
        trial.run()
    assert [failed.function for failed in trial.errors] == ["helping.half"]
    assert trial.run(check=False) == {"helping.half": 1}  # tried once more
    with pytest.raises(NoResultError):
        trial.value("half")


def test_each_trial_has_a_store_of_its_own(script):
    first, second = Trial(script), Trial(script)
    first.run()

    assert second.counts["square"]["open"] == 3
    assert not list(script.parent.glob("*.tgdata"))


def test_wrong_names_and_scripts_are_told(script, tmp_path):
    trial = Trial(script)
    trial.run()

    with pytest.raises(UsageError, match=r"no task is of 'hlaf'.*helping.half, square"):
        trial.values("hlaf")
    with pytest.raises(UsageError, match="square has 3 tasks; values"):
        trial.value("square")
    with pytest.raises(JugfileError, match="there is no jugfile"):
        Trial(tmp_path / "absent.py").run()

"""Results of other code, told before a run."""

import pytest

from backends.journal import Journal
from taskgraph import open_store
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.upkeep.code.changed_code import told_changes

MANY = """
from taskgraph import TaskGenerator

def half(x):
    return x / 2

@TaskGenerator
def number(x):
    return half(x)

@TaskGenerator
def apply(f, x):
    return f(x)

[number(x) for x in range(30)]
"""
GIVEN = MANY + "[apply(half, x) for x in range(30)]\n"


@pytest.fixture
def told(tg, monkeypatch):
    """Return what tells of results of a jugfile, and how many were looked for."""
    looked, find = [], Journal.find
    monkeypatch.setattr(Journal, "find", lambda *a: (looked.append(a), find(*a))[1])

    def tell():
        results = open_store(str(tg.folder / "many.tgdata"))
        said = told_changes(Jugfile(tg.folder / "many.py").load(results))
        return said, len(looked)

    return tell


def test_if_nothing_was_changed_no_record_is_looked_for(tg, told):
    tg.write("many.py", MANY)
    tg("execute", "many.py")

    assert told() == ("", 0)


@pytest.mark.parametrize("text", [MANY, GIVEN])
def test_a_change_is_told_of_functions_and_of_what_they_are_given(tg, told, text):
    tg.write("many.py", text)
    tg("execute", "many.py")
    tg.write("many.py", text.replace("x / 2", "x * 0.5"))

    said, looked = told()

    assert "code of `number` (its helper `half`) changed since 30 results" in said
    assert ("code of `apply`" in said) == (text == GIVEN)
    assert looked


def test_what_no_task_wants_any_more_is_not_told_of(tg, told):
    tg.write("many.py", MANY.replace("range(30)", "range(30, 40)"))
    tg("execute", "many.py")
    tg.write("many.py", MANY.replace("x / 2", "x * 0.5"))
    tg("execute", "many.py")

    said, looked = told()

    assert (said, looked > 0) == ("", True)

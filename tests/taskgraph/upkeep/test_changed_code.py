"""Results of other code, told before a run, or at its end if it changed meanwhile."""

import pytest

from backends.journal import Journal
from backends.state import State
from taskgraph import open_store, run
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.upkeep import snapshot
from taskgraph.upkeep.code import at_a_glance
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


def test_of_a_large_graph_it_is_told_that_nothing_changed_without_its_records(
    tg, monkeypatch
):
    monkeypatch.setattr(at_a_glance, "_FEW", 9)
    monkeypatch.setattr(at_a_glance, "_SOME", 5)
    tg.write("many.py", MANY)
    tg("execute", "many.py")
    jugfile = tg.folder / "many.py"

    def changes():
        backend = open_store(str(tg.folder / "many.tgdata")).backend
        backend.refresh()
        graph = snapshot.load(backend, jugfile)
        with monkeypatch.context() as patched:
            patched.setattr(State, "apply", lambda *a: (folded.append(a), apply(*a))[1])
            found = at_a_glance.changes_at_a_glance(graph, backend, jugfile)
        return [(change.name, len(change.keys)) for change in found]

    folded, apply = [], State.apply
    assert (changes(), folded) == ([], [])

    tg.write("many.py", MANY.replace("x / 2", "x * 0.5"))
    assert changes() == [("many.number", 30)]

    tg("accept", "many.py", "*")
    assert changes() == []


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


EDITED = """
import os, time
from pathlib import Path
from taskgraph import TaskGenerator, barrier
from factor import FACTOR, factor

@TaskGenerator
def number(x):
    return x * FACTOR * factor() * 1

@TaskGenerator
def edit(name, _):
    file = Path(__file__).with_name(name)
    before = file.read_text()
    after = before.replace(*CHANGE)
    file.write_text(after)
    if name == "factor.py" and after != before:
        time.sleep(1)  # what was done before is published
        os.kill(os.getpid(), 9)  # whoever takes its place reads the files anew
    return 1

edited = edit(NAME, number(0))
"""
FACTORS = """
FACTOR = 1

def factor():
    return 1
"""
ONCE = "changed since 1 result"


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        (
            "job.py",
            ("x * ", "-x * "),
            f"code of `edit` {ONCE}; code of `number` {ONCE}",
        ),
        # Of another length: else Python may take what was compiled in the same second.
        (
            "factor.py",
            ("n 1", "n 22"),
            f"code of `number` (its helper `factor`) {ONCE}",
        ),
        ("factor.py", ("= 1", "= 22"), "results of `job.number` are by more than one"),
    ],
)
def test_results_of_two_codes_in_one_run_are_told_at_its_end(tg, name, change, why):
    end = "barrier()\nnumber(1)\n" if name == "job.py" else "number(edited)\n"
    text = EDITED.replace("NAME", repr(name)) + end
    tg.write("job.py", text.replace("CHANGE", repr(change)))
    tg.write("factor.py", FACTORS)

    said = tg("execute", "job.py").stderr

    assert "files were changed during the run" in said
    assert why in said


@pytest.mark.parametrize("workers", [0, 2])
def test_results_of_two_codes_are_told_to_a_preloaded_run_and_to_python(
    tg, caplog, monkeypatch, workers
):
    change = ("x * ", "-x * ")
    text = EDITED.replace("NAME", "'job.py'").replace("CHANGE", repr(change))
    tg.write("job.py", text + "barrier()\nnumber(1)\n")
    tg.write("factor.py", FACTORS)
    if workers:
        said = tg("execute", "job.py", "--preload", "-j", "2").stderr
    else:
        monkeypatch.chdir(tg.folder)
        monkeypatch.syspath_prepend(tg.folder)
        run("job.py", check=False)
        said = "\n".join(caplog.messages)
    assert "files were changed during the run" in said
    assert f"code of `number` {ONCE}" in said


def test_files_that_were_only_touched_during_a_run_are_not_told_of(tg):
    text = EDITED.replace("NAME", "'job.py'").replace("CHANGE", "('a', 'a')")
    tg.write("job.py", text)
    tg.write("factor.py", FACTORS)

    said = tg("execute", "job.py").stderr

    assert "2 done" in said
    assert "changed" not in said

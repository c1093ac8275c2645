"""`--also`: results of other stores, taken by runs and counted by who looks."""

import pytest

SCRIPT = """
import os
import numpy as np
from pathlib import Path
from taskgraph import TaskGenerator, barrier, value

def note(what):
    with open("ran.txt", "a") as file:
        file.write(what + "\\n")

@TaskGenerator
def line(i):
    note("line")
    return np.arange(50_000) * i

@TaskGenerator
def total(x):
    note("total")
    return int(x.sum())

@TaskGenerator(files=True)
def saved(x):
    note("saved")
    path = Path(os.environ.get("OUT", "out.txt"))
    path.write_text(str(x))
    return path

@TaskGenerator
def best(totals):
    note("best")
    return max(totals)

totals = [total(line(i)) for i in range(3)]
barrier()
assert all(value(each) >= 0 for each in totals)
top = best(totals)
saved(top)
"""


@pytest.fixture
def work(tg):
    tg.write("work.py", SCRIPT)
    tg("execute", "-q", "work.py", "--store", "shared")
    (tg.folder / "ran.txt").unlink()
    return tg


def ran(work):
    path = work.folder / "ran.txt"
    return sorted(path.read_text().split()) if path.exists() else []


def contents(folder):
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nothing_is_run_that_another_store_has_beyond_barriers_too(work):
    before = contents(work.folder / "shared")

    said = work("execute", "work.py", "-j", "2", "--also", "shared").stderr

    assert ran(work) == []
    assert "8 results taken from other stores" in said
    assert contents(work.folder / "shared") == before
    (work.folder / "shared").rename(work.folder / "away")
    assert work("check", "work.py")
    assert work("fsck", "work.py")
    assert work("value", "work.py", "best").stdout == f"{sum(range(50_000)) * 2}\n"


def test_what_a_script_wants_at_once_is_taken_too(tg):
    script = """
from taskgraph import CachedFunction

def cost(x):
    open("ran.txt", "a").write("cost ")
    return x + 1

print(CachedFunction(cost, 41))
"""
    tg.write("work.py", script)
    tg("execute", "-q", "work.py", "--store", "shared")
    (tg.folder / "ran.txt").unlink()

    said = tg("execute", "work.py", "--also", "shared").stdout

    assert said.strip() == "42"
    assert ran(tg) == []


def test_files_that_are_gone_are_made_again(work):
    (work.folder / "out.txt").unlink()

    work("execute", "-q", "work.py", "--also", "shared")

    assert ran(work) == ["saved"]
    assert (work.folder / "out.txt").exists()


def test_who_looks_counts_what_a_run_would_take(work):
    work("execute", "-q", "work.py", "--name", "line")
    work("check", "work.py", code=1)
    (work.folder / "ran.txt").unlink()

    status = work.json("status", "work.py", "--also", "shared")
    value = work("value", "work.py", "total", "--all", env={"TG_ALSO": "no;shared"})
    shown = work.json("show", "work.py", "total", "--also", "shared")
    rows = work.json("table", "work.py", "total", "--also", "shared")

    assert status["total"]["done"] == status["tasks"] == 6
    assert str(sum(range(50_000))) in value.stdout
    assert "no" in value.stderr
    assert {row["state"] for row in shown} == {"done"}
    assert [row["total"] for row in rows] == [i * sum(range(50_000)) for i in range(3)]
    assert work.json("status", "work.py")["total"]["done"] == 3
    assert ran(work) == []


def test_what_was_invalidated_here_is_run_and_that_is_told(work):
    work("execute", "-q", "work.py", "--also", "shared")
    work("invalidate", "work.py", "--name", "total", "--yes")

    said = work("execute", "work.py", "--also", "shared").stderr

    assert ran(work) == ["best", "saved", "total", "total", "total"]
    assert "invalidated here" in said


def test_a_store_that_is_not_there_is_told_and_everything_is_run(work):
    said = work("execute", "work.py", "--also", "nowhere").stderr

    assert "nowhere" in said
    assert "computed" in said
    assert len(ran(work)) == 8


def test_code_that_has_changed_since_is_told(work):
    script = SCRIPT.replace("int(x.sum())", "int(x.sum()) + 0")
    work.write("work.py", script)

    said = work("execute", "work.py", "--also", "shared").stderr

    assert "code of `total` changed since" in said


def test_settings_name_other_stores_as_seen_from_their_file(work):
    work.write("tg.toml", 'also = ["shared"]\n')

    work("execute", "-q", "work.py")

    assert ran(work) == []


def test_jobs_get_other_stores_by_a_file_only_the_user_reads(work):
    options = ("-n", "1", "--local", "--dry-run")
    said = work("submit", "work.py", *options, "--also", "redis://:secret@h").stdout

    assert "secret" not in said


def test_who_waits_counts_what_a_run_would_take(tg):
    tg.write(
        "two.py",
        "from taskgraph import Task\nTask(sum, [Task(abs, -1), Task(len, '')])\n",
    )
    tg("execute", "-q", "two.py", "--store", "shared")
    tg("execute", "-q", "two.py", "--name", "abs", code=0)

    tg("wait", "two.py", "--timeout", "0", code=3)
    tg("wait", "two.py", "--timeout", "0", "--also", "shared")

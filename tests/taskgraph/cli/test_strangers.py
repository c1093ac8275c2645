"""A store from a stranger is data: to look at it harms nobody."""

import re
import subprocess
from pathlib import Path

import pytest

import segkit
import taskgraph
from backends.opening import open_backend


@pytest.mark.parametrize(
    "command",
    [("locks", "--release", "dead"), ("fsck", "--repair"), ("execute",), ("status",)],
    ids=lambda command: command[0],
)
def test_a_worker_s_name_removes_nothing_and_is_refused_in_a_sentence(tg, command):
    thesis = tg.write("thesis.txt", "precious")
    tg.ran("sums.py")
    evil = open_backend(tg.folder / "sums.tgdata", worker="../../thesis.txt")
    evil.claim([b"k" * 20])

    done = tg(command[0], "sums.py", *command[1:])

    assert "it names a worker as no worker is called" in done.stderr
    assert thesis.read_text() == "precious"


ESCAPES = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egnp.exe\r\x08"
OBEYED = {letter for letter in ESCAPES if not letter.isprintable()}
JOB = f"""
import os, socket
from taskgraph import TaskGenerator
ESCAPES = {ESCAPES!r}

class Strange:
    def __repr__(self):
        return ESCAPES

@TaskGenerator
def fail(word):
    print("printed", ESCAPES)
    raise ValueError("raised " + ESCAPES)

@TaskGenerator
def text():
    return "returned " + ESCAPES + " in\\ttwo\\nlines"

@TaskGenerator
def strange():
    return Strange()

fail(ESCAPES), text(), strange()
"""


@pytest.fixture
def escaping(tg):
    """Return a folder with a store that is full of what terminals obey."""
    from backends.interface import Row
    from taskgraph.records import Failure
    from taskgraph.results.batch import Batch

    tg.write("job.py", JOB)
    tg("execute", "-q", "job.py", code=1)
    backend = open_backend(tg.folder / "job.tgdata", worker="evil")
    batch = Batch()
    about = (ESCAPES, 1.0, 1.0, 1.0, 1)
    failure = Failure(ESCAPES, ESCAPES, ESCAPES, ESCAPES)
    backend.poll()
    (key,) = backend.failures()
    backend.discard([key], reason=ESCAPES)
    batch.add(key, failure, (ESCAPES, ESCAPES), about, output=ESCAPES)
    context = dict.fromkeys(("host", "user", "pid", "job", "python"), ESCAPES)
    context |= {"packages": {ESCAPES: ESCAPES}}
    context |= {"git": {"commit": ESCAPES, "dirty": False}}
    body = batch.encode(context, backend.places)
    backend.publish([key], bytes([Row.FAILURE]), body, since=10**6)
    backend.documents.put(f"graph-{ESCAPES}", b"\xff")
    backend.members.beat("evil", {"host": ESCAPES, "pid": ESCAPES})
    backend.claim([b"j" * 20])
    return tg, key.hex()


@pytest.mark.parametrize(
    "command",
    [
        ("errors", "--all"),
        ("errors", "--json"),
        ("show", "KEY"),
        ("show", "text"),
        ("value", "text"),
        ("value", "strange"),
        ("status",),
        ("locks",),
        ("undo", "--list"),
        ("fsck",),
        ("retry",),
        ("invalidate", "--name", "text"),
        ("count",),
    ],
    ids=" ".join,
)
def test_a_terminal_obeys_nothing_that_is_shown(escaping, command):
    tg, key = escaping
    words = [key if word == "KEY" else word for word in command]
    done = subprocess.run(
        [tg.script, words[0], "job.py", *words[1:]],
        cwd=tg.folder,
        env=tg.env,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert said
    assert not [letter for letter in said if letter in OBEYED], said
    assert "Traceback" not in done.stderr


def test_text_keeps_its_lines_and_tabs(escaping):
    tg, _ = escaping
    shown = tg("value", "job.py", "text").stdout
    assert shown.startswith("returned \\x1b]0;pwned\\x07")
    assert shown.endswith(" in\ttwo\nlines\n")


def test_all_that_commands_print_goes_through_one_function():
    for package in (taskgraph, segkit):
        for path in Path(package.__file__).parent.rglob("*.py"):
            if path.name != "printing.py":
                found = re.findall(
                    r"click\.s?echo\(|sys\.std\w+\.write", path.read_text()
                )
                assert not found, path


@pytest.mark.parametrize("command", ["status", "fsck"])
def test_a_store_that_everybody_may_write_to_is_warned_of(tg, command):
    tg.ran("sums.py")
    assert "every user" not in tg(command, "sums.py").stderr
    (tg.folder / "sums.tgdata").chmod(0o777)
    assert "every user of this machine may write" in tg(command, "sums.py").stderr


TABLES = """
from taskgraph import TaskGenerator

@TaskGenerator
def rows():
    return [["=1+1", "-2", "x" * 200_000], ["@a", "+b", "-1+A1"], ["a,=b", -3, 2.5]]

@TaskGenerator
def columns():
    return {"=name": ["=A1", "b"], "size": [-1, 2]}

@TaskGenerator
def frame():
    import pandas
    return pandas.DataFrame({"=name": ["=A1", "b"], "size": [-1.5, 2]})

rows(), columns(), frame()
"""


def test_a_spreadsheet_calculates_nothing_of_a_table(tg):
    tg.write("job.py", TABLES)
    tg("execute", "-q", "job.py")
    for name in ("rows", "columns", "frame"):
        tg("value", "job.py", name, "-o", f"{name}.csv")
    lines = (tg.folder / "rows.csv").read_text().replace("x" * 200_000, "x")
    assert lines == "'=1+1,-2,x\n'@a,'+b,'-1+A1\n\"a,=b\",-3,2.5\n"
    assert (tg.folder / "columns.csv").read_text() == "'=name,size\n'=A1,-1\nb,2\n"
    assert (tg.folder / "frame.csv").read_text() == "'=name,size\n'=A1,-1.5\nb,2.0\n"

"""A run on a real terminal of several widths, and `tg status --watch`."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from taskgraph.cli.views.rendering import lines_of
from taskgraph.upkeep.status import STATES
from taskgraph.watching.view import (
    ErrorRow,
    FunctionRow,
    View,
    WorkerRow,
    by_activity,
    no_tasks,
)

TG = str(Path(sys.executable).with_name("tg"))
HEIGHT = 24
WORK = """
import time
from taskgraph import TaskGenerator
@TaskGenerator
def picture(x):
    time.sleep(0.02)
    print("heard", x)
    if x == 3:
        raise ValueError("bad\\npicture \\x1b[31m")
    return x
@TaskGenerator
def total(xs):
    return sum(xs)
pictures = [picture(x) for x in range(12)]
total(pictures), total(pictures[4:])
"""


def on_terminal(folder, columns, *words):
    """Return the exit code of `tg` on a terminal of so many columns, and the lines."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        size = struct.pack("HHHH", HEIGHT, columns, 0, 0)
        fcntl.ioctl(1, termios.TIOCSWINSZ, size)
        kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm"}
        os.execve(TG, [TG, *words], kept)  # a shell exports no COLUMNS
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).splitlines()


@pytest.mark.parametrize(
    ("columns", "total"),
    [
        (40, "12/14 done  1 failed  1 blocked"),
        (80, "12 of 14 tasks done  1 failed  1 blocked"),
        (200, "12 of 14 tasks done  1 failed  1 blocked"),
    ],
)
def test_a_run_is_seen_on_a_terminal(tmp_path, columns, total):
    (tmp_path / "work.py").write_text(WORK)
    code, lines = on_terminal(tmp_path, columns, "execute", "work.py")
    assert code == 1
    assert any("heard 11" in line for line in lines)
    end = next(i for i, line in enumerate(lines) if line.startswith("tg: 12 done"))
    view = [line for line in lines[:end] if line.strip()]
    at = [i for i, line in enumerate(view) if line.startswith(total)]
    assert at, view[-20:]
    last = at[-1]
    assert view[last + 1].startswith("picture")
    assert any("1 of picture: ValueError: bad" in line for line in view[last:])
    assert max(len(line) for line in view[last:]) <= columns
    assert any("picture 11, total 1: results are in" in line for line in lines[end:])

    code, lines = on_terminal(tmp_path, columns, "status", "work.py", "--watch")
    assert code == 0
    assert lines[0].startswith(total)


def test_without_a_terminal_the_totals_come_in_lines(forked_tg):
    forked_tg.write("work.py", WORK)
    forked_tg("execute", "-q", "work.py", code=1)
    done = forked_tg("status", "work.py", "--watch")
    assert done.stdout == "12 of 14 tasks done  1 failed  1 blocked\n"


names = st.text(max_size=60)
rows = st.builds(
    FunctionRow,
    names,
    st.fixed_dictionaries({state: st.integers(0, 10**6) for state in STATES}),
    st.floats(0, 1e6),
    st.none() | st.floats(0, 1e6),
)
workers = st.builds(
    WorkerRow,
    names,
    names,
    st.integers(0, 1 << 22),
    st.booleans(),
    st.none() | st.floats(0, 1e6),
    st.floats(0, 1e9),
    st.integers(0, 9999),
    names,
)
errors = st.builds(
    ErrorRow, names, names, names, st.integers(1, 9), st.floats(0, 9), st.binary()
)


@given(
    st.lists(rows, max_size=40),
    st.lists(workers, max_size=40),
    st.lists(errors, max_size=6),
    st.integers(40, 200),
    st.integers(4, 60),
)
def test_a_view_fits_and_its_total_is_always_there(
    every, at_work, wrong, width, height
):
    totals = no_tasks()
    for row in every:
        for state, count in row.counts.items():
            totals[state] += count
    ordered = by_activity(every)
    view = View(9.0, totals, True, ordered, at_work, wrong, rate=3.0)
    lines = [line for line, _ in lines_of(view, width, height)]
    assert len(lines) <= height
    assert all(len(line) <= width and line.isprintable() for line in lines)
    assert lines[0].startswith(f"{totals['done']}")
    assert "done" in lines[0]


def shown(*of, workers=()):
    totals = no_tasks()
    for row in of:
        for state, count in row.counts.items():
            totals[state] += count
    return [line for line, _ in lines_of(View(9.0, totals, True, of, workers), 80, 9)]


def test_what_failed_is_not_among_what_is_done():
    row = FunctionRow("work.check", no_tasks() | {"done": 27, "failed": 3})
    total, line = shown(row)
    assert total == "27 of 30 tasks done  3 failed"
    assert line == "check  27/30  3 failed"


def test_nobody_is_at_work_when_nothing_is_left():
    one = WorkerRow("w", "host", 7, True, 8.0, 1.0, 1, "check(1)")
    left = FunctionRow("work.check", no_tasks() | {"done": 2, "running": 1})
    assert "host 7" in shown(left, workers=[one])[-1]
    over = FunctionRow("work.check", no_tasks() | {"done": 2, "failed": 1})
    assert shown(over, workers=[one])[1:] == ["check  2/3  1 failed"]

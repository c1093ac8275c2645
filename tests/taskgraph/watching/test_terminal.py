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

from taskgraph.cli.views.fitting import columns_of, fitted
from taskgraph.cli.views.rendering import Layout, shown_of
from taskgraph.upkeep.status import STATES
from taskgraph.watching.view import (
    ErrorRow,
    FunctionRow,
    View,
    WorkerRow,
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


def on_terminal(folder, columns, *words, term="xterm", raw=False, **more):
    """Return the exit code of `tg` on a terminal of so many columns, and the lines."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        size = struct.pack("HHHH", HEIGHT, columns, 0, 0)
        fcntl.ioctl(1, termios.TIOCSWINSZ, size)
        kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": term}
        os.execve(TG, [TG, *words], kept | more)  # a shell exports no COLUMNS
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
    text = shown.decode()
    if not raw:
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return code, text.splitlines()


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
    view = View(9.0, totals, True, every, at_work, wrong, rate=3.0)
    lines = [line for line, _ in Layout().lines(view, width, height)]
    assert len(lines) <= height
    assert all(columns_of(line) <= width and line.isprintable() for line in lines)
    assert lines[0].startswith(f"{totals['done']}")
    assert "done" in lines[0]


def shown(*of, workers=()):
    totals = no_tasks()
    for row in of:
        for state, count in row.counts.items():
            totals[state] += count
    view = View(9.0, totals, True, of, workers)
    return [line for line, _ in Layout().lines(view, 80, 9)]


def test_what_failed_is_not_among_what_is_done():
    row = FunctionRow("work.check", no_tasks() | {"done": 27, "failed": 3})
    total, line = shown(row)
    assert total == "27 of 30 tasks done  3 failed"
    assert line == "check  27/30  3 failed"


def test_nobody_is_at_work_when_nothing_is_left():
    one = WorkerRow("w", "host", 7, True, 8.0, 1.0, 1, "check(1)")
    left = FunctionRow("work.check", no_tasks() | {"done": 2, "running": 1})
    assert "host  7" in shown(left, workers=[one])[-1]
    over = FunctionRow("work.check", no_tasks() | {"done": 2, "failed": 1})
    assert shown(over, workers=[one])[1:] == ["check  2/3  1 failed"]


def test_of_many_short_tasks_no_one_is_said_to_run():
    one = WorkerRow("w", "host", 7, True, 0.3, 1.0, 5, "check(1)")
    left = FunctionRow("work.check", no_tasks() | {"done": 2, "running": 5})
    line = shown(left, workers=[one])[-1]
    assert line == "host  7  1 s ago  check(1) and 4 after it, in turn"


def row(name, **counts):
    return FunctionRow(name, no_tasks() | counts)


states = st.fixed_dictionaries({state: st.integers(0, 2) for state in STATES})


@given(
    st.lists(st.lists(states, min_size=9, max_size=9), max_size=6), st.integers(1, 9)
)
def test_functions_stand_in_the_order_of_the_graph_and_stay(frames, room):
    before = []
    for frame in frames:
        rows = [FunctionRow(str(n), counts) for n, counts in enumerate(frame)]
        chosen = shown_of(rows, room, [one.name for one in before])
        assert len(chosen) == (9 if room == 9 else room - 1)
        assert [one.name for one in chosen] == sorted(one.name for one in chosen)
        hidden = [one for one in rows if one not in chosen]
        # Who makes room for another one is no more urgent than that one.
        if any(one.urgent for one in hidden):
            assert all(one.urgent for one in chosen)
        if any(one.counts["failed"] for one in hidden):
            assert all(one.counts["failed"] for one in chosen)
        before = chosen


def test_what_runs_now_and_then_keeps_its_line():
    others = [row(f"m.f{n}", waiting=1) for n in range(9)]
    runs = [*others, row("m.last", running=1)]
    rests = [*others, row("m.last", ready=1)]
    names = [[one.name for one in shown_of(runs, 4)]]
    for rows in (rests, runs, rests):
        names.append([one.name for one in shown_of(rows, 4, names[-1])])
    assert names == [["m.f0", "m.f1", "m.last"]] * 4


def test_columns_do_not_become_narrower_from_frame_to_frame():
    layout = Layout()

    def place(*of):
        view = View(9.0, no_tasks(), True, of)
        return [line.find("1/s") for line, _ in layout.lines(view, 80, 9)][1]

    wide = FunctionRow("m.f", no_tasks() | {"failed": 2, "done": 1000}, rate=1.0)
    narrow = FunctionRow("m.f", no_tasks() | {"done": 1}, rate=1.0)
    assert place(wide) == place(narrow)


def test_two_hundred_workers_leave_room_for_what_runs():
    of = [row(f"m.f{n:02d}", running=1) for n in range(12)]
    at_work = [
        WorkerRow(str(n), "host", n, True, 1.0, 1.0, 1, "f()") for n in range(200)
    ]
    view = View(9.0, no_tasks() | {"running": 12}, True, of, at_work)
    lines = [line for line, _ in Layout().lines(view, 80, 20)]
    assert len(lines) == 20
    assert [line[:3] for line in lines[1:13]] == [f"f{n:02d}" for n in range(12)]
    assert lines[-1] == "and 194 workers more, see `tg locks`"


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize(
    "name",
    ["細胞を数える" * 20, "e\u0301" * 300, "🔬" * 99, "a\x1b[2J\x9b1m\u202eb\n" * 9],
)
def test_any_name_takes_no_more_than_its_columns(name, width):
    of = [row(f"m.{name}", running=1, done=3), row("m.plain", running=2)]
    one = WorkerRow("w", name, 7, True, 1.0, 1.0, 1, f"{name}(1)")
    wrong = ErrorRow(f"m.{name}", "ValueError", name, 1, 1.0, b"")
    view = View(9.0, no_tasks() | {"running": 3}, True, of, [one], [wrong])
    lines = [line for line, _ in Layout().lines(view, width, 9)]
    assert all(columns_of(line) <= width and line.isprintable() for line in lines)
    at = [columns_of(line[: line.index("/")]) for line in lines[1:3]]
    assert at[0] == at[1]


@given(st.text(max_size=30), st.integers(0, 20))
def test_what_is_fitted_fits(text, width):
    found = fitted(text, width)
    assert columns_of(found) <= width
    assert found.isprintable()


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_go_back_gets_lines(tmp_path, term):
    (tmp_path / "work.py").write_text(WORK)
    code, lines = on_terminal(tmp_path, 80, "execute", "work.py", term=term)
    assert code == 1
    assert not any("tasks done" in line for line in lines)
    code, lines = on_terminal(tmp_path, 80, "status", "work.py", "--watch", term=term)
    assert lines == ["12 of 14 tasks done  1 failed  1 blocked"]


def test_what_a_task_prints_moves_no_cursor_of_the_view(tmp_path):
    (tmp_path / "work.py").write_text(
        "from taskgraph import Task\n"
        "Task(print, '\\x1b[31mred\\x1b[0m \\x1b[2J\\x1b[9Aclean\\x07\\x1bc')\n"
    )
    _, lines = on_terminal(tmp_path, 80, "execute", "work.py", raw=True)
    (line,) = [line for line in lines if "clean" in line]
    assert "\x1b[31mred" in line
    assert not {"\x1b[2J", "\x1b[9A", "\x07", "\x1bc"} & set(
        re.findall(r"\x1b.*?[A-Za-z]|\x07", line)
    )


def test_colours_are_left_out_where_they_are_not_wanted(tmp_path):
    (tmp_path / "work.py").write_text(WORK)
    _, lines = on_terminal(tmp_path, 80, "execute", "work.py", raw=True, NO_COLOR="1")
    assert not any(re.search(r"\x1b\[[0-9;]*3[0-9]m", line) for line in lines)

"""`tg table`: by real processes; and a sweep that is stopped, extended and resumed."""

import csv
import signal
import time
from collections import Counter

import pytest

JUGFILE = """
from dataclasses import dataclass
from taskgraph import TaskGenerator

@dataclass
class Found:
    count: int
    dice: float

@TaskGenerator
def measure(picture, sigma):
    if sigma == 4 and picture == "b":
        raise ValueError("too smooth")
    return Found(len(picture), sigma / 3)

@TaskGenerator
def total(parts):
    return sum(part.count for part in parts)

print("this is not the table")
for sigma in (1, 2, 4):
    last = [measure(picture, sigma) for picture in "ab"]
    total(last)
"""


@pytest.fixture
def tg(forked_tg):
    return forked_tg


@pytest.fixture
def measured(tg):
    tg.write("thresholds.py", JUGFILE)
    tg("execute", "-q", "thresholds.py", code=1)
    return tg


def test_the_calls_of_a_function_are_a_table(measured):
    shown = measured("table", "thresholds.py", "measure").stdout.splitlines()

    assert shown[0].split() == ["picture", "sigma", "count", "dice", "state", "error"]
    assert shown[1].split() == ["a", "1", "1", "0.333333", "done"]
    assert shown[6].split()[:3] == ["b", "4", "failed"]
    rows = measured.json("table", "thresholds.py", "measure", "--where", "sigma < 4")
    assert [row["dice"] for row in rows] == [1 / 3, 1 / 3, 2 / 3, 2 / 3]
    best = measured(
        *("table", "thresholds.py", "measure", "--where", "state == 'done'"),
        *("--sort", "dice", "--descending", "--columns", "sigma,picture"),
    )
    assert [line.split() for line in best.stdout.splitlines()[1:3]] == [
        ["4", "a"],
        ["2", "a"],
    ]
    rows = measured.json("table", "thresholds.py", "last")  # a variable
    assert [(row["picture"], row["sigma"]) for row in rows] == [("a", 4), ("b", 4)]
    assert "no task is of" in measured("table", "thresholds.py", "sigma", code=2).stderr
    states = [row["state"] for row in measured.json("table", "thresholds.py", "total")]
    assert states == ["done", "done", "blocked"]


def test_a_table_is_saved_and_what_cannot_be_is_told(measured):
    done = measured("table", "thresholds.py", "measure", "-o", "t.csv")
    assert done.stderr.splitlines()[1:] == ["tg: saved t.csv: 6 rows"]
    assert not done.stdout
    rows = list(csv.DictReader((measured.folder / "t.csv").read_text().splitlines()))
    assert rows[0]["dice"] == repr(1 / 3)
    assert rows[5]["state"] == "failed"
    measured("table", "thresholds.py", "measure", "-o", "t.tex")
    lines = (measured.folder / "t.tex").read_text().splitlines()
    assert lines[5] == r"a & 1 & 1 & 0.333333 & done &  \\"
    nowhere = measured("table", "thresholds.py", "measure", "-o", "no/t.csv", code=2)
    assert "cannot write no/t.csv: No such file" in nowhere.stderr


COUNTED = """
import os, time
from taskgraph import TaskGenerator, sweep

@TaskGenerator
def point(x, sigma):
    while os.path.exists("hold") and os.path.getsize("ran.txt") > ENOUGH:
        time.sleep(0.01)
    with open("ran.txt", "a") as log:
        log.write(f"{x} {sigma}\\n")
    return {"score": x * sigma}

sweep(point, {"x": range(SIZE), "sigma": [1, 2]})
"""


def stopped_extended_resumed(tg, size, after):
    """Run half of a sweep, add a value, go on; return how often each point ran."""
    log, hold = tg.folder / "ran.txt", tg.folder / "hold"
    log.touch()
    hold.touch()
    text = COUNTED.replace("SIZE", str(size)).replace("ENOUGH", str(4 * after))
    path = tg.write("points.py", text)
    first = tg.start("execute", "-q", path, "-j", "2")
    while log.stat().st_size <= 4 * after:
        time.sleep(0.01)
    first.send_signal(signal.SIGINT)
    hold.unlink()
    first.wait()
    before = set(log.read_text().splitlines())
    path.write_text(path.read_text().replace("[1, 2]", "[1, 2, 3]"))
    tg("execute", "-q", path, "-j", "2")
    return before, Counter(log.read_text().splitlines())


def check_all_ran_once(tg, size, before, ran):
    assert len(before) < 2 * size
    assert len(ran) == 3 * size
    assert set(ran.values()) == {1}
    rows = tg.json("table", "points.py", "point", "--where", "sigma == 3")
    assert [row["score"] for row in rows] == [3 * x for x in range(size)]


def test_a_sweep_that_is_stopped_and_extended_runs_only_new_points(tg):
    check_all_ran_once(tg, 150, *stopped_extended_resumed(tg, 150, 30))


@pytest.mark.scale
def test_a_large_sweep_that_is_stopped_and_extended_runs_only_new_points(tg):
    check_all_ran_once(tg, 5000, *stopped_extended_resumed(tg, 5000, 3000))

"""The page of figures says what was found; benchmarks run within their limits."""

from __future__ import annotations

import doctest
import json
import os
import signal
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MODULES = ("reporting", "suite.page", "suite.running", "suite.machine", "suite.changes")
MODULES += ("suite.parts", "all", "threads")

pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").exists(), reason="tested away from the checkout"
)


@pytest.fixture(scope="module", autouse=True)
def modules() -> Iterator[dict[str, Any]]:
    """Import what stands beside the benchmarks, as these do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(ROOT / "benchmarks")])
        yield {name.rpartition(".")[2]: import_module(name) for name in MODULES}
        for name in (*MODULES, "suite"):
            del sys.modules[name]


FOUND = """
{"machine": {"date": "2026-11-29", "commit": "abc", "processor": "a fast one",
  "cores": 2, "memory_gb": 24.0, "disk": "ext4", "system": "Linux 6", "python": "3.11",
  "versions": {"scipy": "1.17", "jug": "missing"}, "seconds": 90, "others": 0.5},
 "parts": [
  {"name": "sums", "title": "Sums", "about": "Of numbers.",
   "command": "python benchmarks/sums.py", "seconds": 60, "others": 0.25, "failure": "",
   "rows": [
    {"case": "few", "ours": 2, "peer": "scipy", "theirs": 6},
    {"case": "few", "ours": 2, "peer": "numpy", "theirs": 0.4},
    {"case": "many", "ours": 50, "unit": "MB/s", "peer": "jug", "theirs": 200,
     "goal": 100, "note": "a|b"},
    {"case": "bound", "ours": 3, "peer": "the disk", "theirs": 1, "yardstick": true}]},
  {"name": "gone", "title": "Gone", "about": "", "command": "python benchmarks/x.py",
   "seconds": 30, "others": null, "failure": "No module named 'jug'", "rows": []}]}
"""


def rendered(modules: dict[str, Any], text: str = FOUND) -> str:
    return modules["page"].page(modules["all"].read(text))


def part_of(page: str, title: str) -> str:
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_page_says_where_a_peer_is_faster_the_worst_first(modules) -> None:
    said = part_of(rendered(modules), "Where a peer is faster")
    assert said.strip().splitlines() == [
        "- few: 2.00 s, numpy 0.400 s, **5.0x slower**",
        "- many: 50.0 MB/s, jug 200 MB/s, **4.0x slower**",
    ]


def test_the_page_shows_each_figure_its_peer_and_the_ratio(modules) -> None:
    table = part_of(rendered(modules), "Sums")
    assert "| few | 2.00 s | scipy | 6.00 s | 3.0x faster |" in table
    assert "|  |  | numpy | 0.400 s | **5.0x slower** |" in table
    assert "| bound | 3.00 s | (the disk) | 1.00 s | 3.0x slower |" in table
    assert "`python benchmarks/sums.py`: 60 s. Other programs used 0.2 cores" in table


def test_the_page_names_goals_that_are_missed(modules) -> None:
    said = part_of(rendered(modules), "What we want and have not")
    assert said.strip() == (
        "- Sums, many: 50.0 MB/s, jug 200 MB/s; wanted: at least 100 MB/s"
    )


def test_what_was_not_measured_is_said_and_not_left_out(modules) -> None:
    page = rendered(modules)
    assert "- Gone: No module named 'jug'" in part_of(page, "Not measured")
    assert "**Not complete: No module named 'jug'.**" in part_of(page, "Gone")


def test_the_page_names_the_machine_and_versions(modules) -> None:
    page = rendered(modules)
    assert "a fast one, 2 cores, 24 GB, Linux 6; the disk is ext4" in page
    assert "scipy 1.17, jug missing" in page
    assert "**That is much: times by the clock are too long here" in page
    assert "commit abc, within 1.5 minutes. Other programs used 0.5 cores" in page


POSITIVE = st.floats(1e-9, 1e12)


@given(st.data())
def test_all_lines_of_a_table_have_as_many_cells(modules, data) -> None:
    row = st.builds(
        modules["reporting"].Row,
        case=st.text("ab |", min_size=1),
        ours=POSITIVE,
        unit=st.sampled_from(["s", "MB/s", "B", ""]),
        peer=st.sampled_from(["scipy", "a|b"]),
        theirs=st.none() | POSITIVE,
        goal=st.none() | POSITIVE,
        goal_ratio=st.none() | POSITIVE,
        note=st.text("a|", max_size=3),
    )
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    lines = modules["page"].table(rows)
    bars = {line.replace("\\|", "").count("|") for line in lines}
    assert len(lines) == len(rows) + 2
    assert len(bars) == 1


@given(ours=POSITIVE, theirs=POSITIVE, rate=st.booleans())
def test_a_rate_and_its_time_have_one_ratio(modules, ours, theirs, rate) -> None:
    row, ratio = modules["reporting"].Row, modules["reporting"].ratio
    as_time = ratio(row("x", ours, "s", "peer", theirs))
    as_rate = ratio(row("x", 1 / ours, "MB/s", "peer", 1 / theirs))
    assert as_time == pytest.approx(as_rate)


@pytest.mark.parametrize("name", ["reporting", "page", "running", "machine"])
def test_the_examples_are_right(modules, name) -> None:
    found = doctest.testmod(modules[name], optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0
    assert found.failed == 0


def rows(modules, *seconds: float, peer: float = 1.0) -> list[list[Any]]:
    make = modules["reporting"].Row
    return [[make("sum", s, "s", "scipy", peer), make("sum", s)] for s in seconds]


def test_a_change_is_of_medians_and_says_whether_runs_overlap(modules) -> None:
    changes = modules["changes"].changes
    (row,) = changes(rows(modules, 2, 9, 3), rows(modules, 1, 0.5, 1.5, peer=2), "v1")
    assert (row.peer, row.theirs, row.ours) == ("v1", 3, 1)
    assert row.note == "all runs apart; scipy 0.50x"
    (row,) = changes(rows(modules, 2, 3), rows(modules, 2.5, 9), "v1")
    assert row.note == "runs overlap; scipy 1.00x"


def test_a_case_of_one_side_only_is_no_change(modules) -> None:
    assert modules["changes"].changes(rows(modules, 1), [[]], "v1") == []


def run(modules, script: Path, text: str, limit: float = 60) -> Any:
    script.write_text(text)
    part = modules["parts"].Part("x", "X", "", str(script))
    return modules["running"].run(part, sys.executable, limit)


def test_rows_of_a_benchmark_that_fails_are_kept(modules, tmp_path) -> None:
    text = 'print(\'{"case": "sum", "ours": 2}\', flush=True)\nimport no_such_peer'
    found = run(modules, tmp_path / "x.py", text)
    assert [(row.case, row.ours) for row in found.rows] == [("sum", 2)]
    assert found.failure.endswith("No module named 'no_such_peer'")


def test_a_benchmark_is_stopped_with_all_that_it_started(modules, tmp_path) -> None:
    text = f"""
import subprocess, sys
child = "import time; time.sleep(3); open({str(tmp_path / "late")!r}, 'w')"
subprocess.run([sys.executable, "-c", child], start_new_session=False)
"""
    found = run(modules, tmp_path / "x.py", text, limit=0.5)
    assert found.failure == "stopped after 0 s"
    time.sleep(3)
    assert not (tmp_path / "late").exists()


def test_a_benchmark_that_is_stopped_removes_what_it_has(modules, tmp_path) -> None:
    text = f"""
import pathlib, tempfile, time
with tempfile.TemporaryDirectory(dir={str(tmp_path)!r}) as name:
    pathlib.Path({str(tmp_path / "begun")!r}).touch()
    time.sleep(60)
"""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as behind `&`
    try:
        modules["running"].let_interrupts_through()
        run(modules, tmp_path / "x.py", text, limit=1.5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(path.name for path in tmp_path.iterdir()) in (
        ["begun", "x.py"],
        ["x.py"],  # a machine so slow that it had not begun
    )


def test_parts_have_names_of_their_own_and_scripts_that_exist(modules) -> None:
    parts = modules["parts"].PARTS
    assert len({part.name for part in parts}) == len(parts)
    scripts = {part.call.split()[0] for part in parts}
    assert [s for s in scripts if not (ROOT / "benchmarks" / s).exists()] == []


def test_the_page_in_the_docs_is_that_of_its_figures(modules) -> None:
    text = (ROOT / "docs" / "speed.json").read_text()
    assert rendered(modules, text) == (ROOT / "docs" / "speed.md").read_text()
    known = {part["name"] for part in json.loads(text)["parts"]}
    assert known == {part.name for part in modules["parts"].PARTS}


def test_what_the_machine_gives_at_best_stands_beside_a_ratio(modules) -> None:
    row = {"case": "a", "ours": 2, "peer": "one thread", "theirs": 3, "goal_ratio": 1.7}
    lines = modules["page"].table([modules["reporting"].Row(**row, best_ratio=1.5625)])
    assert "| at best |" in lines[0]
    assert "| 1.56x (96 %) | at least 1.7x: **no** |" in lines[2]


def test_two_processes_at_once_do_the_same_with_arrays_of_their_own(
    modules, tmp_path
) -> None:
    def call(image: np.ndarray, *, workers: int) -> None:
        (tmp_path / f"{os.getpid()}").write_text(f"{image.ctypes.data} {image.sum()}")

    bound = partial(call, np.arange(5))
    twin = modules["threads"].Twin(bound)
    try:
        twin.at_once(bound, 1)
        assert len(list(tmp_path.iterdir())) == 1
        twin.at_once(bound, 2)
    finally:
        twin.end()
    ours, theirs = (one.read_text().split() for one in tmp_path.iterdir())
    assert ours[0] != theirs[0]
    assert ours[1] == theirs[1] == "10"

"""Where the time of tests goes: `pytest -p tests.costs` ends with a table of files.

It counts CPU seconds of the process and of all that it started: on a busy machine they
stay nearly the same. What a file sets up is a column of its own.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

PHASES = ("setup", "call", "teardown")
_costs: Counter[tuple[str, str]] = Counter()
_seen = [0.0]


def spent(process: int | str = "self") -> float:
    """Return the CPU seconds of a process and its descendants, ended or not."""
    folder = Path(f"/proc/{process}")
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        lists = [file.read_text() for file in folder.glob("task/*/children")]
    except OSError:  # it has ended meanwhile
        return 0.0
    below = sum(spent(int(child)) for child in " ".join(lists).split())
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + below


def pytest_collection_finish() -> None:
    _seen[0] = spent()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Let the report of a phase bear what it cost; xdist hands it on."""
    report = yield
    before, _seen[0] = _seen[0], spent()
    report.spent = _seen[0] - before
    return report


def pytest_runtest_logreport(report) -> None:
    _costs[report.nodeid.partition("::")[0], report.when] += report.spent


def pytest_terminal_summary(terminalreporter) -> None:
    total = Counter()
    for (file, _), seconds in _costs.items():
        total[file] += seconds
    terminalreporter.section("CPU seconds")
    terminalreporter.line(("{:>9}" * 4).format("all", *PHASES) + "  of")
    for file, seconds in [("all", sum(total.values())), *total.most_common(40)]:
        names = total if file == "all" else [file]
        parts = [sum(_costs[name, phase] for name in names) for phase in PHASES]
        terminalreporter.line(("{:9.1f}" * 4).format(seconds, *parts) + f"  {file}")

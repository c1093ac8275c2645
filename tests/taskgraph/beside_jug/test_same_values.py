"""The same jugfile under jug and under `tg`: every value, by its name."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("jug", reason="the extra `test` has it")
HERE = Path(__file__).parent
_, *TEXTS = re.split(
    r"^#### (.*)\n", (HERE / "cases.txt").read_text(), flags=re.MULTILINE
)
CASES = dict(zip(TEXTS[::2], TEXTS[1::2], strict=True))
SHORT = [
    "a compound task in a compound task",
    "a compound task behind barriers",
    "generators are mapped and reduced",
    "published: commands go by the time of a file",
    "published: tasks are given names",
    "three tasks fail and three wait for them",
]
"""Those of every run; the others with ``-m chaos``."""


def ran(top, engine, workers, cases):
    """Run jugfiles under an engine, one after the other; return their folders."""
    folders = {case: top / engine / re.sub(r"\W+", "-", case) for case in cases}
    for case, folder in folders.items():
        folder.mkdir(parents=True)
        (folder / "work.py").write_text(CASES[case].replace("ENGINE", engine))
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(top / "pyc")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process compiles all anew
    command = [sys.executable, HERE / "engine.py", engine, workers, *folders.values()]
    subprocess.run(command, env=env, check=True)
    return folders


def found(folder):
    path = folder / "values.json"
    return json.loads(path.read_text()) if path.exists() else "it raised"


def differing(top, cases, workers):
    """Return the jugfiles whose values differ, with both, and what ours said."""
    under = {
        engine: ran(top, engine, number, cases)
        for engine, number in (("jug", "1"), ("taskgraph", workers))
    }
    both = {
        case: tuple(found(under[engine][case]) for engine in under) for case in cases
    }
    assert all(both[case][0] for case in cases)
    return {
        case: (jug, ours, (under["taskgraph"][case] / "said.txt").read_text())
        for case, (jug, ours) in both.items()
        if jug != ours
    }


@pytest.mark.timeout(600)
def test_a_jugfile_gives_the_values_that_it_has_under_jug(tmp_path):
    assert differing(tmp_path, SHORT, "1") == {}


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("workers", ["1", "2"], ids=["one worker", "one of two killed"])
def test_all_jugfiles_give_the_values_that_they_have_under_jug(tmp_path, workers):
    assert differing(tmp_path, list(CASES), workers) == {}

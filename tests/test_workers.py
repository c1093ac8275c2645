"""How `pytest -n` deals our tests out to its workers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOUR = "".join(f"def test_{n}(): pass\n" for n in range(4))
FILES = ("test_b.py", "test_c.py", "tests/browser/test_d.py", "tests/browser/test_e.py")


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """Which workers ran the tests of each file, in the order of the first of them."""
    folder = tmp_path_factory.mktemp("dealt")
    (folder / "tests/browser").mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text(FOUR)
    ours = ("--disable-plugin-autoload", "-p", "xdist.plugin", "-p", "tests.conftest")
    command = [sys.executable, "-m", "pytest", *ours, "-v", "-n2", *dealing(), "."]
    run = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTEST_DEBUG_TEMPROOT": str(folder)},  # clears up no other
        capture_output=True,
        text=True,
        check=False,
    )
    found = {}
    for worker, file in re.findall(r"\[(gw\d)\].*PASSED (\S+)::", run.stdout):
        found.setdefault(file, []).append(worker)
    assert sorted(found) == sorted(FILES), run.stdout + run.stderr
    return found


def dealing():
    """Return how `check.sh` has them dealt out."""
    script = Path(__file__).parents[1].joinpath("check.sh").read_text()
    return re.search(r"^run pytest .*(--dist \w+)", script, re.MULTILINE)[1].split()


def test_one_worker_runs_all_tests_of_a_file(workers):
    numbers = {file: len(set(by)) for file, by in workers.items()}
    assert numbers == dict.fromkeys(FILES, 1)


def test_files_that_share_a_browser_share_a_worker(workers):
    first, second = (set(by) for file, by in workers.items() if "browser" in file)
    assert first == second


def test_all_workers_are_used(workers):
    assert set().union(*workers.values()) == {"gw0", "gw1"}


def test_what_takes_longest_begins_first(workers):
    assert "tests/browser/test_d.py" in list(workers)[:2]

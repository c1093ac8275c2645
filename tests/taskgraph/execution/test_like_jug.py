"""The same jugfile under jug with four processes and under `tg execute -j 4`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from .test_own_processes import NAMES, POOLS, RANDOM, RECORDS

pytest.importorskip("jug", reason="the extra `test` has it")
BIN = Path(sys.executable).parent
VALUE = """
import sys, {engine} as engine
_, space = engine.init(sys.argv[1], sys.argv[2])
print(engine.value(space["out"]))
"""


def under_jug(folder, path):
    command = [BIN / "jug", "execute", path, "--wait-cycle-time=1", "--will-cite"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen(command, cwd=folder, **quiet) for _ in range(4)]
    assert [process.wait(timeout=100) for process in started] == [0] * 4
    return value(folder, path, path.with_suffix(".jugdata"), "jug")


def under_tg(folder, path):
    command = [BIN / "tg", "execute", path, "-j", "4", "-q"]
    subprocess.run(command, cwd=folder, check=True, timeout=100)
    return value(folder, path, path.with_suffix(".tgdata"), "taskgraph")


def value(folder, path, store, engine):
    code = VALUE.format(engine=engine)
    command = [sys.executable, "-c", code, path, store]
    return ast.literal_eval(subprocess.check_output(command, cwd=folder, text=True))


@pytest.mark.parametrize(
    ("script", "last"),
    [
        (RANDOM, "distinct"),
        (RECORDS, "right"),
        (NAMES, "right"),
        (POOLS, "use"),
    ],
    ids=["random numbers", "open files", "names", "pools"],
)
def test_workers_do_as_processes_that_read_the_jugfile_themselves(
    tmp_path, script, last
):
    records = "".join(f"{i:09}\n" for i in range(200))
    (tmp_path / "records.txt").write_text(records)
    script = script.replace(f"\n{last}(", f"\nout = {last}(")
    found = []
    for run, engine in ((under_jug, "jug"), (under_tg, "taskgraph")):
        path = tmp_path / f"{engine}job.py"
        path.write_text(script.replace("from taskgraph", f"from {engine}"))
        found.append(run(tmp_path, path))

    assert found[0] == found[1]

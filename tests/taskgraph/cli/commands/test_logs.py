"""`tg logs`: what tasks printed, task by task, and no more than so much of it."""

import json
import os

import pytest

from taskgraph.execution.output import KEPT, LITTLE, Capture

from ...forking_tg import call_tg

SPOKEN = """
import os, time
from taskgraph import TaskGenerator
@TaskGenerator
def speak(number):
    for line in range(4):
        print(f"{number}: line {line}")
        os.write(2, f"{number}: C {line}\\n".encode())
        time.sleep(0.02)
    if number == 3:
        raise ValueError("three")
@TaskGenerator
def be_silent():
    return 1
for number in range(4):
    speak(number)
be_silent()
"""


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Return what asks for the logs of a run of two workers."""
    folder = tmp_path_factory.mktemp("spoken")
    (folder / "spoken.py").write_text(SPOKEN)
    assert call_tg(folder, "execute", "spoken.py", "-j", "2", "-q")[0] == 1
    return lambda *words: call_tg(folder, "logs", "spoken.py", *words)


def lines(number):
    return "".join(f"{number}: line {n}\n{number}: C {n}\n" for n in range(4))


def test_what_two_workers_print_at_once_stays_apart(spoken):
    found = {x["arguments"]: x for x in json.loads(spoken("--json")[1])}

    assert {n: x["output"] for n, x in found.items()} == {
        str(number): lines(number) for number in range(4)
    }
    assert [x["failed"] for _, x in sorted(found.items())] == [False] * 3 + [True]
    assert len({x["pid"] for x in found.values()}) == 2


def test_one_task_is_shown_as_it_printed_and_several_with_their_names(spoken):
    first = json.loads(spoken("--json")[1])[0]

    assert spoken(first["key"][:9]) == (0, first["output"])
    listed = spoken("speak", "-n", "1")[1].splitlines()
    assert len(listed) == 8
    assert f"{first['key'][:12]} spoken.speak({first['arguments']})" in listed[0]
    assert {line for line in listed if line.startswith(" ")} == {
        f"    | {number}: C 3" for number in range(4)
    }
    assert sum("failed" in line for line in listed) == 1


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["be_silent"], 0, "nothing was printed"),
        (["hlaf"], 2, "no function's name"),
        (["--target", "hlaf"], 2, "no function of that name"),
        (["--pattern", "/be_.*nt$/"], 0, "nothing was printed"),
    ],
)
def test_silence_and_wrong_names_are_told(spoken, words, code, told):
    ended, said = spoken(*words)
    assert ended == code
    assert told in said


@pytest.mark.parametrize("size", [KEPT - 90, KEPT, KEPT + 90, 3 * KEPT])
@pytest.mark.parametrize("line", ["x" * 60 + "\n", "ä" * 30 + "\n", "abcde"])
def test_what_is_kept_is_bounded_and_says_what_is_not(tmp_path, size, line):
    line = line.encode()
    printed = line * (size // len(line))
    size = len(printed)
    with (tmp_path / "echo").open("wb") as echo:
        capture = Capture(echo.fileno())
        os.write(1, printed)
        kept = capture.take()
        capture.close()

    assert (tmp_path / "echo").read_bytes() == printed
    if size <= KEPT:
        assert kept == printed.decode(errors="replace")
        return
    head, _, end = kept.partition("\n")
    assert head == f"[{size - len(end.encode())} bytes before this are not kept]"
    assert printed.endswith(end.encode())
    assert len(end.encode()) > KEPT - 100
    assert "\ufffd" not in end


def test_all_that_a_worker_keeps_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("taskgraph.execution.output.IN_ALL", 3 * KEPT)
    kept = []
    with (tmp_path / "echo").open("wb") as echo:
        capture = Capture(echo.fileno())
        for _ in range(5):
            os.write(1, b"x" * 49 + b"\n" + b"." * KEPT)
            kept.append(len(capture.take()))
        capture.close()

    room = [KEPT] * 3 + [LITTLE] * 2
    assert [size - size % 1024 for size in kept] == room
    assert (tmp_path / "echo").stat().st_size == 5 * (KEPT + 50)


def test_what_is_damaged_is_told(tmp_path):
    (tmp_path / "spoken.py").write_text(SPOKEN)
    call_tg(tmp_path, "execute", "spoken.py", "-q")
    for path in (tmp_path / "spoken.tgdata" / "log").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-3] + b"xxx")

    code, said = call_tg(tmp_path, "logs", "spoken.py")

    assert code == 4
    assert "cannot be read: segment" in said


RUNNING = """
import time
from pathlib import Path
from taskgraph import TaskGenerator
@TaskGenerator
def speak(number):
    print("heard", number, flush=True)
    while number and not Path("end").exists():
        Path("begun").touch()
        time.sleep(0.01)
for number in range(2):
    speak(number)
"""


def test_what_a_running_task_has_printed_is_shown(fresh_tg):
    fresh_tg.write("work.py", RUNNING)
    run = fresh_tg.start("execute", "work.py", "-q")
    fresh_tg.wait_for("begun")
    said = fresh_tg("logs", "work.py").stdout
    fresh_tg.write("end", "")
    run.wait()
    shown = said.partition("the task that it runs, so far")[2]
    assert shown.split() == ["|", "heard", "1"]
    assert "so far" not in fresh_tg("logs", "work.py").stdout

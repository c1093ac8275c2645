"""`tg shell`: Python with the names of a jugfile; `tg demo`: one to begin with."""

import json
import re

import pytest

from taskgraph.cli.console import Console
from taskgraph.errors import MissingResultError, UsageError
from taskgraph.tasks.recording import set_recording

from ...forking_tg import call_tg

WORK = """
import sys
from taskgraph import TaskGenerator, value
@TaskGenerator
def half(x):
    return 6 // x
@TaskGenerator
def both(xs):
    return sum(xs)
tasks = [half(x) for x in (1, 2)]
good = both(tasks)
bad = both([half(0)])
given = sys.argv[1:]
"""


@pytest.fixture
def console(tmp_path, capsys):
    """Return the console of a jugfile that ran, and that uses one name of ours."""
    from backends.opening import open_backend
    from taskgraph import run

    path = tmp_path / "work.py"
    path.write_text(WORK)
    run(path, check=False, workers=0)
    backend = open_backend(path.with_suffix(".tgdata"))
    yield Console(path, backend, ["--small"])
    set_recording(None)


def test_the_names_of_the_jugfile_are_there_and_win(console):
    space = console.space

    assert space["given"] == ["--small"]
    assert space["tg"].value(space["good"]) == 9
    assert len(space["tasks"]) == 2  # the jugfile's, not ours
    assert "tg.tasks, status" in console.banner()
    assert space["value"] == console.value  # taskgraph's, by the same name, gives way


def test_values_are_found_by_task_name_and_key(console):
    space = console.space

    assert console.value(space["tasks"]) == [6, 3]
    assert console.value(space["good"].key.hex()[:9]) == 9
    with pytest.raises(MissingResultError, match=r"waits for work\.half"):
        console.value("both")
    with pytest.raises(UsageError, match="no function's name"):
        console.value("hlaf")


def test_tasks_are_found_by_state(console):
    found = {
        state: [task.name for task in console.tasks(state)]
        for state in ("done", "failed", "blocked", "open")
    }
    assert found == {
        "done": ["work.half", "work.half", "work.both"],
        "failed": ["work.half"],
        "blocked": ["work.both"],
        "open": [],
    }
    assert len(console.tasks("done", "half")) == 2
    with pytest.raises(UsageError, match="one of done, failed, blocked, open"):
        console.tasks("ready")


def test_what_is_forgotten_comes_back(console, capsys):
    assert console.invalidate("half") == 4
    console.status()
    assert re.search(r"0 +0 +0 +5 +all", capsys.readouterr().out)
    assert console.undo() == 4
    assert console.value(console.space["good"]) == 9
    console.errors("half")
    assert "work.half(0): ZeroDivisionError" in capsys.readouterr().out


def test_a_call_that_is_written_down_there_is_run_on_demand(console):
    task = console.space["half"](3)
    assert task.run() == 2
    assert console.value(task) == 2


def test_an_edited_jugfile_is_read_again(console, tmp_path):
    path = tmp_path / "work.py"
    path.write_text(WORK.replace("(1, 2)", "(1, 2, 3)"))
    console.reload()
    assert len(console.space["tasks"]) == 3
    assert len(console.tasks("open")) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import other", "what work imports imports work, which is only half read"),
        ("import another", "what work imports imports work, which is only half read"),
        ("1 / 0", "work.py:1: ZeroDivisionError"),
        ("def", "work.py:1: SyntaxError"),
    ],
)
def test_a_jugfile_that_cannot_be_read_is_told_in_a_sentence(tmp_path, text, told):
    (tmp_path / "work.py").write_text(f"{text}\nx = 1\n")
    (tmp_path / "other.py").write_text("from work import x\n")
    (tmp_path / "another.py").write_text("import work\nwork.x\n")
    code, said = call_tg(tmp_path, "shell", "work.py")
    assert code == 2
    assert told in said
    assert "Traceback" not in said


def test_what_the_demo_says_is_so(tg):
    said = call_tg(tg.folder, "demo")[1]
    commands = re.findall(r"^  tg (.*?) +# (.*)$", said, re.MULTILINE)

    assert len(commands) == 5
    shown = {what: call_tg(tg.folder, *line.split()) for line, what in commands}
    assert {code for code, _ in shown.values()} == {0}
    assert "11 done" in shown["run its 11 tasks in two workers"][1]
    assert shown["the result: 17984"][1] == "17984\n"
    assert "looking at 0 to 20000" in shown["what the tasks printed"][1]
    assert "11 done" in shown["nothing is left to do, so nothing is run"][1]
    typed = "value('total')\ninvalidate('total')\nexit(3)\n"
    asked = tg("shell", "tg-demo/primes.py", "--plain", stdin=typed, code=3).stdout
    assert asked.splitlines()[2:] == [">>> 17984", ">>> 1", ">>> "]
    assert "is there already" in call_tg(tg.folder, "demo")[1]


def test_pdb_opens_where_the_jugfile_raised(tg):
    tg.write("helper.py", "def fail(x):\n    raise KeyError(x)\n")
    tg.write("work.py", "import helper\nhelper.fail('here')\n")

    done = tg("execute", "work.py", "--pdb", stdin="p ('seen', x)\nq\n", code=2)

    assert "('seen', 'here')" in done.stdout
    assert "KeyError: 'here'" in done.stderr


def test_options_go_by_the_names_of_jug(tmp_path):
    (tmp_path / "work.py").write_text(WORK.replace("bad = ", "# "))

    given = ("work.py", "--jugdir", "elsewhere")
    assert call_tg(tmp_path, "execute", *given, "-q", "--target", "work.h*")[0] == 0
    total = json.loads(call_tg(tmp_path, "status", *given, "--json")[1])["total"]
    assert (total["done"], total["failed"]) == (2, 0)
    assert call_tg(tmp_path, "execute", *given, "-q", "--pattern", "/both$/")[0] == 0
    assert call_tg(tmp_path, "check", *given)[0] == 0
    assert not (tmp_path / "work.tgdata").exists()


def test_results_are_forgotten_by_name_and_brought_back_by_number(console):
    with pytest.raises(UsageError, match="say what to forget"):
        console.invalidate()
    assert console.invalidate(name="half") == 4  # two, what was made of them, a failure
    assert console.invalidate(changed=True) == 0
    assert console.undo() == 4
    assert console.invalidate("half", name="half") == 4

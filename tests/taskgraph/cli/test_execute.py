"""`tg execute`: how tasks and runs end, by real processes and signals."""

import contextlib
import os
import re
import signal
import subprocess
import time

import pytest


def error_of(tg, jugfile):
    (group,) = tg.json("errors", jugfile)
    return group


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("syntax_error.py.txt", "syntax_error.py:3: SyntaxError: invalid syntax, in: "),
        ("raises.py", "raises.py:12: KeyError: 'nothing here'"),
        ("lambdas.py", "a lambda has no name"),
    ],
)
def test_a_jugfile_that_cannot_be_loaded_ends_in_one_sentence(tg, name, sentence):
    path = tg.jugfile(name)

    done = tg("execute", path.name, code=2)

    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert tg("count", path.name, code=2).stderr == done.stderr


def test_a_jugfile_without_tasks_is_done(tg):
    tg.jugfile("nothing.py")

    assert "has no tasks" in tg("execute", "nothing.py").stderr


def test_a_jugfile_that_shows_its_help_is_not_said_to_have_no_tasks(tg):
    tg.write("asked.py", "import argparse\nargparse.ArgumentParser().parse_args()\n")
    shown = tg("execute", "asked.py", "--", "--help")

    assert "usage: asked.py" in shown.stdout
    assert "no tasks" not in shown.stderr


def test_arguments_after_dashes_are_the_scripts(tg):
    tg.jugfile("sums.py")
    tg("execute", "sums.py", "--", "3")
    told = tg("status", "sums.py", "--", "4").stderr
    assert "sums.py has not run with 4 yet" in told

    assert tg("value", "sums.py", "total").stdout == "5\n"


def test_a_second_run_runs_nothing(tg):
    tg.ran("sums.py")
    before = sorted((tg.folder / "sums.tgdata" / "log").rglob("*"))

    tg("execute", "sums.py")

    assert sorted((tg.folder / "sums.tgdata" / "log").rglob("*")) == before


@pytest.mark.parametrize("options", [(), ("-j", "2"), ("--debug",)])
def test_barriers_are_passed(tg, options):
    tg.jugfile("barriers.py")
    tg("execute", *options, "barriers.py")

    assert tg("value", "barriers.py", "total").stdout == "30\n"
    assert tg.json("status", "barriers.py")["finished"]


def test_only_selected_functions_are_run(tg):
    tg.jugfile("sums.py")

    tg("execute", "sums.py", "--name", "number")
    after_names = tg.json("status", "sums.py")["total"]["done"]
    tg("execute", "sums.py", "--pattern", "squ|numb")

    assert after_names == 4
    assert tg.json("status", "sums.py")["total"]["done"] == 8


def test_giving_up_waiting_for_others_has_its_own_exit_code(tg):
    tg.jugfile("sums.py")

    done = tg("execute", "sums.py", "--name", "square", "--max-wait", "0.5", code=3)

    assert "gave up waiting" in done.stderr
    assert "waits for tasks of sums.number" in done.stderr  # others have to run


def test_fail_fast_starts_nothing_after_a_failure(tg):
    tg.jugfile("failing.py")

    tg("execute", "failing.py", "--fail-fast", code=1)

    assert tg.json("status", "failing.py")["total"]["failed"] == 1


def test_sys_exit_in_a_task_is_its_failure(tg):
    tg.ran("failing.py", code=1)

    by_name = {group["function"]: group for group in tg.json("errors", "failing.py")}
    assert by_name["failing.leave"]["message"] == "the task wants to leave"


def test_retries_run_a_task_again(tg):
    tg.jugfile("endings.py")

    tg("execute", "endings.py", "--", "flaky")

    assert (tg.folder / "flaky.log").read_text() == "xxx"
    assert tg.json("show", "endings.py", "flaky")["attempt"] == 3


@pytest.mark.parametrize(
    ("kind", "cause", "error"),
    [
        ("soft", "timeout", "Timeout"),
        ("hard", "timeout", "Timeout"),
        ("nested", "exception", "TaskInsideTaskError"),
        ("changed", "exception", "ArgumentChangedError"),
        ("unstorable", "unstorable", "UnstorableError"),
    ],
)
def test_a_task_that_ends_badly_is_recorded_with_its_cause(tg, kind, cause, error):
    tg.jugfile("endings.py")

    tg("execute", "endings.py", "--", kind, code=1)

    found = error_of(tg, "endings.py")
    assert (found["cause"], found["error"]) == (cause, error)


@pytest.mark.parametrize("kind", ["killed", "vanishes"])
def test_a_task_that_kills_three_workers_is_given_up(tg, kind):
    tg.jugfile("endings.py")

    done = tg("execute", "endings.py", "--", kind, code=1)

    assert (tg.folder / f"{kind}.log").read_text() == "xxx"
    assert error_of(tg, "endings.py")["cause"] == "killed"
    assert "code       not known" in tg("show", "endings.py", kind).stdout
    assert done.stderr.count("a worker died of") == 3
    assert tg.json("locks", "endings.py") == []


def test_debug_lets_the_error_through(fresh_tg):
    fresh_tg.jugfile("failing.py")

    done = fresh_tg("execute", "failing.py", "--debug", code=1)

    assert "ValueError: bad file 1" in done.stderr
    assert fresh_tg.json("status", "failing.py")["total"]["failed"] == 0


def test_pdb_opens_a_debugger_where_the_task_failed(tg):
    tg.jugfile("failing.py")

    done = tg("execute", "failing.py", "--pdb", code=1, stdin="p ('seen', i)\nquit\n")

    assert "('seen', 1)" in done.stdout


def test_ctrl_c_lets_running_tasks_end(tg):
    tg.jugfile("slow.py")
    worker = tg.start("execute", "slow.py", "--", "1.5", "3")
    tg.wait_for("began-0")

    os.killpg(worker.pid, signal.SIGINT)

    assert worker.wait(timeout=30) == 128 + signal.SIGINT
    assert "press Ctrl-C again" in worker.stdout.read()
    assert tg.json("status", "slow.py")["total"]["done"] == 1
    assert tg.json("locks", "slow.py") == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_twice_abandons_them(tg, workers):
    tg.jugfile("slow.py")
    worker = tg.start("execute", "-j", workers, "slow.py", "--", "60", "3")
    tg.wait_for("began-0")

    began = time.monotonic()
    os.killpg(worker.pid, signal.SIGINT)
    time.sleep(0.3)  # two signals at once would be one
    os.killpg(worker.pid, signal.SIGINT)

    assert worker.wait(timeout=30) == 128 + signal.SIGINT
    assert time.monotonic() - began < 15
    total = tg.json("status", "slow.py")["total"]
    assert (total["done"], total["ready"]) == (0, 3)
    assert tg.json("locks", "slow.py") == []


def test_sigterm_ends_a_long_task_and_gives_the_locks_back(tg):
    tg.jugfile("slow.py")
    worker = tg.start("execute", "slow.py", "--", "60", "3")
    tg.wait_for("began-0")

    worker.terminate()

    assert worker.wait(timeout=15) == 128 + signal.SIGTERM
    assert tg.json("locks", "slow.py") == []
    assert tg.json("errors", "slow.py") == []


def test_what_tasks_print_is_shown_by_execute(tg):
    tg.jugfile("outputs.py")

    done = tg("execute", "outputs.py")

    shown = done.stdout + done.stderr
    assert "from Python" in shown
    assert "from a process" in shown


def test_a_jugfile_that_chooses_its_store_is_announced(tg):
    path = tg.jugfile("sums.py")
    text = path.read_text().replace(
        "count = ", "from taskgraph import set_jugdir\nset_jugdir('mine')\ncount = "
    )
    path.write_text(text)

    done = tg("execute", "sums.py")

    assert f"the jugfile chose the store {tg.folder / 'mine'}" in done.stderr
    assert tg.json("status", "sums.py", "--store", "mine")["finished"]


@pytest.mark.parametrize(
    "options",
    [
        ("-j", "0"),
        ("-j", "two"),
        ("--lease", "0"),
        ("--max-wait", "-1"),
        ("--name", ""),
        ("--pattern", "("),
        ("--no-such-option",),
    ],
)
def test_wrong_options_are_usage_errors(tg, options):
    tg.jugfile("sums.py")

    tg("execute", "sums.py", *options, code=2)

    assert not (tg.folder / "sums.tgdata").exists()


def test_a_store_in_a_foreign_folder_is_refused(tg):
    tg.jugfile("sums.py")
    tg.write("precious.txt", "mine")

    refused = tg("execute", "sums.py", "--store", ".", code=2)

    assert "holds other files and no store" in refused.stderr


def test_a_failure_behind_a_barrier_counts(tg):
    path = tg.jugfile("barriers.py")
    path.write_text(path.read_text().replace("return sum(xs)", "return 1 / 0"))

    done = tg("execute", "barriers.py", code=1)

    assert "4 done, 1 failed" in done.stderr


def test_progress_is_drawn_on_a_terminal(tg):
    tg.jugfile("slow.py")
    leader, follower = os.openpty()

    worker = subprocess.Popen(
        [tg.script, "execute", "slow.py", "--", "0.4", "3"],
        cwd=tg.folder,
        env={**tg.env, "COLUMNS": "100", "TERM": "xterm"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    drawn = b""
    with contextlib.suppress(OSError):  # that is how a terminal says that it is over
        while chunk := os.read(leader, 1 << 16):
            drawn += chunk
    os.close(leader)

    assert worker.wait(timeout=30) == 0
    assert b"nap" in drawn
    assert b"3/3" in drawn


def test_a_run_says_how_much_of_it_it_made_itself(tg):
    tg.write(
        "sums.py",
        "from taskgraph import TaskGenerator\n"
        "@TaskGenerator\ndef leaf(x):\n    return 12 // x\n"
        "@TaskGenerator\ndef total(xs):\n    return sum(xs)\n"
        "total([leaf(x) for x in range(1, 12)])\nleaf(0)\n",
    )
    ran = [tg("execute", "sums.py", "-j2", code=1).stderr for _ in range(2)]
    tg("invalidate", "--name", "total", "--yes", "sums.py")
    ran.append(tg("execute", "sums.py", code=1).stderr)
    said = [
        re.search(r"12 done, 1 failed after [0-9.]+ s(.*)", text)[1] for text in ran
    ]
    assert said[0] == ""
    assert said[1] == ", 1 of them by this command"  # what failed was tried once more
    assert said[2] == ", 2 of them by this command"
    tg.write("sums.py", (tg.folder / "sums.py").read_text().replace("leaf(0)\n", ""))
    assert "s, none of them by this command" in tg("execute", "sums.py").stderr

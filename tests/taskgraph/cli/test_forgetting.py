"""`tg invalidate`, `undo` and `cleanup`: nothing is lost that was not meant."""

import os
import subprocess

import pytest


@pytest.fixture
def done(tg):
    tg.ran("sums.py")
    return tg


def total(tg, *args):
    return tg.json("status", "sums.py", *args)["total"]


def test_invalidating_takes_the_dependants_along(done):
    shown = done("invalidate", "sums.py", "--name", "square", "--yes")

    assert shown.stdout.splitlines()[-1].split()[:3] == ["all", "5", "0"]
    state = total(done)
    assert (state["done"], state["ready"], state["waiting"]) == (4, 4, 1)


def test_a_dry_run_changes_nothing(done):
    shown = done("invalidate", "sums.py", "--pattern", "squ", "--dry-run")

    assert "CPU time" in shown.stdout
    assert total(done)["done"] == 9


def test_without_yes_and_terminal_nothing_is_changed(done):
    shown = done("invalidate", "sums.py", "--name", "square", code=2)

    assert "nothing was changed; add --yes" in shown.stderr
    assert total(done)["done"] == 9


@pytest.mark.parametrize(("answer", "left"), [(b"y\n", 4), (b"n\n", 9)])
def test_on_a_terminal_it_asks_first(done, answer, left):
    leader, follower = os.openpty()

    asking = subprocess.Popen(
        [done.script, "invalidate", "sums.py", "--name", "square"],
        cwd=done.folder,
        env=done.env,
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.write(leader, answer)
    asked, _ = asking.communicate(timeout=60)
    os.close(leader)
    os.close(follower)

    assert b"Forget these?" in asked
    assert total(done)["done"] == left


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "say what to forget"),
        (("--name", ""), "an empty name or pattern"),
        (("--pattern", ""), "an empty name or pattern"),
        (("--pattern", "("), "not a regular expression"),
        (("--name", "sqare"), "name: 'sqare'; there are sums.number, sums.square"),
        (("--name", "square", "--pattern", "tatol"), "no function of that name: 'tat"),
        (("--key", "zz"), "no key begins with it"),
        (("--key", ""), "the first digits of a key"),
    ],
)
def test_invalidating_needs_to_know_what(done, options, sentence):
    assert sentence in done("invalidate", "sums.py", "-y", *options, code=2).stderr
    assert total(done)["done"] == 9


def test_invalidating_one_task_by_key(done):
    keys = [entry["key"] for entry in done.json("show", "sums.py", "square")]

    done("invalidate", "sums.py", "--key", keys[0][:9], "-y")

    assert total(done)["done"] == 7


def test_undo_brings_all_back(done):
    done("invalidate", "sums.py", "--name", "square", "--yes")

    undone = done("undo", "sums.py")

    assert "5 results of 5 came back" in undone.stderr
    assert total(done)["done"] == 9
    assert "nothing to undo" in done("undo", "sums.py").stderr


def test_undo_lists_what_can_be_undone_and_takes_a_number(done):
    done("invalidate", "sums.py", "--name", "total", "--yes")
    done("invalidate", "sums.py", "--name", "number", "--yes")
    first, second = done.json("undo", "sums.py", "--list")

    assert (first["results"], second["results"]) == (1, 8)
    assert second["why"] == "invalidate number"
    assert "has the number 9999" in done("undo", "sums.py", "9999", code=2).stderr
    told = done("undo", "sums.py", first["number"]).stderr
    assert "0 results of 1 came back" in told  # what it was made of is not there
    assert "undo a later one first" in told
    told = done("undo", "sums.py", second["number"]).stderr
    assert "8 results of 8 came back" in told
    done("undo", "sums.py", first["number"])
    assert total(done)["done"] == 9


def test_undo_tells_other_programs_what_it_did(done):
    nothing = {"number": None, "why": None, "results": 0, "back": 0, "forgotten": 0}
    assert done.json("undo", "sums.py") == nothing
    done("invalidate", "sums.py", "--name", "square", "--yes")
    done("execute", "-q", "sums.py", "--name", "square")

    told = done.json("undo", "sums.py")

    assert told.pop("number") > 0
    what = {"why": "invalidate square", "results": 5}
    assert told == {**what, "back": 5, "forgotten": 4}
    assert total(done)["done"] == 9


def test_undo_after_computing_anew_never_mixes_old_and_new(done):
    path = done.folder / "sums.py"
    path.write_text(path.read_text().replace("x * x", "x + 100"))
    done("invalidate", "sums.py", "--name", "square", "--yes")
    done("execute", "sums.py", "--name", "square")

    undone = done("undo", "sums.py")

    assert "4 newer results forgotten in their place" in undone.stderr
    assert done("value", "sums.py", "total").stdout == "14\n"
    listed = done.json("value", "--all", "sums.py", "square")
    assert sorted(entry["value"] for entry in listed) == [0, 1, 4, 9]


def test_undoing_a_retry_keeps_what_succeeded(tg):
    path = tg.ran("failing.py", code=1)
    tg("retry", "failing.py", "--name", "load")
    path.write_text(path.read_text().replace("if i % 2", "if i == 1"))
    tg("execute", "failing.py", code=1)

    tg("undo", "failing.py")

    assert tg.json("status", "failing.py")["total"]["failed"] == 2


def test_invalidating_goes_by_the_jugfile_as_it_is_now(done):
    path = done.folder / "sums.py"
    path.write_text(path.read_text() + "\n\nsquare(50)\n")

    shown = done("invalidate", "sums.py", "--name", "square", "-n")

    assert shown.stdout.splitlines()[-1].split()[1] == "5"
    assert total(done)["done"] == 9


def test_cleanup_removes_what_no_task_needs(done):
    path = done.folder / "sums.py"
    path.write_text(path.read_text().replace("else 4", "else 3"))
    preview = done("cleanup", "sums.py")
    assert "nothing was changed; --yes removes 3 results" in preview.stderr

    done("cleanup", "sums.py", "--yes")

    assert "nothing to remove" in done("cleanup", "sums.py").stderr
    assert "tg: 3 results of 3 came back" in done("undo", "sums.py").stderr


def test_cleanup_keeps_what_other_jugfiles_need(done):
    done.jugfile("sums.py", to="others.py")
    done("execute", "others.py", "--store", "sums.tgdata", "--", "6")
    done("execute", "sums.py", "--", "5")

    kept = done("cleanup", "sums.py", "--", "4")
    assert "kept for others.py, sums.py" in kept.stderr
    assert "nothing to remove" in kept.stderr

    alone = done("cleanup", "sums.py", "--alone", "--", "4")
    assert "nothing was changed" in alone.stderr


def test_cleanup_refuses_a_graph_that_a_barrier_hides(tg):
    tg.ran("broken_barrier.py", code=1)

    refused = tg("cleanup", "broken_barrier.py", code=2)

    assert "stops at a barrier" in refused.stderr
    tg("cleanup", "broken_barrier.py", "--force")


def test_emptying_the_trash_removes_large_values_for_good(tg):
    tg.ran("outputs.py")
    blobs = tg.folder / "outputs.tgdata" / "blobs"
    count = len([path for path in blobs.rglob("*") if path.is_file()])
    tg("invalidate", "outputs.py", "--name", "shifted", "-y")
    assert "1 result" in tg("cleanup", "outputs.py", "--empty-trash", "0").stderr

    tg("cleanup", "outputs.py", "--empty-trash", "0", "-y")

    left = len([path for path in blobs.rglob("*") if path.is_file()])
    assert (count, left) == (2, 1)
    assert "nothing to undo" in tg("undo", "outputs.py").stderr
    tg("execute", "-q", "outputs.py")
    tg("fsck", "outputs.py")


def test_what_was_forgotten_lately_survives_the_emptying(done):
    done("invalidate", "sums.py", "--name", "square", "--yes")

    done("cleanup", "sums.py", "--empty-trash", "1", "--yes")

    assert "5 results of 5 came back" in done("undo", "sums.py").stderr


@pytest.mark.parametrize(
    ("args", "results"),
    [
        (("invalidate", "sums.py", "--name", "square", "-n"), 5),
        (("cleanup", "sums.py", "--", "3"), 0),
        (("cleanup", "sums.py", "--alone", "--", "3"), 3),
    ],
)
def test_what_would_go_is_told_to_other_programs(done, args, results):
    told = done.json(*args)

    assert sum(row["results"] for row in told["functions"]) == results


def test_what_is_retried_is_told_to_other_programs(tg):
    tg.ran("failing.py", code=1)

    told = tg.json("retry", "failing.py", "--name", "load")

    assert [task["function"] for task in told] == ["failing.load"] * 3


def test_what_is_emptied_is_told_to_other_programs(tg):
    tg.ran("outputs.py")
    tg("invalidate", "outputs.py", "--name", "shifted", "-y")
    empty = ("outputs.py", "--empty-trash", "0")

    before = tg.json("cleanup", *empty)
    told = tg.json("cleanup", *empty, "-y")

    assert before == {"results": 1, "blobs": 0, "freed": 0, "final": False}
    assert told.pop("freed") > 1000
    assert told == {"results": 1, "blobs": 1, "final": True}


@pytest.mark.parametrize(
    ("words", "document"),
    [
        ("cleanup", {"functions": [], "kept": 0}),
        (
            "cleanup -y --empty-trash 0",
            {"results": 0, "blobs": 0, "freed": 0, "final": False},
        ),
        ("invalidate --name square", {"functions": [], "running": 0}),
        ("retry", []),
        ("locks --release all", []),
        ("fsck", {"faults": [], "repaired": False, "again": 0}),
    ],
)
def test_what_never_ran_is_told_to_other_programs(tg, words, document):
    tg.jugfile("sums.py")
    command, *options = words.split()

    assert tg.json(command, "sums.py", *options) == document


def test_undo_says_what_and_how_old_it_is_and_a_dry_run_leaves_it(done):
    done("invalidate", "sums.py", "--name", "square", "--yes")

    said = done("undo", "sums.py", "--dry-run").stderr

    assert "'invalidate square'" in said
    assert "ago" in said
    assert total(done)["done"] == 4
    assert "'invalidate square'" in done("undo", "sums.py").stderr
    assert total(done)["done"] == 9


def test_a_dry_run_of_cleanup_removes_nothing_whatever_else_is_given(done):
    path = done.folder / "sums.py"
    path.write_text(path.read_text().replace("else 4", "else 3"))

    said = done("cleanup", "sums.py", "--dry-run", "--yes").stderr

    assert "nothing was changed" in said

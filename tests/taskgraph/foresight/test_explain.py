"""`tg execute --dry-run` and `tg explain`: what would run, and why."""

import json

JUGFILE = """
from dataclasses import dataclass
from pathlib import Path

from taskgraph import File, TaskGenerator, barrier


@dataclass(frozen=True)
class Settings:
    folder: str
    sigma: float


@TaskGenerator
def load(path, number):
    return number


@TaskGenerator
def smooth(image, settings, size=3):
    return image


@TaskGenerator
def total(images):
    return sum(images)


@TaskGenerator
def fragile(number):
    raise ValueError(number)


FOLDER = "/a"
images = [load(File("a.txt"), number) for number in range(3)]
smoothed = [smooth(image, Settings(FOLDER, 2.0)) for image in images]
total(smoothed)
fragile(smoothed[0])
"""


def made(tg, **changes):
    """Write the jugfile, with some words replaced."""
    text = JUGFILE
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    tg.write("job.py", text)


def would_run(tg, *options):
    """Return how many tasks would run, by function and reason."""
    plain = json.loads(tg("execute", "job.py", "-n", "--json", *options).stdout)
    assert plain["run"] == sum(row["tasks"] for row in plain["functions"])
    return {(r["name"][4:], r["reason"]): r["tasks"] for r in plain["functions"]}


def explained(tg, word):
    return json.loads(tg("explain", "job.py", word, "--json").stdout)


def test_what_would_run_and_why(tg):
    tg.write("a.txt", "one")
    made(tg)
    assert would_run(tg) == {
        ("load", "never run"): 3,
        ("smooth", "never run"): 3,
        ("total", "never run"): 1,
        ("fragile", "never run"): 1,
    }
    assert not (tg.folder / "job.tgdata").exists()
    tg("execute", "job.py", code=1)
    assert would_run(tg) == {("fragile", "failed before"): 1}

    made(tg, **{'"/a"': '"/b"'})
    new = {("smooth", "never run"): 3, ("total", "its input changed"): 1}
    assert would_run(tg, "--name", "total", "--name", "smooth") == new

    made(tg)
    tg("invalidate", "job.py", "--name", "smooth", "--yes")
    assert would_run(tg) == {
        ("smooth", "invalidated"): 3,
        ("total", "its input changed"): 1,
        ("fragile", "its input changed"): 1,
    }
    tg("undo", "job.py", "--yes")
    tg.write("a.txt", "another")
    assert would_run(tg) == {
        ("load", "a file changed"): 3,
        ("smooth", "its input changed"): 3,
        ("total", "its input changed"): 1,
        ("fragile", "its input changed"): 1,
    }


def test_why_a_call_is_new(tg):
    tg.write("a.txt", "one")
    made(tg)
    tg("execute", "job.py", code=1)
    made(tg, **{'"/a"': '"/b"'})

    (found,) = explained(tg, "smooth")
    (change,) = found["changes"]
    assert change["differences"] == [
        {
            "path": "args.settings.folder",
            "before": "'/a'",
            "after": "'/b'",
            "what": "value",
        }
    ]
    assert "ignore=('settings',)" in change["advice"]
    assert len(found["tasks"]) == 3
    (found,) = explained(tg, "total")
    assert [one["function"] for one in found["changes"]] == ["job.total", "job.smooth"]
    assert len(found["waits_for"]) == 3
    said = tg("why", "job.py", "smooth").stdout
    assert "args.settings.folder: '/a' -> '/b'" in said
    assert "it can run now (never run)" in said

    tg("execute", "job.py", code=1)  # compared with what no task makes any more
    (done,) = explained(tg, "load")
    assert "it will not run again" in done["says"]
    made(tg, **{'"/a"': '"/b"', "size=3": "size=5"})
    (found,) = explained(tg, "smooth")
    assert [one["path"] for one in found["changes"][0]["differences"]] == ["args.size"]


def test_what_stands_in_the_way_is_named(tg):
    tg.write("a.txt", "one")
    behind = "smoothed[0])\nbarrier()\nlater = total([1])\ntotal([fragile(7)])\n"
    made(tg, **{"smoothed[0])": behind})
    tg("execute", "job.py", code=1)

    (failed,) = explained(tg, "fragile")
    assert failed["says"].endswith("the next `tg execute job.py` tries it once more")
    said = tg("explain", "job.py", "later", code=2).stderr
    assert "stops at a barrier, and more may appear behind it" in said
    assert "behind a barrier more tasks may" in tg("execute", "job.py", "-n").stderr

    made(tg, **{"fragile(smoothed[0])": "total([fragile(7)])"})
    tg("execute", "job.py", code=1)
    blocked = [row for row in explained(tg, "total") if row["state"] == "blocked"]
    assert blocked[0]["blocked_by"] == explained(tg, "fragile")[0]["key"]


def test_a_function_that_moved_is_found_under_its_old_name(tg):
    tg.write("a.txt", "one")
    made(tg)
    tg("execute", "job.py", code=1)
    tg.write("parts.py", JUGFILE.partition("FOLDER =")[0])
    made(tg, **{JUGFILE.partition("FOLDER =")[0]: "from parts import *\n"})

    (found,) = explained(tg, "load")
    assert found["moved_from"] == "job.load"


def test_json_of_a_run_is_refused(tg):
    made(tg)
    assert "--json is for --dry-run" in tg("execute", "job.py", "--json", code=2).stderr


def test_code_that_changed_is_told_and_invalidated_results_say_how_long(tg):
    tg.write("a.txt", "one")
    made(tg)
    tg("execute", "job.py", code=1)
    made(tg, **{"return sum(images)": "return sum(images) + 1"})

    dry = tg("execute", "job.py", "-n", "--name", "total")
    assert "nothing would run" in dry.stderr
    assert "code of `total` changed since 1 result" in dry.stderr
    plain = json.loads(tg("execute", "job.py", "-n", "--json").stdout)
    assert [one["name"] for one in plain["changed_code"]] == ["job.total"]
    assert "code of `total` changed" in tg("explain", "job.py", "total").stderr
    assert "code of" not in tg("explain", "job.py", "load").stderr

    tg("invalidate", "job.py", "--name", "total", "--yes")
    plain = json.loads(tg("execute", "job.py", "-n", "--json").stdout)
    each = {row["name"]: row["seconds_each"] for row in plain["functions"]}
    assert each["job.total"] > 0
    assert plain["changed_code"] == []


def test_of_tasks_that_went_the_others_are_not_told_and_nothing_is_advised(tg):
    script = """
from taskgraph import TaskGenerator
@TaskGenerator
def one(x): return x
@TaskGenerator
def total(xs): return sum(xs)
total([one(x) for x in range(NUMBER)])
"""
    tg.write("job.py", script.replace("NUMBER", "12"))
    tg("execute", "job.py")
    tg.write("job.py", script.replace("NUMBER", "11"))
    (found,) = explained(tg, "total")
    (change,) = found["changes"]
    (place,) = change["differences"]
    assert place["path"] == "args.xs[11:]"
    assert place["before"].count("one") == 1
    assert change["advice"] == ""


def test_another_file_is_not_advised_to_be_left_out_of_the_key(tg):
    tg.write("a.txt", "one")
    tg.write("b.txt", "one")
    made(tg)
    tg("execute", "job.py", code=1)
    made(tg, **{'File("a.txt")': 'File("b.txt")'})
    (found,) = explained(tg, "load")
    (change,) = found["changes"]
    assert change["differences"][0]["path"] == "args.path"
    assert change["advice"] == ""


OTHERS = """
from taskgraph import Output, TaskGenerator


@TaskGenerator(code=True)
def coded(number):
    return number + 1


@TaskGenerator(resources={"gpu": 1})
def trained(number):
    return number


@TaskGenerator
def written(path):
    path.write_text("text")


coded(1), trained(2), [written(Output(name)) for name in ("a.out", "b.out")]
"""


def test_a_dry_run_says_what_would_wait_and_that_adopting_takes_no_time(tg):
    tg.write("job.py", OTHERS)
    told = tg("execute", "job.py", "-n").stderr
    assert "1 task of job.trained waits for gpu=1" in told
    assert "this store has no run of them" in told
    told = tg("execute", "job.py", "-n", "--resources", "gpu=1").stderr
    assert "waits for" not in told

    tg.write("a.out", "text")
    tg("adopt", "job.py")
    plain = json.loads(tg("execute", "job.py", "-n", "--json").stdout)
    assert {row["seconds_each"] for row in plain["functions"]} == {None}

    tg("execute", "job.py", "--resources", "gpu=1")
    tg.write("job.py", OTHERS.replace("number + 1", "number + 2"))
    (found,) = explained(tg, "coded")
    before, now = found["changes"][0]["versions"]
    assert before.startswith("code ")
    assert now.startswith("code ")
    assert now != before


WRITING = """
from pathlib import Path
from taskgraph import File, Output, TaskGenerator

@TaskGenerator
def mask(path, out):
    Path(out).write_text(Path(path).read_text())

@TaskGenerator
def count(path):
    return len(Path(path).read_text())

for path in sorted(Path().glob("*.txt")):
    count(File(path))
    mask(File("a.txt"), Output(f"masks/{path.stem}.out"))
"""


def test_the_file_that_was_edited_is_named(tg):
    tg.write("a.txt", "cells")
    tg.write("work.py", WRITING)
    tg("execute", "-q", "work.py")
    (tg.folder / "masks" / "a.out").write_text("edited")
    said = tg("explain", "work.py", "mask").stdout
    assert "masks/a.out, which it wrote)" in said
    assert tg.json("explain", "work.py", "mask")[0]["files"][0].endswith("masks/a.out")


def test_a_picture_that_was_renamed_is_found_under_its_old_name(tg):
    for name in ("a", *map(str, range(40))):
        tg.write(f"{name}.txt", f"cells {name}")
    tg.write("work.py", WRITING)
    tg("execute", "-q", "work.py", "--name", "count")
    (tg.folder / "3.txt").rename(tg.folder / "z.txt")
    said = tg("explain", "work.py", "count").stdout
    assert "3.txt') -> File(" in said
    assert "z.txt'), of the same content" in said

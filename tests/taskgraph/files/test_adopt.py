"""`tg adopt`: files that are there are results, and nothing runs for them."""

import json

import pytest

JUGFILE = """
from pathlib import Path
from taskgraph import Output, TaskGenerator

@TaskGenerator
def write(text, path):
    Path("log").open("a").write(path.name)
    path.write_text(str(text))

@TaskGenerator
def letters(path):
    return len(path.read_text())

@TaskGenerator
def total(numbers, path):
    path.write_text(str(sum(numbers)))

files = [write(name, Output(f"out/{name}.txt")) for name in ("a", "b", "c")]
total([letters(file) for file in files], Output("out/total.txt"))
write("copy", Output("out/copy")), write(files[0], Output("out/of_a"))
"""


@pytest.fixture
def there(tg):
    tg.write("jf.py", JUGFILE)
    (tg.folder / "out").mkdir()
    for name in ("a.txt", "b.txt", "total.txt", "of_a"):
        (tg.folder / "out" / name).write_text(f"made elsewhere: {name}")
    return tg


def ran(tg):
    log = tg.folder / "log"
    return log.read_text() if log.exists() else ""


def test_what_is_there_is_taken_and_what_is_not_is_told(there):
    looked = there("adopt", "jf.py", "--dry-run", "--json")
    assert not (there.folder / "jf.tgdata").exists()
    taken = there.json("adopt", "jf.py")

    for found in (there.json("adopt", "-n", "jf.py"), taken):
        assert [one["path"] for one in found["missing"]] == ["out/c.txt", "out/copy"]
        assert [one["for"] for one in found["waiting"]] == ["jf.letters"]
    assert json.loads(looked.stdout) == taken
    paths = [one["paths"] for one in taken["taken"]]
    assert paths == [["out/a.txt"], ["out/b.txt"], ["out/of_a"]]
    assert "2 tasks left out: out/c.txt, out/copy are not there" in looked.stderr
    assert "1 task left out whose files are there: jf.letters has no" in looked.stderr

    there("execute", "jf.py", "--name", "letters", "--name", "write")
    assert ran(there) in ("c.txtcopy", "copyc.txt")
    assert there.json("adopt", "jf.py")["known"] == 5
    assert there("check", "jf.py").stderr == ""
    there("execute", "jf.py")
    total = there.folder / "out" / "total.txt"
    assert total.read_text() == "made elsewhere: total.txt"
    total.write_text("edited")
    assert "made again" in there("execute", "jf.py").stderr
    assert total.read_text() == str(2 * len("made elsewhere: a.txt") + 1)


def test_what_another_task_of_the_store_wrote_is_not_taken(there):
    there("execute", "jf.py")
    there.write(
        "jf.py",
        JUGFILE.replace('("a", "b"', '("A", "b"').replace("{name}", "{name.lower()}"),
    )
    found = there.json("adopt", "jf.py", code=0)
    paths = [path for one in found["refused"] for path in one["paths"]]
    assert paths == ["out/a.txt", "out/total.txt", "out/of_a"]
    assert "as another task of this store wrote it" in found["refused"][0]["why"]
    assert found["taken"] == []
    (there.folder / "out" / "a.txt").write_text("made elsewhere since")
    taken = there.json("adopt", "jf.py", "--name", "write")["taken"]
    assert ["out/a.txt"] in [one["paths"] for one in taken]


def test_invalidate_takes_it_back(there):
    taken = there.json("adopt", "jf.py", "--name", "write")["taken"]
    shown = there("show", "jf.py", taken[0]["key"]).stdout
    assert "adopted: what it wrote was there" in shown
    there("invalidate", "jf.py", "--name", "write", "--yes")
    there("execute", "jf.py")
    assert sorted(ran(there)) == sorted("a.txtb.txtc.txtcopyof_a")
    assert (there.folder / "out" / "a.txt").read_text() == "a"


@pytest.mark.parametrize(
    ("script", "options", "code", "told"),
    [
        (JUGFILE, ("--name", "letters"), 0, "no task declares an Output"),
        (JUGFILE.replace("out/", "in/"), (), 1, "in/a.txt, in/b.txt, in/c.txt and 3"),
    ],
)
def test_what_cannot_be_taken_is_told_and_nothing_is_lost(
    there, script, options, code, told
):
    there.write("jf.py", script)
    assert told in there("adopt", "jf.py", *options, code=code).stderr
    assert (there.folder / "out" / "a.txt").exists()
    assert not (there.folder / "jf.tgdata").exists()


def test_what_a_forgotten_result_left_is_made_again_and_not_taken(there):
    there("execute", "jf.py")
    there("invalidate", "jf.py", "--name", "letters", "--yes")
    there("execute", "jf.py", "--name", "letters")  # their results may be others now
    found = there.json("adopt", "jf.py", "--name", "total", code=1)
    assert found["taken"] == []
    assert "forgotten since" in found["refused"][0]["why"]
    there("invalidate", "jf.py", "--name", "write", "--yes")
    assert there.json("adopt", "jf.py", "--name", "write", code=1)["taken"] == []

    (there.folder / "out" / "a.txt").write_text("made elsewhere since")
    taken = there.json("adopt", "jf.py")["taken"]
    assert [one["paths"] for one in taken] == [["out/a.txt"]]

"""Files that tasks write: each run says where, and mends what is gone or changed."""

import os
import re

import pytest

import taskgraph
from taskgraph import File, TaskGenerator, TaskgraphError, UsageError, run, value
from taskgraph.files.written import WrittenFile
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.upkeep import gone_files

JUGFILE = """
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator(files=True)
def write(name):
    with open("log", "a") as log:
        print(name, file=log)
    path = Path("out", name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(name)
    return {"path": [path], "letters": len(name)}

@TaskGenerator
def letters(written):
    with open("log", "a") as log:
        print("letters", file=log)
    return sum(one["letters"] for one in written)

letters([write(name) for name in ("a.txt", "bb.txt", "c.txt", "d.txt")])
"""
WHERE = "tg: write: 4 files are in out/"
AGAIN = "a file that tasks wrote is gone or changed, and made again:"


@pytest.fixture
def written(tg):
    tg.write("files.py", JUGFILE)
    assert WHERE in tg("execute", "files.py").stderr.splitlines()
    (tg.folder / "log").unlink()
    return tg


def log_of(tg):
    log = tg.folder / "log"
    return sorted(log.read_text().split()) if log.exists() else []


@pytest.mark.parametrize("options", [(), ("-j", "2"), ("--preload",), ("--debug",)])
def test_each_run_ends_by_saying_where_the_files_are(written, options):
    assert written("execute", "files.py", *options).stderr.splitlines()[-1] == WHERE
    assert WHERE not in written("execute", "files.py", "-q", *options).stderr
    assert log_of(written) == []


@pytest.mark.parametrize("options", [(), ("-j", "2"), ("--preload",), ("--debug",)])
def test_what_is_gone_is_made_again_and_what_was_made_of_it(written, options):
    (written.folder / "out" / "bb.txt").unlink()

    said = written("execute", "files.py", *options).stderr

    assert (
        "a file that tasks wrote is gone or changed, and made again: out/bb.txt" in said
    )
    assert (written.folder / "out" / "bb.txt").read_text() == "bb.txt"
    assert log_of(written) == ["bb.txt", "letters"]
    assert written("value", "files.py", "letters").stdout == "21\n"


def test_a_folder_that_is_gone_comes_back(written):
    written("execute", "files.py")
    for path in (written.folder / "out").iterdir():
        path.unlink()
    (written.folder / "out").rmdir()

    written("execute", "files.py", "-j", "2")

    assert len(list((written.folder / "out").iterdir())) == 4


def edited(path, text):
    path.write_text(text)


def edited_with_its_times(path, text):
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_with_its_times(path, text):
    other = path.with_name("other")
    other.write_text(text)
    before = path.stat()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize(
    "change", [edited, edited_with_its_times, replaced_with_its_times]
)
@pytest.mark.parametrize("text", ["", "by hand", "cc.xt"])
def test_what_is_another_file_now_is_made_again(written, change, text):
    change(written.folder / "out" / "c.txt", text)

    said = written("execute", "files.py").stderr

    assert (
        "a file that tasks wrote is gone or changed, and made again: out/c.txt" in said
    )
    assert (written.folder / "out" / "c.txt").read_text() == "c.txt"
    assert log_of(written) == ["c.txt", "letters"]


def test_what_is_touched_only_or_written_as_it_was_stays(written):
    (written.folder / "out" / "c.txt").write_text("c.txt")
    os.utime(written.folder / "out" / "a.txt", (1, 1))

    assert "made again" not in written("execute", "files.py").stderr
    assert log_of(written) == []


def test_a_folder_in_the_place_of_a_file_is_not_that_file(written):
    (written.folder / "out" / "c.txt").unlink()
    (written.folder / "out" / "c.txt").mkdir()

    said = written("execute", "files.py", code=1).stderr

    assert "made again: out/c.txt" in said
    assert "3 done, 1 failed" in said


PLOT = """
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator(files=True)
def plot(sigma):
    Path("figure.txt").write_text(f"sigma={sigma}")
    return Path("figure.txt")

@TaskGenerator
def read(path):
    return path.read_text()

read(plot(SIGMA))
"""


@pytest.mark.parametrize("options", [(), ("-j", "2"), ("--preload",), ("--debug",)])
def test_a_parameter_that_goes_back_gets_its_own_file_back(tg, options):
    for sigma in (2, 3, 2):
        tg.write("plot.py", PLOT.replace("SIGMA", str(sigma)))
        tg("execute", "plot.py", *options)

        assert (tg.folder / "figure.txt").read_text() == f"sigma={sigma}"
        assert tg("value", "plot.py", "read").stdout == f"sigma={sigma}\n"


def test_what_reads_a_file_anew_reads_that_of_its_own_parameter(tg):
    for sigma in (2, 3):
        tg.write("plot.py", PLOT.replace("SIGMA", str(sigma)))
        tg("execute", "plot.py")
    tg.write("plot.py", PLOT.replace("SIGMA", "2"))
    tg("invalidate", "plot.py", "--name", "read", "--yes")

    tg("execute", "plot.py")

    assert tg("value", "plot.py", "read").stdout == "sigma=2\n"


def test_what_undo_brings_back_gets_its_files_back_too(tg):
    tg.write("plot.py", PLOT.replace("SIGMA", "2"))
    tg("execute", "plot.py")
    tg("invalidate", "plot.py", "--name", "plot", "--yes")
    tg.write("plot.py", PLOT.replace("SIGMA", "2").replace("sigma=", "new="))
    tg("execute", "plot.py")
    assert (tg.folder / "figure.txt").read_text() == "new=2"
    tg.write("plot.py", PLOT.replace("SIGMA", "2"))
    tg("undo", "plot.py")

    tg("execute", "plot.py")

    assert (tg.folder / "figure.txt").read_text() == "sigma=2"
    assert tg("value", "plot.py", "read").stdout == "sigma=2\n"


TWO = """
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator(files=True)
def plot(sigma, path):
    Path(path).write_text("same" if SAME else str(sigma))
    return Path(path)

@TaskGenerator(files=True)
def kept(path, sigma):
    return [path, *[plot.f(sigma, "other.txt") for _ in range(sigma)]]

@TaskGenerator(files=True)
def marked(path):
    path.write_text("marked")
    return path
"""


@pytest.mark.parametrize(
    ("options", "same", "path"),
    [
        ((), False, "a.txt"),
        (("-j", "1"), True, "a.txt"),
        (("--preload",), False, "./a.txt"),
        (("--debug",), False, "../{here}/a.txt"),
        (("-q",), True, "./a.txt"),
    ],
)
def test_two_tasks_that_write_one_file_are_an_error(tg, options, same, path):
    path = path.format(here=tg.folder.name)
    calls = f"plot(2, 'a.txt'); plot(3, {path!r})"
    tg.write("two.py", TWO.replace("SAME", str(same)) + calls)

    said = tg("execute", "two.py", *options, code=1).stderr

    assert re.search(
        r"error: .*plot\(.*\) and .*plot\(.*\) wrote one file, .*a.txt", said
    )
    assert "2, 'a.txt'" in said
    assert "plot(3, " in said


def test_a_file_that_is_changed_by_the_next_task_is_an_error(tg):
    tg.write("two.py", TWO.replace("SAME", "False") + "marked(plot(2, 'a.txt'))")

    assert "wrote one file, a.txt" in tg("execute", "two.py", code=1).stderr


def test_a_file_that_is_handed_on_as_it_is_has_one_writer(tg):
    calls = "kept(kept(plot(2, 'a.txt'), 0), 1)"
    tg.write("two.py", TWO.replace("SAME", "False") + calls)

    assert "wrote one file" not in tg("execute", "two.py").stderr
    assert "made again" not in tg("execute", "two.py").stderr


def test_who_runs_other_functions_only_forgets_nothing(written):
    (written.folder / "out" / "bb.txt").unlink()

    written("execute", "files.py", "--name", "letters")

    assert written("value", "files.py", "letters").stdout == "21\n"
    assert log_of(written) == []


def test_undo_takes_it_back(written):
    (written.folder / "out" / "bb.txt").unlink()
    written("execute", "files.py")

    assert (
        "gone or changed: files of tasks"
        in written("undo", "files.py", "--list").stdout
    )


@TaskGenerator(files=True)
def returns(what):
    return what


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("a.txt", "returns the paths of what it wrote, as Path or File, not str"),
        ("a.txt", r"write `return Path\(path\)`"),
        (None, "returns the paths of what it wrote, as Path or File, not NoneType"),
    ],
)
def test_who_names_no_path_fails(tmp_path, what, why):
    with pytest.raises(TaskgraphError, match=why):
        run(returns(what), store=tmp_path / "s")


@pytest.mark.parametrize("what", [[], {}])
def test_who_finds_nothing_may_have_written_nothing(tmp_path, what):
    assert run(returns(what), store=tmp_path / "s").done == 1


def test_who_did_not_write_what_it_says_fails(tmp_path):
    with pytest.raises(
        TaskgraphError, match=r"no.txt: was returned as written, and is"
    ):
        run(returns([tmp_path, tmp_path / "no.txt"]), store=tmp_path / "s")


@TaskGenerator(files=True)
def copy(text, path):
    path.write_text(text)
    return File(path), (path,)


@pytest.mark.parametrize("workers", [0, 1])
def test_run_refuses_two_tasks_that_write_one_file(tmp_path, workers, caplog):
    tasks = [copy(text, tmp_path / "copy.txt") for text in ("one", "two")]

    with pytest.raises(UsageError, match=r"copy\(.*\) and .*copy\(.* wrote one file"):
        run(tasks, store=tmp_path / "s", workers=workers)
    run(tasks, store=tmp_path / "s", workers=workers, check=False)

    assert f"wrote one file, {tmp_path}/copy.txt" in caplog.text


@pytest.mark.parametrize("workers", [0, 2])
def test_run_makes_them_again_too(tmp_path, workers, caplog):
    task = copy("text", tmp_path / "copy.txt")
    run(task, store=tmp_path / "s", workers=workers)
    (tmp_path / "copy.txt").unlink()

    run(task, store=tmp_path / "s", workers=workers)

    assert f"is gone or changed, and made again: {tmp_path}/copy.txt" in caplog.text
    assert (tmp_path / "copy.txt").read_text() == "text"
    assert value(task)[0].path == str(tmp_path / "copy.txt")


def test_what_another_worker_made_meanwhile_is_not_forgotten(written, monkeypatch):
    monkeypatch.chdir(written.folder)
    (written.folder / "out" / "bb.txt").unlink()
    loaded = Jugfile(written.folder / "files.py").load(
        taskgraph.open_store("files.tgdata")
    )
    look, met = WrittenFile.is_as_written, []

    def looked(file, **how):
        found = look(file, **how)
        if not found and not met:
            met.append(file)
            written("execute", "files.py")
        return found

    monkeypatch.setattr(WrittenFile, "is_as_written", looked)
    assert gone_files.forget_gone(loaded)
    backend = loaded.results.backend
    assert met
    assert len(backend.keys()) == 5
    assert len(backend.discards()) == 1

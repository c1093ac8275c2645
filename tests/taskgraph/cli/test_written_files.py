"""Files that tasks write: each run says where, and makes again what is gone."""

import pytest

import taskgraph
from taskgraph import File, TaskGenerator, TaskgraphError, run, value
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

    assert "a file that tasks wrote is gone and made again: out/bb.txt" in said
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


def test_a_file_that_somebody_changed_is_left_to_him(written):
    (written.folder / "out" / "c.txt").write_text("by hand")

    written("execute", "files.py")

    assert (written.folder / "out" / "c.txt").read_text() == "by hand"


def test_who_runs_other_functions_only_forgets_nothing(written):
    (written.folder / "out" / "bb.txt").unlink()

    written("execute", "files.py", "--name", "letters")

    assert written("value", "files.py", "letters").stdout == "21\n"
    assert log_of(written) == []


def test_undo_takes_it_back(written):
    (written.folder / "out" / "bb.txt").unlink()
    written("execute", "files.py")

    assert "gone: files of tasks" in written("undo", "files.py", "--list").stdout


@TaskGenerator(files=True)
def returns(what):
    return what


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("a.txt", "returns the paths of what it wrote, as Path or File, not str"),
        (None, "returns the paths of what it wrote, as Path or File, not NoneType"),
    ],
)
def test_who_names_no_path_fails(tmp_path, what, why):
    with pytest.raises(TaskgraphError, match=why):
        run(returns(what), store=tmp_path / "s")


def test_who_did_not_write_what_it_says_fails(tmp_path):
    with pytest.raises(
        TaskgraphError, match=r"no.txt: was returned as written, and is"
    ):
        run(returns([tmp_path, tmp_path / "no.txt"]), store=tmp_path / "s")


@TaskGenerator(files=True)
def copy(text, path):
    path.write_text(text)
    return File(path), (path,)


@pytest.mark.parametrize("workers", [0, 2])
def test_run_makes_them_again_too(tmp_path, workers, caplog):
    task = copy("text", tmp_path / "copy.txt")
    run(task, store=tmp_path / "s", workers=workers)
    (tmp_path / "copy.txt").unlink()

    run(task, store=tmp_path / "s", workers=workers)

    assert f"is gone and made again: {tmp_path}/copy.txt" in caplog.text
    assert (tmp_path / "copy.txt").read_text() == "text"
    assert value(task)[0].path == str(tmp_path / "copy.txt")


def test_what_another_worker_made_meanwhile_is_not_forgotten(written, monkeypatch):
    monkeypatch.chdir(written.folder)
    (written.folder / "out" / "bb.txt").unlink()
    loaded = Jugfile(written.folder / "files.py").load(
        taskgraph.open_store("files.tgdata")
    )
    look, met = gone_files.gone, []

    def looked(path):
        found = look(path)
        if found and not met:
            met.append(path)
            written("execute", "files.py")
        return found

    monkeypatch.setattr(gone_files, "gone", looked)
    assert gone_files.forget_gone(loaded)
    backend = loaded.results.backend
    assert met
    assert len(backend.keys()) == 5
    assert len(backend.discards()) == 1

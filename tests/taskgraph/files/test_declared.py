"""Outputs that are declared: whose they are is known before anything runs."""

import errno
import os
from pathlib import Path

import pytest

from taskgraph import (
    Directory,
    File,
    Output,
    TaskGenerator,
    TaskgraphError,
    UsageError,
    run,
    status,
    value,
)
from taskgraph.files.places import counted_from


@TaskGenerator
def write(text, path):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@TaskGenerator
def fill(names, path):
    path.mkdir()
    for name in names:
        (path / name).write_text(name)


@TaskGenerator
def do(what, *paths):
    return what(*paths)


@TaskGenerator
def texts(*paths):
    return [path.read_text() for path in paths]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_or_folder_is_there_when_its_task_is_done_and_its_path_is_the_result(
    here,
):
    file, folder = write("one", Output("out/a.txt")), fill(["x"], Output("out/f"))
    read = texts(file)
    assert run([read, folder]).done == 3
    assert value([file, folder, read]) == [Path("out/a.txt"), Path("out/f"), ["one"]]
    assert everything(here) == ["out", "out/a.txt", "out/f", "out/f/x"]


def copied(*paths):
    for path in paths:
        path.write_text(path.name)


def test_several_outputs_come_in_the_order_of_the_call(here):
    paths = [Output(name) for name in ("b", "c/d", "a")]
    task = do(copied, *paths)
    assert run(task).done == 1
    assert value(task) == (Path("b"), Path("c/d"), Path("a"))
    assert run(texts(task[1])).done == 2


def of_dict(paths):
    copied(*paths.values())


def test_in_a_dict_they_come_sorted_however_it_was_made(here):
    tasks = [
        do(of_dict, {name: Output(name) for name in names}) for names in ("ba", "ab")
    ]
    assert tasks[0].key == tasks[1].key
    for task in tasks:
        run(task)
        assert value(task) == (Path("a"), Path("b"))


def test_the_key_has_the_path_as_it_is_given(here):
    keys = {write("one", Output(p)).key for p in ("a", "./a", "x/../a")}
    assert len(keys) == 1
    with counted_from(str(here / "elsewhere")):
        keys.add(write("one", Output("a")).key)
        keys.add(write("one", Output("b")).key)
    assert len(keys) == 2


def given_back(*paths):
    copied(*paths)
    return list(map(str, paths))


def with_a_number(path):
    path.write_text("text")
    return 3


def with_another_path(path):
    path.write_text("text")
    return Path("a")


def nothing(path):
    pass


def a_link(path):
    path.symlink_to("/etc/hostname")


def with_more(path):
    path.write_text("text")
    path.with_suffix(".hdr").write_text("more")


def raising(path):
    path.write_text("half")
    raise ValueError("so")


def full(path):
    path.write_text("half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def test_the_paths_that_were_given_may_be_returned(here):
    task = do(given_back, Output("a"), Output("b"))
    assert run(task).done == 1
    assert value(task) == (Path("a"), Path("b"))


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (with_a_number, "returns nothing, not int: the result of its task is the path"),
        (with_another_path, "returns nothing, not PosixPath"),
        (nothing, "a: was not written, though the task declares it"),
        (a_link, "a: is a link, or no file or folder"),
        (with_more, r"a.hdr was written beside a, and is no output: declare it"),
        (raising, "so"),
        (full, "No space left on device"),
    ],
)
def test_a_task_that_fails_leaves_everything_as_it_was(here, what, why):
    Path("a").write_text("before")
    report = run(do(what, Output("a")), check=False)
    assert report.failed == 1
    assert why.replace("\\", "") in report.errors[0].message
    assert everything(here) == ["a"]
    assert Path("a").read_text() == "before"


@pytest.mark.parametrize("name", ["fsync", "rename", "replace"])
def test_a_disk_that_is_full_at_the_end_leaves_nothing(here, name, monkeypatch):
    def fails(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, name, fails)
    if name == "rename":  # a folder that is there is moved aside first
        Path("a").mkdir()
    before = everything(here)
    one = fill(["x"], Output("a")) if before else write("x", Output("a"))
    report = run(one, check=False)
    assert "No space left" in report.errors[0].message
    assert everything(here) == before


def test_a_folder_that_cannot_be_made_fails_its_task_only(here):
    Path("file").touch()
    report = run([write("x", Output("file/a")), write("x", Output("b"))], check=False)
    assert (report.failed, report.done) == (1, 1)


# What is in the way


def test_a_new_version_replaces_the_old_one_whole(here):
    for names in (["a", "b"], ["c"]):
        run(fill(names, Output("f")), store="store", workers=0)
        assert everything(here / "f") == names


def test_a_folder_that_holds_more_than_tasks_wrote_is_not_replaced(here):
    run(fill(["a"], Output("f")), store="store", workers=0)
    Path("f/notes.txt").write_text("mine")
    report = run(fill(["b"], Output("f")), store="store", workers=0, check=False)
    assert "f: is to be replaced, and holds notes.txt" in report.errors[0].message
    assert everything(here / "f") == ["a", "notes.txt"]
    Path("f/notes.txt").unlink()
    assert run(fill(["b"], Output("f")), store="store", workers=0).done == 1


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (write("x", Output("a")), "a: a folder is there, where a file is to be"),
        (fill(["x"], Output("b")), "b: a file is there, where a folder is to be"),
    ],
)
def test_what_is_of_another_kind_is_not_replaced(here, write, why):
    Path("a").mkdir()
    Path("b").touch()
    with counted_from(str(here)):
        place = Output(write.args[1].path)
    task = write.generator(write.args[0], place)
    assert why in run(task, check=False).errors[0].message
    assert everything(here) == ["a", "b"]


# What is refused before anything runs


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../a", "is outside of"),
        ("/elsewhere/a", r"write Output\('/elsewhere/a', outside=True\)"),
        (".", "but holds it"),
        ("..", "but holds it"),
        ("/", "but holds it"),
        ("", "name a file or folder"),
    ],
)
def test_what_is_outside_of_the_project_is_refused(here, path, why):
    with pytest.raises(UsageError, match=why):
        Output(path)


def test_outside_is_allowed_if_it_is_said(here, tmp_path_factory):
    place = tmp_path_factory.mktemp("outside") / "a"
    task = write("x", Output(place, outside=True))
    assert run(task).done == 1
    assert value(task) == place
    (here / "link").symlink_to(place.parent)  # a link says it, too
    assert run(write("y", Output("link/b"))).done == 1
    assert (place.parent / "b").read_text() == "y"


@pytest.mark.parametrize("look", [run, status])
@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ("a", "a", "the same"),
        ("a", "./x/../a", "the same"),
        ("real/a", "link/a", "the same"),
        ("a", "a/b", "a folder above it"),
        ("a/b/c", "a", "a folder above it"),
    ],
)
def test_two_tasks_that_declare_one_path_are_refused(here, look, first, second, what):
    Path("real").mkdir()
    Path("link").symlink_to("real")
    tasks = [write("one", Output(first)), write("two", Output(second))]
    with pytest.raises(UsageError, match=rf"write\(.*, and {what} is one of .*write"):
        look(tasks)
    assert everything(here) == ["link", "real"]


def test_one_task_may_be_written_down_twice(here):
    assert run([write("one", Output("a")), write("one", Output("a"))]).done == 1


def test_what_is_written_is_not_read_as_a_file(here):
    Path("a").write_text("old")
    tasks = [write("one", Output("a")), do(len, File("a"))]
    with pytest.raises(UsageError, match="is read as a File or within a Directory"):
        run(tasks)
    assert Path("a").read_text() == "old"


def test_what_is_written_lies_in_no_directory_that_is_read(here):
    Path("in/deep").mkdir(parents=True)
    do(len, Directory("in"))  # of no task that is run
    for path in ("in", "in/a", "in/deep/b/c"):
        with pytest.raises(UsageError, match="or within a Directory: pass the task"):
            run([write("one", Output(path)), do(len, Directory("in"))])
    assert run([write("one", Output("inside")), do(len, Directory("in"))]).done == 2


def test_files_true_and_an_output_are_one_too_many(here):
    with pytest.raises(UsageError, match="leave files=True out"):
        TaskGenerator(copied, files=True)(Output("a"))
    assert status([write("one", Output("b"))]).open == 1


def test_an_argument_that_is_refused_leaves_no_output_for_the_next_task(here):
    with pytest.raises(TaskgraphError):
        do(Output("a"), lambda x: x)
    assert run([do(str, "text"), write("b", Output("b"))]).done == 2


# Verified when they are needed


def spoils(path, once):
    if not once.exists():
        once.touch()
        path.unlink()


def spoils_always(path, once):
    path.write_text("spoiled")


@pytest.mark.parametrize("store", ["memory://", "store"])
def test_what_is_gone_when_it_is_needed_is_made_again_first(here, store):
    file = write("one", Output("a"))
    spoiled = do(spoils, file, here / "once")
    read = do(last_text, spoiled, file)
    assert run(read, store=store, workers=0).done == 3
    assert value(read) == "one"


def last_text(_, path):
    return path.read_text()


def test_what_is_changed_each_time_fails_what_reads_it_and_says_so(here):
    file = write("one", Output("a"))
    read = do(last_text, do(spoils_always, file, here), file)
    report = run(read, workers=0, check=False)
    assert report.done + report.failed == 3
    assert "a: is gone or changed each time after" in report.errors[0].message

"""Files as arguments: noticed when they change, read once, refused when too late."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import taskgraph
from taskgraph import File, TaskGenerator, UsageError
from taskgraph.files import file_contents


@TaskGenerator
def length(path):
    return len(Path(path).read_text())


@TaskGenerator
def lengths(paths):
    return {name: len(Path(path).read_text()) for name, path in paths.items()}


@pytest.fixture
def picture(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "cell.txt"
    path.write_text("one")
    return path


def test_other_content_is_another_task_and_the_same_is_not(picture):
    first = length(File(picture)).key
    os.utime(picture, ns=(1, 1))
    assert length(File(picture)).key == first
    picture.write_text("two")
    assert length(File(picture)).key != first


def test_a_change_that_size_and_time_do_not_show_is_seen_if_it_is_fresh(picture):
    stamp = picture.stat()
    first = File(picture)
    picture.write_text("two")
    os.utime(picture, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert File(picture) != first


def test_a_known_file_is_not_read_again(picture, monkeypatch):
    later = time.time_ns() + 100 * 10**9
    monkeypatch.setattr(file_contents, "time", SimpleNamespace(time_ns=lambda: later))
    first = File(picture)
    monkeypatch.setattr(file_contents, "_digest_of", None)
    assert File(picture) == first


def test_functions_get_paths_wherever_the_file_stands(picture, tmp_path):
    tasks = [length(File(picture)), lengths({"a": File(picture)})]
    taskgraph.run(tasks, store=tmp_path / "store.tgdata")
    assert taskgraph.value(tasks) == [3, {"a": 3}]


@pytest.mark.parametrize("change", ["was changed", "is gone"])
def test_a_file_that_changed_after_the_call_is_refused(picture, tmp_path, change):
    task = length(File(picture))
    picture.unlink()
    if change == "was changed":
        picture.write_text("longer")
    with pytest.raises(taskgraph.TaskgraphError, match=change):
        taskgraph.run([task], store=tmp_path / "store.tgdata")
    with pytest.raises(UsageError, match=change):
        task.args[0].__taskgraph_value__()


def test_a_file_that_is_not_there_is_refused_where_it_is_named(tmp_path):
    with pytest.raises(FileNotFoundError):
        File(tmp_path / "none.tif")

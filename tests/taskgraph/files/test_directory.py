"""Folders as arguments: all that is in them counts, and nothing else."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import taskgraph
from taskgraph import Directory, TaskGenerator, UsageError
from taskgraph.files import directory, file_contents as contents

NAMES = st.sampled_from(["a", "b", ".hidden", "f", "caf\udce9", "line\nbreak", "lf"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
KINDS = st.one_of(
    st.just(("folder", "")),
    st.tuples(st.just("file"), st.sampled_from(["", "one", "two"])),
    st.tuples(st.just("link"), st.sampled_from(["a", "f", "nowhere", ".", "../a"])),
)
TREES = st.dictionaries(PATHS, KINDS, max_size=6)


def built(tree, folder, *, backwards=False):
    """Make what fits of a tree; return what came of it, as a model of its content."""
    done = {}
    for path, (kind, what) in sorted(tree.items()):
        above = Path(path).parents
        if any(done.get(str(one), ("folder",))[0] != "folder" for one in above):
            continue
        done.update({str(one): ("folder", "") for one in above if str(one) != "."})
        done.setdefault(path, (kind, what))
    folder.mkdir()
    for path in sorted(done):
        if done[path][0] == "folder":
            (folder / path).mkdir()
    for path in sorted(done, reverse=backwards):
        kind, what = done[path]
        if kind == "file":
            (folder / path).write_text(what)
            os.utime(folder / path, (len(path), 1 + backwards))
        elif kind == "link":
            (folder / path).symlink_to(what)
    return done


@settings(max_examples=60)
@given(one=TREES, other=TREES)
def test_folders_are_the_same_if_and_only_if_all_in_them_is(
    tmp_path_factory, one, other
):
    tmp = tmp_path_factory.mktemp("trees")
    first, second = built(one, tmp / "1"), built(other, tmp / "2")
    built(one, tmp / "3", backwards=True)
    digests = [Directory(tmp / name).content for name in "123"]
    assert digests[0] == digests[2]
    assert (digests[0] == digests[1]) == (first == second)


@pytest.mark.parametrize("where", ["in it", "outside"])
def test_what_a_link_leads_to_counts(tmp_path, where):
    folder = tmp_path / "folder"
    (folder / "own").mkdir(parents=True)
    there = folder / "own" if where == "in it" else tmp_path / "other"
    there.mkdir(exist_ok=True)
    (there / "data").write_text("one")
    (folder / "file").symlink_to(there / "data")
    (folder / "all").symlink_to(there)
    before = Directory(folder)
    (there / "data").write_text("two")
    assert Directory(folder) != before
    (folder / "file").unlink()
    (folder / "file").write_text("two")
    assert Directory(folder) != before


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to("..")
    (tmp_path / "self").symlink_to("self")
    before = Directory(tmp_path)
    (tmp_path / "a" / "b" / "new").touch()
    assert Directory(tmp_path) != before


def test_a_pipe_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"pipe: is a pipe, a socket or a device"):
        Directory(tmp_path)
    with pytest.raises(UsageError, match=r"pipe: is no file, but a pipe"):
        taskgraph.File(tmp_path / "pipe")


def test_what_may_not_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("x")
    look = contents.look_into

    def refused(path):
        if path.endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return look(path)

    monkeypatch.setattr(directory, "look_into", refused)
    with pytest.raises(PermissionError, match="secret"):
        Directory(tmp_path)


@pytest.mark.parametrize("change", ["goes", "is written to"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, change):
    path = tmp_path / "a.txt"
    path.write_text("one")
    read = contents._digest_of

    def changed(name):
        digest = read(name)
        path.unlink() if change == "goes" else path.write_text("longer")
        return digest

    monkeypatch.setattr(contents, "_digest_of", changed)
    with pytest.raises(UsageError, match="run again"):
        Directory(tmp_path)


@TaskGenerator
def names_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_functions_get_its_path_if_it_is_as_it_was(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").touch()
    task = names_in(Directory(folder))
    assert taskgraph.run(task).done == 1
    assert taskgraph.value(task) == ["a"]
    again = names_in(Directory(folder))
    (folder / "b").touch()
    with pytest.raises(taskgraph.TaskgraphError, match="something in it was changed"):
        taskgraph.run(again, store=tmp_path / "s")


def test_a_known_folder_costs_one_look_for_each_file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number in range(5):
        (tmp_path / "in" / f"{number}").mkdir(parents=True)
        (tmp_path / "in" / f"{number}" / "a.txt").write_text("text")
    later = contents.time.time_ns() + 100 * 10**9
    monkeypatch.setattr(
        contents, "time", type("Later", (), {"time_ns": staticmethod(lambda: later)})
    )
    before = Directory(tmp_path / "in")
    monkeypatch.setattr(contents, "_digest_of", None)
    looks, fstat = [], os.fstat
    monkeypatch.setattr(os, "fstat", lambda file: (looks.append(file), fstat(file))[1])
    assert Directory(tmp_path / "in") == before
    assert len(looks) == 5
    looks.clear()
    (tmp_path / "in" / "0" / "a.txt").write_text("text")
    assert taskgraph.File(tmp_path / "in" / "1" / "a.txt").content
    assert len(looks) == 1

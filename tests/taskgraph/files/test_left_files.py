"""Files of results that are cleaned up: offered, and removed only if it is said."""

from pathlib import Path

import pytest
from blake3 import blake3

from taskgraph import Output, TaskGenerator, open_store, run
from taskgraph.files.file_contents import content_of
from taskgraph.files.written import written_at
from taskgraph.upkeep.outputs.left_files import left_files, remove

JUGFILE = """
from taskgraph import Output, TaskGenerator

@TaskGenerator
def write(names, path):
    path.mkdir()
    for name in names:
        (path / name).write_text(name)

write(["a", "b"], Output("out/GONE"))
write(["c"], Output("out/kept"))
"""


def test_cleanup_shows_what_files_are_left_and_removes_them_if_it_is_said(tg):
    tg.write("jf.py", JUGFILE.replace("GONE", "old"))
    tg("execute", "jf.py")
    tg.write("jf.py", JUGFILE.replace("GONE", "new"))
    tg("execute", "jf.py")
    out = tg.folder / "out"

    told = tg("cleanup", "jf.py").stderr
    assert (
        "files that only these results name stay; --files removes them: out/old" in told
    )
    told = tg("cleanup", "jf.py", "--files").stderr
    assert "--yes removes 1 result and these files, for good" in told
    assert (out / "old").exists()
    assert tg.json("cleanup", "jf.py", "--yes", "--files")["files"] == ["out/old"]
    assert sorted(path.name for path in out.iterdir()) == ["kept", "new"]

    tg("undo", "jf.py")
    tg.write("jf.py", JUGFILE.replace("GONE", "old"))
    assert "gone or changed" in tg("execute", "jf.py").stderr
    assert sorted(path.name for path in (out / "old").iterdir()) == ["a", "b"]


@TaskGenerator
def write(text, path):
    path.write_text(text)


@TaskGenerator
def fill(text, path):
    (path / "deep").mkdir(parents=True)
    (path / "deep" / "a").write_text(text)


def left(tasks, results):
    return [file.path for file in left_files(results, [task.key for task in tasks])]


def test_what_another_result_names_or_somebody_changed_is_never_left(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    results = open_store("memory://")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    first = [
        write("same", Output("a")),
        write("old", Output("b")),
        write("mine", Output("c")),
        write("x", Output(outside, outside=True)),
        fill("x", Output("f")),
    ]
    run(first, store=results)
    run(write("new", Output("b")), store=results)
    Path("c").write_text("edited")
    assert left(first, results) == ["a", "f"]
    Path("f", "notes").touch()
    files = left_files(results, [task.key for task in first])
    assert remove(files) == 2
    assert remove(files) == 0
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["b", "c", "f", "notes"]
    outside.unlink()


def test_a_folder_with_the_output_of_another_result_in_it_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = open_store("memory://")
    first = fill("x", Output("out"))
    run(first, store=results)
    run(write("y", Output("out/b")), store=results)
    assert left([first], results) == []


@pytest.mark.parametrize("damage", ["link", "record"])
def test_what_a_folder_leads_to_elsewhere_is_never_left(tmp_path, monkeypatch, damage):
    project, other = tmp_path / "project", tmp_path / "other"
    (project / "out" / "deep").mkdir(parents=True)
    other.mkdir()
    (project / "out" / "deep" / "a").write_text("text")
    monkeypatch.chdir(project)
    file = written_at("out")
    if damage == "link":  # by hand, to have more room
        (project / "out" / "deep").rename(other / "deep")
        (project / "out" / "deep").symlink_to(other / "deep")
        theirs = other / "deep" / "a"
    else:
        name, theirs = b"../../other/a", other / "a"
        theirs.write_text("text")
        text = content_of(str(theirs))
        content = blake3(name + b"\0" + text.encode()).hexdigest()
        file = file._replace(within=name, content=content)
    assert file.is_as_written()
    assert remove([file]) == 0
    assert theirs.exists()

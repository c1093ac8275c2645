"""Folders that tasks write, such as Zarr: all that was in them counts."""

import os

import pytest

from taskgraph.files.written import WrittenFile, written_by
from taskgraph.results.codec import files_in, with_files

AGAIN = "a file that tasks wrote is gone or changed, and made again:"


FOLDERS = """
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator(files=True)
def write(name):
    chunks = Path(name, "0", "c")
    chunks.mkdir(parents=True, exist_ok=True)
    Path(name, "zarr.json").write_text("{}")
    for number in range(3):
        (chunks / str(number)).write_text(f"{name} {number}")
    return Path(name)

@TaskGenerator
def length(path):
    return sum(len(file.read_text()) for file in path.glob("0/c/*"))

for name in ("a.zarr", "b.zarr"):
    length(write(name))
"""


@pytest.fixture
def folders(tg):
    tg.write("files.py", FOLDERS)
    tg("execute", "files.py")
    return tg


@pytest.mark.parametrize("gone", ["0/c/1", "zarr.json"])
@pytest.mark.parametrize("change", ["removed", "emptied", "cut", "with its times"])
def test_a_folder_with_a_damaged_file_in_it_is_made_again(folders, gone, change):
    file = folders.folder / "b.zarr" / gone
    before = file.read_text()
    if change == "removed":
        file.unlink()
    elif change == "with its times":
        times = file.stat()
        file.write_text(before[::-1])
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        os.truncate(file, 0 if change == "emptied" else 1)

    told = folders("status", "files.py").stderr
    said = folders("execute", "files.py").stderr

    assert "a file that tasks wrote is gone or changed, so" in told
    assert f"{AGAIN} b.zarr" in said
    assert "4 done" in said
    assert file.read_text() == before


def test_what_others_add_to_a_folder_or_touch_in_it_changes_nothing(folders):
    labels = folders.folder / "a.zarr" / "labels" / "nuclei"
    labels.mkdir(parents=True)
    (labels / "zarr.json").write_text("{}")
    os.utime(folders.folder / "a.zarr" / "zarr.json", (1, 1))

    assert folders("status", "files.py").stderr == ""
    assert "made again" not in folders("execute", "files.py").stderr


def test_tasks_may_share_a_folder_but_not_what_is_in_it(tg):
    tg.write(
        "shared.py",
        """
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator(files=True)
def write(name, text):
    Path("out").mkdir(exist_ok=True)
    Path("out", name).write_text(text)
    return Path("out")

write("a.txt", "a")
write("b.txt", "b")
if Path("clash").exists():
    write("b.txt", "B")
""",
    )
    for _ in range(3):
        tg("execute", "shared.py")
    (tg.folder / "clash").touch()
    said = tg("execute", "shared.py", code=1).stderr
    assert "wrote one folder, out: let each task write a file of its own" in said


def test_a_folder_remembers_any_names_and_passes_over_what_is_no_file(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    bad = folder / os.fsdecode(b"\xff")
    (folder / "line\nbreak").mkdir(parents=True)
    for file in (bad, folder / "line\nbreak" / " x "):
        file.write_text("text")
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    (found,) = written_by(folder)
    (kept,) = files_in(with_files(b"N", [found]))
    assert kept == found
    assert found.is_as_written()
    os.truncate(bad, 3)
    assert not WrittenFile(*kept).is_as_written()


def test_an_empty_folder_counts_by_its_presence(tmp_path):
    (found,) = written_by(tmp_path)
    (tmp_path / "later").touch()
    assert found == WrittenFile(str(tmp_path))
    assert found.is_as_written()

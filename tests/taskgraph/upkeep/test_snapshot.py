"""The graph that is kept in the store."""

import errno
import os
import zlib

import msgpack
import pytest

from backends.errors import DamagedError
from backends.opening import open_backend
from backends.warning import warnings_told
from taskgraph import open_store
from taskgraph.compression import zstd
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.task import Task
from taskgraph.upkeep import snapshot
from taskgraph.upkeep.growing import take
from taskgraph.upkeep.kept_jugfile import KeptJugfile


@pytest.fixture
def backend():
    return open_backend("memory://")


@pytest.fixture
def jugfile(tmp_path):
    path = tmp_path / "work.py"
    path.write_text("x = 1\n")
    return path


def some_graph(count=3):
    with recorded_in(Recording()):
        pairs = [Task(divmod, i, 2) for i in range(count)]
        return Graph([*pairs, Task(sum, [pair[0] for pair in pairs])])


def test_a_snapshot_comes_back_as_it_was(backend, jugfile):
    graph = some_graph()
    missing = list(graph)[:2]
    taken = take(graph, jugfile, arguments=["-x"], missing=missing)

    snapshot.save(taken, backend)

    assert snapshot.load(backend, jugfile) == taken
    assert taken.split() == list(graph)
    assert taken.awaited() == missing
    assert not taken.complete
    assert taken.named()[list(graph)[-1]] == "builtins.sum"
    assert {k: set(v) for k, v in taken.dependants().items()} == {
        k: set(v) for k, v in graph.dependants().items()
    }


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1234])
def test_keys_are_given_one_by_one_however_many_there_are(jugfile, count):
    graph = Graph([Task(abs, number) for number in range(count)])
    taken = take(graph, jugfile)

    assert taken.split() == list(taken) == list(graph)
    assert len(taken) == count


def test_a_list_of_tasks_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    jugfile = tmp_path / "work.py"
    jugfile.write_text("from taskgraph import Task\nTask(sum, [1, 2])\n")
    results = open_store(tmp_path / "store")
    source = KeptJugfile(Jugfile(jugfile))
    put = os.replace

    def full(staged, path):
        if "/documents/" in os.fspath(path):
            raise OSError(errno.ENOSPC, "full")
        put(staged, path)

    told = []
    with monkeypatch.context() as patch, warnings_told(told.append):
        patch.setattr(os, "replace", full)
        loaded = source.load(results)
    assert "the disk or its inodes are full" in told[0]
    assert "do not know the tasks of work.py until" in told[0]

    source.keep(loaded)

    assert snapshot.load(results.backend, jugfile) is not None


def test_no_snapshot_is_none(backend, jugfile):
    assert snapshot.load(backend, jugfile) is None


def test_a_snapshot_is_read_that_was_packed_as_before(jugfile):
    taken = take(some_graph(), jugfile)
    fields = msgpack.unpackb(snapshot.encode(taken))
    fields[8] = [zlib.compress(zstd.decompress(packed)) for packed in fields[8]]
    assert snapshot.decode(msgpack.packb(fields)) == taken


@pytest.mark.parametrize("data", [b"\x93", b"\x91\x63", b"text"])
def test_a_snapshot_of_another_version_is_none(backend, jugfile, data):
    snapshot.save(take(some_graph(), jugfile), backend)
    (name,) = backend.documents.names()
    backend.documents.put(name, data)

    assert snapshot.load(backend, jugfile) is None
    assert snapshot.load_all(backend) == []


def empty(data):
    return b""


def cut(data):
    return data[:-1]


def flip(data):
    return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]


@pytest.mark.parametrize("spoil", [bytes.lower, flip, empty, cut])
def test_a_damaged_snapshot_is_told_and_never_shown(tmp_path, jugfile, spoil):
    backend = open_backend(tmp_path / "store")
    snapshot.save(take(some_graph(), jugfile), backend)
    (path,) = (tmp_path / "store" / "documents").iterdir()
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(DamagedError, match=r"is damaged .*; `tg execute` lists the"):
        snapshot.load(backend, jugfile)
    with pytest.raises(DamagedError):
        snapshot.load_all(backend)


def test_a_damaged_snapshot_of_another_jugfile_is_no_concern(tmp_path, jugfile):
    backend = open_backend(tmp_path / "store")
    other = tmp_path / "inner" / "work.py"
    snapshot.save(take(some_graph(), other), backend)
    (path,) = (tmp_path / "store" / "documents").iterdir()
    path.write_bytes(b"")
    snapshot.save(take(some_graph(), jugfile), backend)

    assert len(snapshot.load(backend, jugfile)) == 4


def test_a_jugfile_is_itself_by_whatever_path(backend, jugfile, tmp_path):
    snapshot.save(take(some_graph(1), jugfile), backend)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "work.py").write_text("")
    snapshot.save(take(some_graph(5), inner / "work.py"), backend)
    (tmp_path / "link").symlink_to(tmp_path)

    assert len(snapshot.load(backend, inner / ".." / "work.py")) == 2
    assert len(snapshot.load(backend, tmp_path / "link" / "work.py")) == 2


def test_another_jugfile_of_the_same_name_is_not_shown_instead(
    backend, jugfile, tmp_path
):
    snapshot.save(take(some_graph(), jugfile), backend)
    other = tmp_path / "inner" / "work.py"
    other.parent.mkdir()
    other.write_text("x = 2\n")

    assert snapshot.load(backend, other) is None


def test_a_jugfile_that_was_copied_keeps_its_snapshot(backend, jugfile, tmp_path):
    snapshot.save(take(some_graph(), jugfile), backend)
    copy = tmp_path / "copy" / "work.py"
    copy.parent.mkdir()
    copy.write_text(jugfile.read_text())

    assert len(snapshot.load(backend, copy)) == 4


def test_each_jugfile_and_argument_has_its_own(backend, jugfile, tmp_path):
    other = tmp_path / "inner" / "work.py"
    other.parent.mkdir()
    other.write_text("")
    snapshot.save(take(some_graph(1), jugfile), backend)
    snapshot.save(take(some_graph(2), jugfile, arguments=["2"]), backend)
    snapshot.save(take(some_graph(5), other), backend)

    assert len(snapshot.load(backend, jugfile, [])) == 2
    assert len(snapshot.load(backend, jugfile, ["2"])) == 3
    assert len(snapshot.load(backend, jugfile)) == 3
    assert len(snapshot.load(backend, other)) == 6
    assert snapshot.load(backend, jugfile, ["3"]) is None
    assert len(snapshot.load_all(backend)) == 3


def test_a_jugfile_that_moved_keeps_its_snapshot(backend, jugfile, tmp_path):
    snapshot.save(take(some_graph(), jugfile), backend)
    moved = tmp_path / "elsewhere" / "work.py"
    moved.parent.mkdir()
    jugfile.rename(moved)

    found = snapshot.load(backend, moved)

    assert len(found) == 4
    assert not found.outdated(moved)


def test_only_other_contents_make_a_snapshot_old(jugfile):
    taken = take(some_graph(), jugfile)
    os.utime(jugfile, (1, 1))
    assert not taken.outdated()

    jugfile.write_text("x = 2\n")
    assert taken.outdated()
    jugfile.unlink()
    assert not taken.outdated()


def told_of_reading(backend, path):
    """Return what is told when a jugfile is read with a store."""
    told = []
    with warnings_told(told.append):
        KeptJugfile(Jugfile(path)).load(open_store(backend))
    return told


RANDOM = """
import random
from taskgraph import Task
numbers = [random.random() for _ in range(3)]
tasks = [Task(abs, number) for number in numbers] + [Task(abs, -1.0)]
"""


def test_a_jugfile_that_lists_other_tasks_each_time_is_told_of(tmp_path, backend):
    path = tmp_path / "work.py"
    path.write_text(RANDOM)
    assert told_of_reading(backend, path) == []
    (told,) = told_of_reading(backend, path)
    assert "work.py lists other tasks of builtins.abs than when it was read" in told
    assert "before (3), and has not changed" in told
    path.write_text(RANDOM.replace("range(3)", "range(4)"))
    assert told_of_reading(backend, path) == []  # edited


def test_more_tasks_and_other_inputs_are_no_other_reading(tmp_path, backend):
    path, data = tmp_path / "work.py", tmp_path / "data.txt"
    path.write_text(
        "from taskgraph import File, Task\nfrom pathlib import Path\n"
        "data = Path(__file__).with_name('data.txt')\n"
        "Task(str, File(data))\n"
        "[Task(abs, n) for n in range(len(data.read_text()))]\n"
    )
    data.write_text("123")
    assert told_of_reading(backend, path) == []
    data.write_text("1234")
    assert told_of_reading(backend, path) == []


def test_text_that_says_where_an_object_is_is_told_of(tmp_path, backend):
    path = tmp_path / "work.py"
    path.write_text(
        "from taskgraph import Task\nclass Method: pass\nTask(len, f'{Method()}')"
    )
    (told,) = told_of_reading(backend, path)
    assert "work.py calls tasks with text such as `<... object at 0x7f...>`" in told

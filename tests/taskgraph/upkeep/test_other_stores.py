"""What a run takes from other stores fits what it has; everything else is run."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from backends.errors import BackendError
from backends.opening import open_backend
from taskgraph import (
    Task,
    TaskGenerator,
    init,
    invalidate,
    open_store,
    run,
    status,
    value as value_of,
)
from taskgraph.tasks.graph import Graph
from taskgraph.upkeep import other_stores
from taskgraph.upkeep.collection import empty
from taskgraph.upkeep.growing import take
from taskgraph.upkeep.other_stores import Listed, OtherStores, Together

NEEDS = {0: (), 1: (), 2: (0,), 3: (0, 1), 4: (2, 3), 5: (4,)}
RAN = []
VERSIONS = {}


@TaskGenerator
def made(number, needs):
    RAN.append(number)
    return [VERSIONS.get(number, "run"), *needs]


def tasks():
    found = {}
    for number, needs in NEEDS.items():
        found[number] = made(number, [found[need] for need in needs])
    return found


def filled(place, versions):
    """Make a store of what there is a version of, of such a one; return its values."""
    known, wanted = tasks(), []
    for number, version in enumerate(versions):
        if version and all(versions[need] for need in NEEDS[number]):
            wanted.append(known[number])
        else:
            versions[number] = ""
    VERSIONS.update(enumerate(versions))
    run(wanted, store=place, workers=0) if wanted else open_store(place).backend.make()
    VERSIONS.clear()
    RAN.clear()
    return values(place)


def values(place):
    results = open_store(str(place))
    known = {number: task.key for number, task in tasks().items()}
    return {n: results.load(key) for n, key in known.items() if results.has(key)}


def contents(place):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in place.rglob("*")
        if path.is_file()
    }


versions = st.lists(st.sampled_from(["x", "y", ""]), min_size=6, max_size=6)


@settings(max_examples=8)
@given(own=versions, b=versions, c=versions, gone=st.sets(st.sampled_from(range(6))))
def test_what_is_taken_was_made_of_what_is_there(tmp_path_factory, own, b, c, gone):
    folder = tmp_path_factory.mktemp("stores")
    places = [folder / name for name in "abc"]
    filled(places[0], own)
    others = [filled(places[1], b), filled(places[2], c)]
    known = tasks()
    for number in gone:
        invalidate(known[number], store=places[0])
    kept = values(places[0])
    lost = [n for n in range(6) if own[n] and n not in kept]
    before = [contents(place) for place in places[1:]]

    run(known.values(), store=places[0], also=places[1:], workers=0)

    after = values(places[0])
    for number, value in after.items():
        assert value[1:] == [after[need] for need in NEEDS[number]]
    assert {number: after[number] for number in kept} == kept
    assert set(lost) <= set(RAN)
    assert [contents(place) for place in places[1:]] == before
    fits = [
        number
        for number in after
        if number not in kept and number not in lost
        for there in others
        if there.get(number, [None])[1:] == after[number][1:] and number in there
    ]
    assert sorted(RAN) == sorted(set(after) - set(kept) - set(fits))
    shutil.rmtree(folder)


@settings(max_examples=8)
@given(own=versions, b=versions)
def test_what_is_shown_is_what_would_be_taken(tmp_path_factory, own, b):
    folder = tmp_path_factory.mktemp("stores")
    filled(folder / "a", own)
    filled(folder / "b", b)
    known = tasks()
    results = open_store(folder / "a")
    results.backend.refresh()
    others = OtherStores([folder / "b"], results)

    others.look(Graph(known.values()))
    together = Together(results, others.takeable())
    shown = {n: together.load(t.key) for n, t in known.items() if together.has(t.key)}

    run(known.values(), store=folder / "a", also=[folder / "b"], workers=0)

    after = values(folder / "a")
    assert shown == {number: after[number] for number in shown}
    if not {"run"} & {value[0] for value in after.values()}:
        assert shown == after
    shutil.rmtree(folder)


def test_an_invalidation_that_is_final_keeps_other_stores_out(tmp_path):
    own, other = tmp_path / "a", tmp_path / "b"
    filled(own, ["x"] * 6)
    filled(other, ["x"] * 6)
    known = tasks()
    invalidate(known[2], store=own)
    results = open_store(own)
    empty(results, results.backend.discards())

    run(known.values(), store=own, also=[other], workers=0)

    assert sorted(RAN) == [2, 4, 5]


@pytest.mark.parametrize("harm", ["gone", "text", "cut"])
def test_what_cannot_be_read_is_told_and_computed(tmp_path, harm, caplog):
    own, other = tmp_path / "a", tmp_path / "b"
    if harm != "gone":
        filled(other, ["x"] * 6)
    if harm == "text":
        (other / "format.json").write_text("{}")
    if harm == "cut":
        for path in other.rglob("*"):
            if path.is_file() and path.name != "format.json":
                path.write_bytes(path.read_bytes()[:-3])

    run(tasks().values(), store=own, also=[other], workers=0)

    assert "compute" in caplog.text
    assert {value[0] for value in values(own).values()} == {"run"}


def test_a_store_that_fails_in_mid_run_is_told_and_not_asked_again(
    tmp_path, monkeypatch, caplog
):
    own, other = tmp_path / "a", tmp_path / "b"
    filled(other, ["x"] * 6)
    asked = []

    def fails(self, position):
        asked.append(position)
        raise BackendError("the server is gone")

    reading = other_stores._Reading

    def segment(self, position):
        return self._tried(fails, self, position)

    monkeypatch.setattr(reading, "segment", segment)
    run(tasks().values(), store=own, also=[other], workers=0)

    assert "the server is gone; what is only there is computed" in caplog.text
    assert {value[0] for value in values(own).values()} == {"run"}
    assert len(asked) <= 2  # by what tells of it first, and by the run


def test_listed_tasks_are_those_of_their_graph(tmp_path):
    graph = Graph(tasks().values())
    listed = Listed(take(graph, tmp_path / "work.py"))

    assert list(listed) == list(graph)
    for key in graph:
        assert listed.needs_of_key(key) == graph.needs_of_key(key)
        assert listed.writes(key) == graph.writes(key)


def test_status_from_python_counts_what_a_run_would_take(tmp_path, caplog):
    tasks = [Task(divmod, 7, 2), Task(divmod, 9, 2)]
    own, other = str(tmp_path / "own"), str(tmp_path / "other")
    run(tasks[0], store=other)
    assert status(tasks, store=own).done == 0
    assert status(tasks, store=own, also=[other]).done == 1
    run(tasks[0], store=own, also=[other])
    invalidate(tasks[0], store=own)
    assert status(tasks, store=own, also=[other]).done == 0
    assert status(tasks, store=own, also=[str(tmp_path / "nowhere")]).open == 2
    assert "nowhere" in caplog.text


BEYOND = """
from taskgraph import TaskGenerator, barrier, value

@TaskGenerator
def double(x):
    with open("ran.txt", "a") as file:
        file.write("double ")
    return 2 * x

one = double(1)
barrier()
two = double(value(one) + 1)
"""


@pytest.fixture
def beyond(tmp_path, monkeypatch):
    """Return a jugfile in this folder whose results are in a store called other."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "beyond.py"
    path.write_text(BEYOND)
    run(path, store="other", workers=0)
    (tmp_path / "ran.txt").unlink()
    return path


def test_a_notebook_gets_what_other_stores_have_beyond_barriers_too(beyond, tmp_path):
    before = contents(tmp_path / "other")

    results, space = init(beyond, store="own", also=["other", "nowhere"])

    assert value_of(space["two"]) == 6
    assert "__jug__hasbarrier__" not in space
    assert results.backend.locks() == []
    assert list(results.backend.members.names()) == []
    assert not (tmp_path / "ran.txt").exists()
    assert contents(tmp_path / "other") == before
    shutil.rmtree("other")
    assert value_of(init(beyond, store="own")[1]["two"]) == 6


def test_a_notebook_leaves_to_others_what_they_are_running(beyond):
    _, space = init(beyond, store="own")
    somebody = open_backend("own")
    somebody.claim([space["one"].key])

    _, space = init(beyond, store="own", also=["other"])

    assert space["__jug__hasbarrier__"]
    somebody.poll()
    assert list(somebody.holders()) == [space["one"].key]


@pytest.mark.parametrize("where", ["own", "other"])
def test_what_is_invalidated_while_it_is_taken_is_computed(
    tmp_path, monkeypatch, where
):
    """Between the look and the taking, which is after the lock, anything may be."""
    own, other = tmp_path / "own", tmp_path / "other"
    filled(own, ["", "x", "", "", "", ""])
    filled(other, ["x"] * 6)
    known = tasks()
    take = other_stores.OtherStores.take
    deeds = [lambda: invalidate(known[1], store=tmp_path / where)]

    def late(self, keys, token):
        while deeds:
            deeds.pop()()
        return take(self, keys, token)

    monkeypatch.setattr(other_stores.OtherStores, "take", late)
    run(known.values(), store=own, also=[other], workers=0)

    after = values(own)
    assert set(after) == set(range(6))
    for number, value in after.items():
        assert value[1:] == [after[need] for need in NEEDS[number]]
    if where == "own":
        assert 1 in RAN


@pytest.fixture
def open_folder():
    """Return a folder that everybody may look into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_the_store_of_another_user_is_read_and_left_as_it_is(open_folder):
    other, own = open_folder / "other", open_folder / "own"
    filled(other, ["x"] * 6)
    filled(open_folder / "imports what a run imports", ["x"] * 6)
    own.mkdir()
    os.chown(own, 65534, 65534)
    before = contents(other)

    child = os.fork()
    if not child:
        try:
            os.setgid(65534)
            os.setuid(65534)
            run(tasks().values(), store=own / "s", also=[other], workers=0)
            os._exit(len(RAN))
        finally:
            os._exit(99)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert contents(other) == before
    assert set(values(own / "s")) == set(range(6))

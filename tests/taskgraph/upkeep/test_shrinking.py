"""Which results go if a store is to be smaller."""

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from taskgraph import TaskGenerator, open_store, run
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.upkeep.growing import take
from taskgraph.upkeep.pins import pin, pinned
from taskgraph.upkeep.shrinking import Limits, Weight, beyond, chosen, weights

some = st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 100)), max_size=12).map(
    lambda found: [Weight(b"%d" % n, "f", *w, 0.0) for n, w in enumerate(found)]
)


@settings(max_examples=50)
@given(some, st.integers(-10, 5000), st.sets(st.integers(0, 12)))
def test_no_more_goes_than_is_asked_for_and_nothing_that_is_spared(
    candidates, excess, spared
):
    spared = {b"%d" % number for number in spared}
    gone = chosen(candidates, excess, spared=spared)

    freed = sum(one.size for one in gone)
    could = sum(one.size for one in candidates if one.key not in spared)
    assert spared.isdisjoint(one.key for one in gone)
    assert freed >= min(excess, could)
    if gone:
        assert freed - gone[-1].size < excess
        worst = min(one.size / max(one.seconds, 1e-3) for one in gone)
        rest = [one for one in candidates if one not in gone and one.key not in spared]
        assert all(one.size / max(one.seconds, 1e-3) <= worst for one in rest)


@TaskGenerator
def large(number):
    return bytes([number]) * 5000


@TaskGenerator
def size(data, *more):
    return len(data)


@pytest.fixture
def ran():
    """Return a store, and what is in it: two chains, of which one is not finished."""
    store = open_store("memory://")
    with recorded_in(Recording()):
        done, other = large(1), large(2)
        tasks = [done, size(done), other, size(other), large(3)]
        run([tasks[0], tasks[1], other, tasks[4]], store=store)
        return store, tasks, take(Graph(tasks[:4]), Path("job.py"))


def gone(ran, limits, surplus=(), stays=lambda name: False):
    store, tasks, graph = ran
    found, over = beyond(store, surplus, [graph], limits, stays)
    return {tasks.index(t) for t in tasks if t.key in found}, over


def test_only_what_nobody_needs_goes_unless_it_is_asked_for(ran):
    surplus = [ran[1][4].key]
    found, over = gone(ran, Limits(0), surplus)
    assert found == {4}
    assert over > 10_000
    found, over = gone(ran, Limits(0, needed=True), surplus)
    assert found == {0, 1, 4}  # what was made of it goes along
    assert 5000 < over < 6000  # an unfinished task will read that


def test_what_is_locked_pinned_or_young_stays(ran):
    store, tasks, _ = ran
    surplus = [tasks[4].key]
    assert gone(ran, Limits(0), surplus, lambda name: True)[0] == set()
    assert gone(ran, Limits(before=0.0), surplus) == (set(), 0)
    assert gone(ran, Limits(before=1e12), surplus) == ({4}, 0)
    every = sum(one.size for one in weights(store, store.keys()))
    assert gone(ran, Limits(every), surplus) == (set(), 0)
    store.backend.discard([tasks[1].key], reason="test")
    assert store.backend.claim([tasks[1].key]).keys
    assert gone(ran, Limits(0, needed=True), surplus)[0] == {4}


def test_pins_are_kept_in_the_store():
    backend = open_store("memory://").backend
    pin(backend, ["f", "g"])
    pin(backend, ["h", "f"], off=["g"])
    assert pinned(backend) == ["f", "h"]
    pin(backend, (), off=["f", "h"])
    assert pinned(backend) == []


def test_a_cleanup_by_size_is_shown_done_and_taken_back(tg):
    tg.ran("sums.py")
    path = tg.folder / "sums.py"
    before = path.read_text()
    path.write_text("from taskgraph import Task\nTask(abs, 1)\n")

    assert "Nothing" not in tg("cleanup", "sums.py", "--max-size", "1G").stderr
    tg("cleanup", "sums.py", "--pin", "total", "--pin", "square")
    assert "nothing to remove" in tg("cleanup", "sums.py", "--older", "1d").stderr
    assert "many stay" in tg("cleanup", "sums.py", "--max-size", "0").stderr
    tg("cleanup", "sums.py", "--unpin", "square")
    said = tg("cleanup", "sums.py", "--max-size", "0", "--yes").stderr
    assert "removed; `tg undo sums.py` brings them back" in said
    tg("undo", "sums.py", "--yes")
    path.write_text(before)
    assert tg.json("check", "sums.py")["finished"]
    assert "is no size" in tg("cleanup", "sums.py", "--max-size", "x", code=2).stderr
    assert "--needed says" in tg("cleanup", "sums.py", "--needed", code=2).stderr
    assert "not pinned: x" in tg("cleanup", "sums.py", "--unpin", "x", code=2).stderr


def test_what_was_computed_elsewhere_counts_as_dear(tmp_path):
    from taskgraph import TaskGenerator, open_store, run
    from taskgraph.results.batch import Batch
    from taskgraph.upkeep.shrinking import weights

    task = TaskGenerator(bytes)(1_000)
    results = open_store(tmp_path / "store")
    run(task, store=results, workers=0)
    backend, batch = results.backend, Batch()
    key = b"k" * 20
    claim = backend.claim([key])
    batch.add(key, results.encode(bytes(10), key), ("f", ""), ("", 1.0, 0.0, 0.0, 0))
    backend.publish([key], bytes(batch.rows), batch.encode({}, backend.places), since=0)
    backend.release(claim.keys)
    known = {one.key: one.known for one in weights(results, results.keys())}
    assert known == {key: False, task.key: True}

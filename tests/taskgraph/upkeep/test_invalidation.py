"""What goes with an invalidation."""

import pytest

from backends.errors import RewoundError
from backends.opening import open_backend
from taskgraph.records import Failure
from taskgraph.results.batch import Batch
from taskgraph.results.results import Results
from taskgraph.tasks.graph import Graph, selector
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.task import Task
from taskgraph.upkeep.growing import take
from taskgraph.upkeep.invalidation import losses, matching, with_dependants


@pytest.fixture
def chain(tmp_path):
    """Return the snapshot of abs -> round -> pow."""
    with recorded_in(Recording()):
        first = Task(abs, -1)
        second = Task(round, first)
        third = Task(pow, second, 2)
    return take(Graph([first, second, third]), tmp_path / "x.py")


def snapshot_of(tasks, path):
    return take(Graph(tasks), path)


def test_matching_goes_by_function_names(chain):
    keys = chain.split()

    assert matching(chain, selector(["round"])) == [keys[1]]
    assert matching(chain, selector([], ["^builtins"])) == keys
    assert matching(chain, selector(["nothing"])) == []


def test_everything_that_depends_goes_along(chain):
    first, second, third = chain.split()

    assert with_dependants([first], [chain]) == {first, second, third}
    assert with_dependants([third], [chain]) == {third}
    assert with_dependants([], [chain]) == set()


def test_dependants_are_followed_through_several_graphs(tmp_path):
    with recorded_in(Recording()):
        a = Task(abs, -1)
        b = Task(round, a)
        c = Task(pow, b, 2)
    one = snapshot_of([a, b], tmp_path / "one.py")
    two = snapshot_of([b, c], tmp_path / "two.py")

    assert with_dependants([a.key], [two, one]) == {a.key, b.key, c.key}


def test_losses_are_summed_by_function():
    results = Results(open_backend("memory://"))
    batch = Batch()
    batch.add(b"a" * 20, b"Pxyz", ("f", ""), ("", 0.0, 2.0, 1.5, 0))
    batch.add(b"b" * 20, b"Pxyz", ("f", ""), ("", 0.0, 2.0, 0.5, 0))
    failure = Failure("exception", "ValueError", "no", "")
    batch.add(b"c" * 20, failure, ("g", ""), ("", 0.0, 1.0, 9.0, 0))
    body = batch.encode({}, results.backend.places)
    results.backend.publish(batch.keys, bytes(batch.rows), body, since=0)

    g, f = losses(results, [*batch.keys, b"d" * 20], sizes=True)

    assert (g.name, g.results, g.failures, g.cpu) == ("g", 0, 1, 9.0)
    assert (f.results, f.failures, f.cpu, f.wall, f.size) == (2, 0, 2.0, 4.0, 8)


@pytest.mark.parametrize("fewer", [True, False])
def test_what_others_put_in_a_vanished_place_is_nobody_s_loss(tmp_path, fewer):
    """Of the same position the one knows two records, and another's are there."""
    mine, others = (Results(open_backend(tmp_path / name)) for name in ("a", "b"))
    keys = [bytes([number]) * 20 for number in range(4)]
    publish(mine, keys[:2])
    publish(others, keys[2 : 3 if fewer else 4])
    place = "log/000000/000"
    (tmp_path / "a" / place).write_bytes((tmp_path / "b" / place).read_bytes())
    with pytest.raises(RewoundError):
        losses(mine, keys[1:2])


def publish(results, keys):
    batch = Batch()
    for key in keys:
        payload = results.encode(0, key)
        batch.add(key, payload, ("f", ""), ("", 0.0, 0.0, 0.0, 0))
    body = batch.encode({}, results.backend.places)
    results.backend.publish(keys, bytes(batch.rows), body, since=1 << 40)

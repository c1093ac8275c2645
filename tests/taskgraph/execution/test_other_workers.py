"""The other workers at a store: counted cheaply, judged in turn, never in error."""

import os

import pytest

from backends.liveness import worker_identity
from backends.opening import open_backend
from backends.warning import warnings_told
from taskgraph.execution.other_workers import OtherWorkers
from taskgraph.execution.pace import processors

LEASE = 60.0


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def open_store(tmp_path):
    return lambda worker: open_backend(tmp_path / "store", worker=worker)


@pytest.fixture
def own(open_store):
    return open_store("own")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def others(own, clock):
    return OtherWorkers(own, clock)


@pytest.fixture
def warned():
    said = []
    with warnings_told(said.append):
        yield said


def key(number: int) -> bytes:
    return number.to_bytes(20, "big")


def elsewhere() -> dict[str, object]:
    """Return what a worker on another machine says of itself."""
    return worker_identity(os.getpid(), LEASE) | {"boot": "another"}


def ended() -> dict[str, object]:
    """Return what a worker on this machine said whose process is no more."""
    return worker_identity(os.getpid(), LEASE) | {"pid": 2**22 + 1, "started": 1}


def test_the_living_are_counted(own, others, clock):
    assert others.count() == 0
    for number in range(20):
        own.members.beat(f"w{number:02d}", elsewhere())
    clock.now += 10
    assert others.count() == 20
    own.members.leave("w07")
    clock.now += 10
    assert others.count() == 19


def test_those_on_this_machine_share_its_cores(open_store, clock):
    own = open_store("node-7-12-ab")
    others = OtherWorkers(own, clock)
    assert others.crowd == 1.0
    for number in range(99 * processors()):
        own.members.beat(f"node-7-{number}-cd", elsewhere())
        own.members.beat(f"node-{number}-12-ab", elsewhere())
    clock.now += 10
    others.count()
    assert others.crowd == pytest.approx(99 + 1 / processors())


def test_those_that_died_idle_are_signed_off_soon(own, others, clock):
    for number in range(20):
        own.members.beat(f"w{number:02d}", ended())
    for _ in range(6):
        found = others.count()  # no time passes
    assert found == 0
    assert own.members.names() == set()


def test_what_looking_at_others_costs_grows_with_their_number_only(
    own, others, clock, monkeypatch
):
    workers, minute = 100, 60
    for number in range(workers):
        own.members.beat(f"w{number:02d}", elsewhere())
    opened, listed = [], []
    open_file, listdir = os.open, os.listdir
    monkeypatch.setattr(
        os, "open", lambda path, *how: opened.append(path) or open_file(path, *how)
    )
    monkeypatch.setattr(
        os, "listdir", lambda path: listed.append(path) or listdir(path)
    )
    for _ in range(minute * 10):
        assert others.count() == workers
        clock.now += 0.1
    monkeypatch.undo()
    files = [path for path in opened if "/workers/" in str(path)]
    assert len(set(files)) == workers  # each in its turn
    assert len(files) <= 4 * minute
    assert len(listed) <= 3 * minute


def test_one_that_falls_silent_among_many_is_noticed(own, others, clock):
    names = [f"w{number:02d}" for number in range(30)]
    for name in names:
        own.members.beat(name, elsewhere())
    folder = f"{own.url}/workers"
    began = clock.now
    while clock.now < began + 2 * LEASE:
        for name in names:
            if name != "w13" and name in own.members.names():
                os.utime(f"{folder}/{name}", (clock.now, clock.now))
        found = others.count()
        clock.now += 5
    assert found == 29
    assert own.members.names() == {*names} - {"w13"}


# locks of the dead


def test_locks_of_all_that_died_are_freed_at_once(
    open_store, own, others, clock, warned
):
    for number in range(10):
        dead = open_store(f"w{number:02d}")
        dead.members.beat(dead.worker, ended())
        dead.claim([key(number)])
    own.poll()
    for _ in range(10):
        if not others.expel_dead():  # no time passes
            break
        own.poll()
    assert own.locks() == []
    assert own.members.names() == set()
    assert len(warned) == 10


def test_who_left_properly_is_not_said_to_be_dead(open_store, own, others, warned):
    """Locks are known as of the last poll: since then a worker may have left."""
    other = open_store("other")
    other.members.beat("other", elsewhere())
    other.claim([key(1), key(2)])
    own.poll()
    other.release([key(1), key(2)])
    other.members.leave("other")
    assert {lock.worker for lock in own.locks()} == {"other"}
    assert not others.expel_dead()
    assert warned == []
    own.poll()
    assert own.deaths(key(1)) == {}
    assert key(1) not in own.suspects()


def test_who_died_with_locks_is_said_to_be_dead_once(open_store, own, others, warned):
    dead = open_store("other")
    dead.members.beat("other", ended())
    dead.claim([key(1)])
    own.poll()
    assert others.expel_dead()
    assert not others.expel_dead()
    assert len(warned) == 1
    assert key(1) in own.suspects()


def test_who_has_work_frees_the_locks_of_the_dead_while_counting(
    open_store, own, others, clock, warned
):
    """All may have work for hours, and what is locked may be what they need next."""
    for number, about in enumerate([ended(), elsewhere(), elsewhere()]):
        other = open_store(f"w{number}")
        other.members.beat(other.worker, about)
        other.claim([key(number)])
    own.members.leave("w1")  # where a heartbeat is a key that ends by itself
    own.poll()
    for _ in range(3):
        clock.now += 10
        assert others.count() == 1
    assert set(own.holders().values()) == {"w2"}
    assert own.members.names() == {"w2"}
    assert len(warned) == 2


@pytest.mark.parametrize("look", ["count", "expel_dead"])
def test_all_who_died_together_are_freed_at_one_look(
    open_store, own, others, warned, look
):
    """Others wait for what a machine had locked; that of each is an append."""
    for number in range(11):
        other = open_store(f"w{number:02}")
        other.members.beat(other.worker, ended() if number < 9 else elsewhere())
        other.claim([key(number)])
    own.poll()
    getattr(others, look)()
    assert set(own.holders().values()) == {"w09", "w10"}
    assert own.members.names() == {"w09", "w10"}
    assert len(warned) == 9


def test_a_thousand_dead_do_not_keep_one_from_work(own, others):
    for number in range(60):
        own.members.beat(f"w{number:03}", ended())
    own.poll()
    others.count()
    assert len(own.members.names()) == 60 - 32
    others.count()
    assert own.members.names() == set()

"""Somebody else acts at the worst moment."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from backends import Cause
from backends.compaction import Compaction
from backends.errors import RewoundError
from backends.filesystem.file_log import FileLog
from backends.memory import MemoryLog, Room
from backends.store import JournalStore
from backends.testing.deeds import A, B, answers, body_of, key, publish

from .redis.rooms import open_log

BLOCK = 4


@pytest.fixture(params=["file", "memory", "redis"])
def open_store(request, tmp_path, store):
    room = Room()
    redis = request.param == "redis" and request.getfixturevalue("server")

    def open_it(worker):
        if request.param == "file":
            return JournalStore(FileLog(tmp_path / "store", block=BLOCK), worker)
        if redis:
            return JournalStore(open_log(redis.url(store), BLOCK), worker)
        log = MemoryLog(room)
        log.block_size = BLOCK
        return JournalStore(log, worker)

    return open_it


@pytest.fixture
def anna(open_store):
    return open_store("anna")


@pytest.fixture
def bert(open_store):
    return open_store("bert")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


def before_append(store, deed):
    """Let somebody else act between the last look of `store` and its next append."""
    append = store._log.append
    deeds = [deed]

    def late(position, staged, link=b""):
        if deeds:
            deeds.pop()()
        return append(position, staged, link)

    store._log.append = late


# between looking and appending


def test_the_other_locks_first(anna, bert):
    before_append(anna, lambda: bert.claim([A]))
    assert list(anna.claim([A, B]).keys) == [B]
    assert anna.locked_by(A) == "bert"


def test_the_other_publishes_first(anna, bert):
    token = anna.claim([A]).token
    before_append(anna, lambda: publish(bert, A, body=b"first", since=0))
    assert publish(anna, A, B, body=b"late", since=token) == 1
    assert body_of(bert, A) == b"first"
    assert body_of(bert, B) == b"late"


def test_the_other_invalidates_first(anna, bert):
    token = anna.claim([A]).token
    before_append(anna, lambda: bert.discard([A], reason="wrong"))
    assert publish(anna, A, since=token) == 0
    assert anna.find(A) is None


def test_the_other_publishes_what_is_to_be_locked(anna, bert):
    before_append(anna, lambda: publish(bert, A, since=0))
    assert anna.claim([A]).keys == []
    assert bert.locks() == []


def test_the_other_takes_over_what_is_to_be_released(anna, bert):
    anna.claim([A])

    def take_over():
        bert.expel("anna", Cause.LOST)
        bert.claim([A])

    before_append(anna, take_over)
    anna.release([A])
    assert anna.locked_by(A) == "bert"


def test_the_other_expels_the_same_worker(open_store, anna, bert):
    open_store("cora").claim([A])
    before_append(anna, lambda: bert.expel("cora", Cause.LOST))
    anna.expel("cora", Cause.LOST)
    assert dict(anna.deaths(A)) == {Cause.LOST: 1}


def test_a_worker_that_is_taken_for_dead_finishes_first(open_store, anna):
    cora = open_store("cora")
    token = cora.claim([A]).token
    before_append(anna, lambda: publish(cora, A, since=token))
    anna.expel("cora", Cause.LOST)
    assert dict(anna.deaths(A)) == {}
    assert set(anna.keys()) == {A}


def test_the_other_discards_first(anna, bert):
    publish(anna, A, B)
    before_append(anna, lambda: bert.discard([A], reason="one"))
    position = anna.discard([A, B], reason="two")
    assert [list(x.keys) for x in anna.discards()] == [[A], [B]]
    assert anna.undo(position) == 1


def test_the_other_restores_first(anna, bert):
    publish(anna, A)
    position = anna.discard([A], reason="wrong")
    before_append(anna, lambda: bert.undo(position))
    assert anna.undo(position) == 0
    assert set(anna.keys()) == {A}


def test_the_other_makes_it_final_before_the_restore(anna, bert, open_store):
    publish(anna, A)
    position = anna.discard([A], reason="wrong")
    before_append(anna, lambda: bert.make_final([position]))
    assert anna.undo(position) == 0
    assert set(anna.keys()) == set(open_store("late").keys()) == set()


def test_the_other_computes_anew_before_the_restore(anna, bert):
    publish(anna, A, body=b"old")
    position = anna.discard([A], reason="wrong")
    before_append(anna, lambda: publish(bert, A, body=b"new"))
    assert anna.undo(position) == 0
    assert body_of(anna, A) == b"new"


def test_the_block_ends_and_is_merged_before_the_append(anna, bert):
    def fill_and_merge():
        for number in range(10, 10 + 2 * BLOCK):
            publish(bert, key(number), since=0)
        bert.upkeep.compact()

    before_append(anna, fill_and_merge)
    assert list(anna.claim([A]).keys) == [A]
    bert.poll()
    assert bert.locked_by(A) == "anna"
    assert answers(anna) == answers(bert)


@pytest.mark.parametrize("places", range(BLOCK + 1))
def test_a_block_begins_while_the_one_before_is_merged(open_store, anna, bert, places):
    for number in range(10, 10 + BLOCK - 1 + places):
        publish(bert, key(number), since=0)
    before_append(anna, lambda: (publish(bert, B, since=0), bert.upkeep.compact()))
    anna.claim([A])
    assert answers(anna) == answers(bert) == answers(open_store("late"))


def test_two_merge_at_once(anna, bert, open_store):
    for number in range(10, 10 + 2 * BLOCK):
        publish(bert, key(number), since=0)
    merge = anna._log.merge

    def late(*what, **how):
        bert.upkeep.compact()
        return merge(*what, **how)

    anna._log.merge = late
    anna.upkeep.compact()
    assert answers(anna) == answers(bert) == answers(open_store("late"))


def test_two_leave_out_the_end_of_a_block_at_once(root, monkeypatch):
    anna, bert = (JournalStore(FileLog(root, block=BLOCK), w) for w in ("anna", "bert"))
    with monkeypatch.context() as patch:
        patch.setattr(Compaction, "merge_behind", lambda self, position: None)
        for number in range(10, 9 + BLOCK):
            publish(anna, key(number), since=0)
        anna.claim([A])
        anna.release([A])
    bert.poll()
    before, put, late = answers(anna), os.replace, [bert]

    def placed(staged, path):
        if str(path).endswith(".pack") and late:
            late.pop().upkeep.compact()
        put(staged, path)

    monkeypatch.setattr(os, "replace", placed)
    anna.upkeep.compact()
    assert late == []
    assert answers(JournalStore(FileLog(root), "late")) == before


# the first append to a block, frozen for so long that the block is merged


def test_a_frozen_maker_of_a_block_does_not_hide_it(root, monkeypatch):
    anna, bert = (JournalStore(FileLog(root, block=BLOCK), w) for w in ("anna", "bert"))
    for number in range(10, 10 + BLOCK):
        publish(bert, key(number), since=0)
    makedirs = os.makedirs

    def frozen(path, exist_ok=False):
        monkeypatch.setattr(os, "makedirs", makedirs)
        for number in range(20, 20 + BLOCK + 1):
            publish(bert, key(number), since=0)
        bert.upkeep.compact()
        makedirs(path, exist_ok=exist_ok)

    monkeypatch.setattr(os, "makedirs", frozen)
    publish(anna, A, since=0)
    assert set(anna.keys()) == {A, *map(key, range(10, 14)), *map(key, range(20, 25))}
    late = JournalStore(FileLog(root), "late")
    assert answers(late) == answers(anna)


def test_what_a_killed_maker_left_of_a_merged_block_is_not_looked_at(root):
    anna = JournalStore(FileLog(root, block=BLOCK), "anna")
    for number in range(BLOCK + 1):
        publish(anna, key(number), since=0)
    stray = root / "log" / "000000"
    assert not stray.exists()
    stray.mkdir()
    (stray / "000").write_bytes((root / "log" / "000001" / "000").read_bytes())
    assert answers(JournalStore(FileLog(root), "late")) == answers(anna)


# two that are frozen at once while others fill a block and merge it


class KilledError(BaseException):
    """Carl is killed."""


class MadeAnew:
    """A block that begins while Anna is about to make its directory.

    Then Carl, at one of its places, is frozen too; Bert fills it and merges it, and
    Anna goes on before Carl does: he finds a directory. Dora has read what comes
    before.
    """

    def __init__(self, root, monkeypatch, place, *, killed=False):
        names = ("anna", "bert", "carl", "dora")
        self.stores = [JournalStore(FileLog(root, block=BLOCK), name) for name in names]
        self.anna, self.bert, self.carl, self.dora = self.stores
        self.patch = monkeypatch
        self.place, self.killed = place, killed
        self.makedirs, self.link = os.makedirs, os.link
        for number in range(10, 10 + BLOCK):
            publish(self.bert, key(number), since=0)
        self.patch.setattr(os, "makedirs", self.anna_is_frozen)
        publish(self.anna, A, since=0)

    def anna_is_frozen(self, path, exist_ok=False):
        self.patch.setattr(os, "makedirs", self.makedirs)
        self.again = Path(path)
        for number in range(self.place):
            publish(self.bert, key(20 + number), since=0)
        self.dora.poll()
        self.carl.poll()
        self.patch.setattr(os, "link", self.carl_is_frozen)
        with suppress(KilledError):
            publish(self.carl, B, since=0)
        self.makedirs(path, exist_ok=exist_ok)

    def carl_is_frozen(self, *names, **options):
        self.patch.setattr(os, "link", self.link)
        for number in range(self.place, BLOCK):
            publish(self.bert, key(20 + number), since=0)
        self.bert.upkeep.compact()
        assert not self.again.exists()
        self.makedirs(self.again)
        self.link(*names, **options)
        if self.killed:
            raise KilledError


@pytest.mark.parametrize("place", range(1, BLOCK))
def test_what_is_put_into_a_directory_made_anew_does_not_count(
    root, monkeypatch, place
):
    made = MadeAnew(root, monkeypatch, place)

    new = JournalStore(FileLog(root), "new")
    expected = answers(new)
    assert set(new.keys()) == {A, B, *map(key, [*range(10, 14), *range(20, 24)])}
    assert all(answers(store) == expected for store in made.stores)
    assert not made.again.exists()


@pytest.mark.parametrize("place", range(1, BLOCK))
def test_who_reads_what_was_put_there_by_somebody_killed_stops(
    root, monkeypatch, place
):
    dora = MadeAnew(root, monkeypatch, place, killed=True).dora

    with pytest.raises(RewoundError):
        publish(dora, key(30), since=0)
    new = JournalStore(FileLog(root), "new")
    new.poll()
    assert set(new.keys()) == {A, *map(key, [*range(10, 14), *range(20, 24)])}

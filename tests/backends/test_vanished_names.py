"""The last names of a journal vanish, and others take their places."""

from __future__ import annotations

import os

import pytest

from backends.compaction import Compaction
from backends.errors import RewoundError
from backends.filesystem.file_log import FileLog
from backends.store import JournalStore
from backends.testing.deeds import RESULT, A, B, C, answers, key, publish

BLOCK = 4


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


def test_whose_history_is_gone_leaves_a_place_that_others_came_after(root):
    anna, cora, dora = (
        JournalStore(FileLog(root), w) for w in ("anna", "cora", "dora")
    )
    publish(anna, A)
    append = anna._log.append

    def late(position, staged, link=b""):
        (root / "log/000000/001").unlink()
        cora.claim([B])
        dora.poll()
        assert append(position, staged, link)
        cora.publish([B], RESULT, b"", since=1)
        return True

    anna._log.append = late
    with pytest.raises(RewoundError):
        anna.claim([C])
    dora.claim([key(9)])
    assert answers(dora) == answers(cora)
    assert set(dora.keys()) == {B}


def test_what_was_taken_back_tells_who_else_was_left_behind(root):
    """Two had read what vanished: what the one takes back hides nothing."""
    anna, bert, cora = (
        JournalStore(FileLog(root), w) for w in ("anna", "bert", "cora")
    )
    publish(cora, A)
    first = cora.claim([B]).token
    bert.poll()
    cora.claim([C])
    anna.poll()
    for gone in (first, first + 1):
        (root / f"log/000000/{gone:03d}").unlink()
    JournalStore(FileLog(root), "dora").claim([key(10)])
    for left_behind in (bert, anna):
        with pytest.raises(RewoundError):
            left_behind.claim([key(20)])
    late = JournalStore(FileLog(root), "late")
    late.poll()
    assert {lock.worker for lock in late.locks()} == {"dora"}


def test_who_waits_below_a_gap_learns_what_is_above_it(root):
    anna, bert = (JournalStore(FileLog(root), w) for w in ("anna", "bert"))
    publish(anna, A)
    anna.poll()
    position = bert.claim([B]).token
    publish(bert, C, since=0)
    (root / f"log/000000/{position:03d}").unlink()
    for _ in range(20):
        anna.poll()
    assert anna.find(C) is not None


def test_who_did_not_see_at_once_that_names_vanished_does_later(root, monkeypatch):
    """Anna appends on what Bert is about to take back, and then much more."""
    anna, bert, cora = (
        JournalStore(FileLog(root), w) for w in ("anna", "bert", "cora")
    )
    publish(cora, A)
    bert.poll()
    position = cora.claim([B]).token
    for reader in (anna, bert):
        reader.poll()
    append = bert._log.append

    def late(at, staged, link=b""):
        (root / f"log/000000/{position:03d}").unlink()
        assert append(at, staged, link)
        anna.claim([C])
        return True

    bert._log.append = late
    with pytest.raises(RewoundError):
        bert.claim([key(9)])
    for number in range(10, 40):
        anna.claim([key(number)])
    with pytest.raises(RewoundError):
        all(anna.poll() or True for _ in range(200))


def test_a_discard_that_vanished_counts_and_stops_nobody(root, monkeypatch):
    anna = JournalStore(FileLog(root, block=BLOCK), "anna")
    publish(anna, A)
    with monkeypatch.context() as patch:
        patch.setattr(Compaction, "merge_behind", lambda self, position: None)
        position = anna.discard([A], reason="wrong")
        publish(anna, B, since=0)
    for number in range(10, 10 + BLOCK):
        publish(anna, key(number), since=0)
    (root / f"log/000000/{position:03d}").unlink()
    late = JournalStore(FileLog(root), "late")
    for _ in range(2):
        late.poll()
    assert set(late.keys()) == {B, *map(key, range(10, 10 + BLOCK))}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("filled", [True, False])
def test_a_block_whose_last_name_vanished_while_it_was_merged_stays_as_it_is(
    root, monkeypatch, moment, filled
):
    anna, bert = (JournalStore(FileLog(root, block=BLOCK), w) for w in ("anna", "bert"))
    for number in range(10, 9 + BLOCK):
        publish(anna, key(number), since=0)
    bert.poll()
    put = os.replace

    def vanish():
        (root / f"log/000000/{BLOCK - 1:03d}").unlink()
        if filled:
            with monkeypatch.context() as patch:
                patch.setattr(Compaction, "merge_behind", lambda self, position: None)
                publish(bert, B, since=0)

    def placed(staged, path):
        if str(path).endswith(".pack"):
            if moment == "before":
                vanish()
            put(staged, path)
            if moment == "after":
                vanish()
        else:
            put(staged, path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", placed)
        publish(anna, A, since=0)
    late = JournalStore(FileLog(root), "late")
    late.poll()
    assert set(late.keys()) - {B} == set(map(key, range(10, 9 + BLOCK)))
    assert (late.find(B) is not None) == filled
    with pytest.raises(RewoundError):
        [anna.poll() for _ in range(2 * BLOCK)]  # one of the last ones at a time


def test_whose_last_name_vanished_learns_it_from_a_pack_that_left_out_what_came_there(
    root,
):
    anna, bert = (JournalStore(FileLog(root, block=BLOCK), w) for w in ("anna", "bert"))
    publish(anna, key(10), since=0)
    bert.poll()
    publish(anna, A, since=0)
    (root / "log/000000/001").unlink()
    bert.claim([B])  # in the place of it, and of no use once B is there
    publish(bert, B, since=1)
    publish(bert, C, since=0)
    assert not (root / "log/000000").exists()
    with pytest.raises(RewoundError):
        anna.poll()


def test_what_is_left_out_of_a_pack_still_tells_who_had_read_it(root):
    anna, bert = (JournalStore(FileLog(root, block=BLOCK), w) for w in ("anna", "bert"))
    anna.claim([A])
    bert.poll()
    for number in (1, 10, 11, 12):
        publish(anna, key(number), since=0)
    for _ in range(3):  # merged once more, what told them is passed on
        bert.poll()
        assert anna.upkeep.compact() == 0
    assert answers(bert) == answers(JournalStore(FileLog(root), "late"))


def test_who_had_read_what_vanished_does_not_go_on_above_the_gap(root):
    anna, bert = (JournalStore(FileLog(root), w) for w in ("anna", "bert"))
    for number in range(10, 20):
        anna.claim([key(number)])
    bert.poll()
    anna.claim([A])
    anna.claim([B])
    for position in (5, 10):  # 5 is not looked at before 11 is there and 10 is not
        (root / f"log/000000/{position:03d}").unlink()
    bert._journal._looked_beyond = False
    with pytest.raises(RewoundError):
        bert.claim([C])


def test_who_mends_a_gap_replaces_nothing_that_was_put_there_meanwhile(root):
    anna, dora = (JournalStore(FileLog(root), w) for w in ("anna", "dora"))
    publish(anna, A)
    publish(anna, B)
    anna.claim([C])
    for position in "23":
        (root / f"log/000000/00{position}").rename(root / position)
    dora.poll()
    for position in "23":  # whoever else they are from
        (root / position).rename(root / f"log/000000/00{position}")
    with pytest.raises(RewoundError):
        dora.upkeep.mend()
    anna.poll()
    assert set(anna.keys()) == {A, B}

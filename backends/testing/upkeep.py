"""What every backend promises of all that is beside records and locks."""

from __future__ import annotations

import threading
import time

import pytest

from backends import BackendError, DamagedError
from backends.segment import HEADER_SIZE
from backends.store import JournalStore
from backends.testing.deeds import (
    A,
    B,
    C,
    Until,
    answers,
    body_of,
    drop_discarded,
    history,
    key,
    publish,
)


class UpkeepContract:
    """Promises about waiting, members, documents, blobs, damage and room."""

    # waiting

    def test_waiting_ends_when_somebody_appends(self, anna, bert):
        bert.poll()
        timer = threading.Timer(0.05, lambda: publish(anna, A))
        timer.start()
        began = time.monotonic()
        bert.wait(30)
        assert time.monotonic() - began < 15
        timer.join()

    def test_waiting_ends_at_its_time(self, anna):
        anna.poll()
        anna.wait(0.01)
        assert anna.poll() == []

    def test_waiting_does_not_begin_with_news_at_hand(self, anna, bert):
        publish(anna, A)
        bert.claim([B])
        began = time.monotonic()
        bert.wait(30)
        assert time.monotonic() - began < 15

    # members, documents, blobs

    def test_a_heartbeat_changes(self, anna, bert):
        anna.members.beat("anna", {"host": "h"})
        (before,) = bert.members.all()
        time.sleep(0.02)  # longer than a tick of the kernel's clock
        anna.members.beat("anna", {"host": "h"})
        (after,) = bert.members.all()
        assert (before.worker, before.identity) == ("anna", {"host": "h"})
        assert after.beat != before.beat
        assert after.age < 10

    def test_a_member_that_left_is_gone(self, anna, bert):
        anna.members.beat("anna", {})
        bert.members.leave("anna")
        bert.members.leave("anna")
        assert anna.members.all() == []

    def test_members_are_named_and_looked_at_one_by_one(self, anna, bert):
        assert anna.members.names() == set()
        for worker in ("anna", "bert", "cora"):
            anna.members.beat(worker, {"host": worker})
        assert bert.members.names() == {"anna", "bert", "cora"}
        for _ in range(2):
            found = bert.members.some(["cora", "anna", "dora", "../format.json"])
            assert {(x.worker, x.identity["host"]) for x in found} == {
                ("anna", "anna"),
                ("cora", "cora"),
            }
        anna.members.leave("cora")
        assert bert.members.some(["cora"]) == []
        assert {x.worker for x in bert.members.all()} == {"anna", "bert"}

    def test_the_last_document_stays(self, anna, bert):
        assert anna.documents.get("d") is None
        anna.documents.put("d", b"one")
        bert.documents.put("d", b"two")
        assert (anna.documents.get("d"), anna.documents.names()) == (b"two", ["d"])

    def test_a_blob_comes_back_as_it_was(self, anna, bert):
        size = anna.blobs.write("ab/cd-0", [b"head", memoryview(b"data")])
        assert (size, bytes(bert.blobs.open("ab/cd-0"))) == (8, b"headdata")
        assert list(bert.blobs.all()) == [("ab/cd-0", 8)]

    def test_an_empty_blob_comes_back(self, anna):
        anna.blobs.write("ab/empty", [])
        assert bytes(anna.blobs.open("ab/empty")) == b""

    def test_writing_to_a_blobs_memory_changes_nothing(self, anna, bert):
        anna.blobs.write("ab/cd", [b"data"])
        anna.blobs.open("ab/cd")[:] = b"evil"
        assert bytes(bert.blobs.open("ab/cd")) == b"data"

    def test_a_missing_blob_is_a_damage(self, anna):
        with pytest.raises(DamagedError, match="gone"):
            anna.blobs.open("ab/none")

    def test_a_trashed_blob_is_gone(self, anna):
        anna.blobs.write("ab/cd", [b"data"])
        anna.blobs.trash("ab/cd")
        anna.blobs.trash("ab/cd")
        assert list(anna.blobs.all()) == []
        anna.space.empty_trash(0)

    # damage

    def test_a_damaged_segment_counts_for_nothing(self, anna, reopen, spoil, caplog):
        publish(anna, A, body=b"spoilt")
        publish(anna, B)
        spoil(anna.find(A).position, b"")
        late = reopen("late")
        late.poll()
        assert set(late.keys()) == {B}
        (fault,) = late.upkeep.damaged()
        assert "segment" in fault.what
        assert "damaged" in caplog.text

    def test_a_damaged_body_is_never_handed_on(self, anna, reopen, spoil):
        publish(anna, A, body=b"b" * 100)
        position = anna.find(A).position
        frame, _ = anna._log.read(position)
        spoil(position, frame[:-1] + bytes([frame[-1] ^ 1]))
        late = reopen("late")
        late.poll()
        with pytest.raises(DamagedError, match="checksum"):
            late.segment(position)

    def test_what_was_damaged_can_be_computed_again(self, anna, reopen, spoil):
        publish(anna, A, body=b"old")
        spoil(anna.find(A).position, b"rubbish")
        late = reopen("late")
        assert publish(late, A, body=b"new") == 1
        assert body_of(reopen("later"), A) == b"new"

    def test_a_position_without_records_has_no_body(self, anna):
        token = anna.claim([A]).token
        with pytest.raises(DamagedError, match="gone"):
            anna.segment(token)
        with pytest.raises(DamagedError, match="gone"):
            anna.segment(99)

    # room

    def test_the_size_grows_with_what_is_stored(self, anna):
        before = anna.space.size()
        publish(anna, A, body=b"x" * 10_000)
        assert anna.space.size() >= before + 10_000

    def test_too_many_rows_are_refused(self, anna, monkeypatch):
        monkeypatch.setattr("backends.store.MAX_ROWS", 2)
        with pytest.raises(BackendError, match="at most 2"):
            publish(anna, A, B, C, since=0)

    def test_compaction_changes_nothing_that_can_be_asked(self, anna, bert, reopen):
        history(anna, bert)
        before = answers(anna)
        assert anna.upkeep.compact() > 0
        assert answers(anna) == before
        assert answers(reopen("late")) == before

    def test_compaction_keeps_readers_in_the_middle_right(self, anna, bert, open_log):
        history(anna, bert)
        readers = []
        for position in range(anna.claim([]).token + 1):
            readers.append(JournalStore(Until(open_log(), position), "reader"))
            readers[-1].poll()
        anna.upkeep.compact()
        for reader in readers:
            reader._log.end = None
            assert answers(reader) == answers(anna)

    def test_who_waits_is_not_alarmed_by_what_is_merged_and_dropped(
        self, anna, bert, reopen
    ):
        late = reopen("late")
        late.poll()
        history(anna, bert)
        anna.upkeep.compact()
        drop_discarded(anna)
        for waiting in (anna, bert, late):
            for _ in range(60):  # more than twice as often as there are segments
                waiting.poll()
            assert answers(waiting) == answers(anna)

    def test_compacting_twice_frees_nothing_more(self, anna, bert):
        history(anna, bert)
        anna.upkeep.compact()
        assert bert.upkeep.compact() == 0

    def test_a_table_of_an_earlier_compaction_does_not_mislead(self, anna, bert):
        for number in range(self.block):
            publish(anna, key(number), body=str(number).encode() * 100, since=0)
        anna.upkeep.compact()
        assert body_of(bert, key(self.block - 1))  # knows now where it is
        anna.discard([key(0)], reason="wrong")
        drop_discarded(anna)
        assert body_of(bert, key(self.block - 1)) == str(self.block - 1).encode() * 100

    def test_what_was_discarded_is_dropped_on_request(self, anna, reopen):
        publish(anna, A, body=b"x" * 10_000)
        publish(anna, B, since=0)
        position = anna.discard([A], reason="wrong")
        for number in range(10, 10 + self.block):
            publish(anna, key(number))
        before = anna.space.size()
        assert drop_discarded(anna) > 9_000
        anna.space.empty_trash(-1)
        assert anna.space.size() < before - 9_000
        late = reopen("late")
        late.poll()
        assert late.undo(position) == 0
        assert late.find(A) is None
        assert late.find(B) is not None

    def test_a_damaged_segment_stays_for_the_others_to_see(self, anna, reopen, spoil):
        for number in range(self.block - 1):
            publish(anna, key(number), since=0)
        spoil(0, b"")
        publish(anna, key(99), since=0)  # fills the block
        assert anna.upkeep.compact() == 0
        late = reopen("late")
        late.poll()
        assert len(late.upkeep.damaged()) == 1

    def test_after_close_it_can_be_opened_again(self, anna, reopen):
        publish(anna, A, body=b"kept")
        anna.close()
        assert body_of(reopen("late"), A) == b"kept"

    def test_compaction_has_one_large_segment_in_memory_at_a_time(
        self, anna, monkeypatch
    ):
        body = bytes(range(256)) * 1024
        for number in range(self.block):
            publish(anna, key(number), body=body, since=0)
        read, whole = anna._log.read, []

        def counted(position, limit=None):
            whole.append(limit is None)
            return read(position, limit)

        monkeypatch.setattr(anna._log, "read", counted)
        monkeypatch.setattr(anna._log, "merge", merge := _Merge())
        anna.upkeep.compact()
        assert not any(whole)
        assert merge.frame(1) == read(1)[0]
        assert whole[-1]

    def test_a_segment_that_changes_while_it_is_merged_leaves_the_block(
        self, anna, monkeypatch, reopen
    ):
        monkeypatch.setattr("backends.compaction._PASSING_BYTES", 0)
        for number in range(self.block):
            publish(anna, key(number), body=b"x" * (1 << 17), since=0)
        read, cuts = anna._log.read, []

        def cut(position, limit=None):
            found = read(position, limit)
            if limit or found is None:
                return found
            cuts.append(position)
            return found[0][:-1], found[1] - 1

        before = answers(anna)
        monkeypatch.setattr(anna._log, "read", cut)
        assert anna.upkeep.compact() == 0
        assert cuts == [0]
        monkeypatch.undo()
        assert answers(reopen("late")) == before

    def test_a_discard_that_is_damaged_at_once_counts(
        self, anna, bert, reopen, spoil, monkeypatch
    ):
        publish(anna, A, since=0)
        append = anna._log.append

        def spoilt(position, staged, link=b""):
            done = append(position, staged, link)
            spoil(position, b"")
            bert.poll()
            return done

        monkeypatch.setattr(anna._log, "append", spoilt)
        anna.discard([A], reason="wrong")
        assert bert.find(A) is None
        assert reopen("late").find(A) is None

    @pytest.mark.parametrize("told_by", ["its header", "the next one"])
    def test_a_discard_that_came_too_late_does_not_count(
        self, anna, bert, reopen, spoil, monkeypatch, told_by
    ):
        publish(anna, A, since=0)

        def killed(position, staged, link=b""):
            raise KeyboardInterrupt

        monkeypatch.setattr(anna._log, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            anna.discard([A], reason="wrong")
        publish(bert, B, since=0)
        position = bert.find(B).position
        frame, _ = bert._log.read(position)
        if told_by == "its header":
            spoil(position, frame[:HEADER_SIZE] + b"?" + frame[HEADER_SIZE + 1 :])
        else:
            publish(bert, C, since=0)
            spoil(position, b"")
        late = reopen("late")
        late.poll()
        assert set(late.keys()) >= {A}
        assert late.find(B) is None


class _Merge:
    def __call__(self, block, sizes, frame, gone, end=0):
        self.frame = frame
        return 0

"""What every backend promises, to be inherited: override the fixture `reopen`."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from backends import BackendError, Cause, DamagedError, Row
from backends.store import JournalStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Log

OpenLog = "Callable[[], Log]"


def key(number: int) -> bytes:
    return number.to_bytes(20, "big")


A, B, C = key(1), key(2), key(3)
RESULT, FAILURE = bytes([Row.RESULT]), bytes([Row.FAILURE])


def publish(
    store: JournalStore, *keys: bytes, body: bytes = b"x", since: int | None = None
) -> int:
    """Publish results, of a claim that was just made unless `since` says else."""
    token = store.claim(keys).token if since is None else since
    return store.publish(keys, RESULT * len(keys), body, since=token)


def body_of(store: JournalStore, wanted: bytes) -> bytes:
    store.poll()
    where = store.find(wanted)
    assert where is not None
    return store.body(where.position)


class BackendContract:
    """Promises of `backends.interface.Backend`."""

    block = 6
    """How many positions the logs under test merge at once."""

    @pytest.fixture
    def open_log(self) -> Callable[[], Log]:
        """Return a function that opens the same, at first empty, log again."""
        raise NotImplementedError

    @pytest.fixture
    def spoil(self) -> Callable[[int, bytes], None]:
        """Return a function that replaces the stored bytes of a position."""
        raise NotImplementedError

    @pytest.fixture
    def reopen(self, open_log) -> Callable[[str], JournalStore]:
        return lambda worker: JournalStore(open_log(), worker)

    @pytest.fixture
    def anna(self, reopen) -> JournalStore:
        return reopen("anna")

    @pytest.fixture
    def bert(self, reopen) -> JournalStore:
        return reopen("bert")

    # records

    def test_a_new_store_knows_nothing(self, anna):
        assert anna.poll() == []
        assert list(anna.keys()) == list(anna.failures()) == anna.locks() == []
        assert anna.find(A) is None

    def test_a_result_is_seen_by_others(self, anna, bert):
        assert publish(anna, A, body=b"answer") == 1
        assert body_of(bert, A) == b"answer"

    def test_a_failure_is_told_from_a_result(self, anna, bert):
        anna.publish([A, B], RESULT + FAILURE, b"x", since=0)
        (change,) = bert.poll()
        assert (list(change.results), list(change.failures)) == ([A], [B])
        assert set(bert.failures()) == {B}
        assert [bert.find(k).failure for k in (A, B)] == [False, True]

    def test_rows_are_counted_within_their_segment(self, anna, bert):
        publish(anna, A, B, C)
        bert.poll()
        assert [bert.find(k).row for k in (A, B, C)] == [0, 1, 2]
        assert len({bert.find(k).position for k in (A, B, C)}) == 1

    def test_first_write_wins(self, anna, bert):
        early, late = anna.claim([A]), bert.claim([A])
        publish(anna, A, body=b"first", since=early.token)
        assert publish(bert, A, body=b"second", since=late.token) == 0
        assert body_of(anna, A) == body_of(bert, A) == b"first"

    def test_first_write_wins_also_for_one_who_opens_later(self, anna, bert, reopen):
        publish(anna, A, body=b"first", since=0)
        publish(bert, A, B, body=b"second", since=0)
        assert body_of(reopen("late"), A) == b"first"
        assert body_of(reopen("late"), B) == b"second"

    def test_a_failure_does_not_replace_a_result(self, anna, bert):
        publish(anna, A)
        assert bert.publish([A], FAILURE, b"x", since=0) == 0
        assert not bert.find(A).failure

    def test_a_body_of_a_megabyte_comes_back(self, anna, bert):
        body = bytes(range(256)) * 4096
        publish(anna, A, body=body)
        assert body_of(bert, A) == body

    def test_a_thousand_keys_in_one_segment(self, anna, bert):
        keys = [key(n) for n in range(5000)]
        assert publish(anna, *keys) == 5000
        bert.poll()
        assert set(bert.keys()) == set(keys)

    def test_own_results_are_not_news(self, anna):
        publish(anna, A)
        assert anna.poll() == []
        assert anna.find(A) is not None

    def test_polling_twice_tells_once(self, anna, bert):
        publish(anna, A)
        assert len(bert.poll()) == 1
        assert bert.poll() == []

    # locks

    def test_claims_are_disjoint(self, anna, bert):
        assert anna.claim([A, B]).keys == [A, B]
        assert bert.claim([A, B, C]).keys == [C]
        assert {lock.key: lock.worker for lock in anna.locks()} == {
            A: "anna",
            B: "anna",
        }
        assert bert.holder(A) == "anna"

    def test_what_is_done_cannot_be_locked(self, anna, bert):
        publish(anna, A)
        assert bert.claim([A]).keys == []

    def test_a_result_ends_the_lock(self, anna, bert):
        bert.claim([A])
        publish(anna, A, since=0)
        bert.poll()
        assert bert.locks() == []

    def test_only_own_locks_are_released(self, anna, bert):
        anna.claim([A])
        bert.claim([B])
        bert.release([A, B])
        assert [(x.key, x.worker) for x in bert.locks()] == [(A, "anna")]

    def test_a_released_key_can_be_locked_by_another(self, anna, bert):
        anna.claim([A])
        anna.release([A])
        assert bert.claim([A]).keys == [A]

    def test_a_lock_says_since_when(self, open_log):
        store = JournalStore(open_log(), "anna", clock=lambda: 1234.5)
        token = store.claim([A]).token
        (lock,) = store.locks()
        assert (lock.since, lock.token) == (1234.5, token)

    def test_many_settled_claims_are_forgotten(self, anna, bert):
        anna.claim([key(10_000)])
        for number in range(300):
            anna.claim([key(number)])
            anna.release([key(number)])
        assert len(bert.locks()) == 0
        bert.poll()
        assert [lock.key for lock in bert.locks()] == [key(10_000)]
        assert len(bert._state.claimed) < 200

    def test_an_expelled_worker_loses_its_locks(self, anna, bert):
        anna.claim([A, B])
        bert.claim([C])
        bert.expel("anna", Cause.LOST)
        assert [lock.key for lock in bert.locks()] == [C]
        assert bert.claim([A, B]).keys == [A, B]

    def test_what_ran_when_a_worker_was_killed_counts_as_a_death(self, anna, bert):
        anna.claim([A, B])
        bert.expel("anna", Cause.KILLED, running=B)
        assert dict(bert.deaths(B)) == {Cause.KILLED: 1}
        assert (bert.suspect(A), bert.suspect(B)) == (False, True)

    def test_one_of_several_locked_keys_is_a_suspect_only(self, anna, bert):
        anna.claim([A, B])
        bert.expel("anna", Cause.LOST)
        assert [dict(bert.deaths(k)) for k in (A, B)] == [{}, {}]
        assert bert.suspect(A)
        assert bert.suspect(B)

    def test_the_only_locked_key_is_blamed(self, anna, bert):
        for _ in range(3):
            anna.claim([A])
            bert.expel("anna", Cause.LOST)
        assert dict(bert.deaths(A)) == {Cause.LOST: 3}

    def test_released_by_hand_blames_nobody(self, anna, bert):
        anna.claim([A])
        bert.expel("anna", Cause.RELEASED)
        assert dict(bert.deaths(A)) == {}
        assert not bert.suspect(A)

    def test_expelling_who_holds_nothing_changes_nothing(self, anna, bert):
        bert.expel("anna", Cause.LOST)
        assert anna.poll() == []
        assert anna.claim([]).token == 0

    def test_a_stale_worker_may_still_publish_what_nobody_has(self, anna, bert):
        token = anna.claim([A]).token
        bert.expel("anna", Cause.LOST)
        assert publish(anna, A, body=b"late", since=token) == 1
        assert body_of(bert, A) == b"late"

    # invalidation

    def test_a_discarded_result_is_unknown(self, anna, bert):
        publish(anna, A, B)
        assert bert.discard([A], reason="wrong") is not None
        (change,) = [x for x in anna.poll() if x.discarded]
        assert list(change.discarded) == [A]
        assert set(anna.keys()) == {B}

    def test_discarding_the_unknown_is_no_act(self, anna):
        assert anna.discard([A], reason="none") is None
        assert anna.discards() == []

    def test_a_discarded_lock_is_free(self, anna, bert):
        anna.claim([A])
        bert.discard([A], reason="stop")
        assert bert.claim([A]).keys == [A]

    def test_a_stale_worker_cannot_resurrect(self, anna, bert):
        token = anna.claim([A, B]).token
        publish(bert, A, since=0)
        bert.discard([A], reason="wrong")
        assert anna.publish([A, B], RESULT * 2, b"stale", since=token) == 1
        assert anna.find(A) is None
        assert set(anna.keys()) == {B}

    def test_a_stale_worker_cannot_resurrect_while_another_computes(self, anna, bert):
        token = anna.claim([A]).token
        bert.discard([A], reason="wrong")
        fresh = bert.claim([A])
        assert anna.publish([A], RESULT, b"stale", since=token) == 0
        assert bert.publish([A], RESULT, b"fresh", since=fresh.token) == 1
        assert body_of(anna, A) == b"fresh"

    def test_a_claim_after_a_discard_is_fresh(self, anna):
        publish(anna, A)
        anna.discard([A], reason="wrong")
        assert publish(anna, A, body=b"new") == 1
        assert body_of(anna, A) == b"new"

    def test_a_discard_is_listed_and_can_be_undone(self, anna, bert):
        publish(anna, A, B)
        anna.publish([C], FAILURE, b"x", since=9)
        position = bert.discard([A, C], reason="by mistake")
        (about,) = bert.discards()
        assert (about.reason, about.worker) == ("by mistake", "bert")
        assert set(about.keys) == {A, C}
        assert anna.restore(position) == 2
        bert.poll()
        assert set(bert.keys()) == {A, B, C}
        assert set(bert.failures()) == {C}
        assert bert.discards() == []

    def test_undoing_twice_does_nothing(self, anna):
        publish(anna, A)
        position = anna.discard([A], reason="wrong")
        assert [anna.restore(position), anna.restore(position)] == [1, 0]

    def test_undoing_does_not_replace_a_new_result(self, anna, bert):
        publish(anna, A, body=b"old")
        position = anna.discard([A], reason="wrong")
        publish(bert, A, body=b"new")
        assert anna.restore(position) == 0
        assert body_of(anna, A) == b"new"

    def test_undoing_settles_the_lock_on_what_came_back(self, anna, bert):
        publish(anna, A)
        position = anna.discard([A], reason="wrong")
        bert.claim([A])
        anna.restore(position)
        assert anna.locks() == []

    def test_a_discard_forgets_deaths(self, anna, bert):
        anna.claim([A])
        bert.expel("anna", Cause.KILLED, running=A)
        bert.claim([A])
        bert.discard([A], reason="retry")
        assert dict(bert.deaths(A)) == {}
        assert not bert.suspect(A)

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
        anna.beat("anna", {"host": "h"})
        (before,) = bert.members()
        time.sleep(0.02)  # longer than a tick of the kernel's clock
        anna.beat("anna", {"host": "h"})
        (after,) = bert.members()
        assert (before.worker, before.about) == ("anna", {"host": "h"})
        assert after.beat != before.beat
        assert after.age < 10

    def test_a_member_that_left_is_gone(self, anna, bert):
        anna.beat("anna", {})
        bert.leave("anna")
        bert.leave("anna")
        assert anna.members() == []

    def test_the_last_document_stays(self, anna, bert):
        assert anna.get_document("d") is None
        anna.put_document("d", b"one")
        bert.put_document("d", b"two")
        assert (anna.get_document("d"), anna.documents()) == (b"two", ["d"])

    def test_a_blob_comes_back_as_it_was(self, anna, bert):
        size = anna.write_blob("ab/cd-0", [b"head", memoryview(b"data")])
        assert (size, bytes(bert.open_blob("ab/cd-0"))) == (8, b"headdata")
        assert list(bert.blobs()) == [("ab/cd-0", 8)]

    def test_an_empty_blob_comes_back(self, anna):
        anna.write_blob("ab/empty", [])
        assert bytes(anna.open_blob("ab/empty")) == b""

    def test_writing_to_a_blobs_memory_changes_nothing(self, anna, bert):
        anna.write_blob("ab/cd", [b"data"])
        anna.open_blob("ab/cd")[:] = b"evil"
        assert bytes(bert.open_blob("ab/cd")) == b"data"

    def test_a_missing_blob_is_a_damage(self, anna):
        with pytest.raises(DamagedError, match="gone"):
            anna.open_blob("ab/none")

    def test_a_trashed_blob_is_gone(self, anna):
        anna.write_blob("ab/cd", [b"data"])
        anna.trash_blob("ab/cd")
        anna.trash_blob("ab/cd")
        assert list(anna.blobs()) == []
        anna.empty_trash(0)

    # damage

    def test_a_damaged_segment_counts_for_nothing(self, anna, reopen, spoil, caplog):
        publish(anna, A, body=b"spoilt")
        publish(anna, B)
        spoil(anna.find(A).position, b"")
        late = reopen("late")
        late.poll()
        assert set(late.keys()) == {B}
        (fault,) = late.damaged()
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
            late.body(position)

    def test_what_was_damaged_can_be_computed_again(self, anna, reopen, spoil):
        publish(anna, A, body=b"old")
        spoil(anna.find(A).position, b"rubbish")
        late = reopen("late")
        assert publish(late, A, body=b"new") == 1
        assert body_of(reopen("later"), A) == b"new"

    def test_a_position_without_records_has_no_body(self, anna):
        token = anna.claim([A]).token
        with pytest.raises(DamagedError, match="gone"):
            anna.body(token)
        with pytest.raises(DamagedError, match="gone"):
            anna.body(99)

    # room

    def test_the_size_grows_with_what_is_stored(self, anna):
        before = anna.size()
        publish(anna, A, body=b"x" * 10_000)
        assert anna.size() >= before + 10_000

    def test_too_many_rows_are_refused(self, anna, monkeypatch):
        monkeypatch.setattr("backends.store.MAX_ROWS", 2)
        with pytest.raises(BackendError, match="at most 2"):
            publish(anna, A, B, C, since=0)

    def test_compaction_changes_nothing_that_can_be_asked(self, anna, bert, reopen):
        history(anna, bert)
        before = answers(anna)
        assert anna.compact() > 0
        assert answers(anna) == before
        assert answers(reopen("late")) == before

    def test_compaction_keeps_readers_in_the_middle_right(self, anna, bert, open_log):
        history(anna, bert)
        readers = []
        for position in range(anna.claim([]).token + 1):
            readers.append(JournalStore(_Until(open_log(), position), "reader"))
            readers[-1].poll()
        anna.compact()
        for reader in readers:
            reader._log.end = None
            assert answers(reader) == answers(anna)

    def test_compacting_twice_frees_nothing_more(self, anna, bert):
        history(anna, bert)
        anna.compact()
        assert bert.compact() == 0

    def test_a_table_of_an_earlier_compaction_does_not_mislead(self, anna, bert):
        for number in range(self.block):
            publish(anna, key(number), body=str(number).encode() * 100, since=0)
        anna.compact()
        assert body_of(bert, key(self.block - 1))  # knows now where it is
        anna.discard([key(0)], reason="wrong")
        anna.compact(keep=[])
        assert body_of(bert, key(self.block - 1)) == str(self.block - 1).encode() * 100

    def test_what_was_discarded_is_dropped_on_request(self, anna, reopen):
        publish(anna, A, body=b"x" * 10_000)
        publish(anna, B, since=0)
        position = anna.discard([A], reason="wrong")
        for number in range(10, 10 + self.block):
            publish(anna, key(number))
        before = anna.size()
        assert anna.compact(keep=[]) > 9_000
        anna.empty_trash(-1)
        assert anna.size() < before - 9_000
        late = reopen("late")
        late.poll()
        assert late.restore(position) == 0
        assert late.find(A) is None
        assert late.find(B) is not None

    def test_a_damaged_segment_stays_for_the_others_to_see(self, anna, reopen, spoil):
        for number in range(self.block - 1):
            publish(anna, key(number), since=0)
        spoil(0, b"")
        publish(anna, key(99), since=0)  # fills the block
        assert anna.compact() == 0
        late = reopen("late")
        late.poll()
        assert len(late.damaged()) == 1

    def test_after_close_it_can_be_opened_again(self, anna, reopen):
        publish(anna, A, body=b"kept")
        anna.close()
        assert body_of(reopen("late"), A) == b"kept"


def history(anna: JournalStore, bert: JournalStore) -> None:
    """Do some of everything, over several blocks."""
    anna.claim([key(n) for n in range(6)])
    bert.claim([key(6), key(7)])
    publish(anna, key(0), key(1), since=0)
    anna.release([key(2)])
    bert.claim([key(2)])
    anna.expel("bert", Cause.KILLED, running=key(2))
    bert.claim([key(2), key(8), key(9)])
    anna.expel("bert", Cause.LOST)
    anna.discard([key(0), key(8)], reason="wrong")
    back = anna.discard([key(1)], reason="by mistake")
    bert.restore(back)
    bert.claim([key(0)])
    anna.expel("bert", Cause.LOST)
    bert.publish([key(9), key(10)], RESULT + FAILURE, b"more", since=99)
    publish(anna, key(0), body=b"again")
    bert.claim([key(11), key(12)])


def answers(store: JournalStore) -> dict[str, object]:
    """Return everything that a store can be asked."""
    store.poll()
    keys = [key(n) for n in range(20)]
    return {
        "bodies": {k: store.body(store.find(k).position) for k in list(store.keys())},
        "where": {k: store.find(k) for k in keys},
        "failures": set(store.failures()),
        "locks": {(x.key, x.worker) for x in store.locks()},
        "holders": {k: store.holder(k) for k in keys},
        "deaths": {k: dict(store.deaths(k)) for k in keys},
        "suspects": {k for k in keys if store.suspect(k)},
        "discards": store.discards(),
    }


class _Until:
    """A log that seems to end at a position, until `end` is None."""

    def __init__(self, log: Log, end: int) -> None:
        self._log = log
        self.end: int | None = end

    def read(self, position: int, limit: int | None = None):
        if self.end is not None and position >= self.end:
            return None
        return self._log.read(position, limit)

    def __getattr__(self, name: str):
        return getattr(self._log, name)

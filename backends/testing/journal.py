"""What every backend promises of records, locks and invalidation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from backends import Cause
from backends.store import JournalStore
from backends.testing.deeds import FAILURE, RESULT, A, B, C, body_of, key, publish


class JournalContract:
    """Promises about what a journal says."""

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

    def test_places_of_many_are_those_of_each(self, anna, bert, reopen):
        publish(anna, A, B)
        publish(anna, C)
        bert.discard([B], reason="wanted")
        for store in (reopen("late"), anna, bert):
            store.poll()
            of_a, of_c = (store.find(k)[:2] for k in (A, C))
            assert store.places([C, B, A]) == [*of_c, -1, -1, *of_a]

    def test_each_thread_writes_to_a_store_of_its_own(self, anna):
        publish(anna, A, body=b"before")

        def published(number):
            store = anna.again()
            assert body_of(store, A) == b"before"
            return sum(publish(store, key(10 * number + n)) for n in range(10, 20))

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(published, range(4))) == [10] * 4
        anna.poll()
        assert {*anna.keys()} == {A, *(key(n) for n in range(10, 50))}

    def test_segments_with_records_are_known_by_their_places(self, anna, bert, reopen):
        assert reopen("late").published() == []
        anna.claim([A])
        publish(anna, A, since=0)
        bert.publish([B], FAILURE, b"x", since=0)
        for store in (reopen("late"), anna, bert):
            store.poll()
            assert store.published() == [store.find(k).position for k in (A, B)]

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
        assert bert.locked_by(A) == "anna"

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
        assert bert.suspects() == {B}

    def test_one_of_several_locked_keys_is_a_suspect_only(self, anna, bert):
        anna.claim([A, B])
        bert.expel("anna", Cause.LOST)
        assert [dict(bert.deaths(k)) for k in (A, B)] == [{}, {}]
        assert A in bert.suspects()
        assert B in bert.suspects()

    def test_the_only_locked_key_is_blamed(self, anna, bert):
        for _ in range(3):
            anna.claim([A])
            bert.expel("anna", Cause.LOST)
        assert dict(bert.deaths(A)) == {Cause.LOST: 3}

    def test_released_by_hand_blames_nobody(self, anna, bert):
        anna.claim([A])
        bert.expel("anna", Cause.RELEASED)
        assert dict(bert.deaths(A)) == {}
        assert A not in bert.suspects()

    def test_expelling_says_whether_there_were_locks(self, anna, bert):
        anna.claim([A])
        bert.poll()
        anna.release([A])
        assert not bert.expel("anna", Cause.LOST)
        anna.claim([A])
        assert bert.expel("anna", Cause.LOST)

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
        assert anna.undo(position) == 2
        bert.poll()
        assert set(bert.keys()) == {A, B, C}
        assert set(bert.failures()) == {C}
        assert bert.discards() == []

    def test_what_is_final_comes_back_to_nobody(self, anna, bert):
        publish(anna, A)
        publish(anna, B)
        first, second = (anna.discard([k], reason="wrong") for k in (A, B))
        bert.poll()
        assert anna.make_final([first, 99]) == [first]
        assert bert.undo(first) == 0
        assert [about.position for about in bert.discards()] == [second]
        assert anna.make_final([first]) == []
        assert bert.undo(second) == 1

    def test_undoing_twice_does_nothing(self, anna):
        publish(anna, A)
        position = anna.discard([A], reason="wrong")
        assert [anna.undo(position), anna.undo(position)] == [1, 0]

    def test_undoing_does_not_replace_a_new_result(self, anna, bert):
        publish(anna, A, body=b"old")
        position = anna.discard([A], reason="wrong")
        publish(bert, A, body=b"new")
        assert anna.undo(position) == 0
        assert body_of(anna, A) == b"new"

    def test_undoing_settles_the_lock_on_what_came_back(self, anna, bert):
        publish(anna, A)
        position = anna.discard([A], reason="wrong")
        bert.claim([A])
        anna.undo(position)
        assert anna.locks() == []

    def test_a_discard_forgets_deaths(self, anna, bert):
        anna.claim([A])
        bert.expel("anna", Cause.KILLED, running=A)
        bert.claim([A])
        bert.discard([A], reason="retry")
        assert dict(bert.deaths(A)) == {}
        assert A not in bert.suspects()

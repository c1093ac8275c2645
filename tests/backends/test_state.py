"""What segments mean: the fold, and what of a batch may still be published."""

import pytest
from hypothesis import assume, given, strategies as st

from backends.interface import Cause, Inputs, Kind, Row, Segment, Where
from backends.memory import MemoryLog, Room
from backends.state import FEW, State, Unfolded
from backends.store import JournalStore
from backends.testing.deeds import FAILURE, answers, key, publish

KEYS = [key(number) for number in range(6)]


def published(*keys):
    return Segment(Kind.PUBLISH, "w", 0.0, b"".join(keys), bytes(len(keys)))


def segments():
    some = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
    discarded = some.map(lambda keys: Segment(Kind.DISCARD, "w", 0.0, b"".join(keys)))
    return st.lists(some.map(lambda keys: published(*keys)) | discarded, max_size=6)


def inputs_of(position):
    as_of = st.integers(0, position)
    return st.builds(Inputs, as_of, st.lists(st.sampled_from(KEYS), max_size=3))


def may_be_published(state, own, accepted, one, made_of, since, in_vain):
    """Say it of one row, as the contract does."""
    if one in state.records or state.discarded.get(one, -1) >= since:
        return False
    for need in made_of.keys:
        gone = max(state.discarded.get(need, -1), in_vain.get(need, -1))
        if gone >= made_of.as_of:
            return False
        if need not in (accepted if need in own else state.records):
            return False
    return True


@given(segments(), st.data())
def test_what_is_stale_is_what_the_contract_says_row_by_row(journal, data):
    state = State()
    for position, segment in enumerate(journal):
        state.apply(position, segment)
    own = data.draw(st.lists(st.sampled_from(KEYS), unique=True))
    since = data.draw(st.integers(0, state.position))
    inputs = [data.draw(inputs_of(state.position)) for _ in own]
    in_vain = data.draw(
        st.dictionaries(st.sampled_from(KEYS), st.integers(0, state.position))
    )
    anything_lost = state.discarded or in_vain or set(own) & set(state.records)
    assume(anything_lost)  # else what a record was made of is there
    accepted, wanted = set(), []
    for one, made_of in zip(own, inputs, strict=True):
        fresh = may_be_published(state, own, accepted, one, made_of, since, in_vain)
        wanted.append(Row.RESULT if fresh else Row.STALE)
        accepted.update([one] if fresh else [])
    rows = state.stale(own, bytes(len(own)), since, inputs, in_vain)
    assert rows == bytes(wanted)


DEEDS = {
    "publish": lambda store, keys: publish(store, *keys),
    "fail": lambda store, keys: store.publish(keys, FAILURE * len(keys), b"", since=0),
    "claim": lambda store, keys: store.claim(keys),
    "release": lambda store, keys: store.release(keys),
    "expel": lambda store, keys: store.expel("bert", Cause.KILLED, running=keys[0]),
    "discard": lambda store, keys: store.discard(keys, reason="wrong"),
    "undo": lambda store, keys: [store.undo(d.position) for d in store.discards()],
}
some_keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
deeds = st.lists(
    st.tuples(st.sampled_from(sorted(DEEDS)), st.booleans(), some_keys), max_size=12
)


@given(deeds, st.integers(0, FEW + 2))
def test_who_only_reads_on_answers_as_who_folds_each_segment(done, looks):
    room = Room()
    anna, bert, eager, late = (
        JournalStore(MemoryLog(room), name, clock=lambda: 0.0)
        for name in ("anna", "bert", "eager", "late")
    )
    assert eager.locks() == []
    told = []
    for what, by_anna, keys in done:
        store = anna if by_anna else bert
        store.poll()
        DEEDS[what](store, keys)
        told += eager.poll()
        late.refresh()
        assert late.position == eager.position
    assert late.claim([]).token == eager.position
    assert set(eager.published()) <= set(late.published()) <= set(range(late.position))
    for position in late.published():
        assert late.segment(position).kind is Kind.PUBLISH
    assert late.forgot_at == eager.forgot_at
    assert set(late.failures()) == set(eager.failures())
    asked = [KEYS[number % len(KEYS)] for number in range(looks)]
    assert [*map(late.find, asked)] == [*map(eager.find, asked)]
    assert late.changes() == told
    assert answers(late) == answers(eager)


def test_a_key_is_not_found_across_two_others():
    one, two = bytes(range(20)), bytes(range(20, 40))
    between = (one + two)[7:27]
    late = Unfolded()
    late.add(3, published(one, two))
    late.add(4, published(between, one))
    found = [*map(late.find, (one, two, between, KEYS[0]))]
    assert found == [Where(3, 0, False), Where(3, 1, False), Where(4, 0, False), None]


@given(
    st.lists(st.lists(st.sampled_from(KEYS), min_size=1, unique=True), max_size=4),
    st.lists(st.sampled_from(KEYS), max_size=8),
)
def test_who_has_not_folded_says_of_many_keys_what_who_has_does(publications, asked):
    room = Room()
    anna, eager, late = (JournalStore(MemoryLog(room), name) for name in "ael")
    for keys in publications:
        publish(anna, *keys)
    eager.poll()
    late.refresh()
    known = eager.keys() >= set(asked)

    assert eager.holds(b"".join(asked)) == known
    assert late.holds(b"".join(asked)) == known


SOME = st.lists(st.sampled_from(KEYS), min_size=1, unique=True)


@given(st.lists(st.tuples(st.sampled_from(["claim", "release", "publish"]), SOME)))
def test_who_has_not_folded_knows_what_is_locked(deeds):
    room = Room()
    anna, bert, late = (JournalStore(MemoryLog(room), name) for name in "abl")
    for number, (deed, keys) in enumerate(deeds):
        store = anna if number % 2 else bert
        publish(store, *keys) if deed == "publish" else getattr(store, deed)(keys)
    bert.poll()
    late.refresh()
    assert late.holders() == bert.holders()


@given(st.integers(1, 40), st.data())
def test_many_keys_in_whatever_pieces_are_found_without_folding(count, data):
    keys = [key(number) for number in range(count)]
    cuts = st.lists(st.integers(0, count), max_size=FEW // 2).map(sorted)

    def pieces():
        ends = data.draw(cuts)
        starts, ends = [0, *ends], [*ends, count]
        return [keys[start:end] for start, end in zip(starts, ends, strict=True)]

    late = Unfolded()
    for position, piece in enumerate(pieces()):
        if piece:
            late.add(position, published(*piece))
    asked = b"".join(k for piece in data.draw(st.permutations(pieces())) for k in piece)

    assert late.holds(asked)
    assert not late.holds(asked + key(count))
    assert not late.holds(key(count) + asked)
    assert not late.holds(asked[:-1])


def test_an_interrupt_while_segments_are_folded_loses_none(monkeypatch):
    room = Room()
    publish(anna := JournalStore(MemoryLog(room), "anna"), *KEYS[:3])
    publish(anna, *KEYS[3:])
    late = JournalStore(MemoryLog(room), "late")
    late.refresh()
    apply = State.apply

    def interrupted(state, position, segment):
        if position == 2:
            monkeypatch.undo()
            raise KeyboardInterrupt
        return apply(state, position, segment)

    monkeypatch.setattr(State, "apply", interrupted)
    with pytest.raises(KeyboardInterrupt):
        late.keys()
    assert set(late.keys()) == set(KEYS)

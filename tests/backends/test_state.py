"""What segments mean: the fold, and what of a batch may still be published."""

from hypothesis import assume, given, strategies as st

from backends.interface import Inputs, Kind, Row, Segment
from backends.state import State

KEYS = [bytes([letter]) * 20 for letter in b"abcdef"]


def published(*keys):
    return Segment(Kind.PUBLISH, "w", 0.0, b"".join(keys), bytes(len(keys)))


def segments():
    some = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
    discarded = some.map(lambda keys: Segment(Kind.DISCARD, "w", 0.0, b"".join(keys)))
    return st.lists(some.map(lambda keys: published(*keys)) | discarded, max_size=6)


def inputs_of(position):
    as_of = st.integers(0, position)
    return st.builds(Inputs, as_of, st.lists(st.sampled_from(KEYS), max_size=3))


def may_be_published(state, own, accepted, key, made_of, since, in_vain):
    """Say it of one row, as the contract does."""
    if key in state.records or state.discarded.get(key, -1) >= since:
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
    for key, made_of in zip(own, inputs, strict=True):
        fresh = may_be_published(state, own, accepted, key, made_of, since, in_vain)
        wanted.append(Row.RESULT if fresh else Row.STALE)
        accepted.update([key] if fresh else [])
    rows = state.stale(own, bytes(len(own)), since, inputs, in_vain)
    assert rows == bytes(wanted)

"""The journal as values: its segments, what they mean, and the names that they have."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

A, B = "a", "b"
NEEDS: dict[str, tuple[str, ...]] = {A: (), B: (A,)}
"""Two tasks; the second one is made of the first one's result."""
BLOCK = 2
"""Positions that are merged together."""


class Segment(NamedTuple):
    """What a deed says, and after which other one.

    `intent` counts what its writer wanted: the same one must not be there twice.
    `token` is the position of the claim (publish) or of the discard (restore).
    """

    kind: str
    by: str
    intent: int
    after: tuple[str, int] = ("", 0)
    keys: tuple[str, ...] = ()
    token: int = -1
    value: Value | None = None
    made_of: Value | None = None
    gone: tuple[str, ...] = ()


class Value(NamedTuple):
    """What a run returned: no two runs return the same."""

    by: str
    token: int


class Record(NamedTuple):
    """What is stored of a task."""

    value: Value | None
    made_of: Value | None


class State(NamedTuple):
    """What segments amount to."""

    records: dict[str, Record]
    locked: dict[str, str]
    discarded: dict[str, int]
    discards: dict[int, dict[str, Record]]


def name_of(segment: Segment) -> tuple[str, int]:
    """Return what tells a segment from all others."""
    return segment.by, segment.intent


def last_of(history: tuple[Segment, ...]) -> tuple[str, int]:
    """Return what tells the last segment of a history from all others."""
    return name_of(history[-1]) if history else ("", 0)


@lru_cache(maxsize=1 << 17)
def fold(history: tuple[Segment, ...]) -> State:
    """Return what a history amounts to; not to be changed."""
    if not history:
        return State({}, {}, {}, {})
    before = fold(history[:-1])
    state = State(*[dict(part) for part in before])
    _apply(state, history[-1], len(history) - 1)
    return state


def _apply(state: State, segment: Segment, at: int) -> None:
    records, locked, _, discards = state
    match segment.kind:
        case "claim":
            free = [key for key in segment.keys if key not in records]
            for key in free:
                locked.setdefault(key, segment.by)
        case "publish":
            for key in segment.keys:
                records.setdefault(key, Record(segment.value, segment.made_of))
                locked.pop(key, None)
        case "expel":
            for key in [key for key, by in locked.items() if by in segment.keys]:
                del locked[key]
        case "discard":
            _take(state, segment.keys, at)
        case "restore":
            old = discards.pop(segment.token, {})
            _take(state, segment.gone, at)
            records |= {key: old[key] for key in segment.keys if key in old}
            for key in segment.keys:
                locked.pop(key, None)


def _take(state: State, keys: tuple[str, ...], at: int) -> None:
    """Take records and locks away; undoing can bring the records back."""
    taken = {key: state.records.pop(key) for key in keys if key in state.records}
    if taken:
        state.discards[at] = taken
    for key in keys:
        state.locked.pop(key, None)
        state.discarded[key] = at


class Rules(NamedTuple):
    """How it is done; each that is not as it stands here loses something.

    Attributes
    ----------
    names : str
        What becomes of the names of a merged block. ``folders``: they go with their
        directory, made for a block's first segment only (files); ``kept``: they stay
        (object stores); ``freed``: they can be taken again.
    refuses : bool
        Whether a name that is there is refused (link), and not replaced (rename).
    asks : bool
        Whether who got no reply looks if what is there is his own.
    anew : bool
        Whether who comes too late decides anew, in the state that he finds.
    since : bool
        Whether a result is refused that was begun before it was discarded.
    inputs : bool
        Whether a result is refused if what it was made of is not stored any more.
    ends_stay : bool
        Whether merging leaves out a claim only if its end stays.
    looks : bool
        Whether who has put a segment looks if its block was merged meanwhile.
    """

    names: str = "folders"
    refuses: bool = True
    asks: bool = True
    anew: bool = True
    since: bool = True
    inputs: bool = True
    ends_stay: bool = True
    looks: bool = True


class Storage(NamedTuple):
    """What lies under which name; `folders` are those of blocks that are not merged."""

    names: tuple[Segment | None, ...]
    folders: tuple[bool, ...]
    packs: tuple[tuple[Segment, ...] | None, ...]


def empty(positions: int) -> Storage:
    """Return a store without any segment."""
    blocks = positions // BLOCK
    return Storage((None,) * positions, (False,) * blocks, (None,) * blocks)


def read(storage: Storage, position: int) -> Segment | None:
    """Return what somebody finds who has read all that comes before."""
    block, place = divmod(position, BLOCK)
    pack, name = storage.packs[block], storage.names[position]
    if pack is not None and (place == 0 or name is None):
        return pack[place]
    return name


def put(
    storage: Storage, position: int, segment: Segment, rules: Rules
) -> tuple[Storage, bool]:
    """Put a segment under a name; return whether it is there now."""
    names, folders, _ = storage
    if rules.names == "folders" and not folders[position // BLOCK]:
        return storage, False
    if names[position] is not None and rules.refuses:
        return storage, False
    return storage._replace(names=_with(names, position, segment)), True


def make_folder(storage: Storage, block: int) -> Storage:
    """Make the directory of a block, for its first segment."""
    return storage._replace(folders=_with(storage.folders, block, True))


def retract(storage: Storage, position: int) -> Storage:
    """Take a segment away that was put where a block is merged already."""
    names = _with(storage.names, position, None)
    block = position // BLOCK
    left = any(names[block * BLOCK : (block + 1) * BLOCK])
    return storage._replace(names=names, folders=_with(storage.folders, block, left))


def merge(storage: Storage, history: tuple[Segment, ...], block: int, rules: Rules):
    """Put the pack of a block in place, made of what somebody has read of it."""
    end = (block + 1) * BLOCK
    locked = fold(history[:end]).locked
    pack = tuple(
        segment if _stays(segment, locked, rules) else _void(segment)
        for segment in history[end - BLOCK : end]
    )
    return storage._replace(packs=_with(storage.packs, block, pack))


def free(storage: Storage, block: int) -> Storage:
    """Remove the names of a block that is merged, and its folder."""
    names = storage.names
    for position in range(block * BLOCK, (block + 1) * BLOCK):
        names = _with(names, position, None)
    return Storage(names, _with(storage.folders, block, False), storage.packs)


def _stays(segment: Segment, locked: dict[str, str], rules: Rules) -> bool:
    """Whether merging keeps a segment: claims that have ended by then can go."""
    if segment.kind == "claim":
        return any(locked.get(key) == segment.by for key in segment.keys)
    return rules.ends_stay or segment.kind != "expel"


def _void(segment: Segment) -> Segment:
    """Return what stands for a segment that was left out: it is known which."""
    return Segment("void", segment.by, segment.intent, segment.after)


def _with(items, place, item):
    return (*items[:place], item, *items[place + 1 :])

"""Who acts on the journal, and every next step that each may take.

Nobody has to go on: a frozen or killed process is one that takes no further step, so
all freezes and kills are among the orders of steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .journal import (
    BLOCK,
    NEEDS,
    A,
    B,
    Rules,
    Segment,
    State,
    Storage,
    Value,
    fold,
    free,
    last_of,
    make_folder,
    merge,
    name_of,
    put,
    read,
    retract,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Run(NamedTuple):
    """A task that a worker has locked; what it was given."""

    key: str
    token: int
    as_of: int
    made_of: Value | None


class Doing(NamedTuple):
    """What somebody is about.

    `what` is looking, running, made (a result), putting, making (a folder), linking,
    asking (no reply came), placed (was the block merged?), late (but deciding
    nothing anew), freeing, stopped (what was read is no more), ended.
    """

    what: str
    run: Run | None = None
    segment: Segment | None = None
    block: int = -1


class Actor(NamedTuple):
    """Somebody: what was read so far, what is being done, how much was done.

    So many replies are lost, and so often somebody is taken for dead who need not be.
    """

    name: str
    role: str
    lost_replies: int = 0
    suspicions: int = 0
    history: tuple[Segment, ...] = ()
    doing: Doing = Doing("looking")
    intents: int = 0


class Step(NamedTuple):
    """What is different after a step.

    `placed` is a segment that has got its name, `confirmed` one that its writer takes
    for appended.
    """

    what: str
    storage: Storage
    actor: Actor
    placed: Segment | None = None
    confirmed: Segment | None = None


def steps(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    """Yield every step that somebody may take next."""
    doing = actor.doing
    if doing.what in ("looking", "made"):
        yield from _reads(actor, storage)
        yield from _DECIDE[actor.role](actor, storage, rules)
    elif doing.what == "running":
        yield Step("ran", storage, _about(actor, "made"))
    elif doing.what == "late":
        yield from _reads(actor, storage)
        yield Step("insists", storage, _about(actor, "putting"))
    elif doing.what == "freeing":
        yield Step("frees", free(storage, doing.block), _about(actor, "ended"))
    else:
        yield from _APPEND.get(doing.what, _nothing)(actor, storage, rules)


def _nothing(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    yield from ()


def _about(actor: Actor, what: str) -> Actor:
    return actor._replace(doing=actor.doing._replace(what=what))


def _reads(actor: Actor, storage: Storage) -> Iterator[Step]:
    """Read the next segment; it says after which one its writer put it."""
    found = read(storage, len(actor.history))
    if found is not None and left_behind(actor, storage):
        yield Step("stops", storage, _about(actor, "stopped"))
    elif found is not None:
        yield Step("reads", storage, actor._replace(history=(*actor.history, found)))


def left_behind(actor: Actor, storage: Storage) -> bool:
    """Return whether somebody is told, by what comes next, that he read something else.

    Each segment says after which one it was put. Who enters a block looks whether the
    one before was merged meanwhile, and whether it ends as it was read.
    """
    at, last = len(actor.history), last_of(actor.history)
    block, place = divmod(at, BLOCK)
    before = storage.packs[block - 1] if block and not place else None
    if before is not None and name_of(before[-1]) != last:
        return True
    found = storage.packs[block][place] if storage.packs[block] else read(storage, at)
    return found is not None and found.after != last


# compare-and-append


def _puts(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    """Begin: at a block's first position its directory may have to be made."""
    block, place = divmod(len(actor.history), BLOCK)
    if left_behind(actor, storage):
        yield Step("stops", storage, _about(actor, "stopped"))
    elif rules.names != "folders" or place or storage.folders[block]:
        yield from _links(actor, storage, rules)
    elif storage.packs[block] is not None:
        yield Step("is late", storage, _again(actor, rules))
    else:
        yield Step("sees no pack", storage, _about(actor, "making"))


def _makes(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    made = make_folder(storage, len(actor.history) // BLOCK)
    yield Step("makes a folder", made, _about(actor, "linking"))


def _links(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    segment = actor.doing.segment
    assert segment is not None
    after, done = put(storage, len(actor.history), segment, rules)
    if not done:
        yield Step("is late", storage, _again(actor, rules))
        return
    yield _told(actor, "puts", after, rules, segment)
    if actor.lost_replies:
        lost = actor._replace(lost_replies=actor.lost_replies - 1)
        yield Step("puts, no reply", after, _about(lost, "asking"), segment)


def _told(
    actor: Actor, what: str, storage: Storage, rules: Rules, placed: Segment | None
) -> Step:
    """Return the step in which somebody learns that his segment has its name."""
    if rules.names == "folders" and rules.looks:
        return Step(what, storage, _about(actor, "placed"), placed)
    return Step(what, storage, _after(actor), placed, actor.doing.segment)


def _asks(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    if rules.asks and _is_mine(actor, storage):
        yield _told(actor, "is told", storage, rules, None)
    else:
        yield Step("is told", storage, _again(actor, rules))


def _is_mine(actor: Actor, storage: Storage) -> bool:
    """Return whether the segment has its name, or had it when its block was merged."""
    at, segment = len(actor.history), actor.doing.segment
    assert segment is not None
    pack = storage.packs[at // BLOCK]
    return storage.names[at] == segment or (
        pack is not None and name_of(pack[at % BLOCK]) == name_of(segment)
    )


def _looks(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    """See whether the block was merged, and if so, with or without the segment."""
    at, segment = len(actor.history), actor.doing.segment
    assert segment is not None
    pack = storage.packs[at // BLOCK]
    if pack is None or name_of(pack[at % BLOCK]) == name_of(segment):
        yield Step("looked", storage, _after(actor), None, segment)
    else:
        yield Step("retracts", retract(storage, at), _again(actor, rules))


_APPEND = {
    "putting": _puts,
    "making": _makes,
    "linking": _links,
    "asking": _asks,
    "placed": _looks,
}


def _after(actor: Actor) -> Actor:
    """Return somebody whose segment is there."""
    run, segment = actor.doing.run, actor.doing.segment
    assert segment is not None
    history = (*actor.history, segment)
    done = actor._replace(history=history, intents=actor.intents + 1)
    if segment.kind == "claim":
        return done._replace(doing=_granted(actor.name, history))
    if segment.kind in ("publish", "expel"):
        return done._replace(doing=Doing("looking"))
    return done._replace(doing=Doing("ended", run))


def _granted(name: str, history: tuple[Segment, ...]) -> Doing:
    state, (key,) = fold(history), history[-1].keys
    lacks = any(need not in state.records for need in NEEDS[key])
    if state.locked.get(key) != name or lacks:
        return Doing("looking")
    made_of = state.records[A].value if NEEDS[key] else None
    return Doing("running", Run(key, len(history) - 1, len(history), made_of))


def _again(actor: Actor, rules: Rules) -> Actor:
    """Return somebody whose segment is not there: he reads on and decides anew."""
    if not rules.anew:
        return _about(actor, "late")
    what = "made" if actor.doing.run is not None else "looking"
    return actor._replace(doing=Doing(what, actor.doing.run))


def _putting(actor: Actor, segment: Segment) -> Actor:
    segment = segment._replace(after=last_of(actor.history))
    doing = Doing("putting", actor.doing.run, segment)
    return actor._replace(doing=doing)


def _decide_as_worker(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    state, run = fold(actor.history), actor.doing.run
    if run is not None:
        if _is_stale(state, run, rules):
            idle = actor._replace(doing=Doing("looking"))
            yield Step("drops", storage, idle)
            return
        value = Value(actor.name, run.token)
        segment = Segment(
            "publish",
            actor.name,
            actor.intents,
            keys=(run.key,),
            token=run.token,
            value=value,
            made_of=run.made_of,
        )
        yield Step("decides", storage, _putting(actor, segment))
        return
    for key, needs in NEEDS.items():
        free = key not in state.records
        free = free and state.locked.get(key, actor.name) == actor.name
        if free and all(need in state.records for need in needs):
            segment = Segment("claim", actor.name, actor.intents, keys=(key,))
            yield Step("decides", storage, _putting(actor, segment))
    if actor.suspicions:
        calmer = actor._replace(suspicions=actor.suspicions - 1)
        for victim in sorted(set(state.locked.values()) - {actor.name}):
            segment = Segment("expel", actor.name, actor.intents, keys=(victim,))
            yield Step("decides", storage, _putting(calmer, segment))


def _is_stale(state: State, run: Run, rules: Rules) -> bool:
    discarded = state.discarded
    if run.key in state.records:
        return True
    if rules.since and discarded.get(run.key, -1) >= run.token:
        return True
    return rules.inputs and any(
        need not in state.records or discarded.get(need, -1) >= run.as_of
        for need in NEEDS[run.key]
    )


def _invalidate(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    state = fold(actor.history)
    known = tuple(key for key in NEEDS if key in state.records or key in state.locked)
    if A in known:
        segment = Segment("discard", actor.name, actor.intents, keys=known)
        yield Step("decides", storage, _putting(actor, segment))


def _undo(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    """Bring back what was discarded; what is new goes, with what is made of it."""
    state = fold(actor.history)
    for token, taken in state.discards.items():
        if A not in taken:
            continue
        now, gone = state.records, set(taken) & set(state.records)
        if B in now and A in gone:
            gone.add(B)
        segment = Segment(
            "restore",
            actor.name,
            actor.intents,
            keys=tuple(sorted(taken)),
            token=token,
            gone=tuple(sorted(gone)),
        )
        yield Step("decides", storage, _putting(actor, segment))


def _merge(actor: Actor, storage: Storage, rules: Rules) -> Iterator[Step]:
    full = len(actor.history) // BLOCK
    for block in range(full):
        if storage.packs[block] is None:
            packed = merge(storage, actor.history, block, rules)
            what = "ended" if rules.names == "kept" else "freeing"
            done = actor._replace(doing=Doing(what, block=block))
            yield Step("merges", packed, done)


_DECIDE = {
    "worker": _decide_as_worker,
    "invalidate": _invalidate,
    "undo": _undo,
    "merge": _merge,
}

"""Every order of steps, breadth first, until one breaks what is promised."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .actors import Actor, Step, left_behind, steps
from .journal import (
    BLOCK,
    A,
    B,
    Rules,
    Segment,
    Storage,
    empty,
    fold,
    name_of,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOM = 8
"""Positions more than are looked at, for whoever has to finish alone."""
_PATIENCE = 200


class World(NamedTuple):
    """Storage, who acts on it, and all segments in the order in which they came."""

    storage: Storage
    actors: tuple[Actor, ...]
    came: tuple[Segment, ...] = ()


class BrokenError(Exception):
    """A promise is broken; says which."""


class Seen(NamedTuple):
    """What a search found: worlds looked at, and the steps to a broken promise."""

    worlds: int
    broken: str = ""
    trace: tuple[str, ...] = ()


def search(
    actors: Sequence[Actor], rules: Rules, *, positions: int, alone: bool = False
) -> Seen:
    """Look at every world that can come about with so many segments.

    Parameters
    ----------
    actors : sequence of Actor
        Who acts.
    rules : Rules
        How it is done.
    positions : int
        How many segments there may be.
    alone : bool
        Whether each worker has to be able to finish in each world, all others dead.
    """
    room = -(-(positions + _ROOM) // BLOCK) * BLOCK
    first = World(empty(room), tuple(actors))
    before: dict[World, tuple[World, str] | None] = {first: None}
    left = deque([first])
    while left:
        world = left.popleft()
        try:
            _check(world)
            if alone:
                _check_finishes(world, rules)
            for what, after in _following(world, rules, positions):
                if after not in before:
                    before[after] = world, what
                    left.append(after)
        except BrokenError as error:
            return Seen(len(before), str(error), _trace(world, before))
    return Seen(len(before))


def _following(
    world: World, rules: Rules, positions: int
) -> Iterator[tuple[str, World]]:
    for place, actor in enumerate(world.actors):
        for step in steps(actor, world.storage, rules):
            if step.placed is None or len(world.came) < positions:
                yield f"{actor.name} {step.what}", _after(world, place, step)


def _after(world: World, place: int, step: Step) -> World:
    actors, came = world.actors, world.came
    at = len(actors[place].history)
    if step.placed is not None and at == len(came):
        _check_wanted_once(came, step.placed)
        came = (*came, step.placed)
    if step.confirmed is not None and step.confirmed not in came[at : at + 1]:
        raise BrokenError(f"{actors[place].name} was given a place that was taken")
    actors = (*actors[:place], step.actor, *actors[place + 1 :])
    if step.actor.role == "merge":
        actors = _in_order(actors)
    return World(step.storage, actors, came)


def _in_order(actors: tuple[Actor, ...]) -> tuple[Actor, ...]:
    """Put mergers last, in any order that is always the same.

    They write no name of theirs: what comes about if two change places is nothing new.
    """
    mergers = [actor for actor in actors if actor.role == "merge"]
    others = [actor for actor in actors if actor.role != "merge"]
    return (*others, *sorted(mergers, key=hash))


def _check_wanted_once(came: tuple[Segment, ...], new: Segment) -> None:
    if any((old.by, old.intent) == (new.by, new.intent) for old in came):
        raise BrokenError(f"what {new.by} wanted once was done twice")
    state = fold(came)
    if new.kind == "publish":
        (key,) = new.keys
        if key not in state.records and state.discarded.get(key, -1) >= new.token:
            raise BrokenError(f"a result of {key} came back that had been discarded")


def _check(world: World) -> None:
    """Compare what everybody knows, or will know, with what came."""
    truth = fold(world.came)
    there = _whole(world.storage)
    if len(there) != len(world.came):
        raise BrokenError(f"{len(world.came)} segments came, {len(there)} are there")
    if list(map(name_of, there)) != list(map(name_of, world.came)):
        raise BrokenError("what came is not what is there")
    for actor in world.actors:
        history = actor.history
        if actor.doing.what == "stopped" or left_behind(actor, world.storage):
            continue
        found = fold((*history, *there[len(history) :]))
        if found.records != truth.records or found.locked != truth.locked:
            raise BrokenError("two readers know different things")
    if B in truth.records:
        made_of = truth.records[B].made_of
        if A not in truth.records or truth.records[A].value != made_of:
            raise BrokenError("a result was made of what is not stored")


def _whole(storage: Storage) -> tuple[Segment, ...]:
    """Return what a new reader finds: he looks for the pack of each block first."""
    found: list[Segment] = []
    for position, name in enumerate(storage.names):
        pack = storage.packs[position // BLOCK]
        segment = pack[position % BLOCK] if pack is not None else name
        if segment is None:
            break
        found.append(segment)
    return tuple(found)


def _check_finishes(world: World, rules: Rules) -> None:
    """Let each worker go on alone: everything must be done after a while."""
    for actor in world.actors:
        if actor.role == "worker":
            alone = actor._replace(lost_replies=0, suspicions=_PATIENCE)
            _finish(world.storage, alone, rules)


def _finish(storage: Storage, actor: Actor, rules: Rules) -> None:
    for _ in range(_PATIENCE):
        state = fold(actor.history)
        if {A, B} <= state.records.keys() and read(storage, len(actor.history)) is None:
            return
        step = next(iter(steps(actor, storage, rules)), None)
        if step is None:
            break
        storage, actor = step.storage, step.actor
    raise BrokenError(f"{actor.name} cannot finish alone")


def _trace(
    world: World, before: dict[World, tuple[World, str] | None]
) -> tuple[str, ...]:
    done: list[str] = []
    while (step := before[world]) is not None:
        world, what = step
        done.append(what)
    return tuple(reversed(done))

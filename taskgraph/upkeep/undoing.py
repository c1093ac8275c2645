"""Taking an invalidation, a retry or a cleanup back, in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface import Undoing
from taskgraph.results.lineage import made_of, place_of
from taskgraph.upkeep.invalidation import INVALIDATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backends.interface import Discarded, Key, Where
    from taskgraph.results.results import Results


def undo(results: Results, chosen: Discarded) -> Undoing:
    """Bring back what a discard took away; return what came back and what went for it.

    After an invalidation, what was computed anew since goes, and all that was made of
    it. After a retry or a cleanup, what is new stays. Only what was made of results
    that are stored again comes back, the rest waits for another undo: nobody may find
    a mix of old and new ones.

    Parameters
    ----------
    results : Results
        Of the store.
    chosen : Discarded
        What to undo.
    """
    done = Undoing()

    def plan() -> Undoing:
        nonlocal done
        done = _plan(results, chosen)
        return done

    back = results.backend.undo(chosen.position, plan)
    return done if back or done.gone else Undoing()


def _plan(results: Results, chosen: Discarded) -> Undoing:
    """Return what an undo does, of what is stored now."""
    find = results.backend.find
    taken = results.backend.taken(chosen.position)
    fresh = {key for key in taken if find(key) is not None}
    replaces = chosen.reason.startswith(INVALIDATION)
    back = set(taken) if replaces else taken.keys() - fresh
    while True:
        gone = made_of(results, back & fresh)
        whole = {key for key in back if _is_whole(results, key, taken, back, gone)}
        if whole == back:
            break
        back = whole  # less goes for less that comes back: it only shrinks
    reason = f"{INVALIDATION} newer results, by undo {chosen.position}" if gone else ""
    return Undoing(sorted(back), sorted(gone), reason)


def _is_whole(
    results: Results,
    key: Key,
    taken: Mapping[Key, Where],
    back: set[Key],
    gone: set[Key],
) -> bool:
    """Return whether all that a discarded record was made of will be stored again."""
    try:
        inputs = results.inputs(key, taken[key])
        keys = [results.key_at(*place) for place in inputs]
    except DamagedError:
        return False
    for place, need in zip(inputs, keys, strict=True):
        old, now = taken.get(need), results.backend.find(need)
        comes = need in back and old is not None and place_of(old) == place
        stays = need not in gone and now is not None and place_of(now) == place
        if not (comes or stays):
            return False
    return True

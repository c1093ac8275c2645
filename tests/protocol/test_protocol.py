"""Every order of steps of a small journal keeps what is promised.

Where the simulation runs the engine as it is through some orders of many steps, this
looks at all orders of a few, of what the engine does in outline. Each rule that is
left out is missed.
"""

import pytest

from .actors import Actor
from .journal import Rules
from .search import search


def worker(name, **what):
    return Actor(name, "worker", **what)


INVALIDATION = Actor("i", "invalidate")
SCENES = {
    "one is invalidated while two work": (
        [worker("v"), worker("w"), INVALIDATION],
        {"positions": 6, "alone": True},
    ),
    "one is invalidated while one is taken for dead": (
        [worker("v"), worker("w", suspicions=1), INVALIDATION],
        {"positions": 6},
    ),
    "replies are lost": (
        [worker("v", lost_replies=2), INVALIDATION._replace(lost_replies=1)],
        {"positions": 7, "alone": True},
    ),
    "an invalidation is undone": (
        [worker("v"), INVALIDATION, Actor("u", "undo")],
        {"positions": 8, "alone": True},
    ),
    "somebody who is alive is taken for dead": (
        [worker("v", suspicions=1), worker("w", suspicions=1)],
        {"positions": 6, "alone": True},
    ),
    "two merge at once": (
        [
            *(worker("v", suspicions=1), worker("w")),
            *(Actor("m", "merge"), Actor("m", "merge")),
        ],
        {"positions": 4},
    ),
    "one merges while others work": (
        [worker("v"), worker("w"), INVALIDATION, Actor("m", "merge")],
        {"positions": 4},
    ),
    "one merges while replies are lost": (
        [worker("v", lost_replies=1), worker("w"), Actor("m", "merge")],
        {"positions": 4, "alone": True},
    ),
}


@pytest.mark.parametrize("names", ["folders", "kept"])
@pytest.mark.parametrize("scene", SCENES)
def test_no_order_of_steps_breaks_a_promise(scene, names):
    actors, how = SCENES[scene]

    seen = search(actors, Rules(names=names), **how)

    assert not seen.broken, "\n".join([seen.broken, *seen.trace])
    assert seen.worlds > 100


@pytest.mark.parametrize(
    ("scene", "rules", "broken"),
    [
        ("one is invalidated while two work", {"refuses": False}, "is there"),
        ("one is invalidated while two work", {"anew": False}, ""),
        ("one is invalidated while two work", {"since": False}, "discarded"),
        (
            "one is invalidated while one is taken for dead",
            {"inputs": False},
            "not stored",
        ),
        ("replies are lost", {"asks": False}, "twice"),
        ("an invalidation is undone", {"inputs": False}, "not stored"),
        ("an invalidation is undone", {"anew": False}, ""),
        ("one merges while others work", {"names": "freed"}, "taken"),
        ("one merges while others work", {"looks": False}, "taken"),
        ("two merge at once", {"ends_stay": False}, "different"),
    ],
)
def test_each_rule_is_missed_where_it_is_left_out(scene, rules, broken):
    actors, how = SCENES[scene]

    seen = search(actors, Rules(**rules), **how)

    assert seen.broken
    assert broken in seen.broken

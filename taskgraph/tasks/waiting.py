"""Tasks that wait for results: in groups, as many mostly wait for the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = bytes


@dataclass(slots=True, eq=False)
class Waiting:
    """Tasks that wait for the same results, and how many of these are missing."""

    missing: int = 0
    keys: list[Key] = field(default_factory=list)


Followers: TypeAlias = dict[Key, Sequence[Waiting]]
"""For each result that is missing the groups that wait for it: if it is one, a tuple
that all have which only that group waits for."""


def waiting_for(missing: Iterable[Key], followers: Followers) -> Waiting:
    """Return a group that waits for these, and let it follow each of them.

    Examples
    --------
    >>> followers: Followers = {}
    >>> one, other = (waiting_for([b"a", b"b"], followers) for _ in "12")
    >>> followers[b"b"] == [one, other], one.missing
    (True, 2)
    """
    group = Waiting()
    alone = (group,)
    once = dict.fromkeys(missing, alone)
    group.missing = len(once)
    if followers.keys().isdisjoint(once):
        followers |= once
        return group
    for key in once:
        found = followers.setdefault(key, alone)
        if isinstance(found, list):
            found.append(group)
        elif found is not alone:
            followers[key] = [*found, group]
    return group

"""What records were made of, as they say themselves, whatever graph they are of."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from backends.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from backends.interface import Key, Where
    from taskgraph.results.results import Results

Place = tuple[int, int]
"""The position of a segment and the row in it: a record, exactly."""


def made_of(
    results: Results, keys: Iterable[Key], among: Container[Key] | None = None
) -> set[Key]:
    """Return those of `keys` that have a record, and all whose records were made of it.

    What a record was made of is read from the record itself, whatever graph it is of;
    one that cannot be read, and so has to be made anew in any case, is among them.

    Parameters
    ----------
    results : Results
        Of the store, as of its last look.
    keys : iterable of bytes
        Whose.
    among : container of bytes, optional
        Look only at the records of these.
    """
    backend = results.backend
    found = {key for key in keys if backend.find(key) is not None}
    if not found:
        return found
    places = {place_of(where) for key in found if (where := backend.find(key))}
    first = min(places)[0]
    by_segment: dict[int, list[tuple[int, Key]]] = defaultdict(list)
    known = backend.keys()
    for key in known:
        where = backend.find(key)
        if where is None or where.position < first:
            continue
        if among is None or key in among:
            by_segment[where.position].append((where.row, key))
    for position in sorted(by_segment):  # what a record was made of comes before it
        for row, key in sorted(by_segment[position]):
            place = position, row
            if _is_made_of(results, key, place, places):
                found.add(key)
                places.add(place)
    return found


def discard_damaged(results: Results, key: Key, error: DamagedError) -> None:
    """Set a damaged record aside, so that its task is run again.

    What was made of it goes along: nobody knows whether it comes out the same.
    """
    results.backend.discard(
        [key], reason=f"damaged: {error.why}", more=lambda: made_of(results, [key])
    )


def _is_made_of(results: Results, key: Key, place: Place, places: set[Place]) -> bool:
    where = results.backend.find(key)
    if where is None or place_of(where) != place:
        return False
    try:
        return not places.isdisjoint(results.inputs(key, where))
    except DamagedError:
        return True


def place_of(where: Where) -> Place:
    """Return a record's place."""
    return where.position, where.row

"""Which results go if a store is to be smaller: many bytes, soon computed again."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from taskgraph.results.codec import stored_size
from taskgraph.tasks.graph import closure_of
from taskgraph.upkeep.snapshot import load_all

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Container,
        Iterable,
        Mapping,
        Sequence,
    )

    from backends.interface import Backend, Key
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTP]?)B?", re.IGNORECASE)
_LEAST = 1e-3
"""Seconds that it takes at least to compute something again."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What a result takes, and took.

    Attributes
    ----------
    key : bytes
        Its key.
    name : str
        The function's name.
    size : int
        Bytes in the store.
    seconds : float
        How long it took to compute.
    end : float
        When it was computed, in seconds since the epoch.
    known : bool
        Whether it is known how long it took: not of what was computed elsewhere, and
        adopted or imported.
    """

    key: Key
    name: str
    size: int
    seconds: float
    end: float
    known: bool = True


def bytes_of(text: str) -> int:
    """Return the bytes that a text means; units are powers of 1000.

    Raises
    ------
    ValueError
        It means none; the message says what to write.

    Examples
    --------
    >>> bytes_of("200G"), bytes_of("1.5 MB"), bytes_of("0")
    (200000000000, 1500000, 0)
    >>> bytes_of("much")
    Traceback (most recent call last):
    ValueError: 'much' is no size; write 200G, 1.5TB or 500M
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size; write 200G, 1.5TB or 500M")
    return round(Decimal(match[1]) * _UNITS[match[2].upper()])  # of any length


def weights(results: Results, keys: Iterable[Key]) -> list[Weight]:
    """Return what results take; failures, and what cannot be read, are left out."""
    by_segment: dict[int, list[tuple[Key, int]]] = defaultdict(list)
    for key in keys:
        where = results.backend.find(key)
        if where is not None and not where.failure:
            by_segment[where.position].append((key, where.row))
    found = []
    for position, rows in by_segment.items():
        try:
            body = results.body(position)
            for key, row in rows:
                record = body.record(row, failed=False)
                size = stored_size(record.payload)
                known = bool(record.wall or record.rss)
                found.append(
                    Weight(key, record.name, size, record.wall, record.end, known)
                )
        except DamagedError:  # `tg fsck` tells
            continue
    return found


def chosen(
    candidates: Iterable[Weight],
    excess: int,
    along: Callable[[Key], Mapping[Key, Weight]] | None = None,
    spared: Container[Key] = (),
) -> list[Weight]:
    """Return what goes, so that a store takes `excess` bytes less.

    Those go first of which most bytes come for each second that it takes to compute
    them again; of equals the oldest. How long that would take is not known of what was
    computed elsewhere: it goes last.

    Parameters
    ----------
    candidates : iterable of Weight
        What may go.
    excess : int
        Bytes that are too many; nothing goes if there are none.
    along : callable, optional
        Returns what goes along with a key, itself included: what was made of it.
    spared : container of bytes
        What stays, and so all that these would go along with.

    Examples
    --------
    >>> quick = Weight(b"q", "f", 1000, 0.1, 0.0)
    >>> slow = Weight(b"s", "g", 1000, 60.0, 0.0)
    >>> [one.key for one in chosen([slow, quick], 900)]
    [b'q']
    >>> chosen([slow, quick], 0)
    []
    >>> adopted = Weight(b"a", "g", 1000, 0.0, 0.0, known=False)
    >>> [one.key for one in chosen([adopted, slow], 900)]
    [b's']
    """
    order = sorted(
        candidates, key=lambda one: (not one.known, -_bytes_per_second(one), one.end)
    )
    gone: dict[Key, Weight] = {}
    freed = 0
    for one in order:
        if freed >= excess:
            break
        if one.key in gone or not one.size:
            continue
        with_it = {one.key: one} if along is None else along(one.key)
        if any(key in spared for key in with_it):
            continue
        more = {key: each for key, each in with_it.items() if key not in gone}
        gone |= more
        freed += sum(each.size for each in more.values())
    return list(gone.values())


def _bytes_per_second(one: Weight) -> float:
    return one.size / max(one.seconds, _LEAST)


def in_use(backend: Backend, graphs: Iterable[Snapshot]) -> set[Key]:
    """Return what is locked, and what unfinished tasks will read, as of the last look.

    Of the tasks of other graphs only those that are locked count.
    """
    known, held = backend.keys(), backend.holders()
    used = set(held)
    for graph in graphs:
        used |= _read_by(graph, lambda key: key not in known)
    for graph in load_all(backend) if held else ():
        used |= _read_by(graph, held.__contains__)
    return used


def _read_by(graph: Snapshot, reads: Callable[[Key], bool]) -> set[Key]:
    keys = graph.split()
    used: set[Key] = set()
    for key, needs in zip(keys, graph.needs_of(), strict=True):
        if needs and reads(key):
            used.update([keys[need] for need in needs])
    return used


@dataclass(frozen=True, slots=True)
class Limits:
    """What a store may keep.

    Attributes
    ----------
    size : int, optional
        Bytes that all results may take; only what is too much goes.
    before : float, optional
        Only what was computed before goes, in seconds since the epoch.
    needed : bool
        Whether results may go that tasks need: they are computed again when wanted.
    """

    size: int | None = None
    before: float | None = None
    needed: bool = False


def beyond(
    results: Results,
    surplus: Collection[Key],
    graphs: Sequence[Snapshot],
    limits: Limits,
    stays: Callable[[str], bool],
) -> tuple[list[Key], int]:
    """Return which results go, and how many bytes are too many nevertheless.

    What is locked, and what an unfinished task of a graph will read, never goes.

    Parameters
    ----------
    results : Results
        Of the store, as of its last look.
    surplus : collection of bytes
        Keys that no task needs.
    graphs : sequence of Snapshot
        That of the jugfile, then those of others whose results are kept.
    limits : Limits
        What may be kept.
    stays : callable
        Says of a function's name whether its results are pinned.
    """
    every = {one.key: one for one in weights(results, results.keys())}
    total = sum(one.size for one in every.values())
    excess = total if limits.size is None else total - limits.size
    spared = in_use(results.backend, graphs)
    for other in graphs[1:]:
        spared.update(other)
    spared.update(one.key for one in every.values() if stays(one.name))
    if limits.before is not None:
        spared.update(one.key for one in every.values() if one.end > limits.before)
    may_go = set(surplus) | (set(graphs[0]) if limits.needed else set())
    may_go -= spared
    candidates = [one for key, one in every.items() if key in may_go]
    dependants = [graph.dependants() for graph in graphs] if limits.needed else []

    def along(key: Key) -> dict[Key, Weight]:
        found = {key}
        for known in dependants:
            found = closure_of(found, known)
        return {key: every[key] for key in found if key in every}

    gone = chosen(candidates, excess, along if limits.needed else None, spared)
    left = total - sum(one.size for one in gone)
    over = 0 if limits.size is None else max(0, left - limits.size)
    return sorted(one.key for one in gone), over

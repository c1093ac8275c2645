"""Results of other code that are kept as if the code of now had made them.

Each acceptance is a document of its own, so that several at once do not meet: function,
the codes that made the results, the code that they are as good as, who says so, and the
certificate of whoever has compared some. It is of codes and not of results: what is
forgotten meanwhile is gone, and what comes later of the same old code is as good.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError
from backends.interface.frozen import frozen
from taskgraph.fingerprints.parts import recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backends.interface import Backend
    from taskgraph.fingerprints.parts import Fingerprint

_PREFIX = "accepted-"
_MARK = "a"
"""What the number of an acceptance begins with, and no number of the journal."""


@frozen
class Acceptance:
    """That results of a function by some codes are as good as those by another.

    Attributes
    ----------
    name : str
        The function's.
    old : tuple of str
        Digests of the codes that made them.
    new : str
        Digest of the code that they are as good as.
    code : str
        All that is known of that code: see `taskgraph.fingerprints`.
    results : int
        How many there were.
    time : float
        When it was said, in seconds since the epoch.
    by : str
        Who said so, and where.
    certificate : mapping
        What was compared, if anything was: how, how many, what differed.
    number : str
        What it is called, for `tg undo`.
    """

    name: str
    old: tuple[str, ...]
    new: str
    code: str = ""
    results: int = 0
    time: float = 0.0
    by: str = ""
    certificate: Mapping[str, Any] = field(default_factory=dict)
    number: str = ""


def keep(backend: Backend, acceptances: Iterable[Acceptance]) -> str:
    """Keep acceptances, together, in a store; return their number."""
    number = _MARK + os.urandom(4).hex()
    listed = [asdict(one) | {"number": number} for one in acceptances]
    backend.documents.put(_PREFIX + number, json.dumps(listed).encode())
    return number


def kept(backend: Backend) -> list[Acceptance]:
    """Return the acceptances in a store, oldest first; what is damaged is left out."""
    found: list[Acceptance] = []
    for name in backend.documents.names():
        if name.startswith(_PREFIX):
            with suppress(DamagedError, ValueError, TypeError, KeyError):
                data = backend.documents.get(name) or b"[]"
                found += [_read(one) for one in json.loads(data)]
    return sorted(found, key=lambda one: (one.time, one.number, one.name))


def _read(plain: Any) -> Acceptance:
    found = Acceptance(**{**plain, "old": tuple(plain["old"])})
    texts = (found.name, found.new, found.code, found.by, found.number, *found.old)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("an acceptance of another form")
    return found


@frozen
class Accepted:
    """Acceptances that were made together, as something that can be undone."""

    position: str
    time: float
    worker: str
    reason: str
    results: int


def undoable(backend: Backend) -> list[Accepted]:
    """Return what was accepted together and can be taken back, oldest first."""
    found: dict[str, list[Acceptance]] = {}
    for one in kept(backend):
        found.setdefault(one.number, []).append(one)
    return [
        Accepted(
            number,
            some[0].time,
            some[0].by,
            f"accept {' '.join(dict.fromkeys(one.name for one in some))}",
            sum(one.results for one in some),
        )
        for number, some in found.items()
    ]


def take_back(backend: Backend, number: str) -> None:
    """Undo acceptances that were made together: results are of other code again."""
    backend.documents.put(_PREFIX + number, b"")


def copy_acceptances(source: Backend, target: Backend) -> None:
    """Let another store know what was accepted in this one."""
    there = set(target.documents.names())
    for name in source.documents.names():
        if name.startswith(_PREFIX) and name not in there:
            with suppress(DamagedError):
                target.documents.put(name, source.documents.get(name) or b"")


def accepted(backend: Backend) -> set[tuple[str, str, str]]:
    """Return what is accepted in a store: function, old code, new code."""
    return {(one.name, old, one.new) for one in kept(backend) for old in one.old}


def is_accepted(
    known: set[tuple[str, str, str]], name: str, text: str, now: Fingerprint
) -> bool:
    """Return whether the results of a code are accepted as those of the code of now."""
    return bool(known) and (name, recorded(text)[0], now.digest) in known

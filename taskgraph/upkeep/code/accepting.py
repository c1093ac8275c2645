"""Accepting: results that other code has made count as those of the code of now."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Any

from taskgraph.fingerprints.parts import recorded
from taskgraph.upkeep.code.acceptance import Acceptance, keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backends.interface import Backend
    from taskgraph.upkeep.code.changed_code import Change


def accept(
    backend: Backend,
    found: Iterable[Change],
    certificates: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
) -> str:
    """Keep that results by other code are as good as those by the code of now.

    Parameters
    ----------
    backend : Backend
        Of the store.
    found : iterable of Change
        What was made by other code.
    certificates : mapping, optional
        What was compared, by function and digest of the code that made it: then
        there is an acceptance for each.

    Returns
    -------
    str
        The number that takes it back; empty if there was nothing to accept.
    """
    known = certificates or {}
    listed = [
        Acceptance(
            name=change.name,
            old=tuple(sorted(old)),
            new=recorded(code)[0],
            code=code,
            results=sum(map(len, old.values())),
            time=backend.space.now(),
            by=f"{_user()}@{os.uname().nodename}",
            certificate=dict(known.get((change.name, min(old)), {})),
        )
        for change in found
        for code, every in sorted(change.codes.items())
        for old in ([{one: keys} for one, keys in every.items()] if known else [every])
    ]
    return keep(backend, listed) if listed else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())

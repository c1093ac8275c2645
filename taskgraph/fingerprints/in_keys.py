"""The code of a function as a part of keys, for those who want it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from taskgraph.errors import UsageError
from taskgraph.fingerprints.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable


class _Generator(Protocol):
    f: Callable[..., Any]
    name: str
    version: str | int | None


def code_label(generator: _Generator) -> tuple[str | int | None, str]:
    """Return what stands for the version and the code of a function in keys.

    Raises
    ------
    UsageError
        Some of it is not known, or not before all of a script has been read.
    """
    found, name = fingerprint(generator.f), generator.name
    if not found.digest or found.is_of_one_python:
        raise UsageError(
            f"{name} has no source that can be read, which code=True needs; write the "
            "function into a file, or give version= by hand"
        )
    if found.lacking:
        names = ", ".join(dict.fromkeys(found.lacking))
        raise UsageError(
            f"{name} is called before {names} is defined, which code=True makes part "
            "of its keys; define that above the call"
        )
    return generator.version, found.digest

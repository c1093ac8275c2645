"""Files that only results name which nobody needs any more, for `tg cleanup`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from taskgraph.upkeep.gone_files import noted_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backends.interface import Key
    from taskgraph.files.written import WrittenFile
    from taskgraph.results.results import Results


def left_files(results: Results, keys: Sequence[Key]) -> list[WrittenFile]:
    """Return the files of some results that no other result names, as they were.

    What is gone or changed since is left out: it is somebody's, or nobody's. So is what
    lies outside of the folder from which paths count, by a link or by a damaged record,
    and what no digest is known of.

    Parameters
    ----------
    results : Results
        Where all of them are.
    keys : sequence of bytes
        Whose files.
    """
    chosen = set(keys)
    own: dict[str, WrittenFile] = {}
    for file in noted_files(results, keys):
        if file.size >= 0:
            own.setdefault(_real(file.path), file)
    if not own:
        return []
    others = results.backend.keys() - chosen
    kept = {_real(file.path) for file in noted_files(results, others)}
    return [
        file
        for place, file in own.items()
        if not _meets(place, kept)
        and _inside(place, results.folder)
        and _all_within(file)
        and file.is_as_written()
    ]


def remove(files: Iterable[WrittenFile]) -> int:
    """Remove files, and of folders what tasks wrote in them; return how many are gone.

    Folders go that are empty by that. What is changed meanwhile stays.
    """
    gone = 0
    for file in files:
        if not (_all_within(file) and file.is_as_written()):
            continue
        names = [os.path.join(file.path, os.fsdecode(name)) for name in file.names]  # noqa: PTH118 - text
        for path in names or [file.path]:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - text
                gone += 1
        folders = {os.path.dirname(path) for path in names}  # noqa: PTH120 - text
        for folder in sorted({*folders, file.path} if names else (), reverse=True):
            with suppress(OSError):  # others have put something there
                os.rmdir(folder)  # noqa: PTH106 - text
    return gone


def _real(path: str) -> str:
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - text
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - text


def _meets(place: str, kept: Iterable[str]) -> bool:
    """Return whether a place is, holds, or lies in one of those that are kept."""
    return any(
        place == one or place.startswith(f"{one}/") or one.startswith(f"{place}/")
        for one in kept
    )


def _inside(place: str, folder: str) -> bool:
    return place.startswith(os.path.join(os.path.realpath(folder or "."), ""))  # noqa: PTH118 - text


def _all_within(file: WrittenFile) -> bool:
    """Return whether all names of a folder lead into it, links on their way followed.

    Somebody may have put a link where a folder was, or have damaged a record.
    """
    names = [os.path.join(file.path, os.fsdecode(name)) for name in file.names]  # noqa: PTH118 - text
    return not names or (
        not os.path.islink(file.path)  # noqa: PTH114 - text
        and all(_inside(_real(name), file.path) for name in names)
    )

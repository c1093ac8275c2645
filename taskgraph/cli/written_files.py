"""Where the files are that tasks have written, in a line for each function.

A program whose user has not written the functions names none, and one line is of all.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from taskgraph.cli.printing import counted, one_line
from taskgraph.cli.sentences import functions_are_known
from taskgraph.upkeep.gone_files import files_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backends.interface import Key
    from taskgraph.results.results import Results

_LOOKED_AT = 1000
_NAMED = 3


def told_files(results: Results, keys: Sequence[Key]) -> list[str]:
    """Return what to say of the files that tasks have written.

    Parameters
    ----------
    results : Results
        Where their results are.
    keys : sequence of bytes
        The tasks. Of many, the first thousand are looked at.
    """
    by_function: dict[str, list[str]] = defaultdict(list)
    known = functions_are_known()
    for key, file in files_of(results, keys[:_LOOKED_AT]):
        record = results.record(key) if known else None
        name = f"{record.name.rpartition('.')[2]}: " if record is not None else ""
        by_function[one_line(name)].append(file.path)
    more = ", and those of more tasks" if len(keys) > _LOOKED_AT else ""
    return [f"{name}{places_of(paths)}{more}" for name, paths in by_function.items()]


def places_of(paths: Iterable[str]) -> str:
    """Return where files are: each by its name, or many by what folder they are in.

    Examples
    --------
    >>> places_of(["out/a.tif"])
    'out/a.tif is there'
    >>> places_of(f"out/{name}/{number}.tif" for name in "ab" for number in range(4))
    '8 files are in out/'
    >>> places_of(f"/{name}/{number}.tif" for name in "ab" for number in range(4))
    '8 files are in /a/, /b/'
    """
    each = list(dict.fromkeys(map(os.path.normpath, paths)))
    if len(each) <= _NAMED:
        are = "is" if len(each) == 1 else "are"
        return f"{', '.join(map(one_line, each))} {are} there"
    folders = list(dict.fromkeys(os.path.dirname(path) for path in each))  # noqa: PTH120 - text in, text out
    whole = _shared(folders)
    named = [whole] if whole else folders[:_NAMED]
    more = "" if whole or len(folders) <= _NAMED else f" and {len(folders) - 3} more"
    where = ", ".join(one_line(f"{folder or '.'}/") for folder in named)
    return f"{counted(len(each), 'file')} are in {where}{more}"


def _shared(folders: Sequence[str]) -> str:
    """Return the folder that all of them are in; empty if it says nothing."""
    if len(folders) == 1:
        return folders[0] or "."
    try:
        found = os.path.commonpath(folders)
    except ValueError:  # some are absolute
        return ""
    return "" if found in ("", "/") else found

"""Files that arguments name by text, and that changed after results were made of them.

What is in such a file is in no key, so that its results stay: that is told. When it was
changed is compared with when the tasks ended, by their records: nothing is looked at
while tasks run. Not told are folders, and files that tasks themselves wrote: a result
holds them, or their last change falls into the time of a task that names them. An older
file in its place is told if nothing says that all files were moved (`put_there`). Not
noticed is what only later items of a long list name, or long texts, of which `tg` keeps
a part.
"""

from __future__ import annotations

import os
import re
import stat
from ast import literal_eval
from collections import defaultdict
from contextlib import suppress
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

import msgpack

from backends.errors import DamagedError
from backends.interface import KEY_SIZE
from taskgraph.calls.kept import Part
from taskgraph.identity.parameters import WithNames, given
from taskgraph.records import Body
from taskgraph.upkeep.code.changed_code import short_name
from taskgraph.upkeep.inputs.put_there import Seen, put_there_later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from backends.interface import Backend, Key
    from taskgraph.tasks.graph import Graph
    from taskgraph.upkeep.snapshot import Snapshot

Named: TypeAlias = "tuple[Key, str, Any]"
_NUMBERS = frozenset((int, float, bool, type(None)))
_NAMED = 3
_ITEMS = 32
"""Of a container: as many as are kept of a call."""
_SLACK = 0.1
"""Seconds after its end in which a file of a task may be written out."""
_LIKE_A_NAME = re.compile(r"\A[^\n]{0,4000}?[./\\]\w[^\n]{0,4000}\Z")
_IN_BLOCK = tuple(map(re.compile, (rb"\.\w", rb"/\w", rb"\\\w")))
"""Each begins with a letter, and not one of some: that is found five times as fast."""
_INSIDE: dict[type, Callable[[Any], Iterable[Any]]] = {
    tuple: iter,
    list: iter,
    dict: dict.values,
    WithNames: given,
}
_PATH = re.compile(r"\w*Path\('.*'\)|\w*Path\(\".*\"\)")


def told_named(
    calls: Iterable[Named],
    backend: Backend,
    folder: str,
    writers: Callable[[], Iterable[Key]],
    *,
    from_python: bool = False,
) -> str:
    """Return what to tell of files that changed after results were made of them.

    Parameters
    ----------
    calls : iterable of (bytes, str, object)
        Of each task the key, the name of its function, and its arguments; see
        `written_calls` and `kept_calls`.
    backend : Backend
        The store, as of the last look.
    folder : str
        Where relative paths count from.
    writers : callable
        Returns the keys of the tasks that write files; `gone_files` looks after those.
    from_python : bool, optional
        Whether calls are named, and not commands.

    Returns
    -------
    str
        Empty if no argument names a file that changed since.
    """
    naming: dict[str, list[tuple[Key, str]]] = defaultdict(list)
    for key, name, values in calls:
        for text in set(_texts(values)):
            naming[text].append((key, name))
    changed = _changed(naming, backend, folder)
    for path in _written(writers(), backend, folder, changed) if changed else ():
        del changed[path]
    if not changed:
        return ""
    told = [_in_words(path, *how) for path, how in islice(changed.items(), _NAMED)]
    count = len(changed)
    more = f" and {count - _NAMED} more" if count > _NAMED else ""
    what, them = ("a file", "it") if count == 1 else (f"{count} files", "them")
    functions = {name for names, _ in changed.values() for name in names}
    name = functions.pop() if len(functions) == 1 else "NAME"
    way = "taskgraph.invalidate(...)" if from_python else f"tg invalidate --name {name}"
    return (
        f"{what} that arguments name changed after results were made of {them}, which "
        f"stay: {', '.join(told)}{more}; `{way}` lets them be made again, and what is "
        "given as File(path) is known by its content"
    )


def _in_words(path: str, names: set[str], put: bool) -> str:
    of = ", ".join(sorted(names)[:_NAMED])
    how = "; an older file put there, or one renamed or given another mode"
    return f"{path} (of {of}{how if put else ''})"


def written_calls(graph: Graph) -> Iterator[Named]:
    """Yield the calls of tasks as they were written, but for those of a number."""
    return (
        (task.key, task.name, task.call)
        for task in graph.tasks
        if type(task.call) not in _NUMBERS
    )


def kept_calls(snapshot: Snapshot) -> Iterator[Named]:
    """Yield the calls of tasks as they are kept, where one may name a file."""
    keys, names, functions = snapshot.keys, snapshot.names, snapshot.functions
    for start, calls in snapshot.calls.with_words(*_IN_BLOCK):
        for place, call in enumerate(calls, start):
            if type(call) in _NUMBERS:
                continue
            key = keys[place * KEY_SIZE : (place + 1) * KEY_SIZE]
            yield key, names[functions[place]], call


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts and paths in an argument that look like the name of a file."""
    kind = type(value)
    if kind is str:
        yield from _LIKE_A_NAME.findall(value)
    elif isinstance(value, PurePath):
        yield str(value)
    elif kind is msgpack.ExtType:
        shown = value.data.decode(errors="replace") if value.code == Part.TEXT else ""
        if _PATH.fullmatch(shown):
            with suppress(ValueError, SyntaxError):  # of a class that is called so, too
                path = literal_eval(shown.partition("(")[2][:-1])
                yield from (path,) if isinstance(path, str) else ()
    elif kind in _INSIDE:
        for item in islice(_INSIDE[kind](value), _ITEMS):
            yield from _texts(item)


def _changed(
    naming: Mapping[str, list[tuple[Key, str]]], backend: Backend, folder: str
) -> dict[str, tuple[set[str], bool]]:
    """Return the files that changed since, with the functions of older results.

    And whether the change is that an older file was put there.
    """
    files: dict[tuple[int, int], list[str]] = defaultdict(list)
    known: dict[str, os.stat_result] = {}
    for path in naming:
        if (about := _looked_at(path, folder)) is not None:
            files[about.st_dev, about.st_ino].append(path)
            known[path] = about
    if not known:
        return {}
    spans = _spans(backend, {key for path in known for key, _ in naming[path]})
    found: dict[str, tuple[set[str], bool]] = {}
    seen: Seen = {}
    for paths in files.values():  # by whatever names
        about = known[paths[0]]
        ran = [(spans.get(key), name) for path in paths for key, name in naming[path]]
        for when in (about.st_mtime, about.st_ctime):
            if any(span is None or _is_in(span, when) for span, _ in ran):
                break  # one of them has written it, or may be writing it
            older = [(s[1], name) for s, name in ran if s and _is_older(s, when)]
            put = when != about.st_mtime
            if not older:
                continue
            made = max(end for end, _ in older)
            place = os.path.join(folder, paths[0])  # noqa: PTH118 - many
            if put and not put_there_later(place, about, made, backend.url, seen):
                continue
            found[paths[0]] = {short_name(name) for _, name in older}, put
            break
    return found


def _written(
    writers: Iterable[Key], backend: Backend, folder: str, paths: Iterable[str]
) -> list[str]:
    """Return which of some files results hold, by whatever names they know them."""
    from taskgraph.results.results import Results
    from taskgraph.upkeep.gone_files import noted_files

    names = {file.path for file in noted_files(Results(backend, folder), writers)}
    known = {_identity(name, folder) for name in names} - {None}
    return [path for path in paths if _identity(path, folder) in known]


def _identity(path: str, folder: str) -> tuple[int, int] | None:
    about = _looked_at(path, folder)
    return None if about is None else (about.st_dev, about.st_ino)


def _is_in(span: tuple[float, float, bool], when: float) -> bool:
    return span[0] <= when <= span[1] + _SLACK


def _is_older(span: tuple[float, float, bool], when: float) -> bool:
    return span[2] and span[1] + _SLACK < when


def _looked_at(path: str, folder: str) -> os.stat_result | None:
    """Return what is known of a file; None if there is none, or it is a folder."""
    try:
        about = os.stat(os.path.join(folder, path))  # noqa: PTH116, PTH118 - many
    except (OSError, ValueError):
        return None
    return about if stat.S_ISREG(about.st_mode) else None


def _spans(
    backend: Backend, keys: Iterable[Key]
) -> dict[Key, tuple[float, float, bool]]:
    """Return when tasks began and ended, and whether there is a result."""
    rows: dict[int, list[tuple[int, Key, bool]]] = defaultdict(list)
    for key in keys:
        where = backend.find(key)
        if where is not None:
            rows[where.position].append((where.row, key, not where.failure))
    found: dict[Key, tuple[float, float, bool]] = {}
    for position, some in rows.items():
        try:
            segment = backend.segment(position)
            body = Body(segment.body, segment.keys)
            ends, walls = body.ends(), body.column("wall")
        except DamagedError:  # told when somebody needs it
            continue
        for row, key, done in some:
            found[key] = (ends[row] - walls[row], ends[row], done)
    return found

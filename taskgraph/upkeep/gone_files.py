"""Files that tasks wrote and that are gone or others now: their tasks run again."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from taskgraph.errors import NoResultError
from taskgraph.files.places import seen
from taskgraph.files.written import WrittenFile, paths_in
from taskgraph.results.codec import files_in
from taskgraph.results.lineage import discard_damaged, made_of
from taskgraph.upkeep.snapshot import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from backends.interface import Key, Where
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded

_NAMED = 3


def files_of(
    results: Results, keys: Iterable[Key]
) -> Iterator[tuple[Key, WrittenFile]]:
    """Yield the files that tasks have written, with the key of each one's task.

    Those of tasks that are not done, or whose results cannot be read, are left out.
    """
    failures = results.backend.failures()
    for key in keys:
        if results.backend.find(key) is None or key in failures:
            continue
        with suppress(NoResultError, DamagedError):  # told when somebody needs it
            for file in _files_of(results, key):
                yield key, file


def noted_files(results: Results, keys: Iterable[Key]) -> Iterator[WrittenFile]:
    """Yield the files that records say tasks have written; no value is loaded."""
    failures = results.backend.failures()
    for key in keys:
        if results.backend.find(key) is not None and key not in failures:
            with suppress(NoResultError, DamagedError):
                yield from _noted_in(results, results.payload(key))


def _noted_in(results: Results, payload: bytes) -> Iterator[WrittenFile]:
    """Yield the files that a payload names, by the paths that lead there from here."""
    for file in map(WrittenFile._make, files_in(payload)):
        yield file._replace(path=seen(file.path, results.folder))


def _files_of(results: Results, key: Key) -> list[WrittenFile]:
    """Return the files of one result."""
    listed = list(_noted_in(results, results.payload(key)))
    if not listed:  # its function has said files=True only since
        return list(map(WrittenFile, paths_in(results.load(key))))
    return listed


def first_lost(results: Results, key: Key) -> str:
    """Return the path of a file that is gone or changed since a task wrote it.

    Empty if all are as they were. A file is read if its times are others.
    """
    lost = (
        file.path
        for file in _files_of(results, key)
        if not file.is_as_written(at_a_glance=True)
    )
    return next(lost, "")


def forget_overwritten(results: Results, keys: Iterable[Key]) -> None:
    """Forget results whose files were just replaced by those of a refused record.

    Two workers that have run one task may both have renamed what they wrote, and the
    first of them to publish it may have been the first to rename it.
    """
    for key in keys:
        with suppress(NoResultError, DamagedError):
            if results.payload(key)[:1] == b"F" and (path := first_lost(results, key)):
                error = DamagedError(path, f"gone or changed: {path}")
                discard_damaged(results, key, error)


def names_ever_written(results: Results, path: str) -> set[bytes]:
    """Return the names of files that tasks wrote in a folder, forgotten ones too.

    Parameters
    ----------
    results : Results
        The records of its store are gone through.
    path : str
        Of the folder, as results know it.
    """
    backend = results.backend
    known = backend.keys()
    places = [(key, backend.find(key)) for key in known]
    noted = [*_noted_at(results, places), *forgotten_files(results)]
    return {name for file in noted if file.path == path for name in file.names}


def forgotten_files(results: Results) -> Iterator[WrittenFile]:
    """Yield the files of results that were forgotten, as long as `tg undo` knows them.

    By the paths by which their store knows them.
    """
    backend = results.backend
    for discarded in backend.discards():
        yield from _noted_at(results, backend.taken(discarded.position).items())


def _noted_at(
    results: Results, places: Iterable[tuple[Key, Where | None]]
) -> Iterator[WrittenFile]:
    """Yield the files of records, which may be forgotten; damaged ones are left out."""
    for key, where in places:
        with suppress(DamagedError):
            if where is not None and not where.failure:
                payload = results.body_of(key, where).payload(where.row)
                yield from map(WrittenFile._make, files_in(payload))


def writing_files(
    loaded: Loaded, select: Callable[[str], bool] | None = None
) -> list[Key]:
    """Return the keys of the tasks that write files, of all or selected functions."""
    wanted = {
        generator
        for generator in loaded.graph.generators
        if generator.files and (select is None or select(generator.name))
    }
    if not wanted:
        return []
    return [task.key for task in loaded.graph.tasks if task.generator in wanted]


def forget_gone(loaded: Loaded, select: Callable[[str], bool] | None = None) -> str:
    """Forget results whose files are gone or others now, and what was made of them.

    A result that came meanwhile, from another worker, stays: its files are there.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results.
    select : callable, optional
        Says of a function's name whether its tasks are to be run now; all by default.

    Returns
    -------
    str
        What to tell; empty if all files are as they were written.
    """
    results = loaded.results
    backend = results.backend
    wanted = writing_files(loaded, select)
    if not wanted:
        return ""
    backend.poll()
    lost = _lost(results, wanted)
    if not lost:
        return ""
    before = {key: backend.find(key) for key in lost}

    def still_lost() -> set[Key]:
        same = [key for key, where in before.items() if backend.find(key) == where]
        return made_of(results, same)

    backend.discard((), reason="gone or changed: files of tasks", more=still_lost)
    return _told(lost, ", and made again")


def gone_at_a_glance(
    results: Results, keys: Iterable[Key], who: str = "`tg execute`"
) -> tuple[set[Key], str]:
    """Return what `forget_gone` would forget; a file is read if its times are others.

    Parameters
    ----------
    results : Results
        Where their results are.
    keys : iterable of bytes
        The tasks that write files.
    who : str
        Makes them again.

    Returns
    -------
    set of bytes
        The tasks whose files are gone or changed, and those that were made of them.
    str
        What to tell; empty if all files are as they were written.
    """
    lost = _lost(results, keys, at_a_glance=True)
    if not lost:
        return set(), ""
    them = "it" if sum(map(len, lost.values())) == 1 else "them"
    return made_of(results, lost), _told(lost, f", so {who} makes {them} again")


def told_gone(results: Results, jugfile: Path, arguments: Sequence[str]) -> str:
    """Return what to tell of files that are gone or changed since a jugfile was run.

    For one whose tasks look themselves at what they wrote. Empty if all are as they
    were written, or it never ran with these arguments.
    """
    known = load(results.backend, jugfile, arguments)
    lost = _lost(results, known.writers(), at_a_glance=True) if known else {}
    return _told(lost, " since the last run") if lost else ""


def files_of_last_run(
    loaded: Loaded, jugfile: Path, given: tuple[str, ...] = ()
) -> list[str]:
    """Return the paths of files that tasks wrote which a jugfile had, and has not now.

    Those of its last run, whatever its other arguments were.

    Parameters
    ----------
    loaded : Loaded
        Its tasks now; they are not in the store yet (`keep_graph`).
    jugfile : Path
        Where it is.
    given : tuple of str, optional
        Arguments that the last run had, one after the other; else it does not count.
    """
    known, results = load(loaded.results.backend, jugfile), loaded.results
    if known is None or not _follow(given, known.arguments):
        return []
    keys = [key for key in known.writers() if key not in loaded.graph]
    return [file.path for _, file in files_of(results, keys)]


def _follow(some: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Return whether words hold some others, one after the other."""
    starts = range(len(words) - len(some) + 1)
    return any(words[at : at + len(some)] == some for at in starts)


def _lost(
    results: Results, keys: Iterable[Key], *, at_a_glance: bool = False
) -> dict[Key, list[str]]:
    """Return the paths of files that are gone or others now, by their tasks."""
    lost: dict[Key, list[str]] = {}
    for key, file in files_of(results, keys):
        if not file.is_as_written(at_a_glance=at_a_glance):
            lost.setdefault(key, []).append(file.path)
    return lost


def lost_files(results: Results, key: Key) -> list[str]:
    """Return the paths of files of a task's result that are gone or others now."""
    return _lost(results, [key], at_a_glance=True).get(key, [])


def _told(lost: Mapping[Key, list[str]], then: str) -> str:
    paths = list(dict.fromkeys(path for some in lost.values() for path in some))
    named = ", ".join(paths[:_NAMED])
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    what, are = ("a file", "is") if len(paths) == 1 else (f"{len(paths)} files", "are")
    return f"{what} that tasks wrote {are} gone or changed{then}: {named}{more}"


def told_clashes(results: Results, keys: Iterable[Key]) -> str:
    """Return what to say if tasks wrote one file: the results of all but one lie.

    A task that hands a file on, as it got it from a task that it needs, is none of
    them. Which one was last is not known.

    Parameters
    ----------
    results : Results
        Where their results are.
    keys : iterable of bytes
        The tasks that write files.

    Returns
    -------
    str
        Names the tasks and the path; empty if each wrote files of its own.
    """
    writers: dict[str, list[tuple[Key, WrittenFile]]] = defaultdict(list)
    folders: dict[str, str] = {}
    for key, file in files_of(results, keys):
        folder, name = os.path.split(file.path)
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        if file.size >= 0:
            writers[os.path.join(folders[folder], name)].append((key, file))  # noqa: PTH118 - for many files
    told = [
        f"{' and '.join(_call(results, key) for key, _ in found[:_NAMED])} wrote one "
        f"{'folder' if found[0][1].within else 'file'}, {found[0][1].path}"
        for found in writers.values()
        if len(found) > 1 and not _shared(found) and not _handed_on(results, found)
    ]
    if not told:
        return ""
    more = f"; and {len(told) - _NAMED} more files" if len(told) > _NAMED else ""
    return f"{'; '.join(told[:_NAMED])}{more}: let each task write a file of its own"


def _shared(found: list[tuple[Key, WrittenFile]]) -> bool:
    """Return whether tasks wrote into one folder, and none over what another wrote."""
    return all(
        file.within and file.is_as_written(at_a_glance=True) for _, file in found
    )


def _handed_on(results: Results, found: list[tuple[Key, WrittenFile]]) -> bool:
    """Return whether one task wrote a file, and others got it from there as it is."""
    if len({file.content for _, file in found}) > 1:
        return False
    keys = {key for key, _ in found}
    return any(keys <= made_of(results, [key]) for key in keys)


def _call(results: Results, key: Key) -> str:
    record = results.record(key)
    return f"{record.name}({record.summary})" if record else key.hex()[:12]

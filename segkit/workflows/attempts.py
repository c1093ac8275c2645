"""Files that tasks write, once: reserved first, and written anew if they are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.io.elsewhere.address import is_address
from segkit.io.replacing import require_no_input
from segkit.workflows import tasks
from segkit.workflows.reserving import (
    ABSENT,
    Saved,
    SavedElsewhere,
    file_of,
    is_of,
    known_by,
    mark_of,
    marks_of_ours,
    place_of,
    require_no_other,
)
from segkit.workflows.saving import is_begun, is_lost
from taskgraph.extending import Encoder, current_recording, digest, files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segkit.io.image import Image
    from segkit.workflows.reserving import Reserved
    from taskgraph import Results, Task


def saved_by(
    write: Callable[..., Task],
    name: str,
    content: Mapping[str, Any],
    path: str,
    overwrite: bool,
    *,
    image: Image | None = None,
) -> Task:
    """Return the task that saves a file, a new one if the last was in vain.

    Parameters
    ----------
    write
        Takes the task that reserved the path, the content, and `of`; returns the last
        of the tasks that write it.
    name
        What stands for `write` in the key of the reservation: it must stay.
    content
        What will be written and how; the key holds its names, too.
    path
        Where.
    overwrite
        Replace whatever lies there.
    image
        What the content was made of; None if of several.

    Raises
    ------
    FileExistsError
        If the image itself lies there, or what was made of another one.
    """
    if image is not None:
        require_no_input(path, image)
    of = "" if image is None else place_of(image)
    recording = current_recording()
    results = recording.results if recording else None
    wanted, store = _digest_of(name, content), known_by(results)
    attempt = 0
    while True:
        mark = len(recording.tasks) if recording else 0
        reserved = tasks.RESERVE(path, overwrite, attempt, wanted, store=store)
        if recording is None or results is None:
            return write(reserved, **content, of=of)
        if not overwrite and _may_be_there(path) and not reserved.can_load():
            recording.tasks.pop()
            require_no_other(results, path, of)
            ours = marks_of_ours(results, path)
            reserved = tasks.RESERVE(path, overwrite, attempt, wanted, ours, store)
        last = write(reserved, **content, of=of)
        if not _in_vain(reserved, last, results):
            return last
        del recording.tasks[mark:]
        attempt += 1


def _may_be_there(path: str) -> bool:
    """Say whether something lies at a path; elsewhere by a look at it."""
    return mark_of(path) != ABSENT if is_address(path) else file_of(path).exists()


def _digest_of(name: str, content: Mapping[str, Any]) -> str:
    """Return a digest of what will be written and how."""
    return digest(b"", Encoder().encode((name, dict(content)))).hex()


def _in_vain(reserved: Task, last: Task, results: Results) -> bool:
    """Return whether what was saved is gone, or what was in the way is."""
    if last.can_load():
        saved: Saved | SavedElsewhere = last.value()
        files = (file for _, file in files_of(results, [last.key]))
        whole = all(file.is_as_written(at_a_glance=True) for file in files)
        return not (saved.there and whole and is_of(results, saved.path, last.key))
    path: str = reserved.args[0]
    found = results.backend.find(reserved.key)
    if found is not None and found.failure:
        now = mark_of(file_of(path))
        return now == ABSENT or now in marks_of_ours(results, path)
    if found is not None and not reserved.value().untouched:
        # Other content of ours was written meanwhile; if it is this very content,
        # its record is there, too.
        known = marks_of_ours(results, path)
        if mark_of(file_of(path)) in known and not last.can_load():
            return True
    if last.generator in (tasks.FINISH_FILE, tasks.FINISH_ELSEWHERE):
        created: Task = last.args[0]
        if not created.can_load():
            return False
        begun: Reserved = created.value()
        ours = is_begun(begun) or is_of(results, path, last.key)
        return is_lost(begun) or not ours  # others of the store may have written it
    return False

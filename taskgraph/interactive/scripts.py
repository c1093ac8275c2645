"""Scripts that run themselves: what `run` without tasks means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError
from taskgraph.execution.at_once import run_at_once
from taskgraph.loaded import main_script
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Loaded
from taskgraph.tasks.recording import (
    Recording,
    current_recording,
    is_running,
    set_recording,
)

if TYPE_CHECKING:
    from taskgraph.results.results import Results


def given_or_script(what: Any) -> Any:
    """Return what is to be run: what is given, or the script that says so.

    Raises
    ------
    UsageError
        Nothing is given, and this is a notebook, or a task.
    """
    if what is not None:
        return what
    recording = current_recording()
    if recording is not None and recording.script:
        return recording.script
    if is_running() or not main_script():
        raise UsageError(
            "run() takes the path of a jugfile, or tasks, not nothing, but at the end "
            "of a script; give the path of your script, or tasks"
        )
    return main_script()


def is_being_read(what: Any) -> bool:
    """Return whether `what` is the very jugfile that is being read now."""
    recording = current_recording()
    script = recording.script if recording is not None else ""
    return bool(script) and _is_path(what, script)


def read_so_far() -> Loaded:
    """Return what the jugfile that is being read has said so far."""
    recording = current_recording()
    assert recording is not None
    return Loaded(Graph(recording.tasks), {}, recording.require_results())


def keep_for_script(what: Any, results: Results) -> None:
    """Let what a script has written down find its results, if it has run itself."""
    if current_recording() is None and _is_path(what, main_script()):
        set_recording(Recording[Any](results, run_at_once))


def _is_path(what: Any, path: str) -> bool:
    if not (path and isinstance(what, str | os.PathLike)):
        return False
    return os.path.realpath(what) == os.path.realpath(path)

"""What tasks declare to write: which of them what, and none the same or an input."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError
from taskgraph.files.declared import Output, result_of
from taskgraph.files.places import noted, place_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from taskgraph.files.written import WrittenFile
    from taskgraph.results.results import Results


def note_outputs(task: Any) -> None:
    """Note what a task declares that is written down, as its encoder met it.

    The order is that of the call, if it has one; of those in dicts and sets by path.

    Raises
    ------
    UsageError
        Its function says ``files=True``, and so returns what it wrote.
    """
    generator = task.generator
    if generator.files and not generator.declares:
        task.recording.encoder.outputs = []
        raise UsageError(
            f"{generator.name} has files=True, and is given an Output: leave "
            "files=True out, and let it write at the path that it is given"
        )
    encoder = task.recording.encoder
    met, encoder.outputs = list(dict.fromkeys(encoder.outputs)), []
    inside = dict.fromkeys(_in_order([*task.args, *task.kwargs.values()]))
    if len(inside) < len(met):
        met.sort(key=lambda output: output.path)
    task.recording.outputs[task.key] = tuple(met)
    generator.files = generator.declares = True


def give_name(task: Any, generator: Any) -> None:
    """Let a task be of another generator, by whose name it is known; so its outputs."""
    outputs = task.recording.outputs
    declared = outputs.pop(task.key, ())  # which it has from here on, if it had none
    task.generator, task.key = generator, generator.key_of(task)
    task.recording.encoder.row = None
    if declared:
        outputs[task.key], generator.files, generator.declares = declared, True, True


def _in_order(items: Iterable[Any]) -> Iterator[Output]:
    for item in items:
        if type(item) is Output:
            yield item
        elif type(item) in (list, tuple):
            yield from _in_order(item)


def outputs_of(task: Any) -> tuple[Output, ...]:
    """Return what a task declares to write; nothing of most.

    Examples
    --------
    >>> from taskgraph import Task
    >>> outputs_of(Task(print, "text", Output("a.txt")))
    (Output('a.txt'),)
    """
    if not task.generator.declares:
        return ()
    found: tuple[Output, ...] = task.recording.outputs.get(task.key, ())
    return found


def refuse_clashes(graph: Any) -> None:
    """Refuse tasks of which two would write one file, or one what another reads.

    Raises
    ------
    UsageError
        Names the tasks and the path.
    """
    if not any(generator.declares for generator in graph.generators):
        return
    tasks = graph.tasks
    recordings = {id(task.recording): task.recording for task in tasks}
    inputs = {path for one in recordings.values() for path in one.encoder.files}
    _refuse(tasks, inputs)


def _refuse(tasks: Sequence[Any], inputs: Container[str]) -> None:
    real: dict[str, str] = {}
    owners: dict[str, Any] = {}
    for task in tasks:
        for output in outputs_of(task):
            place = _real(output.place, real)
            both = (output.place, place)
            if any(one in inputs for p in both for one in (p, *_above(p))):
                raise UsageError(
                    f"{output.path} is an output of {_call(task)}, and is read as a "
                    "File or within a Directory: pass the task instead, which is its "
                    "path, or write elsewhere"
                )
            other = owners.setdefault(place, task)
            if other is not task:
                raise UsageError(_told(output, task, other, "the same"))
    for place, task in owners.items():
        above = next((p for p in _above(place) if p in owners), "")
        if above:
            output = next(o for o in outputs_of(task) if _real(o.place, real) == place)
            raise UsageError(_told(output, task, owners[above], "a folder above it"))


def _real(place: str, known: dict[str, str]) -> str:
    """Return a place with the links on its way followed; folders are looked at once."""
    folder, name = os.path.split(place)
    if folder not in known:
        known[folder] = os.path.realpath(folder)
    return os.path.join(known[folder], name)  # noqa: PTH118 - for many files


def _above(place: str) -> Iterator[str]:
    while (above := os.path.dirname(place)) != place:  # noqa: PTH120 - as above
        place = above
        yield place


def _told(output: Output, task: Any, other: Any, what: str) -> str:
    return (
        f"{output.path} is an output of {_call(task)}, and {what} is one of "
        f"{_call(other)}: give each task a path of its own"
    )


def _call(task: Any) -> str:
    text = repr(task)
    return text[len("Task(") : text.rindex(", ")]


def payload_of(results: Results, task: Any, written: Sequence[WrittenFile]) -> bytes:
    """Return the payload of a task whose outputs are at their places.

    Parameters
    ----------
    results : Results
        Where it will be.
    task : Task
        Which declares them.
    written : sequence of WrittenFile
        What each is, wherever it was looked at.
    """
    from taskgraph.results.codec import with_files

    outputs = outputs_of(task)
    paths = [noted_path(output, results) for output in outputs]
    payload = results.encode(result_of(outputs, paths), task.key)
    files = [
        file.moved(path, output.place)
        for file, path, output in zip(written, paths, outputs, strict=True)
    ]
    return with_files(payload, files)


def noted_path(output: Output, results: Results) -> str:
    """Return how a store knows the path of an output."""
    if results.folder:
        return noted(output.place, results.folder)
    here = place_of(output.path, os.getcwd())  # noqa: PTH109 - text
    return output.path if here == output.place else output.place

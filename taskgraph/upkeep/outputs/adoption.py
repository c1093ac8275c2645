"""Outputs that were made elsewhere, taken as the results of the tasks they are of.

The files are there and the store knows nothing of them: made by the same code before it
was a jugfile, on another machine, or with a store that is gone. A task's result is
where its outputs are, so nothing has to be run to know it.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from backends.interface import Inputs
from taskgraph.description import summary
from taskgraph.errors import UsageError
from taskgraph.files.places import seen
from taskgraph.files.written import written_at
from taskgraph.fingerprints.fingerprint import fingerprint
from taskgraph.results.batch import Batch
from taskgraph.results.failures import discard_failures
from taskgraph.results.provenance import Provenance
from taskgraph.tasks.outputs import noted_path, outputs_of, payload_of
from taskgraph.upkeep.gone_files import forgotten_files, noted_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from backends.interface import Claim, Key
    from taskgraph.files.written import WrittenFile
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task

_SAID = "adopted: what it wrote was there, and it was not run"


@dataclass(slots=True)
class Adoption:
    """What can be taken, and what cannot.

    Attributes
    ----------
    taken : list of Task
        Whose outputs are all there, and all that they need has results, or is taken.
    known : int
        How many have results already.
    lacking : list of (Task, str)
        Of which a path is not there.
    waiting : list of (Task, Task)
        That need a task which has no result; this one, for example.
    refused : list of (Task, str)
        What is there cannot be taken, and why.
    """

    taken: list[Task] = field(default_factory=list)
    known: int = 0
    lacking: list[tuple[Task, str]] = field(default_factory=list)
    waiting: list[tuple[Task, Task]] = field(default_factory=list)
    refused: list[tuple[Task, str]] = field(default_factory=list)


def look_for_outputs(loaded: Loaded, select: Callable[[str], bool]) -> Adoption:
    """Return which tasks declare outputs that are there, of selected functions."""
    found, results = Adoption(), loaded.results
    results.backend.poll()
    known = results.backend.keys() - set(results.backend.failures())
    taken: set[bytes] = set()
    written = _written_by(results, known)
    for task in loaded.graph.tasks:
        outputs = outputs_of(task)
        if not (outputs and select(task.name)):
            continue
        gone = [one.path for one in outputs if not os.path.exists(one.place)]  # noqa: PTH110 - of many
        lacks = [
            need for need in task.needs if not (need.key in known or need.key in taken)
        ]
        if task.key in known:
            found.known += 1
        elif why := _refusal(task, results, *written):
            found.refused.append((task, why))
        elif gone:
            found.lacking.append((task, gone[0]))
        elif lacks:
            found.waiting.append((task, lacks[0]))
        else:
            found.taken.append(task)
            taken.add(task.key)
    return found


_Files: TypeAlias = "Mapping[str, Sequence[WrittenFile]]"


def _written_by(results: Results, keys: Iterable[Key]) -> tuple[_Files, _Files]:
    """Return the files of results, and of forgotten ones, by where they are."""
    by_result: dict[str, list[WrittenFile]] = defaultdict(list)
    forgotten: dict[str, list[WrittenFile]] = defaultdict(list)
    for file in noted_files(results, keys):
        by_result[file.path].append(file)
    for file in forgotten_files(results):
        path = seen(file.path, results.folder)
        forgotten[path].append(file._replace(path=path))
    return by_result, forgotten


def _refusal(task: Task, results: Results, by_result: _Files, forgotten: _Files) -> str:
    """Return what to say if a task of this store has written one of these very files.

    Another one, with other arguments; or any whose result was forgotten since: of
    inputs, or by code, that are others now.
    """
    for output in outputs_of(task):
        path = seen(noted_path(output, results), results.folder)
        if _is_one_of(by_result.get(path, ())):
            return (
                f"{output.path} is as another task of this store wrote it, with other "
                "arguments; `tg execute` writes that of this one"
            )
        if _is_one_of(forgotten.get(path, ())):
            return (
                f"{output.path} is as a task of this store wrote it whose result was "
                "forgotten since; `tg execute` makes it again, `tg undo` takes back "
                "what was invalidated"
            )
    return ""


def _is_one_of(files: Sequence[WrittenFile]) -> bool:
    return any(file.is_as_written(at_a_glance=True) for file in files)


def adopt(results: Results, found: Adoption, folder: str) -> list[Task]:
    """Publish what was found as results; return which tasks have them by that.

    Not among them are those that another process runs or has run meanwhile, and those
    whose files cannot be taken after all, which are then `refused`.

    Parameters
    ----------
    results : Results
        Where to.
    found : Adoption
        What `look_for_outputs` returned.
    folder : str
        Of the jugfile, whose commit is noted.
    """
    backend = results.backend
    backend.make()
    keys = [task.key for task in found.taken]
    discard_failures(backend, keys, reason="adopt: failed before")
    claim = backend.claim(keys)
    try:
        return _publish(results, found, claim, folder)
    finally:
        backend.release(claim.keys)


def _publish(
    results: Results, found: Adoption, claim: Claim, folder: str
) -> list[Task]:
    backend, batch, granted = results.backend, Batch(), set(claim.keys)
    at = backend.position
    lost = {task.key for task in found.taken} - granted - backend.keys()
    done: list[Task] = []
    for task in found.taken:
        needs = [need.key for need in task.needs]
        if task.key not in granted or not lost.isdisjoint(needs):
            lost.add(task.key)
            continue
        try:
            written = [written_at(one.place) for one in outputs_of(task)]
        except (OSError, UsageError) as error:
            found.refused.append((task, str(error)))
            lost.add(task.key)
            continue
        batch.add(
            task.key,
            payload_of(results, task, written),
            (task.name, fingerprint(task.generator.f).text),
            (summary(task.args, task.kwargs), time.time(), 0.0, 0.0, 0),
            output=_SAID,
            inputs=Inputs(at, needs),
        )
        done.append(task)
    if not done:
        return []
    context = Provenance(folder, os.environ).context()
    backend.publish(
        batch.keys,
        bytes(batch.rows),
        batch.encode(context, backend.places),
        since=claim.token,
        inputs=batch.inputs,
    )
    return [task for task in done if backend.find(task.key) is not None]

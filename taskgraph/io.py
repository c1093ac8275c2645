"""Results in files, and tasks that are handed over as tasks."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from taskgraph.errors import UsageError
from taskgraph.names import known_as
from taskgraph.task.describing import describe
from taskgraph.tasks.task import Task, TaskGenerator
from taskgraph.tasks.tasklet import Tasklet

if TYPE_CHECKING:
    from taskgraph.identity.hashing import Encoder

__all__ = ["NoLoad", "write_metadata", "write_task_out"]


@known_as("taskgraph.io")
class NoLoad(Tasklet):
    """A task that a function gets as it is: it is waited for, and not loaded.

    The function gets the wrapper, and asks for the result itself if it wants to: so it
    may load one large result after the other.

    Attributes
    ----------
    base : Task or Tasklet
        What the function asks, with ``taskgraph.value(it.base)``.

    Examples
    --------
    >>> from taskgraph import Task, value
    >>> task = Task(divmod, 7, 2)
    >>> Task(type, NoLoad(task)).needs == (task,)
    True
    >>> value(NoLoad(task)).base is task
    True
    """

    __slots__ = ()

    def __init__(self, base: Task | Tasklet) -> None:
        super().__init__(base, _handed_over)

    def value(self) -> NoLoad:
        """Return itself."""
        return self

    __taskgraph_value__ = value

    def __taskgraph_encode__(self, encoder: Encoder) -> bytes:
        """Return what stands for it in a key."""
        return encoder.head("taskgraph.io", "NoLoad") + encoder.item(self.base)

    def __taskgraph_parts__(self) -> tuple[Any, ...]:
        """Return nothing: what takes its place needs no result."""
        return ()

    def __getitem__(self, index: Any) -> NoReturn:
        """Refuse: nothing of it is loaded."""
        raise UsageError(f"NoLoad(task)[{index!r}]: write NoLoad(task[{index!r}])")


def _handed_over(result: Any) -> Any:
    return result


def write_task_out(
    result: Task | Tasklet,
    oname: str,
    metadata_fname: str | None = None,
    metadata_format: str = "yaml",
) -> Task:
    """Return a task that writes a result into a file.

    An array as ``.npy``, anything else pickled; the name of the file is as it is given.
    A run writes it again if it is gone or changed.

    Parameters
    ----------
    result : Task or Tasklet
        What is to be written.
    oname : str
        The file.
    metadata_fname : str, optional
        A file for what the result was made of, as `taskgraph.task.describe` has it.
    metadata_format : {'yaml', 'json'}
        The text is the same: JSON, which is YAML, too.

    Raises
    ------
    UsageError
        There is no such format.

    Examples
    --------
    >>> import tempfile, os, numpy as np
    >>> from taskgraph import run
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     name = os.path.join(folder, "ones.npy")
    ...     _ = run(write_task_out(Task(np.ones, 3), name))
    ...     np.load(name)
    array([1., 1., 1.])
    """
    _require_format(metadata_format)
    return _task(result, oname, metadata_fname)


def write_metadata(
    result: Task | Tasklet, metadata_fname: str, metadata_format: str = "yaml"
) -> Task:
    """Return a task that writes what a result was made of; see `write_task_out`."""
    _require_format(metadata_format)
    return _task(result, None, metadata_fname)


def _require_format(name: str) -> None:
    if name.lower() not in ("yaml", "json"):
        raise UsageError(f"metadata are written as 'yaml' or 'json', not {name!r}")


def _task(result: Task | Tasklet, *wanted: str | None) -> Task:
    task: Task = _write_out(result, NoLoad(result), *wanted)
    return task


@TaskGenerator(name="taskgraph.io.write_task_out", files=True)
def _write_out(
    result: Any, base: NoLoad, oname: str | None, about: str | None
) -> list[Path]:
    """Write a result, and what it was made of, as far as there are names for it."""
    if oname is not None:
        _write(result, Path(oname))
    if about is not None:
        text = json.dumps(describe(base.base), indent=2, default=repr)
        Path(about).write_text(f"{text}\n")
    return [Path(name) for name in (oname, about) if name is not None]


def _write(result: Any, path: Path) -> None:
    import numpy as np

    with path.open("wb") as file:
        if isinstance(result, np.ndarray):
            np.save(file, result)
        else:
            pickle.dump(result, file)

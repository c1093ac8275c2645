"""Files and folders that a task declares to write: known before it runs."""

from __future__ import annotations

import os
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from taskgraph.errors import UsageError
from taskgraph.files.places import is_within, place_of, project
from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgraph.identity.hashing import Encoder

aside: ContextVar[Callable[[Output], Path] | None] = ContextVar("aside", default=None)
"""Where the task that runs is to write an output until it is renamed."""


@known_as("taskgraph")
class Output:
    """A file or folder that a task writes, as an argument of its call.

    The function gets a `Path` to write at: of the same name, in a folder of its own
    beside the place. When it returns, what it wrote there is renamed to the place, so
    that a file, or a folder with all that is in it, is there whole or not at all. It
    returns nothing, and the result of the task is the path; of several outputs a tuple
    of their paths, in the order of the call (of those in dicts or sets, sorted). What
    needs it is given the task, as always, and so gets the path: if the file is gone or
    changed by then, it is made again first.

    Parameters
    ----------
    path : str or path
        Where it is to be, from the folder of the jugfile (in a notebook, from the
        working directory). Folders above it are made. It is part of the key.
    outside : bool, optional
        Whether it may lie outside of that folder.

    Attributes
    ----------
    path : str
        As given, without ``..`` and the like.
    place : str
        The absolute path.

    Raises
    ------
    UsageError
        It lies outside of that folder, or holds it.

    Examples
    --------
    >>> import os, tempfile
    >>> from taskgraph import TaskGenerator, run, value
    >>> @TaskGenerator
    ... def write(text, path):
    ...     _ = path.write_text(text)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write("3 cells", Output(f"{folder}/cells.txt", outside=True))
    ...     _ = run(written)
    ...     os.listdir(folder), value(written).read_text()
    (['cells.txt'], '3 cells')
    """

    __slots__ = ("path", "place")

    def __init__(self, path: str | os.PathLike[str], *, outside: bool = False) -> None:
        given, folder = os.fspath(path), project()
        self.path = os.path.normpath(given)
        self.place = place_of(given, folder)
        if not given or self.place == folder or is_within(folder, self.place):
            raise UsageError(
                f"Output({given!r}) is not in {folder}, but holds it: name a file or "
                "folder in there"
            )
        if not (outside or is_within(self.place, folder)):
            raise UsageError(
                f"Output({given!r}) is outside of {folder}, from where its path counts;"
                f" if that is meant, write Output({given!r}, outside=True)"
            )

    def __repr__(self) -> str:
        return f"Output({self.path!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Output) and self.place == other.place

    def __hash__(self) -> int:
        return hash(self.place)

    def __taskgraph_encode__(self, encoder: Encoder) -> bytes:
        """Return what stands for it in a key; the encoder notes that it met it."""
        encoder.mutable = True
        encoder.outputs.append(self)
        return encoder.head("taskgraph", "Output") + encoder.item(self.path)

    def __taskgraph_value__(self) -> Path:
        """Return where to write now: in a task that runs, beside the place."""
        given = aside.get()
        return Path(self.place) if given is None else given(self)


def result_of(outputs: Sequence[Output], paths: Sequence[str]) -> object:
    """Return the result of a task that declares outputs, which are at these paths.

    Examples
    --------
    >>> result_of([Output("a.tif")], ["a.tif"])
    PosixPath('a.tif')
    """
    found = tuple(map(Path, paths))
    return found[0] if len(outputs) == 1 else found

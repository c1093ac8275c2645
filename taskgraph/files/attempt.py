"""One attempt at a task's outputs: written aside, and renamed when it has succeeded.

What is to be ``out/a.tif`` is written as ``out/.tg-KEY-STORE-RANDOM/a.tif``: of the
same file system, name and suffix. Whoever attempts the task of this key next, having
locked it, takes away what others left or are still writing: those that were killed, or
have lost their locks and do not know it. Such a one finds its folder gone, renames
nothing and records nothing. What it renamed before then is whole, and the next rename
replaces it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from taskgraph.errors import UsageError
from taskgraph.files.declared import aside
from taskgraph.files.written import WrittenFile, written_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from types import TracebackType

    from taskgraph.files.declared import Output

_PREFIX = ".tg-"
_FEW = 50


class Attempt:
    """Where outputs lie while they are written; a context in which a task runs.

    Parameters
    ----------
    outputs : sequence of Output
        What the task declares.
    key : str
        Of the task, in hexadecimal digits.
    store : str
        What its store is known by: runs with other stores do not meet.
    """

    def __init__(self, outputs: Sequence[Output], key: str, store: str) -> None:
        self._outputs = outputs
        whose = blake3(store.encode(errors="replace")).hexdigest(length=4)
        self._stem = f"{_PREFIX}{key[:16]}-{whose}-"
        self._name = f"{self._stem}{os.urandom(4).hex()}"
        above = dict.fromkeys(os.path.dirname(one.place) for one in outputs)  # noqa: PTH120 - text
        self._folders = [Path(folder, self._name) for folder in above]

    def __enter__(self) -> Attempt:
        self._token = aside.set(self.private)
        try:
            for folder in self._folders:
                folder.parent.mkdir(parents=True, exist_ok=True)
                _remove_others(folder.parent, self._stem)
                folder.mkdir()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        aside.reset(self._token)
        for folder in self._folders:
            _remove(folder)

    def private(self, output: Output) -> Path:
        """Return where an output is to be written."""
        above, name = os.path.split(output.place)
        return Path(above, self._name, name)

    @property
    def overtaken(self) -> bool:
        """Whether another worker attempts the task meanwhile."""
        return not all(folder.is_dir() for folder in self._folders)

    def require_nothing_else(self, returned: object) -> None:
        """Refuse what a function returned, unless it is nothing or what it was given.

        Raises
        ------
        UsageError
            Something else would be lost: the result is where the outputs are.
        """
        given = [str(self.private(output)) for output in self._outputs]
        each = returned if isinstance(returned, list | tuple) else [returned]
        same = all(isinstance(one, str | os.PathLike) for one in each)
        if returned is None or (same and [*map(os.fspath, each)] == given):
            return
        raise UsageError(
            f"a function that is given an Output returns nothing, not "
            f"{type(returned).__name__}: the result of its task is the path; what else "
            "it finds out is for a task that reads the file, or for a file of its own"
        )

    def written(self) -> list[WrittenFile]:
        """Return what was written, as it is to be found; on the disk by then.

        Raises
        ------
        UsageError
            An output is missing, is a link, or something was written beside it.
        """
        for output in self._outputs:
            _require_there(self.private(output), output)
        self._refuse_more()
        for output in self._outputs:
            _sync(self.private(output))
        return [written_at(str(self.private(output))) for output in self._outputs]

    def _refuse_more(self) -> None:
        names = {os.path.basename(output.place) for output in self._outputs}  # noqa: PTH119 - text
        for folder in self._folders:
            more = sorted(entry.name for entry in folder.iterdir())
            more = [name for name in more if name not in names]
            if more:
                raise UsageError(
                    f"{more[0]} was written beside {', '.join(sorted(names))}, and is "
                    "no output: declare it as one, too, or a folder for both"
                )

    def rename(self, replaceable: Callable[[Output], Collection[bytes]]) -> None:
        """Give all outputs their names.

        Parameters
        ----------
        replaceable : callable
            Returns names of files, each as a path from a folder, that tasks wrote in
            the folder that is to be replaced. Asked only if need be.

        Raises
        ------
        UsageError
            Something lies there that is not to be replaced.
        FileNotFoundError
            Another worker attempts the task meanwhile.
        """
        for output in self._outputs:
            _require_free(self.private(output), Path(output.place), replaceable, output)
        for number, output in enumerate(self._outputs):
            private, place = self.private(output), Path(output.place)
            if private.is_dir() and os.path.lexists(place):
                old = private.with_name(f"{number}.old")
                place.rename(old)  # in a folder that goes: a rename replaces no folder
                try:
                    private.rename(place)
                except BaseException:
                    old.rename(place)
                    raise
            else:
                private.replace(place)
        for folder in self._folders:
            _sync_one(folder.parent)


def _remove_others(folder: Path, stem: str) -> None:
    """Take away other attempts at the same task: at once, and then what is in them."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(stem)]
    for name in names:
        away = folder / f"{stem}{os.urandom(4).hex()}.gone"
        with suppress(FileNotFoundError):  # somebody else does it
            (folder / name).rename(away)
            _remove(away)


def _remove(folder: Path) -> None:
    """Remove a folder, as far as may be."""
    from shutil import rmtree  # costs time at every start

    rmtree(folder, ignore_errors=True)


def _require_there(private: Path, output: Output) -> None:
    if private.is_symlink() or not (private.is_file() or private.is_dir()):
        is_one = os.path.lexists(private)
        what = "is a link, or no file or folder" if is_one else "was not written"
        raise UsageError(
            f"{output.path}: {what}, though the task declares it as an Output; let the "
            "function write at the path that it is given"
        )


def _require_free(
    private: Path,
    place: Path,
    replaceable: Callable[[Output], Collection[bytes]],
    output: Output,
) -> None:
    """Refuse to replace a folder by a file, or one that holds what no task wrote."""
    if place.is_symlink() or not place.exists():
        return
    if private.is_dir() != place.is_dir():
        kinds = ("a folder", "a file") if place.is_dir() else ("a file", "a folder")
        raise UsageError(
            f"{output.path}: {kinds[0]} is there, where {kinds[1]} is to be written; "
            "move it away yourself, or declare another path"
        )
    if not private.is_dir():
        return
    strange = _names_in(place) - _names_in(private)
    strange = strange.difference(replaceable(output)) if strange else strange
    if strange:
        raise UsageError(
            f"{output.path}: is to be replaced, and holds {os.fsdecode(min(strange))}, "
            "which no task wrote; move that elsewhere, or declare another path"
        )


def _names_in(folder: Path) -> set[bytes]:
    return {
        os.fsencode(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or a folder with all that is in it."""
    inside = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else []
    if len(inside) > _FEW:
        os.sync()  # one call; thousands would wait one after the other
        return
    for one in [*inside, path]:
        _sync_one(one)


def _sync_one(path: Path) -> None:
    with suppress(PermissionError):  # it may not be read
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)

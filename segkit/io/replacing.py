"""What may be replaced: a file, or a folder that segkit itself could have written.

To replace a file loses that file, which is what was asked for. To replace a folder
loses all that anybody ever put there, so that it must hold nothing else than an image.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ZARR_METADATA = {"zarr.json", ".zgroup", ".zattrs", ".zmetadata"}
_GROUP = ("zarr.json", ".zgroup")
_ARRAY = ("zarr.json", ".zarray")
# What programs that show folders leave there: how to show them, nothing else.
_VIEWS = {".DS_Store", "Thumbs.db", "desktop.ini"}
_PLANE = re.compile(r"([A-Za-z])\d+\.png")


def require_free(path: Path, *, overwrite: bool, folder: bool | None = None) -> None:
    """Raise unless something new may be written at `path`.

    Parameters
    ----------
    path : Path
        Where.
    overwrite : bool
        Something that lies there may be replaced, if it is a file, or a folder of
        what segkit writes: an OME-Zarr, or PNG files of planes.
    folder : bool, optional
        Whether a folder is to be written; either if left out.

    Raises
    ------
    FileExistsError
        If something lies there that is not to be replaced, or must not be.
    """
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise FileExistsError(
            f"{path}: exists already; choose another name or say overwrite=True"
        )
    if not path.is_dir():
        return
    if folder is False:
        raise FileExistsError(
            f"{path}: is a folder, where a file is to be written; choose another name,"
            " or remove it yourself"
        )
    strange = foreign(path)
    if strange is not None:
        raise FileExistsError(
            f"{path}: holds {strange}, which segkit did not write; choose another name,"
            " or remove it yourself"
        )


def foreign(folder: Path) -> str | None:
    """Return the name of something in a folder that segkit cannot have written there.

    None for an OME-Zarr as `save` and `create_image` write it, for a folder of planes,
    and for one without anything. Folders inside a Zarr are taken for what their
    metadata say they are.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("z0.png", "z1.png"):
    ...     (folder / name).touch()
    >>> print(foreign(folder))
    None
    >>> (folder / "notes.txt").touch()
    >>> foreign(folder)
    'notes.txt'
    """
    entries = {
        entry.name: entry.is_dir(follow_symlinks=False)
        for entry in os.scandir(folder)
        if entry.name not in _VIEWS
    }
    if any(name in entries for name in _GROUP):
        strange = [n for n, inner in entries.items() if not _of_zarr(folder / n, inner)]
    else:
        planes = _planes([name for name, inner in entries.items() if not inner])
        strange = [name for name in entries if name not in planes]
    return min(strange, default=None)


def _of_zarr(path: Path, inner: bool) -> bool:
    """Return whether an entry of a Zarr group is metadata or a level of a pyramid."""
    if not inner:
        return path.name in _ZARR_METADATA
    return path.name.isdecimal() and any((path / name).is_file() for name in _ARRAY)


def _planes(names: list[str]) -> set[str]:
    """Return the names that as many planes as there are files would have."""
    found = _PLANE.fullmatch(min(names, default=""))
    if found is None:
        return set()
    digits = len(str(len(names) - 1))
    return {f"{found[1]}{number:0{digits}d}.png" for number in range(len(names))}

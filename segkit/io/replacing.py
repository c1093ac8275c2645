"""What may be replaced: a file, or a folder that segkit itself could have written.

To replace a file loses that file, which is what was asked for. To replace a folder
loses all that anybody ever put there, so that it must hold nothing else than an image.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from segkit.io.elsewhere.address import is_address
from segkit.io.formats import format_of_folder

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.image import Image

# What programs that show folders leave there: how to show them, nothing else.
_VIEWS = {".DS_Store", "Thumbs.db", "desktop.ini"}


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


def require_no_input(path: str | Path, image: Image) -> None:
    """Raise if what is made of an image would replace it, whatever may be overwritten.

    Parameters
    ----------
    path : str or Path
        Where something will be saved; inside a file by ``::``.
    image : Image
        What it is made of.

    Raises
    ------
    FileExistsError
        If the image, or one of its files, lies there.
    """
    target = str(path)
    if any(_lies_in(own, target) for own in (image.path, *image.files)):
        raise FileExistsError(
            f"{target}: is the image itself, which is not replaced by what is made of"
            " it; choose another name or folder (-o, out=)"
        )


def _lies_in(own: str, target: str) -> bool:
    """Say whether a file, or a part of it, is what is to be written, or in it."""
    if is_address(own) or is_address(target):
        return own == target
    (file, _, part), (other, _, whole) = own.partition("::"), target.partition("::")
    try:
        same = os.path.samefile(file, other)  # noqa: PTH121 - text in
    except (OSError, ValueError):  # an array, or nothing is there
        return False
    inside, whole = f"{part.strip('/')}/", f"{whole.strip('/')}/"
    return same and (whole == "/" or inside.startswith(whole))


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
    ours = format_of_folder(folder).ours(folder, entries)
    return min((name for name in entries if name not in ours), default=None)

"""Give a file or folder its name in one step: whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from segkit.io.errors import ImageError, full_disk_explained
from segkit.io.replacing import require_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def published(
    path: Path, *, overwrite: bool = False, durable: bool = True
) -> Iterator[Path]:
    """Yield a private path of the same suffix that becomes `path` on success.

    Raises
    ------
    FileExistsError
        If something is at `path` and `overwrite` is not set, or is a folder that
        holds what segkit did not write.
    OSError
        If the disk is full; nothing is left behind.
    """
    make_folder(path.parent)
    private = path.with_name(f".{os.urandom(6).hex()}.{path.name}")
    try:
        with full_disk_explained(path):
            yield private
            if durable:
                sync(private)
            publish(private, path, overwrite=overwrite)
    except ImageError as error:
        raise of_path(error, private, path) from error.__cause__
    finally:
        remove(private)


def of_path(error: ImageError, private: Path, path: Path | str) -> ImageError:
    """Return the error with the path that its reader knows for a private one."""
    if not error.path.startswith(str(private)):
        return error
    known = error.path.replace(str(private), str(path), 1)
    return type(error)(known, error.message)


def make_folder(folder: Path) -> None:
    """Make a folder that can be written into, with those that it lies in.

    Raises
    ------
    OSError
        If it cannot be; in words, and of the right folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise type(error)(
            error.errno, f"the folder cannot be made ({reason})", str(folder)
        ) from error
    _require_writable(folder)


def _require_writable(folder: Path) -> None:
    effective = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK, effective_ids=effective):
        raise PermissionError(
            errno.EACCES, "no permission to write into the folder", str(folder)
        )


def publish(private: Path, path: Path, *, overwrite: bool) -> None:
    """Rename a private file or folder to its name.

    Raises
    ------
    FileExistsError
        As `require_free` does, which is asked once more.
    """
    if private.is_dir():
        _publish_folder(private, path, overwrite=overwrite)
    elif overwrite:
        require_free(path, overwrite=True, folder=False)
        private.replace(path)
    else:
        _publish_new(private, path)


def _publish_new(private: Path, path: Path) -> None:
    # link, not rename: it refuses to replace, so nobody's file is lost.
    try:
        os.link(private, path)
    except FileExistsError as error:
        raise FileExistsError(
            f"{path}: exists already; choose another name or say overwrite=True"
        ) from error
    except OSError:  # a filesystem without links
        private.replace(path)
        return
    private.unlink()


def _publish_folder(private: Path, path: Path, *, overwrite: bool) -> None:
    # A rename replaces an empty folder only, so the old one is moved aside first.
    aside = path.with_name(f".{os.urandom(6).hex()}.old.{path.name}")
    if overwrite and os.path.lexists(path):
        require_free(path, overwrite=True, folder=True)
        path.rename(aside)
    try:
        private.rename(path)
    except OSError as error:
        if aside.exists():
            aside.rename(path)
        raise FileExistsError(
            f"{path}: exists already; choose another name or say overwrite=True"
        ) from error
    remove(aside)


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until the disk has a file, or all files of a folder."""
    if path.is_dir():
        os.sync()  # one call; thousands of chunks would wait one after the other
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

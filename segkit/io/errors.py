"""What can be wrong with an image on disk: one class per whose fault it is.

A missing file and a refused permission stay `FileNotFoundError` and
`PermissionError`, a full disk stays `OSError`, each with a sentence of ours.
"""

from __future__ import annotations

import errno
import shlex
import sys
from contextlib import contextmanager
from traceback import walk_tb
from typing import TYPE_CHECKING

from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = {
    errno.ENOSPC: "the disk or its inodes are full; free some and start again",
    errno.EDQUOT: "your share of the disk is used up; free some and start again",
}
_PACKAGES = {"PIL": "pillow", "skimage": "scikit-image"}
"""What is installed as another name than it is imported by."""


@known_as("segkit.io")
class ImageError(Exception):
    """Anything that segkit.io refuses; `path` names the image.

    Examples
    --------
    >>> str(ImageError("a.tif", "is empty"))
    'a.tif: is empty'
    """

    def __init__(self, path: object, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = str(path)
        self.message = message

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        return type(self), (self.path, self.message)


@known_as("segkit.io")
class ImageRequestError(ImageError, ValueError):
    """The caller asked for what the image does not have, or cannot hold."""


@known_as("segkit.io")
class SpacingWarning(UserWarning):
    """A file states what no step from voxel to voxel can be; it counts as unknown."""


@known_as("segkit.io")
class ColourError(ImageRequestError):
    """A colour or many-channel image came where one grey image is expected."""


@known_as("segkit.io")
class MisalignedWriteError(ImageRequestError):
    """A box to be written shares a chunk with a neighbouring box."""


@known_as("segkit.io")
class NotAnImageError(ImageError, ValueError):
    """The file is not of any format that can be read here."""


@known_as("segkit.io")
class DamagedImageError(ImageError, OSError):
    """The stored bytes are cut short or contradict their own header."""

    def __str__(self) -> str:  # OSError would print the two arguments as a tuple
        return f"{self.path}: {self.message}"


@known_as("segkit.io")
class UnfinishedImageError(ImageError):
    """The image was created, and its writers have not finished it."""


@known_as("segkit.io")
class UnreachableError(ImageError, ConnectionError):
    """The place where the image lies does not answer, or not now."""

    def __str__(self) -> str:  # OSError would print the two arguments as a tuple
        return f"{self.path}: {self.message}"


@known_as("segkit.io")
class MissingExtraError(ImageError, ImportError):  # type: ignore[misc]  # path is ours
    """An optional library is needed for this format and is not installed."""

    def __str__(self) -> str:  # ImportError keeps only the last message
        return f"{self.path}: {self.message}"


@contextmanager
def parsing(path: object, what: str) -> Iterator[None]:
    """Turn whatever a parser raises on foreign bytes into `DamagedImageError`.

    Parsers of damaged headers divide by zero, index past ends and assert; that is the
    file's fault, whatever its class. Our own errors and refused permissions pass, and
    a library that cannot be imported is told as that: the file may be sound.

    Examples
    --------
    >>> with parsing("a.tif", "header"):
    ...     b"II"[4]
    Traceback (most recent call last):
    segkit.io.DamagedImageError: a.tif: header is damaged (index out of range); copy
    or write it again
    """
    try:
        yield
    except (ImageError, PermissionError, FileNotFoundError, MemoryError):
        raise
    except Exception as error:
        library = _not_imported(error)
        if library is not None:
            raise _broken_library(path, library, error) from error
        raise DamagedImageError(
            path, f"{what} is damaged ({_reason(error)}); copy or write it again"
        ) from error


@contextmanager
def imports_explained(path: object) -> Iterator[None]:
    """Say of a library that cannot be imported how to install it.

    Raises
    ------
    MissingExtraError
        If an import fails because a library is missing or broken.

    Examples
    --------
    >>> with imports_explained("a.tif"):
    ...     raise ModuleNotFoundError("No module named 'PIL'", name="PIL.Image")
    Traceback (most recent call last):
    segkit.io.MissingExtraError: a.tif: needs pillow; install it with: ...
    >>> with imports_explained("a.tif"):
    ...     raise ImportError("libtiff.so.6: cannot open it", name="tifffile")
    Traceback (most recent call last):
    segkit.io.MissingExtraError: a.tif: needs tifffile, which cannot be imported
    (libtiff.so.6: cannot open it); install it anew with: ...
    """
    try:
        yield
    except ImageError:
        raise
    except Exception as error:
        library = _not_imported(error)
        if library is None:
            raise
        raise _broken_library(path, library, error) from error


def _not_imported(error: Exception) -> str | None:
    """Return the library whose import failed; None if the error is no such failure.

    The body of a module that runs while a file is parsed is that of a library which is
    imported for it, whatever it raises.
    """
    name: str | None = getattr(error, "name", None)
    if isinstance(error, ImportError) and name:
        return name.partition(".")[0]
    found = "" if isinstance(error, ImportError) else None
    frames = [frame for frame, _ in walk_tb(error.__traceback__)][2:]
    for frame in frames:  # after our own and the caller's
        if frame.f_code.co_name == "<module>":
            found = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return found


def _broken_library(path: object, library: str, error: Exception) -> MissingExtraError:
    if isinstance(error, ModuleNotFoundError) and library:
        return missing_extra(path, _PACKAGES.get(library, library))
    package = _PACKAGES.get(library, library) or "PACKAGE"
    return MissingExtraError(
        path,
        f"needs {library or 'a library'}, which cannot be imported ({_reason(error)});"
        f" install it anew with: pip --python {_python()} install --force-reinstall"
        f" {package}",
    )


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _python() -> str:
    return shlex.quote(sys.executable or "python3")


@contextmanager
def full_disk_explained(path: str | Path) -> Iterator[None]:
    """Say of a full disk which path it could not take, and what to do.

    Examples
    --------
    >>> with full_disk_explained("a.tif"):
    ...     raise OSError(errno.ENOSPC, "No space left on device", "/tmp/.b97d.a.tif")
    Traceback (most recent call last):
    OSError: [Errno 28] the disk or its inodes are full; free some and start again:
    'a.tif'
    """
    try:
        yield
    except OSError as error:
        sentence = _FULL.get(error.errno or 0)
        if sentence is None:
            raise
        raise OSError(error.errno, sentence, str(path)) from error


def missing_extra(path: object, library: str) -> MissingExtraError:
    """Return the error that says how to install `library` for this Python.

    The command works wherever there is a pip, also if this environment has none.

    Examples
    --------
    >>> print(missing_extra("a.h5", "h5py"))
    a.h5: needs h5py; install it with: pip --python ... install h5py
    """
    return MissingExtraError(
        path,
        f"needs {library}; install it with: {pip_install(library)}",
    )


def pip_install(packages: str) -> str:
    """Return the command that installs packages for this Python."""
    return f"pip --python {_python()} install {packages}"

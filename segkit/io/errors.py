"""What can be wrong with an image on disk: one class per whose fault it is.

A missing file and a refused permission stay `FileNotFoundError` and
`PermissionError`, with a sentence of ours; a full disk stays `OSError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ImageError(Exception):
    """Anything that segkit.io refuses; `path` names the image.

    Examples
    --------
    >>> str(ImageError("a.tif", "is empty"))
    'a.tif: is empty'
    """

    def __init__(self, path: str | Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = str(path)
        self.message = message

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        return type(self), (self.path, self.message)


class ImageRequestError(ImageError, ValueError):
    """The caller asked for what the image does not have, or cannot hold."""


class ColourError(ImageRequestError):
    """A colour or many-channel image came where one grey image is expected."""


class MisalignedWriteError(ImageRequestError):
    """A box to be written shares a chunk with a neighbouring box."""


class NotAnImageError(ImageError, ValueError):
    """The file is not of any format that can be read here."""


class DamagedImageError(ImageError, OSError):
    """The stored bytes are cut short or contradict their own header."""

    def __str__(self) -> str:  # OSError would print the two arguments as a tuple
        return f"{self.path}: {self.message}"


class UnfinishedImageError(ImageError):
    """The image was created, and its writers have not finished it."""


class MissingExtraError(ImageError, ImportError):  # type: ignore[misc]  # path is ours
    """An optional library is needed for this format and is not installed."""

    def __str__(self) -> str:  # ImportError keeps only the last message
        return f"{self.path}: {self.message}"


def missing_extra(path: str | Path, library: str, extra: str) -> MissingExtraError:
    """Return the error that names the extra which brings `library`.

    Examples
    --------
    >>> print(missing_extra("a.h5", "h5py", "hdf5"))
    a.h5: needs h5py; install it with: pip install 'taskgraph-segkit[hdf5]'
    """
    return MissingExtraError(
        path,
        f"needs {library}; install it with: pip install 'taskgraph-segkit[{extra}]'",
    )

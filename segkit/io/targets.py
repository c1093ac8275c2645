"""Where boxes are written, and whether the values fit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from segkit.io.errors import ImageRequestError, UnfinishedImageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.options import Downscale


class Target(Protocol):
    """Where the boxes of an image under construction are written."""

    chunks: tuple[int, ...] | None

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:
        """Write an array of the image's dtype and of the box's shape."""

    def finish(self, path: Path, levels: int, downscale: Downscale) -> None:
        """Complete the image that will be at `path`, so that it can get its name.

        Raises
        ------
        DamagedImageError
            If it can be told that boxes have not been written.
        """


class Begun:
    """An image under construction that this process writes.

    It is held open, so that no other one can have its number while we look.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """

    def __init__(self, partial: Path) -> None:
        self._partial = partial
        self._descriptor = os.open(partial, os.O_RDONLY)

    def require_same(self, path: str | Path) -> None:
        """Refuse to go on if it was removed or begun anew, as `create_image` does.

        What two creators write would be mixed.

        Raises
        ------
        UnfinishedImageError
            If it was.
        """
        try:
            same = os.path.samestat(os.fstat(self._descriptor), self._partial.stat())
        except FileNotFoundError:
            same = False
        if not same:
            raise UnfinishedImageError(
                path,
                "was removed, or begun anew by another create_image, while it was"
                " written; let one create it, and the others call open_writer",
            )

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


class Closed:
    """The target of a writer that is done."""

    chunks: tuple[int, ...] | None = None

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:  # noqa: ARG002 (the protocol's)
        """Refuse."""
        raise ValueError("the image is finished or abandoned; nothing more to write")

    def finish(self, path: Path, levels: int, downscale: Downscale) -> None:
        """Do nothing more."""


def fitted(path: str, array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the array as `dtype`; refuse values that would change.

    Raises
    ------
    ImageRequestError
        If a value does not fit, such as label 70,000 into uint16, or 0.5 into integers.

    Examples
    --------
    >>> import numpy as np
    >>> fitted("a.tif", np.array([1, 255]), np.dtype(np.uint8)).dtype
    dtype('uint8')
    >>> fitted("a.tif", np.array([1, 256]), np.dtype(np.uint8))
    Traceback (most recent call last):
    segkit.io.ImageRequestError: a.tif: values 1 to 256 of type int64 do not
    fit uint8; use a larger dtype
    """
    if np.can_cast(array.dtype, dtype, "safe") or array.size == 0:
        return array.astype(dtype, copy=False)
    if array.dtype.kind == "f" and dtype.kind == "f":
        with np.errstate(over="ignore"):
            converted = array.astype(dtype)
        exact = bool(np.isfinite(converted[np.isfinite(array)]).all())
    elif array.dtype.kind in "iub" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        exact = limits.min <= int(array.min()) and int(array.max()) <= limits.max
        converted = array.astype(dtype)
    else:
        with np.errstate(invalid="ignore"):
            converted = array.astype(dtype)
        exact = bool((converted == array).all())
    if not exact:
        raise ImageRequestError(
            path,
            f"values {array.min()} to {array.max()} of type {array.dtype} do not fit"
            f" {dtype}; use a larger dtype",
        )
    return converted

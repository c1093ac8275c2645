"""Values without their large arrays: to tell what they are, no blob need be read."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

from backends.interface.frozen import frozen
from taskgraph.results import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUFFER = bytearray(b"a buffer that was not read")
_NUMPY_MODULES = ("numpy.core.numeric", "numpy._core.numeric")
_MADE_OF_ARRAYS = frozenset(
    {"cudf", "geopandas", "pandas", "polars", "pyarrow", "scipy", "torch", "xarray"}
)
"""Packages whose objects may not notice that their arrays are none."""


class NeedsArraysError(Exception):
    """The value cannot be made without its arrays."""


@frozen
class Outline:
    """What is known of an array without reading it.

    Attributes
    ----------
    dtype : numpy.dtype or str
        Of the array; ``"bytes"`` of what is none.
    shape : tuple of int
        Of the array.
    """

    dtype: Any
    shape: tuple[int, ...]

    def view(self, dtype: Any) -> Outline:
        """Return it with another type: so times are stored, as numbers."""
        return Outline(dtype, self.shape)


def outlined_pickle(data: Any) -> Any:
    """Return the value of a pickle, an `Outline` for each array out of band.

    Raises
    ------
    NeedsArraysError
        It cannot be made so, or might come out as something else.
    """
    reader = _Outlining(io.BytesIO(data))
    try:
        found = reader.load()
    except Exception as error:  # whatever a class does with what is no array
        raise NeedsArraysError from error
    if reader.outlined != reader.handed_out:
        raise NeedsArraysError
    return found


def outlined_plain(data: Any) -> Any:
    """Return the value of a plain structure, an `Outline` for what is out of band."""
    return _PlainOutlining(()).unpackb(data)


class _PlainOutlining(plain.Unpacking):
    """Reads a plain structure, and makes outlines instead of arrays on buffers."""

    def read(self, code: int, packed: bytes) -> Any:
        """Return what an extension stands for."""
        if code == plain.LONG_BYTES:
            return Outline("bytes", ())
        if code == plain.ARRAY:
            import numpy

            name, shape, _, data = self.unpackb(packed)
            if not isinstance(data, bytes):
                return Outline(numpy.dtype(name), tuple(shape))
        return super().read(code, packed)


class _Outlining(pickle.Unpickler):
    """Reads a pickle, and makes outlines where numpy makes arrays on buffers.

    Attributes
    ----------
    handed_out, outlined : int
        How many buffers the pickle asked for, and how many became outlines.
    """

    def __init__(self, file: io.BytesIO) -> None:
        self.handed_out = self.outlined = 0
        super().__init__(file, buffers=self._buffers())

    def _buffers(self) -> Iterator[bytearray]:
        while True:
            self.handed_out += 1
            yield _BUFFER

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for: our own maker of arrays for numpy's."""
        if module.partition(".")[0] in _MADE_OF_ARRAYS:
            raise NeedsArraysError
        found = super().find_class(module, name)
        if name != "_frombuffer" or module not in _NUMPY_MODULES:
            return found

        def made(buffer: Any, dtype: Any, shape: Any, *order: Any) -> Any:
            inner = buffer.obj if isinstance(buffer, memoryview) else buffer
            if inner is not _BUFFER:
                return found(buffer, dtype, shape, *order)
            self.outlined += 1
            return Outline(dtype, tuple(shape))

        return made

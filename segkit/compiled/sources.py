"""Which files a kernel stands in: what names its machine code for every Python.

The bytes that Python compiles code to differ from one Python to the next, those of its
source do not. So object files that were made elsewhere are found by the sources, as
long as these are what was imported.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OTHERS = ("math", "numpy")

Stamp = tuple[int, int, int]
"""Of a file: when it was written (ns), its size, its number on the disk."""


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a function was imported from.

    Attributes
    ----------
    module : str
        Its name.
    path : str
        The file.
    stamp : tuple of int, optional
        The file's when it was imported; None if there is none.
    """

    module: str
    path: str
    stamp: Stamp | None

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Source:
        """Return that of a function that is being imported."""
        path = function.__code__.co_filename
        try:
            stamp = _stamp(os.stat(path))  # noqa: PTH116 - half the time, for each kernel that is imported
        except OSError:
            stamp = None
        return cls(function.__module__, path, stamp)


def digest(parts: Mapping[str, Source | str]) -> str:
    """Return a digest of files and of values by name.

    It is empty if a file has changed since it was imported, or a value is unknown.
    """
    texts = {
        (one.module, _text_digest(one)) if isinstance(one, Source) else (name, one)
        for name, one in parts.items()
    }
    if not all(text for _, text in texts):
        return ""
    return hashlib.sha256(repr(sorted(texts)).encode()).hexdigest()


def constant(value: Any) -> str:
    """Return a text of a value that kernels use; empty if it may stand for more.

    Classes and functions of NumPy are what they are called. Functions in Python, and
    modules that hold values of ours, are not.
    """
    if isinstance(value, ModuleType):
        return value.__name__ if value.__name__ in _OTHERS else ""
    if isinstance(value, (type, BuiltinFunctionType, np.ufunc)):
        return value.__name__
    if isinstance(value, (np.ndarray, np.generic)):
        return repr((value.dtype.str, value.shape, value.tobytes()))
    if isinstance(value, tuple):
        parts = [constant(part) for part in value]
        return repr(parts) if all(parts) else ""
    return repr(value) if isinstance(value, (bool, int, float, str)) else ""


@cache
def _text_digest(source: Source) -> str:
    try:
        with Path(source.path).open("rb") as file:
            if _stamp(os.fstat(file.fileno())) != source.stamp:
                return ""
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_mtime_ns, found.st_size, found.st_ino

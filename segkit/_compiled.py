"""Compile kernels, where that is possible, and remember the compiled code."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def can_compile() -> bool:
    """Return whether kernels run compiled: numba is there and not switched off."""
    if importlib.util.find_spec("numba") is None:
        return False
    from numba import config

    return not getattr(config, "DISABLE_JIT", False)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function when it is first called, without holding the interpreter.

    The compiled code is kept beside the source, else in numba's folder for the user
    (``NUMBA_CACHE_DIR`` names another); where neither can be written, each process
    compiles anew.
    """
    from numba import njit

    try:
        compiled: Callable[..., Any] = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "cannot cache function: no locator available"
        compiled = njit(nogil=True)(function)
    return compiled

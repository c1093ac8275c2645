"""What runs where kernels do not: the same in NumPy and SciPy, only slower.

Compiled code costs nothing but time when it is not there, so nothing that goes wrong
with it ends a computation. Machine code that cannot be made, kept or loaded leaves
kernels to numba (`segkit.compiled.kernels`); a numba that is missing or fails leaves
them to the plain function that their caller names by `falls_back_on`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger("segkit")
_told: set[str] = set()  # one warning a process says it all


class NotCompiledError(Exception):
    """A kernel did not run, for numba is missing or failed; nothing is written yet."""


def can_compile() -> bool:
    """Return whether kernels may run compiled: numba is there and not switched off."""
    if sys.modules.get("numba") is not None:
        # An import waits if another thread is still at it; sys.modules does not.
        try:
            numba: Any = importlib.import_module("numba")
        except Exception:  # noqa: BLE001 - whatever a broken one raises there
            return False
        return not numba.config.DISABLE_JIT
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return False
    return _is_installed("numba")


@functools.cache
def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def falls_back_on(plain: Callable[P, R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator of functions that run kernels.

    Parameters
    ----------
    plain : callable
        Does the same without kernels; it is called, with the same arguments, where
        these cannot run. What the kernels of one call have written by then must not
        change its result.

    Examples
    --------
    >>> def plain(number):
    ...     return number + 1
    >>> @falls_back_on(plain)
    ... def fast(number):
    ...     raise NotCompiledError("no numba today")
    >>> fast(1)
    2
    """

    def decorate(compiled: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(compiled)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if can_compile():
                try:
                    return compiled(*args, **kwargs)
                except NotCompiledError:
                    pass  # who raised it has warned
            return plain(*args, **kwargs)

        return run

    return decorate


def warn_once(what: str, error: BaseException, instead: str) -> None:
    """Warn, once in a process for each `what`, that it failed and what is done instead.

    Parameters
    ----------
    what : str
        What failed, as the subject of "failed".
    error : BaseException
        How it failed.
    instead : str
        What comes in its place.
    """
    if what in _told:
        return
    _told.add(what)
    _log.warning(
        "%s failed (%s: %s); %s, which gives the same results and only takes longer",
        what,
        type(error).__name__,
        str(error).partition("\n")[0],
        instead,
    )
    _log.debug("%s failed", what, exc_info=error)

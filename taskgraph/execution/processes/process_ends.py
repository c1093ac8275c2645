"""How a worker's process begins and ends: as a Python program does, or as a fork."""

from __future__ import annotations

import atexit
import ctypes
import gc
import io
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn
from weakref import ref

from taskgraph.errors import UsageError
from taskgraph.execution.output import flush_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sized

_PR_SET_PDEATHSIG = 1
_MANY = 200_000
"""Tasks that are worth not to be looked at. Of 100,000 that takes no more than it takes
at the end to look at all that a worker shares with its supervisor, and so copies."""
_FILE = io.IOBase.__base__ or io.IOBase
"""What all files are made of; the abstract class above it takes long to ask."""


def with_parent(parent: int) -> None:
    """Let the kernel end this process with its parent, whatever it is doing then.

    Where the kernel cannot (it is not Linux), a worker looks between two tasks.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it was quicker
        os._exit(1)


def begin(*, fork: bool) -> None:
    """Leave to the parent what is the parent's: standard input, what it does at exit.

    Parameters
    ----------
    fork : bool
        Whether the parent has run the user's code, so that what it has is of use here.
    """
    nowhere = os.open(os.devnull, os.O_RDONLY)
    if nowhere:
        os.dup2(nowhere, 0)
        os.close(nowhere)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as it lives
    if not os.environ.get("PYTHONBREAKPOINT"):
        sys.breakpointhook = _no_breakpoint
    if fork:
        atexit._clear()  # noqa: SLF001 - as multiprocessing does


def _no_breakpoint(*_args: object, **_kwargs: object) -> NoReturn:
    raise UsageError(
        "breakpoint() needs a terminal, which no worker has; run it with --debug, or "
        "with --pdb to look where a task fails"
    )


def spare(graph: Sized) -> None:
    """Let no collection of garbage look at a large graph again and again.

    What is frozen is looked through once more at the end of the process: else the files
    that only circles hold would not be closed. So a small graph is not frozen, and the
    engine's modules, frozen by the supervisor, cost a short worker nothing at its end.
    """
    if len(graph) > _MANY:
        gc.freeze()
        atexit.register(gc.unfreeze)


def loaded_now() -> frozenset[int]:
    """Return which modules are there, for `end`; no two names tell one from another."""
    return frozenset(map(id, sys.modules.values()))


def end(code: int, *, fork: bool, before: frozenset[int]) -> NoReturn:
    """End this process; what was written to files is in them then.

    A process that has imported and run the script itself ends as any Python program
    does, as far as the script's things go: threads are waited for, `atexit` is heeded,
    modules are emptied and what that leaves is collected, and C libraries end. The
    engine, which all workers share with their supervisor, stays as it is: to take it
    to pieces, and so copy it for each of them, took longer than to be forked.
    In a fork the objects of its parent must not be finalized once more, which may
    remove files: its own handlers of `atexit` are called, and files flushed.

    Parameters
    ----------
    before : frozenset of int
        Which modules were there when the process began, by `loaded_now`.
    """
    if fork:
        gc.unfreeze()  # else the files of the parent would not be found
    c_exit = None if fork else _exit_of_c()
    with suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - as Python
        atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does
        if not fork:
            flush_streams()
            flush_files()  # a collection may close a buffer before its text is in it
            # In Python daemons stand still from here on. Here they would be told of.
            threading.excepthook = _unsaid
            _empty_modules(before)
            flush_streams()
        flush_files()
    try:
        if c_exit is not None:
            c_exit(code)  # it holds the lock: no thread goes on meanwhile
    finally:
        os._exit(code)


def _unsaid(_: threading.ExceptHookArgs) -> None:
    """Say nothing of a thread that found modules emptied."""


def _exit_of_c() -> Callable[[int], object] | None:
    """Return what ends C libraries, too, as long as there is everything to find it."""
    with suppress(OSError, AttributeError):
        found: Callable[[int], object] = ctypes.PyDLL(None).exit
        return found
    return None


def _empty_modules(before: frozenset[int]) -> None:
    """Let go of the modules that were imported since, as Python does with all.

    One that was there stays, even if somebody has given it another name.
    """
    since = [name for name, module in sys.modules.items() if id(module) not in before]
    modules = []
    for name in reversed(since):
        with suppress(TypeError):  # somebody put something else there
            modules.append(ref(sys.modules[name]))
        sys.modules[name] = None  # type: ignore[assignment] # import refuses it now
    gc.collect()
    for module in modules:
        space = getattr(module(), "__dict__", {})  # of those that others still have
        names = [x for x in space if x != "__builtins__"]
        for name in sorted(names, key=lambda x: x[:1] != "_" or x[:2] == "__"):
            space[name] = None
    gc.collect()


def flush_files() -> None:
    """Write what files still keep to themselves: a fork would do that once more."""
    for found in gc.get_objects():
        if not issubclass(type(found), _FILE):  # a weak proxy would be asked otherwise
            continue
        with suppress(Exception):
            if not found.closed and found.writable():
                found.flush()

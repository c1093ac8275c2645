"""What a fork breaks or shares of what its process has made: refused, or told.

Only where workers are forks of a process that has run the user's code. Threads do not
exist in a fork, and what they held stays held: whoever asks a pool of them waits for
ever. The threads of BLAS libraries are started again; so are those of a few others.
"""

from __future__ import annotations

import ctypes
import io
import os
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NOT_MISSED = {
    "IPython",
    "asyncio",
    "debugpy",
    "fsspec",
    "ipykernel",
    "jupyter_client",
    "pydevd",
    "segkit",
    "taskgraph",
    "tornado",
    "tqdm",
    "uvicorn",
    "zarr",
    "zmq",
}
"""Packages whose threads no task asks for anything, or that are started in a fork."""
_OF_A_LOOP = "asyncio_"
"""How threads are called that work for an event loop; a task would run its own."""
_HARMLESS = ("ZMQbg", "jemalloc_bg")
"""How threads begin that are called so by a library, and not asked for anything."""
_STARTED_AGAIN: dict[str, Callable[[Any], int]] = {
    "cv2": lambda cv2: int(cv2.getNumThreads()),
    "execnet": lambda _: 2,  # of pytest-xdist: nobody in a fork has any use for them
    "pyarrow": lambda arrow: int(arrow.cpu_count() + arrow.io_thread_count()),
}
"""Libraries whose threads are started again in a fork, and how many they may have."""
_BLAS_THREADS = (
    "openblas_get_num_threads",
    "openblas_get_num_threads64_",
    "scipy_openblas_get_num_threads",
    "scipy_openblas_get_num_threads64_",
)


def require_safe(instead: str) -> None:
    """Refuse to fork this process if it has threads or pools that would not survive.

    Parameters
    ----------
    instead : str
        What to do about it.

    Raises
    ------
    UsageError
        It has some; which, is said.
    """
    found = [*_python_threads(), *_processes()]
    found = found or _staying(_other_threads)
    if found:
        raise UsageError(
            "workers would be forks of this process, in which its threads and pools "
            f"do not exist: {', '.join(found)}; {instead}"
        )


def reseed() -> None:
    """Let this fork draw other random numbers than its siblings."""
    if (random := sys.modules.get("random")) is not None:
        random.seed()
    numbers = sys.modules.get("numpy.random")
    if numbers is not None:
        numbers.seed()


def shared() -> str:
    """Return what forks of this process will have in common, in words."""
    files = sorted({Path(name).name for name in _open_files()})
    opened = f" ({', '.join(files)})" if files else ""
    return (
        "workers share what was made before: open files and their positions"
        f"{opened}, names of temporary files, random generators but for those of "
        "`random` and `numpy.random` themselves"
    )


def _python_threads() -> Iterator[str]:
    for thread in threading.enumerate():
        if thread is threading.current_thread() or thread is threading.main_thread():
            continue
        missed = _package(thread) not in _NOT_MISSED
        if missed and not thread.name.startswith(_OF_A_LOOP):
            yield f"thread {thread.name}"


def _package(thread: threading.Thread) -> str:
    """Return whose a thread is: the package of its class, or of what it runs."""
    module = type(thread).__module__
    if module == "threading":
        target = getattr(thread, "_target", None) or getattr(thread, "function", None)
        module = getattr(target, "__module__", None) or ""
    return module.partition(".")[0]


def _processes() -> Iterator[str]:
    """Yield the processes of pools and managers, which serve one parent only."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None:
        for process in multiprocessing.active_children():
            yield f"process {process.name}"


def _staying(look: Callable[[], Iterator[str]]) -> list[str]:
    """Return what is still found after a second: ended threads take moments to go."""
    found: list[str] = []
    for _ in range(100):
        found = list(look())
        if not found:
            break
        time.sleep(0.01)
    return found


def _other_threads() -> Iterator[str]:
    """Yield threads that are not Python's, if they are more than start again."""
    try:
        numbers = {int(path.name) for path in Path("/proc/self/task").iterdir()}
    except OSError:  # it is not Linux
        return
    numbers -= {os.getpid(), threading.get_native_id()}
    numbers -= {thread.native_id or 0 for thread in threading.enumerate()}
    names = Counter(map(_thread_name, numbers))
    named = {n: c for n, c in names.items() if n and not n.startswith(_HARMLESS)}
    expected = _blas_threads() + sum(
        count(sys.modules[name])
        for name, count in _STARTED_AGAIN.items()
        if name in sys.modules
    )
    own = _thread_name(os.getpid())
    if sum(named.values()) > expected or any(n != own for n in named):
        for name, count in named.items():
            what = "of a library (OpenMP, for example)" if name == own else name
            yield f"{count} x native thread {what}"


def _thread_name(number: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/self/task/{number}/comm").read_text().strip()
    return ""


def _blas_threads() -> int:
    """Return how many threads the BLAS libraries of this process have started."""
    with suppress(OSError):
        lines = Path("/proc/self/maps").read_text().splitlines()
        paths = {line.split(maxsplit=5)[-1] for line in lines if "openblas" in line}
        return sum(map(_threads_of, paths))
    return 0


def _threads_of(path: str) -> int:
    with suppress(OSError):
        library = ctypes.CDLL(path)
        for name in _BLAS_THREADS:
            with suppress(AttributeError):
                return max(0, int(getattr(library, name)()) - 1)
    return 0


def _open_files() -> Iterator[str]:
    """Yield the names of files that Python code has open."""
    import gc

    for found in gc.get_objects():
        if not issubclass(type(found), io.FileIO):  # of a weak proxy it is its own
            continue
        if not found.closed and found.fileno() > 2:
            name = found.name
            if isinstance(name, str) and os.path.isfile(name):  # noqa: PTH113 - of any text
                yield name

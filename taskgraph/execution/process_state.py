"""A function called as a task, and what that may leave behind in its process.

The next task must not find it: another working directory, programs that run on when its
time is over, a child that it forked and let return, a seed, how numpy takes errors.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
import time
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.identity.own_generator import supplied
from taskgraph.loaded import loaded
from taskgraph.tasks.recording import mark_running, unmark_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from taskgraph.identity.parameters import Call
    from taskgraph.tasks.task import Task, TaskGenerator


_WORDS = 624
"""Of 32 bits, in a Mersenne twister; and one that says how many of them are used."""


class ProcessState:
    """The working directory, the mode of new files and random numbers, as they are now.

    The store is written with them, and a relative path means the same to every task. A
    task that draws random numbers without a seed gets none of an earlier task's seed.
    """

    def __init__(self) -> None:
        self._folder = ""
        with suppress(OSError):  # somebody removed it
            self._folder = os.getcwd()  # noqa: PTH109 - as short as it is fast
        self._mask = os.umask(0o077)
        os.umask(self._mask)
        self._generators: dict[str, SharedGenerator] = {}
        self._meet(new=False)

    def restore(self) -> None:
        """Put them back."""
        os.umask(self._mask)
        for generator in self._generators.values():
            if generator.given() is not generator.owner:
                generator.put_back()
            if generator.word.value != generator.seen:
                generator.go_on()
        if len(self._generators) < len(_SHARED):
            self._meet(new=True)
        try:  # after each task: to ask takes half as long as to go there
            if os.getcwd() == self._folder:  # noqa: PTH109 - as short as it is fast
                return
        except OSError:  # that one was removed
            pass
        with suppress(OSError):  # as this one may be
            os.chdir(self._folder)

    def _meet(self, *, new: bool) -> None:
        """Take in generators that are there: a task that made a new one may seed it."""
        for name, kind in _SHARED.items():
            if name not in self._generators and (module := loaded(name)) is not None:
                self._generators[name] = kind(module, new=new)


class SharedGenerator:
    """A generator that all code of a process shares, and whether it was seeded.

    Its state is looked at in memory, as to ask for it takes longer than a tiny task. A
    word of it changes when it is seeded, and when all of its words have been used.

    Attributes
    ----------
    owner : object
        The generator, so that its memory is not freed.
    given : callable
        Returns the one that is in its place, by no function of Python.
    word : c_uint64 or _WholeState
        Which it is; the same forever if the state is not where it was expected.
    seen : int
        What it was when nobody had seeded the generator.
    """

    def __init__(self, owner: object, seed: Callable[..., object], address: int):
        self.owner: object = owner
        self.given: Callable[[], object] = repeat(owner).__next__
        self._seed, self._again, self._start = seed, 0, b""
        self.word: ctypes.c_uint64 | _WholeState = ctypes.c_uint64()
        if address:
            self._start = ctypes.string_at(address, 4 * (_WORDS + 1))
            self.word = ctypes.c_uint64.from_address(address + 16)
        self.seen: int | bytes = self.word.value

    def put_back(self) -> None:
        """Put it back in its place."""

    def go_on(self) -> None:
        """Draw from here on what follows from where it stood, and from no other seed.

        Not the same numbers once more, since it may have been used and not seeded.
        """
        from hashlib import sha512

        self._again += 1
        digest = sha512(self._start + self._again.to_bytes(8)).digest()
        self._seed(bytearray(digest))
        self.seen = self.word.value


class _WholeState:
    """The state of a generator of which no word says whether it was seeded.

    So one that was used counts as seeded.
    """

    def __init__(self, bits: Any) -> None:
        self._bits = bits

    @property
    def value(self) -> bytes:
        """All of it."""
        return pickle.dumps(self._bits.state)


class _OfRandom(SharedGenerator):
    """That of `random`: not its functions, which anyone may replace by others."""

    def __init__(self, module: Any, *, new: bool) -> None:
        generator = getattr(module, "_inst", None)
        if not isinstance(generator, module.Random):  # of another Python
            super().__init__(None, module.seed, 0)
            return
        if new:
            generator.seed()
        super().__init__(generator, generator.seed, _state_of_random(generator))


class _OfNumpy(SharedGenerator):
    """That of `numpy.random`, which is another one when somebody gave it one."""

    def __init__(self, module: Any, *, new: bool) -> None:
        own = module.mtrand  # whose functions nobody replaces
        if new:
            own.seed()
        bits = own.get_bit_generator()
        known = type(bits) is module.MT19937
        address = int(bits.ctypes.state_address) if known else 0
        super().__init__(bits, lambda digest: own.seed(list(digest)), address)
        if not known:
            self.word = _WholeState(bits)
            self._start = self.seen = self.word.value
        self.given, self._give = own.get_bit_generator, own.set_bit_generator

    def put_back(self) -> None:
        self._give(self.owner)


@cache
def _state_of_random(generator: Any) -> int:
    """Return where a generator of `random` has its state; 0 if that is not known."""
    header = object.__basicsize__
    if type(generator).__basicsize__ < header + 4 * (_WORDS + 1):
        return 0
    address = id(generator) + header
    *words, used = generator.getstate()[1]
    there = memoryview(ctypes.string_at(address, 4 * (_WORDS + 1))).cast("I")
    return address if list(there) == [used, *words] else 0


_SHARED: dict[str, Callable[..., SharedGenerator]] = {
    "random": _OfRandom,
    "numpy.random": _OfNumpy,
}


def since_boot() -> float:
    """Return the seconds since the machine started, as processes are stamped."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def end_programs(since: float) -> None:
    """Kill what this process has started, and what that has, from a time on.

    Parameters
    ----------
    since : float
        As `since_boot` tells it.
    """
    first = int(since * os.sysconf("SC_CLK_TCK"))
    for pid in descendants(os.getpid(), first):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int, since: int = 0) -> list[int]:
    """Return the processes that a process has started, and those that they have.

    Parameters
    ----------
    pid : int
        The process.
    since : int, optional
        Ticks since boot: only what was started then or later.

    Returns
    -------
    list of int
        None where there is no ``/proc``.
    """
    others = [row for row in _processes() if row[2] >= since]
    found = [pid]
    for one in found:
        found += [child for child, parent, _ in others if parent == one]
    return found[1:]


def _processes() -> Iterator[tuple[int, int, int]]:
    """Yield all processes: number, parent, start in ticks since boot."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            number, _, rest = path.read_text(errors="replace").partition(" ")
            about = rest.rpartition(")")[2].split()
            yield int(number), int(about[1]), int(about[19])


class TimeoutReached(BaseException):
    """The task has run for its `timeout`."""


class StopNow(BaseException):
    """The worker has to end at once and abandons its task."""


def called(task: Task, given: Call, process: int, store: str, *, alone: bool) -> Any:
    """Return what the function of a task returns.

    Parameters
    ----------
    task : Task
        Whose.
    given : tuple
        Its arguments, by position and by name.
    process : int
        This one: what the function forks and lets return does not.
    store : str
        Where its result goes.
    alone : bool
        Whether the threads of this process do nothing but what a task has them do.

    Raises
    ------
    TimeoutReached
        It took too long.
    """
    generator = task.generator
    args, kwargs = given
    if generator.own_generators:
        own = generator.own_generators
        args, kwargs = supplied(own, task.key, args, kwargs)
    token = mark_running(task, store, alone=alone)
    try:
        run = apart()
        if generator.timeout is None:
            return run(generator.function, *args, **kwargs)
        with _time_limit(generator.timeout):
            return run(generator.function, *args, **kwargs)
    finally:
        if os.getpid() != process:
            leave_child()
        unmark_running(token)


def apart() -> Callable[..., Any]:
    """Return what calls a function in a context of its own.

    What it sets in context variables nobody finds after it: how numpy takes errors and
    prints arrays, to how many digits `decimal` rounds. It finds what is set here.
    """
    run = copy_context().run
    if (decimal := loaded("decimal")) is not None:  # its context is one object
        run(decimal.setcontext, decimal.getcontext().copy())
    return run


def asks_nothing(generator: TaskGenerator) -> bool:
    """Return whether the calls of a function are made without further ado.

    They have all the time they want, no random numbers of their own and write no files.
    """
    special = generator.own_generators or generator.files or generator.declares
    return generator.timeout is None and not special


def leave_child() -> None:
    """End a process that the task forked and forgot: it must not go on as a worker."""
    error = sys.exc_info()[1]
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    if isinstance(error, SystemExit) and (
        error.code is None or type(error.code) is int
    ):
        os._exit(error.code or 0)
    os._exit(0 if error is None else 1)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    began = since_boot()

    def stop(_signal: int, _frame: object) -> None:
        end_programs(began)  # while it is known whose they are
        raise TimeoutReached

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

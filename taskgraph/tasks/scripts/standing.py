"""A jugfile that stands at a barrier while its tasks run, and goes on from there.

Otherwise it is read anew from its top, once for each barrier. What it does after the
barrier must be the same in both ways. So it goes on only if nothing was open around the
barrier (a ``with`` or ``try`` would be in force while tasks run), no task has changed
what it defined (`Contents`), no result that it may have seen was taken away, and its
file is the same; and it draws the random numbers that it would have drawn.
"""

from __future__ import annotations

import dis
import gc
import opcode
import random
import sys
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from taskgraph.tasks.recording import set_aside
from taskgraph.tasks.scripts.contents import Contents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType, ModuleType

    from taskgraph.tasks.recording import Recording

_CATCHES = opcode.opmap["PUSH_EXC_INFO"]
"""What the code begins with that a ``try`` or a ``with`` has for exceptions."""


class Stand:
    """Lets one reading of a jugfile stand at its barriers.

    It has to be made before the reading begins: tasks find things as they were then.

    Parameters
    ----------
    recording : Recording
        Of the reading.
    module, code
        The jugfile.
    pause : callable
        Takes the keys that the jugfile waits for and runs tasks; returns whether they
        have results and the jugfile may go on.

    Attributes
    ----------
    error : BaseException or None
        What `pause` raised: not the jugfile's affair.
    """

    def __init__(
        self,
        recording: Recording[Any],
        module: ModuleType,
        code: CodeType,
        pause: Callable[[tuple[bytes, ...]], bool],
    ) -> None:
        assert recording.results is not None
        self.error: BaseException | None = None
        self._recording = recording
        self._code = code
        self._contents = Contents(module, code)
        self._pause = pause
        self._context = copy_context()
        self._argv = sys.argv
        self._collections = gc.get_threshold()
        self._forgot_at = recording.results.backend.forgot_at
        self._drawn: list[Any] | None = None

    def wait(self, missing: tuple[bytes, ...]) -> bool:
        """Stand until tasks have results; return whether to go on from here."""
        if not self._fresh() or _something_open(sys._getframe(2), self._code):  # noqa: SLF001 - who waits
            return False
        before = self._contents.now()
        if before is None:
            return False
        try:
            with self._aside():
                go_on = self._context.run(self._pause, missing)
        except BaseException as error:  # noqa: BLE001 - raised when the script is left
            self.error = error
            return False
        return go_on and self._fresh() and self._contents.now() == before

    def _fresh(self) -> bool:
        """Return whether a new reading would find the results that this one found."""
        results = self._recording.results
        assert results is not None
        if results.backend.forgot_at != self._forgot_at:
            return False
        return not any(map(results.has, self._recording.asked_in_vain))

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Let tasks find things as if the jugfile had been read, and put them back."""
        argv, sys.argv = sys.argv, self._argv
        collections = gc.get_threshold()
        gc.set_threshold(*self._collections)
        drawn = _generators()
        if self._drawn is not None:
            _set_generators(self._drawn)
        try:
            with set_aside():
                yield
        finally:
            self._drawn = _generators()
            _set_generators(drawn)
            gc.set_threshold(*collections)
            sys.argv = argv


def _something_open(frame: FrameType | None, code: CodeType) -> bool:
    """Return whether leaving a script from a frame would run any of its code.

    Also if the frame is none of the script's: a thread's, for example.
    """
    while frame is not None:
        if _is_caught(frame.f_code, frame.f_lasti):
            return True
        if frame.f_code is code:
            return False
        frame = frame.f_back
    return True


def _is_caught(code: CodeType, place: int) -> bool:
    """Return whether a ``try`` or ``with`` is around an instruction.

    Examples
    --------
    >>> def plain(xs):
    ...     return [len(x) for x in xs]
    >>> def guarded(xs):
    ...     with xs:
    ...         return len(xs)
    >>> any(_is_caught(plain.__code__, place) for place in range(60))
    False
    >>> any(_is_caught(guarded.__code__, place) for place in range(60))
    True
    """
    if not code.co_exceptiontable:
        return False
    entries: list[Any] = dis.Bytecode(code).exception_entries  # type: ignore[attr-defined] # typeshed lacks it
    met: set[int] = set()
    while place not in met:
        met.add(place)
        for entry in entries:
            if entry.start <= place < entry.end:
                if code.co_code[entry.target] == _CATCHES:
                    return True
                place = entry.target  # what a comprehension cleans up: is that in one?
                break
    return False


def _generators() -> list[Any]:
    """Return the states of the random generators that all code of a process shares."""
    numbers = sys.modules.get("numpy.random")
    states = [random.getstate()]
    return states if numbers is None else [*states, numbers.get_state()]


def _set_generators(states: list[Any]) -> None:
    random.setstate(states[0])
    for state in states[1:]:
        sys.modules["numpy.random"].set_state(state)

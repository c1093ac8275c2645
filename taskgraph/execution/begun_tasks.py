"""Which tasks began here with whole arguments; so, who may have changed one since."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from taskgraph.description import describe
from taskgraph.identity.containers import parts
from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from taskgraph.tasks.task import Task

_REMEMBERED = 1000
"""How many of the tasks that began are searched for who changed an argument."""
_CONSTANT = (int, float, complex, str, bytes, bool, tuple, frozenset, type(None))
_COPIED = (list, dict, set)
"""What each task gets a copy of: only what all of them can reach could change one."""


class BegunTasks:
    """The tasks that began in this process, one after another.

    Each had the arguments that its key stands for when it began. If these are others
    now, they changed since; and if another task has all that could change of them, its
    arguments changed since too. Who did that is known if nothing else ran meanwhile:
    what runs later may have the same object by a name that nobody can see.
    """

    def __init__(self) -> None:
        self.count = 0
        self._changeable: deque[tuple[int, Task]] = deque(maxlen=_REMEMBERED)

    def add(self, task: Task) -> None:
        """Note that a task begins and has the arguments that its key stands for."""
        self.count += 1
        if task.mutable:
            self._changeable.append((self.count, task))

    def explain(self, task: Task) -> str:
        """Return what to say of a task whose argument is not what it was."""
        return (
            f"an argument of {_call_of(task)} changed after the call was written down: "
            f"{self._who_changed(task)}; pass a copy, or let the function copy what it "
            "changes"
        )

    def _who_changed(self, task: Task) -> str:
        mine = _memory(task)
        perhaps = ""
        for number, other in reversed(self._changeable):
            if other.recording is not task.recording:
                break  # the jugfile was read again since, and may have done anything
            theirs = _memory(other)
            if not (_meet(theirs, mine) and other.changed()):
                continue
            later = self.count - number
            if not _within(theirs, mine):
                perhaps = perhaps or f" (perhaps {_call_of(other)}, which has it too)"
            elif not later:
                return f"{_call_of(other)} changed it"
            else:
                return (
                    f"{_call_of(other)} changed it, or a task that ran later (of "
                    f"{later}) and has it by another name: nobody knows which"
                )
        return f"the jugfile or a task did that, nobody knows which{perhaps}"


def _call_of(task: Task) -> str:
    return describe(task.name, task.args, task.kwargs)


def _memory(task: Task) -> dict[int, list[Any]]:
    """Return what can change of the arguments of a task, by whose memory it is."""
    found: dict[int, list[Any]] = {}
    for part in parts((task.args, *task.kwargs.values())):
        if not isinstance(part, _CONSTANT) and not callable(part):
            found.setdefault(id(_owner(part)), []).append(part)
    return found


def _owner(part: Any) -> Any:
    """Return whose memory an array has: its own, or that of what it is a view of."""
    while _is_array(part) and part.base is not None:
        part = part.base
    return part.obj if isinstance(part, memoryview) else part


def _within(theirs: dict[int, list[Any]], mine: dict[int, list[Any]]) -> bool:
    """Return whether all that can change of the first is in the second for certain."""
    return all(
        type(part) in _COPIED or any(_covers(x, part) for x in mine.get(owner, ()))
        for owner, kept in theirs.items()
        for part in kept
    )


def _meet(theirs: dict[int, list[Any]], mine: dict[int, list[Any]]) -> bool:
    """Return whether something that can change is in both."""
    return any(
        _covers(one, other) or _overlap(one, other)
        for owner in theirs.keys() & mine.keys()
        for one in theirs[owner]
        for other in mine[owner]
    )


def _overlap(one: Any, other: Any) -> bool:
    if not (_is_array(one) and _is_array(other)):
        return False
    (begin, end), (lowest, highest) = _bounds(one), _bounds(other)
    return begin < highest and lowest < end


def _covers(whole: Any, part: Any) -> bool:
    if whole is part or not (_is_array(whole) and _is_array(part)):
        return whole is part
    begin, end = _bounds(part)
    lowest, highest = _bounds(whole)
    return whole.nbytes == highest - lowest and lowest <= begin and end <= highest


def _bounds(array: Any) -> tuple[int, int]:
    bounds = sys.modules["numpy"].lib.array_utils.byte_bounds(array)
    return int(bounds[0]), int(bounds[1])


def _is_array(part: Any) -> bool:
    numpy = loaded("numpy")
    return numpy is not None and isinstance(part, numpy.ndarray)

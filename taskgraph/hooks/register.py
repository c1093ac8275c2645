"""Which functions are called when; one list for each process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from taskgraph.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOADABLE = "execute.task-loadable"
BEFORE = "execute.task-pre-execute"
AFTER = "execute.task-executed1"
FINISHED = ("execute.finished_pre_status", "execute.finished_post_status")
NAMES = (LOADABLE, BEFORE, AFTER, *FINISHED)
"""All that there are; `register_hook` says what they mean."""
_hooks: dict[str, list[Callable[..., Any]]] = {}
_once: set[tuple[str, Any]] = set()


def register_hook(name: str, f: Callable[..., Any] | None = None) -> Any:
    """Let workers call a function at a certain point; a decorator if none is given.

    A jugfile that is read again after a barrier registers again: see
    `register_hook_once`. What a hook raises ends the worker after its task, and is
    printed, but for SystemExit, which ends it without a word.

    Parameters
    ----------
    name : str
        ``execute.task-loadable``: called with each task that has a result when the
        worker begins. ``execute.task-pre-execute``: with a task that is about to run.
        ``execute.task-executed1``: with a task that has run without an error.
        ``execute.finished_pre_status``, ``execute.finished_post_status``: without
        arguments, one after the other, when the worker has nothing left to do. A run
        that finds all done has no workers.
    f : callable, optional
        What is called.

    Raises
    ------
    OptionError
        There is no such point; it is a `ValueError`, too.

    Examples
    --------
    >>> @register_hook("execute.task-executed1")
    ... def done(task):
    ...     print("done:", task.name)
    >>> from taskgraph import Task
    >>> _ = jug_hook("execute.task-executed1", (Task(abs, -1),))
    done: builtins.abs
    >>> reset_all_hooks()
    """
    if name not in NAMES:
        raise OptionError(f"there is no hook {name!r}; there are {', '.join(NAMES)}")
    if f is None:
        return partial(_registered, name)
    return _registered(name, f)


def _registered(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    _hooks.setdefault(name, []).append(f)
    return f


def register_hook_once(name: str, code: Any, f: Callable[..., Any]) -> None:
    """Register a function, unless one with the same `code` is registered for `name`.

    Examples
    --------
    >>> register_hook_once("execute.finished_pre_status", "mine", print)
    >>> register_hook_once("execute.finished_pre_status", "mine", print)
    >>> len(jug_hook("execute.finished_pre_status"))
    <BLANKLINE>
    1
    >>> reset_all_hooks()
    """
    register_hook(name, f) if (name, code) not in _once else None
    _once.add((name, code))


def jug_hook(
    name: str, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
) -> list[Any]:
    """Call what is registered for a name; return what each returned."""
    return [f(*args, **(kwargs or {})) for f in _hooks.get(name, ())]


def registered(name: str) -> bool:
    """Return whether anything is registered for a name."""
    return bool(_hooks.get(name))


def reset_all_hooks() -> None:
    """Forget all that is registered in this process."""
    _once.clear()
    _hooks.clear()

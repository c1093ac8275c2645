"""Calls and their arguments as short text, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskgraph.task import Task


_MOST_BITS = 128


def describe(task: Task, limit: int = 80) -> str:
    """Return a task as a short call, for people.

    Examples
    --------
    >>> from taskgraph import Task
    >>> describe(Task(divmod, 7, "a long text" * 9), limit=30)
    "builtins.divmod(7, 'a long..."
    """
    text = f"{task.name}({summary(task.args, task.kwargs)})"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def summary(args: tuple[Any, ...], kwargs: dict[str, Any], limit: int = 80) -> str:
    """Return arguments as short text, for people."""
    if len(args) == 1 and not kwargs and type(args[0]) is int:
        return short(args[0])
    parts = [short(arg) for arg in args[:9]]
    parts += [f"{key}={short(arg)}" for key, arg in list(kwargs.items())[:9]]
    text = ", ".join(parts)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def short(value: Any) -> str:
    """Return a value as a few letters, for people; whatever it is, it never raises.

    Examples
    --------
    >>> short(10**5000), short([1, 2, 3, 4])
    ('int of 16610 bits', 'list(1, 2, 3, ...4)')
    """
    kind = type(value)
    if kind is int:
        bits = value.bit_length()
        return repr(value) if bits <= _MOST_BITS else f"int of {bits} bits"
    if kind in (float, bool, type(None)):
        return repr(value)
    if kind is str or kind is bytes:
        return repr(value[:40]) + ("..." if len(value) > 40 else "")
    brief = getattr(kind, "__taskgraph_brief__", None)
    if brief is not None:
        return str(brief(value))
    if kind in (list, tuple, set, dict):
        inner = ", ".join(short(item) for item in list(value)[:3])
        more = f", ...{len(value)}" if len(value) > 3 else ""
        return f"{kind.__name__}({inner}{more})"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{kind.__name__}{tuple(value.shape)}{value.dtype}"
    try:
        return f"{value!r:.40}"
    except Exception:  # noqa: BLE001 - somebody else's __repr__
        return f"<{kind.__name__}>"

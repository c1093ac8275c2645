"""Calls that were kept with a graph, as short text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack

from taskgraph.calls.kept import MARK, NONSENSE, Part, unpacked
from taskgraph.description import brief, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.calls.kept import Call

_DIGITS = 8
_MOST = 4


def call_text(
    call: Call | None, name_of: Callable[[bytes], str | None], limit: int = 80
) -> str:
    """Return the arguments of a call; nothing if they are not known.

    Parameters
    ----------
    call : Call or None
        What was kept of it.
    name_of : callable
        Returns the name of the function of a key.
    limit : int
        Letters.

    Examples
    --------
    >>> from taskgraph.calls.kept import Call
    >>> call_text(Call((1, "a"), {"sigma": 2.0}), lambda key: None)
    "1, 'a', sigma=2.0"
    """
    if call is None:
        return ""
    parts = [value_text(value, name_of) for value in call.args]
    parts += [f"{n}={value_text(value, name_of)}" for n, value in call.kwargs.items()]
    return printable(", ".join(parts), limit)


def value_text(
    value: Any, name_of: Callable[[bytes], str | None], limit: int = 60
) -> str:
    """Return an argument as it was kept, as short text."""
    if isinstance(value, msgpack.ExtType):
        text = _part(value, name_of)
    elif isinstance(value, dict):
        kind = value.get(MARK)
        if {"of", "index"} <= value.keys() and kind:  # a view of a result
            index = "".join(f"[{value_text(part, name_of)}]" for part in value["index"])
            return value_text(value["of"], name_of) + index
        pairs = [
            (f"{key}=" if kind else f"{key!r}: ") + value_text(item, name_of)
            for key, item in list(value.items())[: _MOST + 1]
            if key != MARK
        ]
        text = f"{kind or 'dict'}({', '.join(pairs)})"
    elif isinstance(value, tuple):
        items = [value_text(item, name_of) for item in value[:_MOST]]
        items += ["..."] if len(value) > _MOST else []
        text = f"[{', '.join(items)}]"
    else:
        text = brief(value)
    return printable(text, limit)


def _part(part: msgpack.ExtType, name_of: Callable[[bytes], str | None]) -> str:
    if part.code == Part.TASK:
        name = name_of(part.data) or "task"
        return f"{name.rpartition('.')[2]}:{part.data.hex()[:_DIGITS]}"
    if part.code == Part.FILES:
        try:
            kind, paths, _ = unpacked(part.data)
            return f"{kind}({', '.join(map(repr, paths[:_MOST]))})"
        except NONSENSE:
            return "file"
    return str(part.data, errors="replace")

"""Calls and their arguments as short text, for people.

What is too long is cut in its middle: tasks that differ only late do not look alike.
"""

from __future__ import annotations

import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_BITS = 128
_MOST_PARTS = 8
_MOST_ITEMS = 3
_LONGEST = 40
_CONTAINERS = (
    *(list, tuple, set, frozenset, dict),
    *(OrderedDict, defaultdict, Counter, deque),
)

FUNCTIONS = (
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType),
    *(types.MethodDescriptorType, types.WrapperDescriptorType),
)
"""Types whose objects say in words no more than where they lie in memory."""


def describe(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], limit: int = 80
) -> str:
    """Return a call as short text, for people.

    Examples
    --------
    >>> describe("builtins.divmod", (7, "a long text" * 9), {}, limit=40)
    "builtins.divmod(7, 'a long t...ng text')"
    """
    room = limit - len(name) - 2
    return f"{name}({summary(args, kwargs, max(room, limit // 4))})"


def summary(args: tuple[Any, ...], kwargs: dict[str, Any], limit: int = 80) -> str:
    """Return arguments as short text, for people.

    Examples
    --------
    >>> summary(("images/of/cells/0001.tif", 7), {"to": "labels"}, limit=40)
    "'images/of/.../0001.tif', 7, to='labels'"
    >>> summary(tuple(range(100)), {})
    '0, 1, 2, 3, ..., 97, 98, 99'
    """
    given = [("", arg) for arg in args] + [(f"{k}=", kwargs[k]) for k in kwargs]
    half = _MOST_PARTS // 2
    shown = given if len(given) <= _MOST_PARTS else given[:half] + given[1 - half :]
    parts = [name + brief(value) for name, value in shown]
    if shown is not given:
        parts.insert(half, "...")
    text = ", ".join(parts)
    if len(text) > limit:
        text = ", ".join(_fit(parts, limit))
    return text if text.isascii() else printable(text, limit)


def printable(text: str, limit: int) -> str:
    r"""Return a text that every file and terminal takes, at most `limit` letters of it.

    Examples
    --------
    >>> printable("file-\udcff.tif", 40), printable("0123456789abcdef", 9)
    ('file-\\udcff.tif', '012...def')
    """
    return _cut(text, limit).encode(errors="backslashreplace").decode()


def brief(value: Any, depth: int = 2) -> str:
    """Return a value as a few letters, for people; whatever it is, it never raises.

    Parameters
    ----------
    value : object
        What to show.
    depth : int
        Containers in containers of which the contents are shown.

    Examples
    --------
    >>> brief(10**5000), brief([1, 2, 3, 4]), brief({"sigma": 2.0})
    ('int of 16610 bits', 'list(1, 2, ..., 4; 4 items)', "dict('sigma': 2.0)")
    """
    kind = type(value)
    if kind is int:
        bits = value.bit_length()
        return repr(value) if bits <= _MOST_BITS else f"int of {bits} bits"
    if kind in (float, bool, type(None)):
        return repr(value)
    if kind is str or kind is bytes:
        return _quote(value)
    try:
        return _brief_of_object(value, kind, depth)
    except Exception:  # noqa: BLE001 - somebody else's __repr__
        return f"<{kind.__name__}>"


def function_text(value: Any) -> str:
    """Return what a function, method or class is called, with its module.

    Examples
    --------
    >>> function_text(str.upper), function_text(dict.fromkeys), function_text(summary)
    ('builtins.str.upper', 'builtins.dict.fromkeys', 'taskgraph.description.summary')
    """
    owner = getattr(value, "__self__", None)
    if not isinstance(owner, type):  # of a class method it is the class
        owner = getattr(value, "__objclass__", None)
    name, where = value.__qualname__, value if owner is None else owner
    return f"{getattr(where, '__module__', None) or 'builtins'}.{name}"


def too_long(value: int) -> bool:
    """Return whether an integer has more digits than Python writes.

    Examples
    --------
    >>> too_long(10**4000), too_long(10**5000)
    (False, True)
    """
    most: int = sys.get_int_max_str_digits()
    return 0 < 3 * most < value.bit_length() and abs(value) >= 10**most


def without_long_numbers(value: Any) -> Any:
    """Return a value with words in the place of integers too long to be written.

    Only of containers of Python's own; others are what they are.

    Examples
    --------
    >>> without_long_numbers([3, {"n": 10**5000}])
    [3, {'n': int of 16610 bits}]
    """
    kind = type(value)
    if kind is int:
        return _Words(brief(value)) if too_long(value) else value
    if kind in (list, tuple, set, frozenset):
        return kind(map(without_long_numbers, value))
    if kind is dict:
        return dict(map(without_long_numbers, value.items()))
    return value


class _Words(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def brief_numbers(values: Sequence[Any]) -> list[str]:
    """Return integers as `brief` does, many at once.

    Examples
    --------
    >>> brief_numbers([3, -4, 10**5000])
    ['3', '-4', 'int of 16610 bits']
    """
    if max(map(int.bit_length, values), default=0) <= _MOST_BITS:
        return list(map(repr, values))
    return list(map(brief, values))


def _brief_of_object(value: Any, kind: type, depth: int) -> str:
    own = getattr(kind, "__taskgraph_brief__", None)
    if own is not None:
        return str(own(value))
    if kind in FUNCTIONS:
        return _cut(function_text(value), _LONGEST)
    if kind in _CONTAINERS:
        inside = _items(value, depth - 1) if depth else f"{len(value)} items"
        return f"{kind.__name__}({inside})"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{kind.__name__}{tuple(value.shape)}{value.dtype}"
    if hasattr(value, "shape") and hasattr(value, "columns"):  # a frame, or a table
        return f"{kind.__name__}{tuple(value.shape)}"
    shows: Any = kind.__repr__
    if shows is object.__repr__:  # it says where it lies in memory
        return _cut(f"{kind.__name__}({_attributes(value, depth)})", _LONGEST)
    return _cut(" ".join(repr(value).split()), _LONGEST)


def _attributes(value: Any, depth: int) -> str:
    """Return what was set on an object, as far as there is room for it."""
    named = list(getattr(value, "__dict__", {}).items())
    if not depth:
        return "..." if named else ""
    shown = [f"{name}={brief(own, depth - 1)}" for name, own in named[:_MOST_ITEMS]]
    return ", ".join(shown + ["..."] * (len(named) > _MOST_ITEMS))


def _items(value: Any, depth: int) -> str:
    """Return some items of a container, with the last if there is one."""

    def show(item: Any) -> str:
        if isinstance(value, dict):
            return f"{brief(item, depth)}: {brief(value[item], depth)}"
        return brief(item, depth)

    if len(value) <= _MOST_ITEMS:
        return ", ".join(map(show, value))
    first = [show(item) for item in islice(value, _MOST_ITEMS - 1)]
    last = [] if isinstance(value, set | frozenset) else [show(next(reversed(value)))]
    return f"{', '.join([*first, '...', *last])}; {len(value)} items"


def _quote(value: str | bytes) -> str:
    """Return the repr of text or bytes without what is in the middle."""
    if len(value) <= _LONGEST:
        return repr(value)
    half = _LONGEST // 2
    if isinstance(value, bytes):
        return repr(value[:half] + b"..." + value[-half:])
    return repr(value[:half] + "..." + value[-half:])


def _fit(parts: Sequence[str], limit: int) -> list[str]:
    """Cut the longest parts so that all of them, with commas, have `limit` letters."""
    room = limit - 2 * (len(parts) - 1)
    share = room
    for count, size in zip(
        range(len(parts), 0, -1), sorted(map(len, parts)), strict=True
    ):
        share = room // count
        if size > share:
            break
        room -= size
    return [_cut(part, share) for part in parts]


def _cut(text: str, limit: int) -> str:
    """Return a text without what is in its middle, if it is longer than `limit`.

    Examples
    --------
    >>> _cut("0123456789abcdef", 9), _cut("short", 9)
    ('012...def', 'short')
    """
    if len(text) <= limit:
        return text
    end = (limit - 3) // 2
    return f"{text[: limit - 3 - end]}...{text[len(text) - end :]}"

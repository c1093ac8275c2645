"""In what two calls of one function differ, and which earlier one is the nearest."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from operator import ne
from typing import TYPE_CHECKING, Any

import msgpack

from taskgraph.calls.kept import (
    ANY_TEXT,
    MARK,
    NONSENSE,
    Part,
    arguments_of,
    call_of,
    is_unknown,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from taskgraph.calls.kept import Signature

ABSENT = msgpack.ExtType(Part.TEXT, b"(not given)")
_PLAIN = frozenset({int, float, bool, str, bytes, type(None)})
_SHOWN = 4
"""Items of a list that can be shown whole."""
_CLOSE = 32
"""Calls of which it is looked at exactly in how many places they differ."""


class What(StrEnum):
    """What differs."""

    VALUE = "value"
    TASK = "task"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place in which two calls differ.

    Attributes
    ----------
    path : str
        As it would be written in Python: ``args.cfg.tmpdir``, ``args.sizes[2]``.
    before, after : object
        What was there, and what is: as it is kept, see `value_text`.
    what : What
        Whether another task or another content of a file makes the difference.
    """

    path: str
    before: Any
    after: Any
    what: What = What.VALUE

    @property
    def argument(self) -> str:
        """The name of the argument that it is in; empty if it has none."""
        name = self.path.removeprefix("args.").partition(".")[0].partition("[")[0]
        return name if self.path.startswith("args.") else ""


def differences(
    before: dict[str, Any], after: dict[str, Any], path: str = "args"
) -> list[Difference]:
    """Return in what two calls differ, by their `arguments_of`.

    Examples
    --------
    >>> one = {"x": 1, "cfg": {MARK: "Settings", "tmpdir": "/a", "n": 1}}
    >>> other = {"x": 1, "cfg": {MARK: "Settings", "tmpdir": "/b", "n": 1}}
    >>> [(d.path, d.before, d.after) for d in differences(one, other)]
    [('args.cfg.tmpdir', '/a', '/b')]
    """
    found: list[Difference] = []
    for name in dict.fromkeys((*before, *after)):
        place = f"{path}{name}" if name.startswith("[") else f"{path}.{name}"
        one, other = before.get(name, ABSENT), after.get(name, ABSENT)
        found += _between(one, other, place)
    return found


def _between(one: Any, other: Any, path: str) -> Iterator[Difference]:
    if one == other and type(one) is type(other):
        return
    parts = isinstance(one, msgpack.ExtType) and isinstance(other, msgpack.ExtType)
    if parts and one.code == other.code == Part.TASK:
        yield Difference(path, one, other, What.TASK)
    elif parts and one.code == other.code == Part.FILES:
        same = _named_files(one) == _named_files(other)
        yield Difference(path, one, other, What.FILE if same else What.VALUE)
    elif isinstance(one, dict) and isinstance(other, dict):
        yield from _between_mappings(one, other, path)
    elif _are_lists(one, other) and len(one) == len(other):
        for place, (item, change) in enumerate(zip(one, other, strict=True)):
            yield from _between(item, change, f"{path}[{place}]")
    elif _are_lists(one, other) and max(len(one), len(other)) > _SHOWN:
        yield _of_lengths(one, other, path)
    else:
        yield Difference(path, one, other)


def _of_lengths(one: tuple[Any, ...], other: tuple[Any, ...], path: str) -> Difference:
    """Return how lists differ between what both begin with and what both end with."""
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    before, after = (each[start : len(each) - end] for each in (one, other))
    place = f"{path}[{start}:{len(one) - end if end else ''}]"
    return Difference(place if start or end else path, before, after)


def _alike(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Return with how many items both begin."""
    same = (type(a) is type(b) and a == b for a, b in zip(one, other, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _between_mappings(
    one: dict[str, Any], other: dict[str, Any], path: str
) -> Iterator[Difference]:
    kind = one.get(MARK)
    if kind != other.get(MARK):
        yield Difference(path, one, other)
        return
    for name in dict.fromkeys((*one, *other)):
        place = path if kind == "Tasklet" and name == "of" else f"{path}.{name}"
        place = place if kind else f"{path}[{name!r}]"
        yield from _between(one.get(name, ABSENT), other.get(name, ABSENT), place)


def _are_lists(*values: Any) -> bool:
    return all(type(value) is tuple for value in values)


def _named_files(part: msgpack.ExtType) -> object:
    try:
        kind, paths, _ = unpacked(part.data)
    except NONSENSE:
        return part
    return kind, paths


def same_content(one: Any, other: Any) -> bool:
    """Return whether both are files or folders, as they are kept, of one content."""
    return bool(_contents((one,))) and _contents((one,)) == _contents((other,))


def _contents(raw: Any) -> list[bytes]:
    """Return what is known of each file that a call is given, but for where it is."""
    if type(raw) is dict:
        kept = raw.values()
        parts = [p for v in kept for p in (v if type(v) is tuple else (v,))]
    else:
        parts = list(raw) if type(raw) is tuple else [raw]
    found = []
    for part in parts:
        if isinstance(part, msgpack.ExtType) and part.code == Part.FILES:
            try:
                _, paths, known = unpacked(part.data)
                content = _without(known, paths)
                found.append(bytes(msgpack.packb(content, unicode_errors=ANY_TEXT)))
            except NONSENSE:
                continue
    return found


def _without(known: Any, paths: tuple[str, ...]) -> Any:
    """Return something without the paths in it, which may be relative ones."""
    if type(known) is tuple:
        return tuple([_without(item, paths) for item in known])
    named = type(known) is str and any(path.endswith(known) for path in paths)
    return None if named else known


def skeleton(raw: Any, *, exact: bool = False) -> Any:
    """Return what of a call is the same whichever tasks and contents it is given.

    Something that can be a key of a dict, of what `Calls.raw` yields; `exact`, all of
    that is in it.

    Examples
    --------
    >>> one, other = (msgpack.ExtType(Part.TASK, bytes([n]) * 20) for n in (1, 2))
    >>> skeleton((one, 3)) == skeleton((other, 3)) != skeleton((other, 4))
    True
    """
    kind = type(raw)
    if kind in _PLAIN:
        return kind, raw
    if isinstance(raw, msgpack.ExtType):
        if exact:
            return raw
        if raw.code == Part.TASK:
            return Part.TASK
        return _named_files(raw) if raw.code == Part.FILES else raw
    if kind is tuple:
        return tuple([skeleton(item, exact=exact) for item in raw])
    if kind is dict:
        parts = [(name, skeleton(item, exact=exact)) for name, item in raw.items()]
        return frozenset(parts)
    return repr(raw)


def is_plain(raw: Any) -> bool:
    """Return whether a call, as it was packed, has neither tasks nor files in it."""
    kind = type(raw)
    if kind is tuple:
        return _PLAIN.issuperset(map(type, raw))
    return kind in _PLAIN


def nearest(
    raw: Any,
    signature: Signature,
    earlier: Iterable[tuple[bytes, Any]],
    past: Signature | None = None,
) -> tuple[bytes, list[Difference]] | None:
    """Return the earlier call that differs least, the latest of several; None of none.

    Of those that differ as little, one that got files of the same contents is nearer:
    they were renamed.

    Parameters
    ----------
    raw : object
        What it is compared with: a call as `Calls.raw` yields it.
    signature : Signature
        That of the function.
    earlier : iterable of (bytes, object)
        Keys, and calls of the same kind; later ones last.
    past : Signature, optional
        That of the earlier calls, if it was another one.

    Returns
    -------
    bytes
        Its key.
    list of Difference
        In what it differs.
    """
    past = past or signature
    mine = arguments_of(call_of(raw), signature)
    # Arguments that are all given by position can be compared as they are.
    size = len(raw) if type(raw) is tuple and signature == past else -1
    size = -1 if signature.ignored else size
    contents = _contents(raw)
    close: deque[tuple[bytes, Any]] = deque(maxlen=_CLOSE)
    alike: deque[tuple[bytes, Any]] = deque(maxlen=_CLOSE)
    least = -1
    for key, theirs in earlier:
        if type(theirs) is tuple and len(theirs) == size:
            apart = sum(map(ne, raw, theirs))
        elif is_unknown(theirs):
            continue
        else:
            apart = _apart(mine, arguments_of(call_of(theirs), past))
        if least < 0 or apart < least:
            least = apart
            close.clear()
            alike.clear()
        if apart == least:
            close.append((key, theirs))
            if contents and _contents(theirs) == contents:
                alike.append((key, theirs))
    if not close:
        return None
    exact = [
        (differences(arguments_of(call_of(theirs), past), mine), key)
        for key, theirs in alike or close
    ]
    found, key = min(reversed(exact), key=lambda one: len(one[0]))
    return key, found


def _apart(mine: dict[str, Any], theirs: dict[str, Any]) -> int:
    if mine.keys() == theirs.keys():
        return sum([value != theirs[name] for name, value in mine.items()])
    names = mine.keys() | theirs.keys()
    return sum([mine.get(name, ABSENT) != theirs.get(name, ABSENT) for name in names])

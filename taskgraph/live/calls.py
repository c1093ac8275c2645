"""Calls of a large graph as text, some at a time, and the search among them."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from taskgraph.calls.kept import Calls, call_of, is_unknown
from taskgraph.calls.text import call_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgraph.live.tasks import Tasks

_BLOCKS = 4
"""Blocks of calls that are kept unpacked."""
_LETTERS = 200


class CallTexts:
    """The arguments of tasks as short text, by place.

    Parameters
    ----------
    tasks : Tasks
        Whose.
    """

    def __init__(self, tasks: Tasks) -> None:
        snapshot = tasks.snapshot
        self._tasks, self._names = tasks, snapshot.names
        self._blocks = snapshot.calls.blocks
        self._ends = list(accumulate(count for count, _ in self._blocks))
        self._unpacked: OrderedDict[int, list[Any]] = OrderedDict()

    def __getitem__(self, place: int) -> str:
        block = bisect_right(self._ends, place)
        if block == len(self._ends):
            return ""
        start = self._ends[block] - self._blocks[block][0]
        return self._text(self._block(block)[place - start])

    def all(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the texts of all tasks: where a part of them begins, and the part."""
        for (count, data), end in zip(self._blocks, self._ends, strict=True):
            raws = Calls(((count, data),)).raw()
            yield end - count, list(map(self._text, raws))

    def _block(self, block: int) -> list[Any]:
        found = self._unpacked.get(block)
        if found is None:
            found = list(Calls((self._blocks[block],)).raw())
            self._unpacked[block] = found
            while len(self._unpacked) > _BLOCKS:
                self._unpacked.popitem(last=False)
        else:
            self._unpacked.move_to_end(block)
        return found

    def _text(self, raw: Any) -> str:
        call = None if is_unknown(raw) else call_of(raw)
        return call_text(call, self._name_of, _LETTERS)

    def _name_of(self, key: bytes) -> str | None:
        place = self._tasks.place.get(key)
        if place is None:
            return None
        return self._names[int(self._tasks.functions[place])]


class Search:
    """The tasks whose key or arguments have a text, found little by little.

    A key is found by its first digits, arguments by any part of them, in letters of any
    size.

    Parameters
    ----------
    tasks : Tasks
        Among which.
    text : str
        What is looked for.

    Attributes
    ----------
    found : list of int
        The places of those that were found so far.
    looked_at : int
        How many were looked at.
    """

    def __init__(self, tasks: Tasks, text: str) -> None:
        self.tasks, self.text = tasks, text
        self.found: list[int] = []
        self.looked_at = 0
        self._parts = CallTexts(tasks).all()

    @property
    def finished(self) -> bool:
        """Whether all were looked at."""
        return self.looked_at >= len(self.tasks)

    def go_on(self) -> None:
        """Look at the next tasks."""
        start, texts = next(self._parts, (self.looked_at, [""] * len(self._rest())))
        wanted, digits = self.text.casefold(), self.text.lower()
        keys = self.tasks.keys[start : start + len(texts)]
        self.found += [
            place
            for place, (key, text) in enumerate(zip(keys, texts, strict=True), start)
            if wanted in text.casefold() or key.hex().startswith(digits)
        ]
        self.looked_at = start + len(texts)

    def _rest(self) -> range:
        return range(self.looked_at, len(self.tasks))

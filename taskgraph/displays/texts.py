"""Everything else: text, as Python shows it, and no more of it than anybody reads."""

from __future__ import annotations

import pprint
import reprlib
from dataclasses import dataclass
from typing import Any

from taskgraph.description import brief, without_long_numbers
from taskgraph.displays.markup import Markup, element

MOST_LETTERS = 20_000
_MOST_ITEMS = 200
_LINES = 12


@dataclass(frozen=True, slots=True)
class Text:
    """Text.

    Attributes
    ----------
    text : str
        What is shown.
    summary : str
        What it is, in one line.
    """

    text: str
    summary: str
    kind: str = "text"

    def html(self) -> Markup:
        """Return it as preformatted text."""
        lines = self.text.count("\n") + len(self.text) // 80
        scrolled = 0 if lines > _LINES else None  # by the keyboard, too
        return element("pre", self.text, class_="tgd-text", tabindex=scrolled)


def text_of(value: Any) -> Text:
    """Return a value as text; whatever its methods do, this never raises.

    Examples
    --------
    >>> text_of({"b": 1, "a": [1.5]}).text
    "{'b': 1, 'a': [1.5]}"
    >>> text_of("x" * 30_000).text[-32:]
    '... 10,000 letters more, not shown'
    """
    if isinstance(value, str):
        return Text(_shortened(str(value)), f"text of {len(value):,} letters")
    return Text(_shortened(_shown(value)), brief(value))


def _shortened(text: str) -> str:
    if len(text) <= MOST_LETTERS:
        return text
    more = len(text) - MOST_LETTERS
    return f"{text[:MOST_LETTERS]}\n... {more:,} letters more, not shown"


def _shown(value: Any) -> str:
    try:
        if _is_small(value, 1000, 8) is not None:
            shown = without_long_numbers(value)
            return pprint.pformat(shown, width=88, sort_dicts=False)
        return _bounded().repr(value)
    except Exception as error:  # noqa: BLE001 - somebody else's __repr__
        return f"{brief(value)}, which cannot show itself: {type(error).__name__}"


def _is_small(value: Any, room: int, depth: int) -> int | None:
    """Return how much room is left after the items of a value; None if none is."""
    room -= 1
    if room < 0 or depth < 0:
        return None
    kind = type(value)
    if kind is str or kind is bytes:
        return room if len(value) <= MOST_LETTERS else None
    if kind in (list, tuple, set, frozenset, dict):
        if len(value) > room:
            return None
        items = [*value, *value.values()] if kind is dict else value
        for item in items:
            left = _is_small(item, room, depth - 1)
            if left is None:
                return None
            room = left
    return room


def _bounded() -> reprlib.Repr:
    shown = reprlib.Repr()
    shown.maxlevel = 4
    shown.maxlist = shown.maxtuple = shown.maxdict = _MOST_ITEMS
    shown.maxset = shown.maxfrozenset = shown.maxdeque = shown.maxarray = _MOST_ITEMS
    shown.maxstring = shown.maxother = shown.maxlong = MOST_LETTERS
    return shown

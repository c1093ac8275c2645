"""A value as what it is: `display`.

Work and size are bounded: of what is huge, parts are looked at, and each display says
so. No method of a value that raises does harm, and no text of it becomes markup.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from taskgraph.description import brief
from taskgraph.displays.markup import Markup, element
from taskgraph.displays.tabular import table_of
from taskgraph.displays.texts import Text, text_of
from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgraph.displays.curves import Curve
    from taskgraph.displays.own_html import OwnHtml
    from taskgraph.displays.pictures import ArrayPicture, ReadyPicture
    from taskgraph.displays.table_view import TableView

MOST_PARTS = 8
_DEEPEST = 3
_MOST_LINES = 8


@dataclass(frozen=True, slots=True)
class Parts:
    """Several values in one, some of which are more than text.

    Attributes
    ----------
    parts : list of (str, display)
        What each is called, and how it is shown.
    summary : str
        What holds them.
    """

    parts: list[tuple[str, Display]]
    summary: str
    kind: str = "parts"

    def html(self) -> Markup:
        """Return each below its name."""
        shown = [
            element("div", element("p", name, class_="tgd-name"), _short(part))
            for name, part in self.parts
        ]
        return element("div", *shown, class_="tgd-parts")


def _short(part: Display) -> Markup:
    """Return a part as HTML; of long text only what it is."""
    if isinstance(part, Text) and part.text.count("\n") >= _MOST_LINES:
        return Text(part.summary, part.summary).html()
    return part.html()


if TYPE_CHECKING:
    Display: TypeAlias = (
        ArrayPicture | ReadyPicture | TableView | Curve | Text | OwnHtml | Parts
    )


def display(value: Any) -> Display:
    """Return how a value is shown; this never raises.

    Parameters
    ----------
    value : object
        Anything. Methods by which it would show itself to a notebook are asked, and
        else its ``repr``: who must not run its code must not have it.

    Returns
    -------
    display
        With ``kind`` (picture, volume, table, curve, text, html or parts), ``summary``
        (one line), and ``html()``: a piece of HTML with classes of the style sheet
        `displays.css`, without scripts, style attributes, or addresses but those that
        hold their data. What else can be had is by kind: ``png(plane, most)``,
        ``page(start, count)``, ``csv()``, ``svg()``, ``text``, ``document()``.

    Examples
    --------
    >>> display(3).html()
    '<pre class="tgd-text">3</pre>'
    >>> display([{"n": 1, "dice": 0.5}, {"n": 2, "dice": 0.75}]).kind
    'table'
    """
    return _display(value, _DEEPEST)


def _display(value: Any, depth: int) -> Display:
    try:
        return _special(value, depth) or text_of(value)
    except Exception:  # noqa: BLE001 - somebody else's class
        return text_of(value)


def _special(value: Any, depth: int) -> Display | None:
    kind = type(value)
    if kind in (int, float, complex, bool, str, type(None)):
        return None
    numpy = loaded("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _of_array(value, numpy)
    if kind is bytes:
        return _of_bytes(value)
    found = table_of(value)
    if found is not None:
        return found
    if numpy is not None and kind is list and _are_numbers(value):
        return _of_array(numpy.array(value, float), numpy)
    if kind not in (list, tuple, dict, set, frozenset):
        from taskgraph.displays.own_html import own_display

        own = own_display(value)
        if own is not None:
            return own
    return _in_parts(value, depth) if depth else None


def _are_numbers(value: list[Any]) -> bool:
    return len(value) >= 8 and {int, float}.issuperset(map(type, value))


def _of_array(array: Any, numpy: Any) -> Display | None:
    from taskgraph.displays.curves import curve_of
    from taskgraph.displays.roles import picture_of

    if array.dtype.kind == "c" and array.ndim and array.size <= 1 << 24:
        with numpy.errstate(all="ignore"):
            array = numpy.abs(array)
    return picture_of(array) or curve_of(array) or table_of(array)


def _of_bytes(value: bytes) -> Display | None:
    from taskgraph.displays.pictures import ReadyPicture, media_type_of

    media_type = media_type_of(value)
    if not media_type or len(value) > 4 << 20:
        return None
    return ReadyPicture(value, media_type, f"{media_type}, {len(value):,} bytes")


def _in_parts(value: Any, depth: int) -> Parts | None:
    """Return what a value holds, one by one, if that is more than text."""
    found: list[tuple[str, Display]] = []
    for place, (name, part) in enumerate(_items(value)):
        if place == MOST_PARTS:
            return _parts(value, found, more=True)
        found.append((name, _display(part, depth - 1)))
    return _parts(value, found, more=False)


def _parts(value: Any, found: list[tuple[str, Display]], *, more: bool) -> Parts | None:
    if all(isinstance(part, Text) for _, part in found):
        return None
    kind = type(value).__name__
    note = f"{kind}, the first {len(found)} parts" if more else kind
    return Parts(found, note)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield name if type(name) is str else brief(name), part
    elif isinstance(value, list | tuple):
        names = getattr(type(value), "_fields", None)
        for place, part in enumerate(value):
            yield names[place] if names else str(place), part
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield field.name, getattr(value, field.name, None)

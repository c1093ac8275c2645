"""HTML, escaped by the way it is made: data becomes text, and nothing else."""

from __future__ import annotations

import html
import re
from importlib.resources import files

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What is no letter, turns the direction of those after it, or is in no encoding."""


class Markup(str):
    """Text that is HTML already; whatever else is text is escaped."""

    __slots__ = ()


def readable(text: str) -> str:
    r"""Return text with an escape for what no reader sees, or no file can hold.

    Examples
    --------
    >>> readable("a\x1b[31m\udcff\n")
    'a\\x1b[31m\\udcff\n'
    """
    return _UNSEEN.sub(lambda met: ascii(met[0])[1:-1], text)


def escaped(text: object) -> Markup:
    """Return text as HTML shows it; markup stays as it is.

    Examples
    --------
    >>> escaped("<b>"), escaped(Markup("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(readable(str(text))))


def joined(*parts: object) -> Markup:
    """Return parts one after the other, each of them escaped."""
    return Markup("".join(map(escaped, parts)))


def element(tag: str, /, *parts: object, **attributes: object) -> Markup:
    """Return an element around its parts.

    Parameters
    ----------
    tag : str
        Of the element, which is never taken from data.
    *parts : object
        What is in it, escaped unless it is `Markup`.
    **attributes : object
        By name: ``class_`` for ``class``, ``_`` for ``-``. None and False leave one
        out, True gives it no value.

    Examples
    --------
    >>> element("td", 1 < 2, class_="a&b", title=None)
    '<td class="a&amp;b">True</td>'
    """
    given = []
    for key, value in attributes.items():
        known = key.rstrip("_").replace("_", "-")
        if value is True:
            given.append(f" {known}")
        elif value is not None and value is not False:
            given.append(f' {known}="{escaped(str(value))}"')
    start = f"<{tag}{''.join(given)}>"
    if tag in _VOID:
        return Markup(start)
    return Markup(f"{start}{joined(*parts)}</{tag}>")


_VOID = frozenset({"br", "img", "meta", "input"})


def style() -> Markup:
    """Return the style element of whatever this package draws."""
    sheet = files("taskgraph.displays").joinpath("displays.css").read_text("utf-8")
    return Markup(f"<style>{sheet}</style>")


def standing_alone(shown: Markup) -> Markup:
    """Return markup with its style, for a cell of a notebook."""
    return element("div", style(), shown, class_="tg-display")

"""What values say of themselves, by the methods that notebooks ask.

HTML of a class that is not of the engine is shown in a frame without scripts, forms,
other addresses, or a way out of it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from taskgraph.displays.markup import Markup, element
from taskgraph.displays.pictures import ReadyPicture, media_type_of

MOST_BYTES = 4 << 20
"""Of what a value says of itself."""
POLICY = (
    "default-src 'none'; img-src data:; media-src data:; font-src data:; "
    "style-src 'unsafe-inline'"
)
"""What such HTML may load: nothing but what it holds."""


@dataclass(frozen=True, slots=True)
class OwnHtml:
    """HTML that a value made of itself.

    Attributes
    ----------
    source : str
        As it came, whatever is in it.
    summary : str
        What it is of.
    trusted : bool
        It is of a class of the engine.
    """

    source: str
    summary: str
    trusted: bool = False
    kind: str = "html"

    def document(self) -> str:
        """Return a page of its own for a frame: that must be sandboxed, too."""
        policy = element("meta", http_equiv="Content-Security-Policy", content=POLICY)
        return f"<!doctype html><meta charset=utf-8>{policy}{self.source}"

    def html(self) -> Markup:
        """Return it as it is, if it is of the engine, else in a sandboxed frame."""
        if self.trusted:
            return Markup(self.source)
        frame = element(
            "iframe",
            srcdoc=self.document(),
            sandbox="",
            referrerpolicy="no-referrer",
            loading="lazy",
            title=self.summary,
            class_="tgd-frame",
        )
        caption = element("figcaption", self.summary)
        return element("figure", frame, caption, class_="tgd-picture")


def own_display(value: Any) -> OwnHtml | ReadyPicture | None:
    """Return what a value says of itself; None if that is nothing.

    The methods of IPython are asked, for a bundle of all first, then one by one; a
    picture counts before HTML. What raises says nothing.
    """
    kind = type(value)
    if kind.__module__ == "builtins" or isinstance(value, type):
        return None
    said = _bundle(value)
    what = f"{kind.__module__}.{kind.__qualname__}"
    for name in ("image/png", "image/jpeg"):
        data = said(name)
        if isinstance(data, bytes) and media_type_of(data) and len(data) <= MOST_BYTES:
            return ReadyPicture(data, media_type_of(data), what)
    text = said("text/html")
    if isinstance(text, str) and 0 < len(text) <= MOST_BYTES:
        return OwnHtml(text, what, trusted=_is_of_engine(kind))
    text = said("image/svg+xml")
    if isinstance(text, str) and 0 < len(text) <= MOST_BYTES:
        drawn = text.encode(errors="replace")
        return ReadyPicture(drawn, "image/svg+xml", what)  # an image runs no scripts
    return None


_METHODS = {
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "text/html": "_repr_html_",
    "image/svg+xml": "_repr_svg_",
}


def _bundle(value: Any) -> Any:
    """Return a function that says what a value has of some type."""
    given = _asked(value, "_repr_mimebundle_", include=list(_METHODS), exclude=None)
    if isinstance(given, tuple):
        given = given[0] if given else {}
    bundle = given if isinstance(given, dict) else {}

    def said(media_type: str) -> Any:
        found = bundle.get(media_type)
        found = _asked(value, _METHODS[media_type]) if found is None else found
        return found[0] if isinstance(found, tuple) and found else found

    return said


def _asked(value: Any, name: str, **options: Any) -> Any:
    try:
        method = getattr(type(value), name, None)
        return None if method is None else method(value, **options)
    except Exception:  # noqa: BLE001 - somebody else's method
        return None


def _is_of_engine(kind: type) -> bool:
    """Return whether a class is one of the engine, not one that only says so."""
    if kind.__module__.partition(".")[0] != "taskgraph":
        return False
    home = sys.modules.get(kind.__module__)
    return getattr(home, kind.__name__, None) is kind

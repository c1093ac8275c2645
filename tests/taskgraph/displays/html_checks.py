"""What is wrong with a page that others wrote data for: nothing of it may run."""

from __future__ import annotations

from html.parser import HTMLParser

_ADDRESSES = frozenset(
    {"href", "src", "srcset", "action", "formaction", "data", "poster"}
)
_NEVER = frozenset({"script", "object", "embed", "base", "form", "link", "applet"})


class Offences(HTMLParser):
    """Collects elements and attributes by which a page could run or load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NEVER:
            self.found.append(tag)
        given = dict(attrs)
        if tag == "iframe" and given.get("sandbox", "none") != "":
            self.found.append("iframe without a sandbox")
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.found.append(f"{tag} {name}")
            if name.rpartition(":")[2] in _ADDRESSES and not (value or "").startswith(
                ("data:image/", "#")
            ):
                self.found.append(f"{tag} {name}={value!r:.60}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def offences(text: str) -> list[str]:
    """Return what could run or be loaded if this were opened in a browser."""
    return Offences(text).found

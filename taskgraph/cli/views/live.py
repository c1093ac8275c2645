"""A `View` that stays at the foot of a terminal, made anew again and again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taskgraph.cli.printing import harmless
from taskgraph.cli.views.rendering import Layout

if TYPE_CHECKING:
    from taskgraph.watching.view import View

_LEAST = 6
_SEQUENCE = re.compile(r"(\x1b\[[0-?]*[ -/]*[@-~])")


class Foot:
    """The last lines of a terminal.

    What is printed by `above` goes over them. Nothing runs in another thread: a worker
    may be forked at any time.

    Parameters
    ----------
    whole : bool, optional
        Whether it may have the whole terminal, that of standard output; else half of
        that of standard error, as tasks print, too.
    """

    def __init__(self, *, whole: bool = False) -> None:
        from rich.console import Console

        self._console = Console(stderr=not whole, highlight=False)
        self._layout, self._whole = Layout(), whole
        self._size = self._console.size
        self._live = self._new()

    def _new(self) -> Any:
        from rich.live import Live

        return Live(console=self._console, auto_refresh=False, vertical_overflow="crop")

    def start(self) -> None:
        """Begin to be there."""
        self._live.start()

    def show(self, view: View) -> None:
        """Show a view."""
        width, height = size = self._console.size
        if self._whole and size != self._size:  # lines may have been broken in two
            self._live.stop()
            self._console.clear()
            self._live = self._new()
            self._live.start()
        self._size = size
        lines = height - 1 if self._whole else max(_LEAST, height // 2)
        lines = max(1, min(lines, height - 1))
        self._live.update(_text(self._layout.lines(view, width, lines)), refresh=True)

    def above(self, words: str) -> None:
        """Print something over the view: in its colours, and no more than that."""
        self._console.print(_printed(words), highlight=False)

    def refresh(self) -> None:
        """Write what was printed."""
        self._live.refresh()

    def stop(self) -> None:
        """Leave the last view where it is."""
        self._live.stop()


def _text(lines: list[tuple[str, str]]) -> Any:
    from rich.text import Text

    return Text("\n", no_wrap=True, overflow="crop").join(
        Text(words, style=style, no_wrap=True, overflow="crop")
        for words, style in lines
    )


def _printed(words: str) -> Any:
    """Return a line of a task as text: what moves the cursor would tear the view."""
    from rich.text import Text

    last = words.rstrip("\r").rpartition("\r")[2]  # what a progress bar has become
    kept = [
        part if _SEQUENCE.match(part) else harmless(part)
        for part in _SEQUENCE.split(last)
    ]
    return Text.from_ansi("".join(kept))  # of sequences it takes colours alone

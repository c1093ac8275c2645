"""A `View` that stays at the foot of a terminal, made anew again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.cli.views.rendering import lines_of

if TYPE_CHECKING:
    from taskgraph.watching.view import View

_LEAST = 6


class Foot:
    """The last lines of a terminal.

    What is printed by `above` goes over them. Nothing runs in another thread: a worker
    may be forked at any time.

    Parameters
    ----------
    whole : bool, optional
        Whether it may have the whole terminal; else half of it, as tasks print, too.
    """

    def __init__(self, *, whole: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True, highlight=False)
        self._live = Live(
            console=self._console, auto_refresh=False, vertical_overflow="crop"
        )
        self._whole = whole

    def start(self) -> None:
        """Begin to be there."""
        self._live.start()

    def show(self, view: View) -> None:
        """Show a view."""
        width, height = self._console.size
        lines = height - 1 if self._whole else max(_LEAST, height // 2)
        self._live.update(_text(view, width, min(lines, height - 1)), refresh=True)

    def above(self, words: str) -> None:
        """Print something over the view."""
        self._console.print(words, markup=False, highlight=False)

    def refresh(self) -> None:
        """Write what was printed."""
        self._live.refresh()

    def stop(self) -> None:
        """Leave the last view where it is."""
        self._live.stop()


def _text(view: View, width: int, height: int) -> Any:
    from rich.text import Text

    lines = lines_of(view, width, max(1, height))
    return Text("\n", no_wrap=True, overflow="crop").join(
        Text(words, style=style, no_wrap=True, overflow="crop")
        for words, style in lines
    )

"""Who watches a run: sees what tasks print and how far it is, and is told the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend


def _nobody(sentence: str) -> None:
    """Tell it to nobody."""


@dataclass(frozen=True, slots=True)
class Observer:
    """What a supervisor calls while it is at work.

    Attributes
    ----------
    echo : int, optional
        Descriptor that gets what tasks print.
    tick : callable, optional
        Called now and then with the backend, to show progress.
    note : callable
        Tells the user something in one sentence.
    """

    echo: int | None = None
    tick: Callable[[Backend], None] | None = None
    note: Callable[[str], None] = _nobody


UNOBSERVED = Observer()
"""Nobody watches."""

"""What a page asks for, as plain values, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.names import known_as
from segkit.pipeline.file import entry_of, read_entry, require_harmless
from segkit.pipeline.steps import PipelineError, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PAGE = Path("the page")
_LEVELS = 32


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Entry:
    """A step in the list of a page, on or off."""

    step: Step
    on: bool = True


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Request:
    """What a page shows, and wants to be sent.

    Attributes
    ----------
    entries : tuple of Entry
        The steps.
    view : tuple of (float, float)
        First and last coordinate along each axis, in voxels of full resolution; the
        length is 1 along the axis that a volume is cut at.
    until : int or None
        The last step whose result is shown; None for the last of all.
    coarse : int
        The finest level that may be taken.
    want : tuple of str
        Of 'objects', 'mask' and 'grey'.
    have : str
        The key of the image that the page has already.
    whole : bool
        Whether the whole image is to be computed, whatever is seen of it.
    """

    entries: tuple[Entry, ...]
    view: tuple[tuple[float, float], ...]
    until: int | None = None
    coarse: int = 0
    want: tuple[str, ...] = ("objects",)
    have: str = ""
    whole: bool = False

    @property
    def steps(self) -> list[tuple[int, Step]]:
        """The steps that are on, each with its place in the list."""
        return [(k, one.step) for k, one in enumerate(self.entries) if one.on]


def read_request(plain: Any, shape: Sequence[int], own: Mapping[str, Step]) -> Request:
    """Return the request that a page has sent.

    Parameters
    ----------
    plain
        Of JSON: ``steps`` as in a file of steps, each with ``on``, and ``view``.
    shape
        Of the image: a view has as many axes, and lies in it.
    own
        Steps whose functions are none of segkit's and may be run, by their names.

    Raises
    ------
    PipelineError
        If it is none, or wants a function that may not be run.

    Examples
    --------
    >>> asked = {"steps": [{"run": "label", "on": False}], "view": [[0, 9], [-3, 5]]}
    >>> request = read_request(asked, (8, 8), {})
    >>> request.steps, request.view
    ([], ((0.0, 8.0), (0.0, 5.0)))
    """
    if not isinstance(plain, dict):
        raise PipelineError("the page asked for nothing that is known")
    until, coarse, want = (plain.get(name) for name in ("until", "coarse", "want"))
    return Request(
        read_entries(plain.get("steps", []), own),
        _view(plain.get("view"), shape),
        until if isinstance(until, int) else None,
        min(max(coarse, 0), _LEVELS) if isinstance(coarse, int) else 0,
        tuple(map(str, want)) if isinstance(want, list) else ("objects",),
        str(plain.get("have", "")),
        plain.get("whole") is True,
    )


def read_entries(plain: Any, own: Mapping[str, Step]) -> tuple[Entry, ...]:
    """Return the steps of a page's list; see `read_request`."""
    if not isinstance(plain, list):
        raise PipelineError("steps is no list")
    found = []
    for number, entry in enumerate(plain, start=1):
        bare = dict(entry) if isinstance(entry, dict) else {}
        on = bool(bare.pop("on", True))
        step = read_entry(_PAGE, number, bare)
        if step.function in own:
            step = replace(step, bound=own[step.function].bound)
        else:
            require_harmless(_PAGE, number, step)
        found.append(Entry(step, on))
    return tuple(found)


def as_plain(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return steps as a page holds them: the reverse of `read_entries`.

    Examples
    --------
    >>> from segkit.pipeline import gaussian
    >>> as_plain([Entry(gaussian(sigma=2))])
    [{'run': 'gaussian', 'with': {'sigma': 2}, 'on': True}]
    """
    return [
        {**entry_of(number, replace(one.step, bound=None)), "on": one.on}
        for number, one in enumerate(entries, start=1)
    ]


def _view(plain: Any, shape: Sequence[int]) -> tuple[tuple[float, float], ...]:
    if plain is None:
        plain = [(0, n) for n in shape]
    try:
        pairs = [(float(a), float(b)) for a, b in plain]
    except (TypeError, ValueError) as error:
        raise PipelineError("a view is a pair of numbers for each axis") from error
    if len(pairs) != len(shape):
        raise PipelineError(f"a view of {len(pairs)} axes, but there are {len(shape)}")
    found = []
    for (a, b), length in zip(pairs, shape, strict=True):
        first = min(max(a, 0.0), length - 1.0) if a == a else 0.0
        last = min(max(b, first + 1.0), float(length)) if b == b else float(length)
        found.append((first, last))
    return tuple(found)

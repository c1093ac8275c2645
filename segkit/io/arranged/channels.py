"""Which channel a name or a number means."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from segkit.io.errors import ImageRequestError
from segkit.other_names import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

Channel: TypeAlias = str | int
"""A channel by its name, or by its number from 0."""


CHANNELS = "channels"
"""Under which we write their names, where a format has no word for them."""


def stated_names(names: Sequence[str | None], count: int) -> tuple[str, ...]:
    """Return the names of channels as a file states them; none if they are not all's.

    Parameters
    ----------
    names
        In the order of the channels; empty or None where the file gives none.
    count
        How many channels there are.

    Examples
    --------
    >>> stated_names(["DAPI", None], 2), stated_names([None, ""], 2)
    (('DAPI', ''), ())
    >>> stated_names(["RGB"], 3)
    ()
    """
    found = tuple(str(name or "").strip() for name in names)
    return found if len(found) == count and any(found) else ()


def number_of(path: str, names: Sequence[str], count: int, channel: Channel) -> int:
    """Return the number of the channel that is meant.

    Parameters
    ----------
    path
        Of the image, for messages.
    names
        Of its channels; empty if nobody names them.
    count
        How many it has.
    channel
        A name, or a number from 0; from the last, if negative.

    Raises
    ------
    ImageRequestError
        If there is no such channel, several are called so, or a number is the name of
        another channel than the one at its place.

    Examples
    --------
    >>> number_of("a.tif", ["DAPI", "GFP"], 2, "GFP")
    1
    >>> number_of("a.tif", ["DAPI", "GFP"], 2, "RFP")
    Traceback (most recent call last):
    segkit.io.ImageRequestError: a.tif: has no channel 'RFP' (did you mean
    GFP?); it has 0 'DAPI', 1 'GFP'
    >>> number_of("a.tif", ["1", "2"], 2, 1)
    Traceback (most recent call last):
    segkit.io.ImageRequestError: a.tif: channel 1 may be the one called '1' or the
    second; write the name, "1" or "2"
    """
    if isinstance(channel, str):
        return _named(path, names, count, channel)
    if not -count <= channel < count:
        told = listed(names, count)
        raise ImageRequestError(path, f"has no channel {channel}; it has {told}")
    number = channel % count
    called = [k for k, name in enumerate(names) if _is_number(name, channel)]
    if called and called != [number]:
        there = names[number] or str(number)
        raise ImageRequestError(
            path,
            f"channel {channel} may be the one called {names[called[0]]!r} or the"
            f" {_place(number)}; write the name,"
            f' "{names[called[0]]}" or "{there}"',
        )
    return number


def _named(path: str, names: Sequence[str], count: int, channel: str) -> int:
    found = [k for k, name in enumerate(names) if name == channel]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = " and ".join(map(str, found))
        raise ImageRequestError(
            path,
            f"has channels {numbers} that are both called {channel!r}; say which"
            " by its number",
        )
    if not any(names):
        raise ImageRequestError(
            path,
            f"names no channels, so none is {channel!r}; say it by its number,"
            f" {listed(names, count)}, or name them all: channels=[...] of open_image"
            " or load(...), or `segkit run --channels`",
        )
    meant = nearest(channel, [name for name in names if name])
    otherwise = (
        ""
        if meant
        else "; to rename them, name all in that order: channels=[...] of"
        " open_image or load(...), or `segkit run --channels`"
    )
    raise ImageRequestError(
        path,
        f"has no channel {channel!r}{meant}; it has {listed(names, count)}{otherwise}",
    )


def listed(names: Sequence[str], count: int) -> str:
    """Return numbers and names of channels, for messages.

    Examples
    --------
    >>> listed(["DAPI", ""], 2), listed([], 3)
    ("0 'DAPI', 1", '0, 1, 2')
    """
    told = [*names, *[""] * (count - len(names))][:12]
    parts = [f"{k} {name!r}" if name else str(k) for k, name in enumerate(told)]
    return ", ".join(parts) + (" ..." if count > len(told) else "")


def _is_number(name: str, number: int) -> bool:
    return name.isdecimal() and int(name) == number


def _place(number: int) -> str:
    words = ("first", "second", "third", "fourth", "fifth")
    return words[number] if number < len(words) else f"one at place {number + 1}"

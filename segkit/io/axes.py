"""Letters for the axes that a file names: what it says is kept, never guessed anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.io.calibration import SPATIAL
from segkit.io.errors import ImageRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

AXES_BY_DIMENSION = ("", "x", "yx", "zyx", "czyx", "tczyx")
BY_NUMBER = "axes_by_number"
"""What `segkit.save` notes in a file if nobody said what the axes are."""
KNOWN = "tczyxs"
_SPELT = {
    "time": "t",
    "frame": "t",
    "frames": "t",
    "channel": "c",
    "channels": "c",
    "wavelength": "c",
    "depth": "z",
    "height": "y",
    "width": "x",
    "sample": "s",
    "samples": "s",
    "rgb": "s",
}
_BY_KIND = {"time": "t", "channel": "c"}
_ANY = "qabdefghijklmnopruvw"


def by_number(count: int) -> str:
    """Return letters for axes of which nothing is known but their number.

    Examples
    --------
    >>> by_number(3), by_number(6)
    ('zyx', 'atczyx')
    """
    if count < len(AXES_BY_DIMENSION):
        return AXES_BY_DIMENSION[count]
    return "abdefg"[: count - 5] + AXES_BY_DIMENSION[-1]


def is_nameless(image: Any) -> bool:
    """Say whether nobody said which axes of an image these are, three or more.

    What is saved of it does not say so either.
    """
    letters = image.axes.removesuffix("s")
    known = image.stated or len(letters) <= len("yx")
    return not known and bool(letters == by_number(len(letters)))


def letters_of(names: Sequence[str | None], kinds: Sequence[str | None] = ()) -> str:
    """Return one letter per axis, all different, from names and kinds in a file.

    A name that means none of time, channel, z, y, x and samples gets a letter that
    means none either, its own if that is free, so that it is never taken for space.

    Parameters
    ----------
    names : sequence of str or None
        As in the file.
    kinds : sequence of str or None, optional
        What OME-Zarr calls ``type``: ``'time'``, ``'channel'``, ``'space'``.

    Examples
    --------
    >>> letters_of(["time", "channel", "Y", "X"]), letters_of(["R", "c", "y", "x"])
    ('tcyx', 'rcyx')
    >>> letters_of(["T", "when", "row", "column"], ["time", "time", "space", "space"])
    'twyx'
    >>> letters_of(["zeta", None, "x"]), letters_of(["y", "y", "x"], ["space"] * 3)
    ('qax', 'yqx')
    """
    kinds = [*kinds, *[None] * (len(names) - len(kinds))]
    found = [_spelt(name) for name in names]
    found = _once(found)
    by_kind = [
        letter or _BY_KIND.get(str(kind).lower())
        for letter, kind in zip(found, kinds, strict=True)
    ]
    # A known name that comes twice contradicts itself; its second is no nameless axis.
    nameless = [None if _spelt(n) else k for n, k in zip(names, kinds, strict=True)]
    found = _space_by_order(_once(by_kind), nameless)
    for place, name in enumerate(names):
        if found[place] is None:
            own = str(name or "q")[:1].lower()
            free = [a for a in own + _ANY if a in _ANY and a not in found]
            found[place] = free[0] if free else "?"
    return "".join(map(str, found))


def _spelt(name: str | None) -> str | None:
    lower = str(name or "").lower()
    return lower if lower in KNOWN and len(lower) == 1 else _SPELT.get(lower)


def _once(letters: Sequence[str | None]) -> list[str | None]:
    """Return the letters without those that an axis before has."""
    return [None if a in letters[:k] else a for k, a in enumerate(letters)]


def _space_by_order(
    letters: list[str | None], kinds: Sequence[str | None]
) -> list[str | None]:
    """Return the letters with those of nameless axes of space, which are in order."""
    open_places = [
        place
        for place, (letter, kind) in enumerate(zip(letters, kinds, strict=True))
        if letter is None and str(kind).lower() == "space"
    ]
    free = [name for name in SPATIAL if name not in letters]
    if len(open_places) <= len(free):
        for place, name in zip(reversed(open_places), reversed(free), strict=False):
            letters[place] = name
    return letters


def require_axes(path: str, axes: str, shape: tuple[int, ...]) -> None:
    """Raise `ImageRequestError` unless each axis has a letter of its own."""
    if len(axes) != len(shape) or len(set(axes)) != len(axes):
        raise ImageRequestError(
            path,
            f"axes {axes!r} do not name the {len(shape)} axes of shape {shape}; give"
            " axes=, one letter for each",
        )


def require_said(
    ndim: int,
    axes: str | None,
    spacing: Any,
    *,
    apart: bool = True,
    where: str = "here or of open_image or load(...)",
) -> None:
    """Raise `ValueError` if it is not known what the axes of an array are.

    Parameters
    ----------
    ndim : int
        How many there are.
    axes, spacing
        What was said of them, if anything.
    apart : bool
        Whether who asks takes an image apart along axes that are not of space.
    where : str
        Where it can be said.

    Examples
    --------
    >>> require_said(2, None, None)
    >>> require_said(3, None, (2, 1, 1))
    >>> require_said(3, None, None)
    Traceback (most recent call last):
    ValueError: image has 3 axes: a volume, a movie or channels? ...
    """
    if axes is not None or ndim <= 2 or (spacing is not None and ndim <= len(SPATIAL)):
        return
    names = {3: ("zyx", "tyx", "cyx")}.get(ndim, ("tzyx", "tzyx", "czyx"))
    way = (
        f"axes={names[1]!r} or {names[2]!r}, said to the method itself, takes it apart"
        " along time or channels"
    )
    if not apart:
        way = f"of a movie say axes={names[1]!r} and choose a frame, select={{'t': 0}}"
    raise ValueError(
        f"image has {ndim} axes: a volume, a movie or channels? Say spacing=(2, 1,"
        f" 1), the distance of voxels along each axis, or axes={names[0]!r}, for"
        f" objects in space, {where}; {way}"
    )


def require_named(image: Any, spacing: Any = None) -> None:
    """Raise `ValueError` for a file of three axes or more of which nobody said any.

    Parameters
    ----------
    image : array or Image
        Of an array the caller knows the axes; an opened file is to say them.
    spacing : optional
        Given for axes of space.
    """
    if getattr(image, "asked", None) is not None and not image.stated:
        require_said(image.ndim, None, spacing, apart=False)


def how_to_choose(image: Any, name: str) -> str:
    """Return in words how one of the images along an axis is chosen."""
    axes = f"(axes {image.axes!r}, shape {image.shape})"
    if name == "s":
        return (
            f"is a colour picture {axes} where one grey image is expected; choose"
            " one by channel=0, or mix them by to_grey=True, of open_image or"
            f" load(...), in {as_first_step('to_grey = true')}"
        )
    kind = {"c": "channels", "t": "time points"}.get(name, f"planes along {name!r}")
    option = {"c": "channel=0"}.get(name, f"select={{{name!r}: 0}}")
    named = [one for one in getattr(image, "channels", ()) if one]
    told = f": {', '.join(map(repr, named))}" if name == "c" and named else ""
    apart = {
        "c": "; steps may each say which they read, by channel, and per='c' takes each"
        " by itself",
        "t": "; load(per='t'), in a file of steps per = \"t\" above them, takes each by"
        " itself",
    }.get(name, "")
    return (
        f"has several {kind} {axes}{told} where one grey image is expected; choose one"
        f" by {option} of open_image or load(...), in"
        f" {as_first_step(_as_toml(option))}{apart}"
    )


def as_first_step(option: str) -> str:
    """Return in words how a file of steps gives all images an option.

    Examples
    --------
    >>> as_first_step("to_grey = true")
    'a file of steps by a first [[step]] of run = "load" and with = { to_grey = true }'
    """
    step = f'run = "load" and with = {{ {option} }}'
    return f"a file of steps by a first [[step]] of {step}"


def _as_toml(option: str) -> str:
    """Return an option as a file of steps has it.

    Examples
    --------
    >>> _as_toml("select={'t': 0}"), _as_toml("channel=0")
    ('select = { t = 0 }', 'channel = 0')
    """
    name, _, value = option.partition("=")
    inner = value.strip("{}").replace("'", "").replace(": ", " = ")
    return f"{name} = {{ {inner} }}" if value.startswith("{") else f"{name} = {value}"


def guessed(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """Return letters for the axes of an array of which nothing more is known."""
    # (height, width, 3 or 4) small integers: a colour picture, not a volume that
    # is three voxels wide; axes= says otherwise.
    if (
        len(shape) == 3
        and shape[-1] in (3, 4)
        and min(shape[:-1]) >= 16
        and dtype.kind == "u"
        and dtype.itemsize <= 2
    ):
        return "yxs"
    return by_number(len(shape))

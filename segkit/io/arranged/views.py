"""An image seen otherwise: at one index of an axis, in another order, with names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit import checks
from segkit.io.arranged.channels import Channel, number_of
from segkit.io.arranged.ordered import Ordered
from segkit.io.arranged.side_by_side import SideBySide
from segkit.io.errors import ColourError, ImageRequestError
from segkit.io.sources import Selected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.io.sources import Source


def at(image: Any, name: str, position: Channel) -> Any:
    """Return an image at one index of an axis; see `Image.select`."""
    axis = image.axes.find(name)
    if axis < 0 or len(name) != 1:
        raise ImageRequestError(
            image.path, f"has no axis {name!r}; its axes are {image.axes!r}"
        )
    length = image.shape[axis]
    if name == "c" and isinstance(position, str):
        position = number_of(image.path, image.channels, length, position)
    index = checks.as_integer(position, name=f"index of {name!r}", least=-(1 << 62))
    if not -length <= index < length:
        raise ImageRequestError(
            image.path, f"index {index} is outside axis {name!r} of length {length}"
        )
    if isinstance(image.source, SideBySide):
        found = image.source.at(axis, index % length)
        if found is not None:
            return without(image, axis, found[0], path=found[1])
    return without(image, axis, Selected(image.source, axis, index % length))


def at_channel(image: Any, channel: Channel, axes: str = "sc") -> Any:
    """Return one channel of an image, or one sample of a colour picture.

    Of an image that has both, along the first of `axes`. Of an image without an axis of
    channels its only one, if it has that name.

    Raises
    ------
    ColourError
        If it has neither.
    ImageRequestError
        If it has others.

    Examples
    --------
    >>> from segkit.io import as_image
    >>> import numpy as np
    >>> stained = with_names(as_image(np.zeros((2, 8, 8)), axes="cyx"), ["DAPI", "GFP"])
    >>> at_channel(stained, "GFP").axes
    'yx'
    """
    if isinstance(channel, str):
        if "c" not in image.axes and any(image.channels):
            number_of(image.path, image.channels, 1, channel)
            return image
        axes = "c" if "c" in image.axes or any(image.channels) else axes
    name = next((name for name in axes if name in image.axes), None)
    if name is None:
        raise ColourError(
            image.path,
            f"has no channels (axes {image.axes!r}); leave out channel=, or, where each"
            " channel is a file of its own, put them together: `segkit run FOLDER"
            " --pattern NAMES` with {channel} in NAMES",
        )
    if name == "s" and isinstance(channel, str):
        raise ColourError(
            image.path,
            f"has no channel {channel!r}, as its axis 's' holds the samples of a"
            " colour; choose one by a number",
        )
    if name == "c":
        length = image.shape[image.axes.index("c")]
        channel = number_of(image.path, image.channels, length, channel)
    return at(image, name, channel)


def without(image: Any, axis: int, source: Source, **changes: Any) -> Any:
    """Return an image of a source that lacks one of its axes."""
    names = () if image.axes[axis] == "c" else image.channels
    return replace(
        image,
        **changes,
        source=source,
        channels=names,
        axes=image.axes[:axis] + image.axes[axis + 1 :],
        spacing=image.spacing[:axis] + image.spacing[axis + 1 :],
        units=image.units[:axis] + image.units[axis + 1 :],
    )


def in_order(image: Any, letters: str) -> Any:
    """Return an image with its axes in the order that they have in some letters.

    Those that are not among them come first, as they are.

    Examples
    --------
    >>> from segkit.io import as_image
    >>> import numpy as np
    >>> in_order(as_image(np.zeros((7, 3, 5)), axes="xcy"), "yx").axes
    'cyx'
    """
    places = [letters.find(name) for name in image.axes]
    order = tuple(sorted(range(image.ndim), key=lambda axis: places[axis]))
    if order == tuple(range(image.ndim)):
        return image
    return replace(
        image,
        source=Ordered(image.source, order),
        axes="".join(image.axes[k] for k in order),
        spacing=tuple(image.spacing[k] for k in order),
        units=tuple(image.units[k] for k in order),
    )


def with_names(image: Any, names: Sequence[str]) -> Any:
    """Return an image with names for its channels.

    Raises
    ------
    ImageRequestError
        If it has another number of channels, or two would be called the same.
    """
    count = image.shape[image.axes.index("c")] if "c" in image.axes else 1
    told = tuple(str(name).strip() for name in names)
    if isinstance(names, str) or len(told) != count:
        raise ImageRequestError(
            image.path,
            f"has {count} channel{'s' * (count > 1)} (axes {image.axes!r}, shape"
            f" {image.shape}); channels={names!r} is not a name for each",
        )
    if len({*told}) < count:
        raise ImageRequestError(
            image.path, f"channels={[*told]} calls two channels the same"
        )
    return replace(image, channels=told)

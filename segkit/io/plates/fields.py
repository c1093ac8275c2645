"""Fields of view of a plate: where each is, and how its image is opened."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segkit.io.arranged.side_by_side import SideBySide
from segkit.io.arranged.views import at_channel, with_names
from segkit.io.errors import ImageRequestError
from segkit.io.opening import open_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segkit.io.image import Image

_OF_ALL = ("channel", "channels", "select")
"""Options of `segkit.open_image` for an image of several files, not for each."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of view.

    Attributes
    ----------
    place : tuple of (str, int or float)
        What columns of the plate's tables say of it, such as well, row, column, field.
    name : str
        For names of files.
    files : tuple of str
        Its image, or the images that make it.
    axes : str
        Along which several images lie side by side; empty of one.
    lengths : tuple of int
        How many there are along each of these axes.
    channels : tuple of str
        What the names of files call the channels.
    missing : str
        What it lacks, if it cannot be opened.
    """

    place: tuple[str | int | float, ...]
    name: str
    files: tuple[str, ...]
    axes: str = ""
    lengths: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()
    missing: str = ""

    @property
    def path(self) -> str:
        """Of its first file."""
        return self.files[0]

    def open(self, options: Mapping[str, Any]) -> Image:
        """Return its image, opened lazily.

        Parameters
        ----------
        options
            Of `segkit.open_image`.

        Raises
        ------
        ImageError, OSError
            If it, or one of its files, is not there, is damaged or does not fit.
        """
        if self.missing:
            raise ImageRequestError(self.path, self.missing)
        if not self.axes:
            return open_image(self.path, **options)
        own = {name: v for name, v in options.items() if name not in _OF_ALL}
        images = [self._one(open_image(file, **own)) for file in self.files]
        whole = _side_by_side(images, self.axes, self.lengths)
        names = options.get("channels") or self.channels
        if names and "c" in whole.axes:
            whole = with_names(whole, names)
        whole = whole.select(**(options.get("select") or {}))
        channel = options.get("channel")
        if channel is None:
            return whole
        chosen: Image = at_channel(whole, channel)
        return chosen

    def _one(self, image: Image) -> Image:
        """Return the image of a file without the axes of length 1 that all have."""
        if "c" in self.axes and "s" in image.axes:
            raise ImageRequestError(
                image.path,
                "is a colour picture, where names of files tell channels, too; save it"
                " in grey, or mix its colours by to_grey=True of load(...)",
            )
        for name in set(self.axes) & set(image.axes):
            length = image.shape[image.axes.index(name)]
            if length > 1:
                raise ImageRequestError(
                    image.path,
                    f"has {length} images along {name!r} (axes {image.axes!r}), along"
                    " which names of files tell several, too; leave that group out of"
                    " the pattern, or select one of each file",
                )
            image = image.select(**{name: 0})
        return image


def _side_by_side(images: list[Image], axes: str, lengths: tuple[int, ...]) -> Image:
    """Return images of one shape, type and spacing as one."""
    first = images[0]
    whats = ["shape", "dtype", "axes", "spacing", "units"]
    whats += [] if "c" in axes else ["channels"]
    for one in images[1:]:
        for what in whats:
            own, others = getattr(one, what), getattr(first, what)
            if own != others:
                raise ImageRequestError(
                    one.path,
                    f"has {what} {own}, but {first.path}, of the same field, has"
                    f" {others}",
                )
    source = SideBySide(
        tuple(one.source for one in images),
        lengths,
        tuple((one.path, *one.files) for one in images),
    )
    return replace(
        first,
        source=source,
        axes=axes + first.axes,
        spacing=(1.0,) * len(axes) + first.spacing,
        units=("pixel",) * len(axes) + first.units,
        stated=first.stated or first.ndim <= len("yx"),
        levels=1,
        channels=() if "c" in axes else first.channels,
    )


def combinations(lengths: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return all places along axes, the last changing fastest."""
    return [*itertools.product(*map(range, lengths))]

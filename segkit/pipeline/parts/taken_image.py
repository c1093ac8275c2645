"""What of an image the steps of a pipeline take, and in which parts.

An image with time or channels is never taken for a volume. A step that says its axes,
such as ``segment_nuclei(axes="tyx")``, takes each frame by itself; then all are taken.
``load(per="t")`` takes every step's image apart along t, and ``channel`` says which
channel a step reads. The axes of space are then in the order z, y, x, however they lie.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from segkit.io.arranged.views import at_channel, in_order
from segkit.io.axes import as_first_step
from segkit.io.calibration import SPATIAL
from segkit.io.errors import ImageRequestError
from segkit.pipeline.special_checks import PER
from segkit.pipeline.stage_work import load_step
from segkit.pipeline.step_checks import axes_said, channel_of_others
from segkit.pipeline.steps import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from segkit.io import Image
    from segkit.pipeline.steps import Step

Channel: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of an image that the steps take by itself.

    Attributes
    ----------
    at : tuple of int
        Its place along each axis that is taken apart.
    image : Image
        Of the steps that say no channel.
    channels : dict of str or int to Image
        Of those that say one.
    """

    at: tuple[int, ...]
    image: Image
    channels: dict[Channel, Image]


@dataclass(frozen=True, slots=True)
class Taken:
    """An image as the steps of a pipeline take it.

    Attributes
    ----------
    per : str
        The axes that are taken apart, a letter each, in the order of tables and files;
        empty of a pipeline that takes the image as one.
    whole : Image
        All frames; those axes come first, but for axes that it lacks.
    frames : tuple of Frame
        In order.
    channels : tuple of str
        The names of all channels of the image, of which some may be taken; empty if
        steps say none.
    """

    per: str
    whole: Image
    frames: tuple[Frame, ...]
    channels: tuple[str, ...] = ()


def taken_by(steps: Sequence[Step], image: Image) -> Image:
    """Return an image as the steps of a pipeline take it; of several frames the first.

    Parameters
    ----------
    steps
        Of a pipeline.
    image
        Opened, of any axes; those of length 1 are dropped that no step says.

    Raises
    ------
    ColourError
        If an axis is left that is not of space, and no step takes it apart.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.io import as_image
    >>> from segkit.pipeline import label, segment_nuclei
    >>> movie = as_image(np.zeros((5, 1, 8, 9)), axes="tcyx")
    >>> taken_by([segment_nuclei(axes="tyx"), label()], movie).axes
    'tyx'
    >>> taken_by([label()], movie)
    Traceback (most recent call last):
    segkit.io.ColourError: <array>: has several time points ...
    """
    return taken(steps, image).frames[0].image


def taken(steps: Sequence[Step], image: Image) -> Taken:
    """Return the frames of an image that the steps of a pipeline take.

    Parameters
    ----------
    steps
        Of a pipeline.
    image
        Opened, of any axes.

    Raises
    ------
    ColourError
        If a frame has an axis that is not of space, and no step takes it apart.
    ImageRequestError
        If there is no such channel, or nobody says which axes there are.
    PipelineError
        If channels are chosen and taken apart.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.io import as_image
    >>> from segkit.pipeline import label, load, regionprops
    >>> movie = as_image(np.zeros((8, 2, 9, 5)), axes="ycxt")
    >>> bright = regionprops(properties=["intensity_mean"], channel=[0, 1])
    >>> steps = [load(per="t"), label().having(channel=1), bright]
    >>> found = taken(steps, movie)
    >>> found.whole.axes, len(found.frames), found.frames[0].image.axes
    ('tyx', 5, 'yx')
    >>> [*found.frames[0].channels]
    [1, 0]
    """
    per, default = per_of(steps), channel_of_others(steps)
    channels = _channels(steps, default)
    if not per and not channels:
        one = _in_space(steps, image)
        return Taken("", one, (Frame((), one, {}),))
    _require_known(image, per, channels)
    places = [name for name in per if name in image.axes]
    lengths = [image.shape[image.axes.index(name)] for name in places]
    if 0 in lengths:
        raise PipelineError(f"{image.path}: has no voxels (shape {image.shape})")

    def seen(index: Iterable[int], channel: Channel | None) -> Image:
        part = image.select(**dict(zip(places, index, strict=True)))
        part = part if channel is None else at_channel(part, channel, "cs")
        ordered: Image = in_order(part, axes_said(steps) or SPATIAL)
        return _in_space(steps, ordered)

    frames = []
    for index in itertools.product(*map(range, lengths)):
        views = {channel: seen(index, channel) for channel in channels}
        first = views[default] if default is not None else seen(index, None)
        known = dict(zip(places, index, strict=True))
        frames.append(Frame(tuple(known.get(name, 0) for name in per), first, views))
    whole = _whole(image, default, "".join(places) + frames[0].image.axes)
    return Taken(per, whole, tuple(frames), _names(image) if channels else ())


def per_of(steps: Sequence[Step]) -> str:
    """Return the axes that a pipeline takes apart, in the order of tables and files.

    Examples
    --------
    >>> from segkit.pipeline import load
    >>> per_of([load(per="zt")]), per_of([load()])
    ('tz', '')
    """
    step = load_step(steps)
    said = step.keywords.get("per", "") if step is not None else ""
    return "".join(name for name in PER if name in said)


def _channels(steps: Sequence[Step], default: Channel | None) -> list[Channel]:
    """Return the channels that steps say, that of the others first."""
    found: dict[Channel, None] = {} if default is None else {default: None}
    for step in steps:
        said = step.channel
        several = said if isinstance(said, tuple) else (said,)
        found |= {channel: None for channel in several if channel is not None}
    return [*found]


def _names(image: Image) -> tuple[str, ...]:
    """Return the names of the channels of an image; their numbers if it has none."""
    count = dict(zip(image.axes, image.shape, strict=True)).get("c", 0)
    return image.channels or tuple(map(str, range(count)))


def _in_space(steps: Sequence[Step], image: Image) -> Image:
    """Return an image with axes of space only, or with those that a step says."""
    said = axes_said(steps)
    if not {*said} - {*SPATIAL} or not image.stated:
        return image.spatial()
    whole = image
    for name in image.axes:
        if name not in SPATIAL + said and whole.shape[whole.axes.index(name)] == 1:
            whole = whole.select(**{name: 0})
    return whole.measured() if whole.axes == said else image.spatial()


def _whole(image: Image, channel: Channel | None, letters: str) -> Image:
    """Return all frames of an image, with axes in an order."""
    whole = image if channel is None else at_channel(image, channel, "cs")
    for name in whole.axes:
        if name not in letters:
            whole = whole.select(**{name: 0})
    ordered: Image = in_order(whole, letters)
    return ordered.measured()


def _require_known(image: Image, per: str, channels: Sequence[Channel]) -> None:
    """Raise if channels are chosen and taken apart, or nobody says what axes are."""
    if "c" in per and channels:
        raise PipelineError(
            "per takes each channel by itself, so that no step can say which it reads;"
            " leave channel out, or c out of per"
        )
    if image.stated or image.ndim <= 2:
        return
    axes = _example(image.ndim, per, bool(channels))
    asked = f"per = {per!r}" if per else f"channel = {channels[0]!r}"
    raise ImageRequestError(
        image.path,
        f"does not say which of its {image.ndim} axes is which, and {asked} asks for"
        f" it; say, for example, load(axes={axes!r}) or `segkit run --axes {axes}`, in"
        f" {as_first_step(f'axes = {chr(34)}{axes}{chr(34)}')}, of an array"
        f" segkit.io.as_image(array, axes={axes!r})",
    )


def _example(ndim: int, per: str, channels: bool) -> str:
    """Return axes that so many could be, with those that are asked for among them."""
    asked = per + "c" * (channels and "c" not in per)
    space = [name for name in "zyx" if name not in asked]
    after = space[-max(2, ndim - len(asked)) :]
    before = [name for name in "tc" if name not in asked]
    lacking = max(ndim - len(asked) - len(after), 0)
    return "".join([*before[:lacking], asked, *after])

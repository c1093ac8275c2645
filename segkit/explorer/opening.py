"""An image as it is explored: grey, of axes of space, and how it was made so."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import io
from segkit.io.axes import require_said
from segkit.io.errors import ImageRequestError, missing_extra
from segkit.names import known_as
from segkit.pipeline.in_memory import load_image
from segkit.pipeline.parts.taken_image import per_of
from segkit.pipeline.spacings import ImageSpec
from segkit.pipeline.special_steps import load
from segkit.pipeline.stage_work import load_step, loaded_path
from segkit.pipeline.step_checks import channel_of_others

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.arrays import Array
    from segkit.pipeline.steps import Step


_SAID_BY = "by --axes zyx (in Python axes='zyx')"


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Opened:
    """An image to explore.

    Attributes
    ----------
    image : Image
        Axes of space only.
    name : str
        What it is called.
    path : Path or None
        Its file.
    steps : tuple of Step
        Of the pipeline; first, how the file is opened, if that has to be said.
    note : str
        What was chosen of the file, if anything was.
    """

    image: io.Image
    name: str
    path: Path | None
    steps: tuple[Step, ...]
    note: str = ""


def require_web() -> None:
    """Raise `MissingExtraError` if what serves pages is not installed."""
    lacking = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if lacking:
        raise missing_extra("segkit explore", " ".join(lacking))


def opened(
    image: Array | io.Image | str | Path | None,
    steps: Sequence[Step],
    *,
    axes: str | None = None,
) -> Opened:
    """Return an image as the steps of a pipeline take it.

    Of a colour picture the grey values are taken, of several channels or frames the
    first, unless a step `load` chooses others. Of steps that take frames apart, or say
    which channel they read, it is the first frame, and the channel of the first step.

    Parameters
    ----------
    image
        An array, an opened image, or a file; None takes the one that `load` names.
    steps
        Of the pipeline.
    axes
        Those of a file that does not say.

    Raises
    ------
    ImageError, OSError
        If it cannot be opened, or has three axes and nobody says which.
    """
    given = load_step(steps)
    options: dict[str, Any] = dict(given.keywords) if given else {}
    rest = tuple(steps[1:]) if given else tuple(steps)
    path = loaded_path(steps) if image is None else image
    if not isinstance(path, (str, Path)):
        source, name = load_image(steps, image)
        return Opened(_usable(source), name, None, tuple(steps))
    if axes is not None:
        options["axes"] = axes
    if per_of(steps) or any(step.channel is not None for step in steps):
        steps = (load(*given.arguments, **options), *rest) if given else tuple(steps)
        source, name = load_image(steps, path)
        return Opened(_usable(source), name, Path(path), steps, _first(steps))
    chosen = _chosen(path, options)
    if chosen or options:
        steps = (load(**options, **chosen), *rest)
    source, name = load_image(steps, path)
    return Opened(_usable(source), name, Path(path), tuple(steps), _told(chosen))


def open_reference(path: str | Path, shape: tuple[int, ...]) -> Array:
    """Return the labels of a reference image.

    Raises
    ------
    ImageRequestError
        If it has another shape than the image, or holds no labels.
    """
    labels = io.open_image(path).spatial().read()
    if labels.shape != shape:
        raise ImageRequestError(
            str(path), f"has shape {labels.shape}, but the image has {shape}"
        )
    if labels.dtype.kind not in "biu" or labels.min(initial=0) < 0:
        raise ImageRequestError(str(path), "holds no labels: whole numbers from 0 on")
    return np.asarray(labels)


def _usable(image: io.Image) -> io.Image:
    """Return the image, once it is a plane or a volume and says so."""
    if 0 in image.shape:
        raise ImageRequestError(image.path, "is empty, so there is nothing to see")
    if image.dtype.kind not in "biuf":
        raise ImageRequestError(
            image.path, f"is of {image.dtype}; give real numbers, such as its magnitude"
        )
    if image.ndim not in (2, 3):
        raise ImageRequestError(
            image.path, f"has axes {image.axes!r}; a plane or a volume can be explored"
        )
    if ImageSpec.of(image).unnamed:
        try:
            require_said(image.ndim, None, None, apart=False, where=_SAID_BY)
        except ValueError as error:
            raise ImageRequestError(image.path, str(error)) from error
    return image


def _chosen(path: str | Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be said to open a file as grey values in space."""
    image = io.open_image(path, **options)
    chosen: dict[str, Any] = {}
    select: dict[str, int] = {}
    for name, length in zip(image.axes, image.shape, strict=True):
        if name in "zyx" or length == 1:
            continue
        if name == "s":
            chosen["to_grey"] = True
        elif name == "c":
            chosen["channel"] = 0
        else:
            select[name] = 0
    return {**chosen, "select": select} if select else chosen


def _first(steps: Sequence[Step]) -> str:
    """Return what is seen of an image that steps take in parts."""
    parts = [f"{name} = 0" for name in per_of(steps)]
    channel = channel_of_others(steps)
    return ", ".join([*parts, *([] if channel is None else [f"channel {channel}"])])


def _told(chosen: dict[str, Any]) -> str:
    parts = []
    if chosen.get("to_grey"):
        parts.append("colours taken as grey values")
    if "channel" in chosen:
        parts.append("first channel")
    parts += [f"{name} = 0" for name in chosen.get("select", {})]
    return ", ".join(parts)

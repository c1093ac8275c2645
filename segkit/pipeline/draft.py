"""A plan in the making: what each step adds to it.

Neighbouring array steps are fused into one pass over the tiles with the sum of their
reaches as halo. Tiles of exact stages (join 'own') may be larger than named, by whole
multiples, where the halo would cost more than the tile.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segkit import checks
from segkit.io.axes import by_number, require_said
from segkit.io.calibration import SPATIAL, UNKNOWN_UNIT
from segkit.io.elsewhere.address import is_address
from segkit.io.formats import format_of
from segkit.io.pictures.writing import LOSSY
from segkit.io.tables import TABLE_SUFFIXES
from segkit.measurement.properties import PHYSICAL, wanted
from segkit.methods.axes import relative
from segkit.pipeline.contents import (
    arguments_of,
    asks_for_axes,
    content_after,
    is_foreign,
    reach_of,
)
from segkit.pipeline.stages import (
    ClassifyStage,
    FilterStage,
    LabelStage,
    LoadStage,
    MeasureStage,
    OverlappingStage,
    PaintStage,
    SaveImageStage,
    SaveOverlayStage,
    SaveTableStage,
    TilesStage,
    WholeStage,
)
from segkit.tiling.cutting import overlapping_tiles
from segkit.tiling.growing import grown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.pipeline.spacings import ImageSpec, Spacings
    from segkit.pipeline.stages import Stage
    from segkit.pipeline.steps import Content, Step


@dataclass(frozen=True, slots=True)
class _Exact:
    """Tiles that give what the whole image gives."""

    size: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Overlapping:
    """FLoRIN's tiles, which see nothing beyond themselves."""

    size: tuple[int, ...]
    stride: tuple[int, ...]


class Draft:
    """A plan in the making: its stages, and what they have made so far.

    Each method places one step. It raises `ValueError` or `TypeError` if the step
    lacks what it works on.

    Parameters
    ----------
    spec : ImageSpec
        The image.
    budget : int
        Voxels that a tile may grow to.
    tile : int or sequence of int, optional
        Tiles before a step names some; None for the whole image.
    spacings : Spacings
        For steps that are given no spacing.
    said : str
        A letter for each axis, if a step says which they are; else empty.
    channel : str, int or None
        That of the image that steps read which say none.

    Attributes
    ----------
    stages : list of Stage
        The plan so far.
    """

    def __init__(
        self,
        spec: ImageSpec,
        budget: int,
        tile: int | Sequence[int] | None,
        *,
        spacings: Spacings,
        said: str,
        channel: str | int | None = None,
    ) -> None:
        self._shape = spec.shape
        self._axes = spec.axes
        self._apart = {k: name for k, name in enumerate(said) if name not in SPATIAL}
        self._said = said if self._apart else ""
        self._named = "" if spec.axes else said
        if not (said or spec.axes) and spacings.known and len(spec.shape) > 2:
            self._named = by_number(len(spec.shape))  # given along axes of space
        self._budget = budget
        self._spacings = spacings
        size = () if tile is None else self._per_axis(tile, "tile")
        self._tiling: _Exact | _Overlapping | None = _Exact(size) if size else None
        self._array = 0
        self._content: Content | None = None
        self._labels: int | None = None
        self._table: int | None = None
        self._classified = False
        self._unit = UNKNOWN_UNIT
        self._channels: dict[str | int | None, int] = {channel: 0}
        self._image = 0
        self._several: tuple[tuple[str, int], ...] = ()
        self.stages: list[Stage] = [LoadStage(0, (), channel)]

    def load(self, step: Step) -> None:
        """Place the step that opens the image."""
        first = LoadStage(0, (), *self._channels)
        if self.stages != [first]:
            raise ValueError("an image is loaded once, as the first step")
        self.stages = [replace(first, steps=(step,))]

    def reading(self, step: Step) -> Step:
        """Return a step as it is placed, once the channel is there that it reads."""
        said = step.channel
        self._image, self._several = 0, ()
        if isinstance(said, tuple):
            self._several = tuple((str(one), self._channel(one)) for one in said)
        elif said is not None:
            self._image = self._channel(said)
            if not step.measures:
                self._array, self._content = self._image, None
        return step.bare

    def _channel(self, channel: str | int) -> int:
        """Return the number of the stage that opens a channel."""
        if channel not in self._channels:
            number = self._channels[channel] = len(self.stages)
            self.stages.append(LoadStage(number, (), channel))
        return self._channels[channel]

    def tile(self, step: Step) -> None:
        """Cut what follows into tiles; this makes no stage."""
        options = step.keywords
        size = self._per_axis(options["shape"], "tile")
        stride = size
        if options.get("stride") is not None:
            stride = self._per_axis(options["stride"], "stride")
            overlapping_tiles((1,) * len(size), size, stride)  # checks stride <= tile
        rule = options.get("join", "own")
        if rule not in ("own", "or"):
            raise ValueError(f"join={rule!r} must be 'own' or 'or'")
        self._tiling = _Exact(size) if rule == "own" else _Overlapping(size, stride)

    def apply(self, step: Step) -> None:
        """Place an array function: fused with those before, or on its own."""
        step = self._spaced(step)
        margin = reach_of(step, len(self._shape))
        if not (is_foreign(step) or asks_for_axes(step)):
            self._require_apart(margin)
        self._content = content_after(step, self._content)
        match self._tiling:
            case _Overlapping(size, stride):
                self._array = self._overlap(step, size, stride)
            case _Exact(size) if margin is not None:
                self._array = self._cut(step, size, margin)
            case _:
                number, content = len(self.stages), self._content
                self._array = self._put(
                    WholeStage(number, (step,), self._array, content)
                )
        self._labels = None
        if self._content == "labels":
            self._labels, self._table = self._array, None

    def label(self, step: Step) -> None:
        """Place the labelling of objects; what is labelled stays as it is."""
        if self._content == "labels" and not step.keywords.get("by_value", False):
            if "connectivity" in step.keywords:
                raise ValueError(
                    "has labelled objects before it, of which connectivity= says"
                    " nothing; leave label() out, or add by_value=True to number the"
                    " pieces of equal labels"
                )
            return
        self._require_apart(None)
        stage = LabelStage(len(self.stages), step, self._array)
        self._array = self._labels = self._put(stage)
        self._content, self._table = "labels", None

    def filter(self, step: Step) -> None:
        """Place a filter of objects; before `label`, of the components of a mask."""
        if self._labels is None:
            self.apply(step)
        else:
            self.filter_labels(step)

    def filter_labels(self, step: Step) -> None:
        """Place a filter of labelled objects."""
        if step.function == "keep_within":
            step = self._measuring(step)
        if step.function == "clear_border":
            self._require_apart(None)  # that of the first and the last frame
        labels = self._require_labels()
        stage = FilterStage(len(self.stages), step, labels, self._image)
        self._array = self._labels = self._put(stage)
        self._table = None

    def measure(self, step: Step) -> None:
        """Place the measuring of objects."""
        given, step = step.keywords.get("spacing"), self._measuring(step)
        unit = self._spacings.unit if given is None else UNKNOWN_UNIT
        labels = self._require_labels()
        self._table = self._put(
            MeasureStage(
                len(self.stages), step, labels, unit, self._image, self._several
            )
        )
        self._classified = False
        properties = step.keywords.get("properties") or PHYSICAL
        self._unit = unit if {*properties} & {*PHYSICAL} else UNKNOWN_UNIT

    def classify(self, step: Step) -> None:
        """Place the classification of objects."""
        if self._table is None:
            raise ValueError("needs a table of objects; put regionprops() before it")
        self._table = self._put(ClassifyStage(len(self.stages), step, self._table))
        self._classified = True

    def paint(self, step: Step) -> None:
        """Place the painting of objects by their classes."""
        if self._table is None or not self._classified:
            raise ValueError("needs classes; put classify(...) before it")
        labels = self._require_labels()
        stage = PaintStage(len(self.stages), step, labels, self._table)
        self._array = self._put(stage)
        self._labels, self._content = None, "grey"

    def save(self, step: Step) -> None:
        """Place the saving of a table or an image, which the suffix says."""
        number, path = len(self.stages), str(step.arguments[0]).lower()
        if not path.endswith(TABLE_SUFFIXES):
            if path.endswith(LOSSY) and self._content in ("mask", "labels"):
                raise ValueError(f"loses details of {self._content}; save .png or .tif")
            if self._content == "labels" and _knows_labels(step):
                # Said there, so that coarser levels hold no means of labels.
                step = step.having(**{"labels": True, **step.keywords})
            if self._states_axes(path):
                step = step.having(**{"axes": self._named, **step.keywords})
            self._put(SaveImageStage(number, step, self._array))
        elif self._table is None:
            raise ValueError("needs a table of objects; put regionprops() before")
        else:
            if self._unit != UNKNOWN_UNIT:
                step = step.having(**{"unit": self._unit, **step.keywords})
            self._put(SaveTableStage(number, step, self._table))

    def save_overlay(self, step: Step) -> None:
        """Place the saving of a picture of the objects, or of a mask."""
        if self._content not in ("labels", "mask"):
            raise ValueError("needs labels or a mask; put it after the step of them")
        stage = SaveOverlayStage(len(self.stages), step, self._array, self._image)
        self._put(stage)

    def _states_axes(self, path: str) -> bool:
        """Return whether a file can, and is to, state the axes that steps say."""
        made = self.stages[self._array]
        colours = isinstance(made, PaintStage) and made.step.keywords.get("colours")
        where = path if is_address(path) else path.partition("::")[0]
        able = "axes" not in format_of(where).unstated
        return bool(self._named) and able and not colours

    def _put(self, stage: Stage) -> int:
        self.stages.append(stage)
        return stage.number

    def _require_labels(self) -> int:
        if self._labels is None:
            advice = "put label() before it"
            if self._array == 0:
                advice += ", or label(by_value=True) if the image holds labels"
            elif self._content is None:
                advice += (
                    ", or say that a step of your own returns labels:"
                    " florinate(function, returns='labels'), in a file"
                    ' returns = "labels"'
                )
            raise ValueError(f"needs labelled objects; {advice}")
        return self._labels

    def _cut(self, step: Step, size: tuple[int, ...], margin: tuple[int, ...]) -> int:
        """Place an array step whose reach is `margin`, on exact tiles."""
        steps: tuple[Step, ...] = (step,)
        array, last = self._array, self.stages[-1]
        if isinstance(last, TilesStage) and last.number == array:
            steps, array = (*last.steps, step), last.array
            margin = tuple(a + b for a, b in zip(last.halo, margin, strict=True))
            self.stages.pop()
        tile = grown(size, margin, self._shape, self._budget)
        number = len(self.stages)
        stage = TilesStage(
            number, steps, array, self._content, self._shape, tile, margin
        )
        return self._put(stage)

    def _overlap(
        self, step: Step, size: tuple[int, ...], stride: tuple[int, ...]
    ) -> int:
        """Place an array step on overlapping tiles."""
        if self._content == "labels":
            raise ValueError(
                "makes labels, of which each of the tiles that join='or' unites would"
                " have the same; put it before tile(...), or join='own'"
            )
        last = self.stages[-1]
        if (
            isinstance(last, OverlappingStage)
            and last.number == self._array
            and (last.tile, last.stride) == (size, stride)
        ):
            steps = (*last.steps, step)
            self.stages[-1] = replace(last, steps=steps, content=self._content)
            return last.number
        number = len(self.stages)
        content = self._content
        stage = OverlappingStage(
            number, (step,), self._array, content, self._shape, size, stride
        )
        return self._put(stage)

    def _spaced(self, step: Step) -> Step:
        """Return an array step with the spacing of the image, if it takes one."""
        if is_foreign(step):
            return step
        parameters = inspect.signature(step.resolve()).parameters
        given = arguments_of(step)
        if "spacing" in parameters and given.get("spacing") is None:
            names = given.get("axes") or SPATIAL[0] * len(self._shape)
            known = self._spacings.along(names)
            unsaid = len(self._shape) > 2 and not self._spacings.said
            if known and unsaid and asks_for_axes(step):
                given["axes"] = given.get("axes") or self._axes
                step = step.having(axes=given["axes"])  # which tells the step of z
            elif known:
                given["spacing"] = relative(known)
                step = step.having(spacing=given["spacing"])
        if asks_for_axes(step):
            require_said(len(self._shape), given.get("axes"), given.get("spacing"))
        return step

    def _require_apart(self, margin: tuple[int, ...] | None) -> None:
        """Refuse a step that joins along an axis that a step says is none of space."""
        for place, name in self._apart.items():
            if margin is None or margin[place]:
                raise ValueError(
                    f"looks along axis {place}, which is {name!r} as another step says,"
                    " not one of space; take one image along it, as by"
                    f" load(axes=..., select={{{name!r}: 0}})"
                )

    def _measuring(self, step: Step) -> Step:
        """Return a step that measures with the spacing and the axes of the pipeline."""
        options = step.options
        axes = self._said or self._axes
        if not step.keywords.get("axes") and not by_number(9).endswith(axes):
            options = (*options, ("axes", axes))  # else they are by number
            wanted(step.keywords.get("properties"), axes, has_intensity=True)  # refuses
        if step.keywords.get("spacing") is not None:
            return replace(step, options=options)
        options = tuple(one for one in options if one[0] != "spacing")
        self._spacings.require()
        if self._spacings.measured != self._spacings.image:  # else it brings its own
            options = (*options, ("spacing", self._spacings.measured))
        return replace(step, options=options)

    def _per_axis(self, value: int | Sequence[int], name: str) -> tuple[int, ...]:
        return checks.per_axis(value, len(self._shape), name=name, least=1)


def _knows_labels(step: Step) -> bool:
    """Say whether a format marks labels as such, so that no means are made of them."""
    path = str(step.arguments[0])
    where = path if is_address(path) else path.partition("::")[0]
    return "labels" in format_of(where).save_options

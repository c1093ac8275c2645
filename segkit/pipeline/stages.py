"""The stages of a plan: one type for each thing that is done to an image's tiles.

Stages refer to each other by number: to the one whose array they read (an image, a
mask, labels or classes), whose labels or whose table of objects. What each type does
with one tile are plain functions of arrays, the same ones for arrays in one process
(`segkit.pipeline.in_memory`) and for stored tasks (`segkit.workflows`):

=================  =================================================================
stage              what is done
=================  =================================================================
`LoadStage`        (once) open the image, or a channel; boxes of it are read
`TilesStage`       `run_steps(steps, voxels of tile.read)[tile.inner]`, where the
                   halo is the sum of the steps' reaches
`OverlappingStage` `run_steps(steps, voxels of tile.read)`; joined by the maximum
`WholeStage`       (once) `run_steps` of the whole image: the reach has no bound
`LabelStage`       `label_tile`; (once) `merge_tiles`; `relabel_tile`
`FilterStage`      `measure_tile`; (once) `kept_ids` of the table; `keep_ids`
`MeasureStage`     `measure_tile`; (once) `combine`, `properties_table`
`ClassifyStage`    (once) `segkit.classify` of the table
`PaintStage`       (once) `class_lookup` of the table; `reconstruct` with it
`SaveImageStage`   write the tiles of an image, chunk aligned
`SaveOverlayStage` (once) write the picture of one plane, see `segkit.overlay`
`SaveTableStage`   (once) write the table
=================  =================================================================

A stage is data: it pickles, and says what is done, not how or where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from segkit.names import known_as
from segkit.tiling.cutting import overlapping_tiles, tiles

if TYPE_CHECKING:
    from segkit.pipeline.steps import Content, Step
    from segkit.tiling.boxes import Tile


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class LoadStage:
    """Opens the image, or one channel of it; each plan begins with one.

    Attributes
    ----------
    number : int
        0 of the first.
    steps : tuple of Step
        The step `load`, if the pipeline has one.
    channel : str, int or None
        Which one; None of an image that has one only.
    """

    kind: ClassVar = "load"
    number: int
    steps: tuple[Step, ...]
    channel: str | int | None = None


@dataclass(frozen=True, slots=True)
class _ArrayStage:
    """Runs array steps.

    Attributes
    ----------
    number : int
        Its place in the plan.
    steps : tuple of Step
        What it runs, in order.
    array : int
        The stage whose array it reads.
    content : {'grey', 'mask', 'labels'} or None
        What its own array holds; None if that is not known.
    """

    number: int
    steps: tuple[Step, ...]
    array: int
    content: Content | None


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class TilesStage(_ArrayStage):
    """Runs array steps tile by tile, exactly as on the whole image.

    Attributes
    ----------
    number, steps, array, content
        See `WholeStage`.
    shape : tuple of int
        Shape of the image.
    tile : tuple of int
        Size of a tile's own box.
    halo : tuple of int
        Margin that a tile reads around its own box.
    """

    kind: ClassVar = "tiles"
    shape: tuple[int, ...]
    tile: tuple[int, ...]
    halo: tuple[int, ...]

    def tiles(self) -> list[Tile]:
        """Return the tiles over which the stage runs, in raster order."""
        return tiles(self.shape, self.tile, halo=self.halo)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class OverlappingStage(_ArrayStage):
    """Runs array steps on FLoRIN's overlapping tiles, each by itself, joined by OR.

    Attributes
    ----------
    number, steps, array, content
        See `WholeStage`.
    shape : tuple of int
        Shape of the image.
    tile : tuple of int
        Size of a tile.
    stride : tuple of int
        Distance of neighbouring tiles.
    """

    kind: ClassVar = "tiles"
    shape: tuple[int, ...]
    tile: tuple[int, ...]
    stride: tuple[int, ...]

    def tiles(self) -> list[Tile]:
        """Return the tiles over which the stage runs, in raster order."""
        return overlapping_tiles(self.shape, self.tile, self.stride)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class WholeStage(_ArrayStage):
    """Runs one array step on the whole image.

    Attributes
    ----------
    number : int
        Its place in the plan.
    steps : tuple of Step
        What it runs, in order.
    array : int
        The stage whose array it reads.
    content : {'grey', 'mask', 'labels'} or None
        What its own array holds; None if that is not known.
    """

    kind: ClassVar = "whole"


@dataclass(frozen=True, slots=True)
class _OneStepStage:
    """Runs one special step.

    Attributes
    ----------
    number : int
        Its place in the plan.
    step : Step
        What it runs.
    """

    number: int
    step: Step

    @property
    def steps(self) -> tuple[Step, ...]:
        """The step, as the steps of other stages."""
        return (self.step,)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class LabelStage(_OneStepStage):
    """Labels the objects of a mask: the array of stage `array`."""

    kind: ClassVar = "label"
    array: int


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class FilterStage(_OneStepStage):
    """Drops some of the objects that stage `labels` has labelled or left.

    Those that are bounded by brightness are measured in the array of stage `image`.
    """

    kind: ClassVar = "filter"
    labels: int
    image: int = 0


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class MeasureStage(_OneStepStage):
    """Measures the objects of stage `labels`, in a unit of length or 'pixel'.

    Brightness is that of the array of stage `image`; or, of the names of channels in
    `several`, that of those of the stages beside them, a column for each.
    """

    kind: ClassVar = "measure"
    labels: int
    unit: str
    image: int = 0
    several: tuple[tuple[str, int], ...] = ()


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class ClassifyStage(_OneStepStage):
    """Gives the objects in the table of stage `table` their classes."""

    kind: ClassVar = "classify"
    table: int


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class PaintStage(_OneStepStage):
    """Paints the objects of stage `labels` by their classes in that of `table`."""

    kind: ClassVar = "paint"
    labels: int
    table: int


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class SaveImageStage(_OneStepStage):
    """Saves the array of stage `array`."""

    kind: ClassVar = "save"
    array: int


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class SaveOverlayStage(_OneStepStage):
    """Saves a picture of the labels of stage `array` over the array of `image`."""

    kind: ClassVar = "save"
    array: int
    image: int = 0


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class SaveTableStage(_OneStepStage):
    """Saves the table of stage `table`."""

    kind: ClassVar = "save"
    table: int


Stage: TypeAlias = (
    LoadStage
    | TilesStage
    | OverlappingStage
    | WholeStage
    | LabelStage
    | FilterStage
    | MeasureStage
    | ClassifyStage
    | PaintStage
    | SaveImageStage
    | SaveOverlayStage
    | SaveTableStage
)

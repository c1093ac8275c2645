"""How a pipeline runs over an image: which steps go together, and what they read.

`plan` is pure: it looks at the steps and at the image's shape, and returns stages.
Both ways of running use it, arrays in one process (`segkit.pipeline.in_memory`) and
stored tasks (`segkit.workflows`), so that both give the same voxels. Stages refer to
each other by number, and each says all that a worker must know about one tile:

=========  ==========================================================================
kind       for each tile of `stage.tiles()`
=========  ==========================================================================
load       (once) open the image; read boxes of it
tiles      `run_steps(stage.steps, voxels of tile.read)[tile.inner]`, where the halo is
           the sum of the steps' reaches
whole      (once) the same on the whole image: the steps' reach has no bound
label      `label_tile` on tile.write; (once) `merge_tiles`; `relabel_tile`
filter     `measure_tile`; (once) `kept_ids(step, table)`; `keep_ids` on tile.write
measure    `measure_tile` on tile.write; (once) `combine`, `properties_table`
classify   (once) `segkit.classify` of the table
paint      (once) `class_lookup` of the table; `reconstruct` with it
save       write tile.write of an image, chunk aligned; or (once) the table
=========  ==========================================================================
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segkit import checks
from segkit.io.tables import TABLE_SUFFIXES
from segkit.names import known_as
from segkit.pipeline.step_checks import require_properties
from segkit.pipeline.steps import PipelineError, Step
from segkit.tiling.cutting import overlapping_tiles, tiles
from segkit.tiling.reaches import UnknownReachError, declares_reach, reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.tiling.boxes import Tile

Kind = Literal[
    "load",
    "tiles",
    "whole",
    "label",
    "filter",
    "measure",
    "classify",
    "paint",
    "save",
]
# A tile grows until its halo costs no more than this many times its own voxels...
_HALO_SHARE = 0.5
# ... or until it has this many voxels.
TILE_BUDGET = 1 << 24


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class ImageSpec:
    """What a plan must know of an image.

    Attributes
    ----------
    shape : tuple of int
        Length of each axis.
    dtype : str
        Name of the voxel type.
    spacing : tuple of float
        Physical distance of voxels along each axis.
    units : tuple of str
        Their units.
    """

    shape: tuple[int, ...]
    dtype: str
    spacing: tuple[float, ...]
    units: tuple[str, ...]

    @classmethod
    def of(cls, image: Any) -> ImageSpec:
        """Return the description of an array or a lazy image."""
        shape = tuple(int(n) for n in image.shape)
        spacing = tuple(getattr(image, "spacing", (1.0,) * len(shape)))
        units = tuple(getattr(image, "units", ("pixel",) * len(shape)))
        return cls(shape, np.dtype(image.dtype).name, spacing, units)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Stage:
    """Steps that run together over the tiles of an image.

    Attributes
    ----------
    number : int
        Its place in the plan.
    kind : str
        What it does with each tile; see the module.
    steps : tuple of Step
        What it runs, in order.
    shape : tuple of int
        Shape of the image.
    array : int or None
        The stage whose array (image, mask, labels, classes) it reads.
    table : int or None
        The stage whose table it reads.
    tile : tuple of int or None
        Size of a tile's own box; None for the whole image.
    halo : tuple of int
        Margin that a tile reads around its own box.
    stride : tuple of int or None
        Set for FLoRIN's overlapping tiles, whose results are joined by OR.
    """

    number: int
    kind: Kind
    steps: tuple[Step, ...]
    shape: tuple[int, ...]
    array: int | None = None
    table: int | None = None
    tile: tuple[int, ...] | None = None
    halo: tuple[int, ...] = ()
    stride: tuple[int, ...] | None = None

    def tiles(self) -> list[Tile]:
        """Return the tiles over which the stage runs, in raster order."""
        size = self.tile or tuple(max(n, 1) for n in self.shape)
        if self.stride is not None:
            return overlapping_tiles(self.shape, size, self.stride)
        return tiles(self.shape, size, halo=self.halo or 0)


@dataclass(frozen=True, slots=True)
class _Tiling:
    """What the step `tile` says."""

    size: tuple[int, ...] | None = None
    stride: tuple[int, ...] | None = None
    overlap: bool = False


def plan(
    steps: Sequence[Step],
    spec: ImageSpec,
    *,
    tile: int | Sequence[int] | None = None,
    budget: int = TILE_BUDGET,
) -> list[Stage]:
    """Return the stages in which steps run over an image.

    Neighbouring array steps are fused into one pass over the tiles with the sum of
    their reaches as halo. Tiles of exact stages (join 'own') may be larger than named,
    by whole multiples, where the halo would cost more than the tile.

    Parameters
    ----------
    steps : sequence of Step
        Of a pipeline.
    spec : ImageSpec
        The image.
    tile : int or sequence of int, optional
        Tiles for a pipeline that names none.
    budget : int
        Voxels that a tile may grow to.

    Raises
    ------
    PipelineError
        If a step lacks what it works on; it is named.

    Examples
    --------
    >>> from segkit.pipeline import Pipeline, label, ndnt, tile
    >>> spec = ImageSpec((64, 512, 512), "uint8", (1.0,) * 3, ("pixel",) * 3)
    >>> steps = Pipeline(tile(256), ndnt(shape=8), label()).steps
    >>> [(stage.kind, stage.halo) for stage in plan(steps, spec)]
    [('load', ()), ('tiles', (4, 4, 4)), ('label', ())]
    """
    first = (None if tile is None else _size(tile, spec.shape)) or None
    require_properties(steps, ndim=len(spec.shape))
    draft = _Draft(spec, budget, _Tiling(size=first))
    for number, step in enumerate(steps, start=1):
        draft.add(number, step)
    return draft.stages


class _Draft:
    """A plan in the making: its stages, and what they have made so far."""

    def __init__(self, spec: ImageSpec, budget: int, tiling: _Tiling) -> None:
        self._spec = spec
        self._budget = budget
        self._tiling = tiling
        self._array = 0
        self._labels: int | None = None
        self._table: int | None = None
        self._classified = False
        self.stages = [Stage(0, "load", (), spec.shape)]

    def add(self, number: int, step: Step) -> None:
        """Place one step."""
        place = {
            "load": self._load,
            "tile": self._tile,
            "label": self._label,
            "remove_small_objects": self._filter,
            "clear_border": self._filter,
            "keep_largest": self._filter,
            "keep_within": self._filter,
            "regionprops": self._measure,
            "classify": self._classify,
            "reconstruct": self._paint,
            "save": self._save,
        }.get(step.function, self._apply)
        try:
            place(step)
        except (ValueError, TypeError) as error:
            raise PipelineError(f"step {number} ({step.function}): {error}") from error

    def _append(self, kind: Kind, step: Step, **options: Any) -> int:
        number = len(self.stages)
        stage = Stage(number, kind, (step,), self._spec.shape, **options)
        self.stages.append(stage)
        return number

    def _load(self, step: Step) -> None:
        if len(self.stages) > 1 or self.stages[0].steps:
            raise ValueError("an image is loaded once, as the first step")
        self.stages[0] = replace(self.stages[0], steps=(step,))

    def _tile(self, step: Step) -> None:
        positional = dict(zip(("shape", "stride"), step.arguments, strict=False))
        options = {**positional, **step.keywords}
        size = _size(options["shape"], self._spec.shape)
        named = options.get("stride")
        stride = None if named is None else _size(named, self._spec.shape, "stride")
        if stride is not None:
            overlapping_tiles((1,) * len(size), size, stride)  # checks stride <= tile
        rule = options.get("join", "own")
        if rule not in ("own", "or"):
            raise ValueError(f"join={rule!r} must be 'own' or 'or'")
        self._tiling = _Tiling(size, stride, overlap=rule == "or")

    def _reach(self, step: Step) -> tuple[int, ...] | None:
        """Return how far a step reaches, None if that has no bound or is not known."""
        ndim = len(self._spec.shape)
        if step.reach is not None:
            return checks.per_axis(step.reach, ndim, name="reach", least=0)
        function = step.resolve()
        if not declares_reach(function):
            return None
        try:
            return reach(function, ndim, **_by_name(step, function))
        except UnknownReachError:
            return None
        except (TypeError, ValueError):
            if ":" in step.function:  # somebody else's rule
                return None
            raise

    def _apply(self, step: Step) -> None:
        """Place an array function: fused with those before, or on its own."""
        margin = self._reach(step)
        tiling = self._tiling
        if tiling.overlap:
            self._overlapping(step, tiling)
        elif margin is None or tiling.size is None:
            self._array = self._append("whole", step, array=self._array)
        else:
            last = self.stages[-1]
            steps: tuple[Step, ...] = (step,)
            if last.kind == "tiles" and last.stride is None:
                steps = (*last.steps, step)
                margin = tuple(a + b for a, b in zip(last.halo, margin, strict=True))
                self.stages.pop()
                self._array = last.array if last.array is not None else 0
            grown = _grown(tiling.size, margin, self._spec.shape, self._budget)
            self._array = self._append(
                "tiles", step, array=self._array, tile=grown, halo=margin
            )
            self.stages[-1] = replace(self.stages[-1], steps=steps)
        self._labels = None

    def _overlapping(self, step: Step, tiling: _Tiling) -> None:
        last = self.stages[-1]
        stride = tiling.stride or tiling.size
        if (last.kind, last.tile, last.stride) == ("tiles", tiling.size, stride):
            self.stages[-1] = replace(last, steps=(*last.steps, step))
            return
        self._array = self._append(
            "tiles",
            step,
            array=self._array,
            tile=tiling.size,
            stride=stride,
        )

    def _own_tile(self) -> tuple[int, ...] | None:
        size = self._tiling.size
        if size is None:
            return None
        zero = (0,) * len(size)
        return _grown(size, zero, self._spec.shape, self._budget)

    def _label(self, step: Step) -> None:
        self._labels = self._append(
            "label", step, array=self._array, tile=self._own_tile()
        )
        self._array = self._labels

    def _require_labels(self) -> int:
        if self._labels is None:
            raise ValueError("needs labelled objects; put label() before it")
        return self._labels

    def _filter(self, step: Step) -> None:
        if self._labels is None and step.function != "keep_within":
            self._apply(step)  # on the components of a mask
            return
        labels = self._require_labels()
        self._labels = self._append("filter", step, array=labels, tile=self._own_tile())
        self._array = self._labels
        self._table = None

    def _measure(self, step: Step) -> None:
        self._table = self._append(
            "measure", step, array=self._require_labels(), tile=self._own_tile()
        )
        self._classified = False

    def _classify(self, step: Step) -> None:
        if self._table is None:
            raise ValueError("needs a table of objects; put regionprops() before it")
        self._table = self._append("classify", step, table=self._table)
        self._classified = True

    def _paint(self, step: Step) -> None:
        if self._table is None or not self._classified:
            raise ValueError("needs classes; put classify(...) before it")
        self._array = self._append(
            "paint",
            step,
            array=self._require_labels(),
            table=self._table,
            tile=self._own_tile(),
        )
        self._labels = None

    def _save(self, step: Step) -> None:
        if str(step.arguments[0]).lower().endswith(TABLE_SUFFIXES):
            if self._table is None:
                raise ValueError("needs a table of objects; put regionprops() before")
            self._append("save", step, table=self._table)
        else:
            self._append("save", step, array=self._array, tile=self._own_tile())


def _size(
    value: int | Sequence[int], shape: tuple[int, ...], name: str = "tile"
) -> tuple[int, ...]:
    return checks.per_axis(value, len(shape), name=name, least=1)


def _by_name(step: Step, function: Any) -> dict[str, Any]:
    bound = inspect.signature(function).bind(None, *step.arguments, **step.keywords)
    first = next(iter(bound.arguments))
    return {name: v for name, v in bound.arguments.items() if name != first}


def _grown(
    size: tuple[int, ...],
    halo: tuple[int, ...],
    shape: tuple[int, ...],
    budget: int,
) -> tuple[int, ...]:
    """Return a multiple of a tile for which the halo is cheap, within a budget."""
    grown = [max(1, min(n, length)) for n, length in zip(size, shape, strict=True)]
    unit = list(grown)
    while True:
        read = math.prod(
            min(n + 2 * margin, length) if length else 0
            for n, margin, length in zip(grown, halo, shape, strict=True)
        )
        if read <= (1 + _HALO_SHARE) * math.prod(grown):
            return tuple(grown)
        axes = [a for a, n in enumerate(grown) if n < shape[a]]
        # Grow where the halo weighs most, slowest axis last among equals.
        axes.sort(key=lambda a: (-halo[a] / grown[a], -a))
        for axis in axes:
            longer = min(-(-2 * grown[axis] // unit[axis]) * unit[axis], shape[axis])
            if math.prod(grown) // grown[axis] * longer <= budget:
                grown[axis] = longer
                break
        else:
            return tuple(grown)

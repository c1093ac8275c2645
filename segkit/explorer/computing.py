"""Steps run over what is seen of an image, each of them once.

A step's result is kept under all that it depends on: the part of the image, the steps
before it that it reads, and its own arguments. So a slider of the last step runs the
last step, and switching back runs nothing.
"""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks, io
from segkit.explorer.cache import Made, Outcome
from segkit.explorer.regions import Region, region_for, whole_for
from segkit.explorer.scaling import margins, scaled
from segkit.explorer.whole import Wholes
from segkit.names import known_as
from segkit.pipeline.contents import reach_of
from segkit.pipeline.in_memory import Runner, Settings
from segkit.pipeline.plan import begun, place
from segkit.pipeline.stages import WholeStage
from segkit.pipeline.step_checks import checked
from segkit.pipeline.steps import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segkit.arrays import Array, Table
    from segkit.explorer.cache import Cache
    from segkit.explorer.levels import Levels
    from segkit.pipeline.draft import Draft
    from segkit.pipeline.stages import Stage
    from segkit.pipeline.steps import Step

_INPUTS = ("array", "labels", "table", "image")
"""Fields of stages that name others."""
_OVERLAPPING = (
    "its tiles are those of the whole image, of which only a part is seen; zoom cannot"
    " help, but join='own' would, or a smaller image"
)
_ROW = 64
"""Bytes of a number in a table, with what is around it, at most."""


class StaleError(Exception):
    """A newer request has come, so that this one is not worth its time."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Computer:
    """Runs steps over regions of one image.

    Attributes
    ----------
    levels : Levels
        The image.
    cache : Cache
        Where results are kept.
    wholes : Wholes
        What is known of the whole image.
    """

    levels: Levels
    cache: Cache
    wholes: Wholes = field(init=False)

    def __post_init__(self) -> None:
        """Know nothing of the whole image yet."""
        wholes = Wholes(self.levels.image.shape, self.cache)
        object.__setattr__(self, "wholes", wholes)

    def region(
        self,
        steps: Sequence[Step],
        view: Sequence[tuple[float, float]],
        *,
        coarse: int = 0,
        whole: bool = False,
    ) -> Region:
        """Return what has to be computed to show a box of the image.

        That is the whole image if it is asked for, or known already.
        """
        ndim = self.levels.image.ndim
        if whole or self.wholes.known(steps):
            return whole_for(self.levels, view)

        def reached(level: int) -> tuple[int, ...]:
            factors, start = self.levels.factors(level), (0.0,) * ndim
            try:
                return margins([scaled(s, factors, start) for s in steps], ndim)
            except (TypeError, ValueError):  # told when the step is run
                return (0,) * ndim

        return region_for(self.levels, view, reached, coarse=coarse)

    def run(
        self,
        steps: Sequence[tuple[int, Step]],
        region: Region,
        stale: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Run steps, each with its place, over a region.

        Raises
        ------
        StaleError
            Between two steps, once `stale` says so.
        ImageError, OSError
            If the image cannot be read.
        """
        if stale():
            raise StaleError
        key = f"{region.level}{region.read}"
        image = self.kept(f"image {key}", lambda: self._read(region))[0]
        factors = self.levels.factors(region.level)
        start = [a * f for (a, _), f in zip(region.read, factors, strict=True)]
        fitting: list[tuple[int, Step]] = []
        wrong: list[Made] = []
        for at, step in steps:
            try:
                one = checked(at + 1, scaled(step, factors, start))
                begun([*(s for _, s in fitting), one], self.levels.spec(region.level))
            except (PipelineError, TypeError, ValueError) as error:
                wrong = [Made(at, error=_reason(error))]
                break
            fitting.append((at, one))
        run = _Run(self, region, image, key)
        made = run.steps(fitting, stale)
        failed = bool(made) and bool(made[-1].error)
        outcome = Outcome(region, image, (*made, *([] if failed else wrong)))
        self.wholes.note([step for _, step in steps], outcome)
        return outcome

    def kept(
        self, key: str, make: Callable[[], Any], nbytes: int | None = None
    ) -> tuple[Any, float]:
        """Return a value that is kept, or is made and kept, and the time it took."""
        found = self.cache.get(key)
        if found is not None:
            return found, 0.0
        began = time.perf_counter()
        value = make()
        seconds = time.perf_counter() - began
        self.cache.put(key, value, _bytes_of(value) if nbytes is None else nbytes)
        return value, seconds

    def _read(self, region: Region) -> Array:
        return self.levels.read(region.level, region.read)


class _Run:
    """Steps run over one region, as a plan says."""

    def __init__(
        self, computer: Computer, region: Region, image: Array, key: str
    ) -> None:
        self._computer, self._region = computer, region
        self._spec = computer.levels.spec(region.level)
        window = io.as_image(image, axes=computer.levels.image.axes)
        described = replace(
            window, spacing=self._spec.spacing, units=self._spec.units, stated=True
        )
        self._runner = Runner(Settings(described))
        self._keys = {0: key}
        self._exact = {0: region.level == 0}

    def steps(
        self, steps: Sequence[tuple[int, Step]], stale: Callable[[], bool]
    ) -> list[Made]:
        """Return what each of some steps makes, up to the one that raises."""
        made: list[Made] = []
        draft = begun([step for _, step in steps], self._spec)
        for at, step in steps:
            if stale():
                raise StaleError
            try:
                made.append(self._step(at, step, draft))
            except Exception as error:  # noqa: BLE001 - whatever a step raises
                made.append(Made(at, error=_reason(error)))
                break
        return made

    def _step(self, at: int, step: Step, draft: Draft) -> Made:
        if step.function == "tile":
            if step.keywords.get("join", "own") == "own":
                return Made(at)  # which changes no result
            if not self._region.whole or self._region.level:
                raise PipelineError(_OVERLAPPING)
        before = list(draft.stages)
        place(draft, at + 1, step)
        made = Made(at)
        for number, stage in enumerate(draft.stages):
            # A step may join the stage of the one before it.
            known = number < len(before) and stage is before[number]
            if not known and not stage.kind.startswith("save"):
                made = self._stage(at, stage)
        return made

    def _stage(self, at: int, stage: Stage) -> Made:
        key = self._key(stage)
        exact = self._is_exact(stage)
        self._keys[stage.number], self._exact[stage.number] = key, exact
        value, seconds = self._computer.kept(key, lambda: self._value(stage))
        table = isinstance(value, dict)
        (self._runner.tables if table else self._runner.arrays)[stage.number] = value
        content = "table" if table else _content(stage, value)
        near = self._is_near(stage)
        return Made(at, content, value, exact, seconds, key, near=near)

    def _value(self, stage: Stage) -> Array | Table:
        runner = self._runner
        with nullcontext() if self._region.whole else checks.inside_tile():
            runner.run(stage)
        if stage.number in runner.tables:
            return runner.tables[stage.number]
        found: Array = np.asarray(runner.arrays[stage.number])
        return found

    def _key(self, stage: Stage) -> str:
        """Return all that a stage's result depends on, as text."""
        apart = ("number", *_INPUTS)
        own = {f.name: getattr(stage, f.name) for f in fields(stage)}
        said = {name: value for name, value in own.items() if name not in apart}
        inputs = [self._keys[n] for n in _inputs(stage)]
        bound = [id(step.bound) for step in stage.steps if step.bound]
        return f"{type(stage).__name__} {said!r} {bound} of {inputs}"

    def _is_exact(self, stage: Stage) -> bool:
        """Say whether the shown part of a result is that of the whole image."""
        near = isinstance(stage, WholeStage) and self._is_near(stage)
        inputs = all(self._exact[n] for n in _inputs(stage))
        return inputs and (self._region.whole or near)

    def _is_near(self, stage: Stage) -> bool:
        """Say whether what a stage does with a voxel depends on what is near only."""
        ndim = len(self._region.read)
        array = isinstance(stage, WholeStage)
        return not array or all(reach_of(s, ndim) is not None for s in stage.steps)


def _inputs(stage: Stage) -> list[int]:
    return [n for name in _INPUTS if (n := getattr(stage, name, None)) is not None]


def _content(stage: Stage, value: Array) -> str:
    said = getattr(stage, "content", None)
    if said is not None:
        return str(said)
    if stage.kind in ("label", "filter"):
        return "labels"
    if stage.kind == "paint":
        return "grey"
    return "mask" if value.dtype.kind == "b" else "grey"


def _reason(error: Exception) -> str:
    """Return what is wrong without the name of the step, at which it is told."""
    return re.sub(r"^step \d+( \([^)]*\))?: ", "", str(error)) or type(error).__name__


def _bytes_of(value: Any) -> int:
    """Return about how many bytes a value takes."""
    if isinstance(value, dict):
        return sum(_ROW * len(column) for column in value.values())
    return int(value.nbytes)

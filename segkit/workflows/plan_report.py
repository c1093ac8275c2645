"""What a pipeline will do to its images: the stages of the plan, and what is done."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segkit.pipeline.stages import (
    FilterStage,
    LabelStage,
    MeasureStage,
    OverlappingStage,
    SaveImageStage,
    SaveOverlayStage,
    Stage,
    TilesStage,
    WholeStage,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.workflows.pipeline_jugfile import PipelineJugfile
    from segkit.workflows.pipelines import Outputs

# Bytes a voxel of the block that a task holds beside what it reads: roughly.
_BYTES: dict[type[Stage], int] = {
    LabelStage: 9,
    FilterStage: 6,
    MeasureStage: 6,
    SaveImageStage: 9,
    SaveOverlayStage: 9,
}
# The same at the peak of a step, measured for 16 bits in planes and volumes.
_BYTES_OF_STEP = {
    **dict.fromkeys(("binarize", "invert", "ndnt", "skeleton"), 3),
    **dict.fromkeys(("median", "local_maxima", "percentile", "subtract_background"), 6),
    **dict.fromkeys(("fill_holes", "h_maxima", "remove_small_holes"), 15),
    **dict.fromkeys(("equalize_hist", "rescale_intensity"), 18),
    **dict.fromkeys(("adjust_gamma", "hysteresis", "laplacian_of_gaussian"), 25),
    **dict.fromkeys(("adjust_log", "adjust_sigmoid", "slic"), 25),
    **dict.fromkeys(("edges", "find_field_of_view", "watershed"), 40),
    **dict.fromkeys(("canny", "uniform", "vessel_map"), 60),
    **dict.fromkeys(("equalize_adapthist", "hessian_eigenvalues"), 90),
    **dict.fromkeys(("membrane_map", "segment_cells", "segment_vessels"), 95),
    **dict.fromkeys(("blobs", "sato"), 120),
    "segment_nuclei": 150,
    "frangi": 220,
    "random_walker": 600,
}
_BYTES_OF_OTHERS = 12


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """What a stage will do.

    Attributes
    ----------
    image : str
        Whose stage it is.
    kind : str
        What it does with each block.
    steps : str
        The pipeline's steps in it.
    tasks : int
        How many there are.
    done : int
        How many of them have results.
    memory : int
        Bytes that one of its tasks takes, roughly, beside the program's own.
    """

    image: str
    kind: str
    steps: str
    tasks: int
    done: int
    memory: int


def planned(source: PipelineJugfile, store: str | None) -> list[PlannedStage]:
    """Return the stages of all images without running any.

    Raises
    ------
    PipelineError, ImageError, OSError
        As the run would, of all that can be known before it.
    """
    from backends.errors import OpenError
    from taskgraph import open_store

    source.require_usable()
    results = None
    if store is not None:
        with suppress(OpenError):
            results = open_store(store, create=False)
    if results is None:
        results = open_store("memory://")
    loaded = source.load(results)
    results.backend.poll()
    known = set(loaded.graph.keys()).intersection(results.backend.keys())
    found = [
        _planned_stage(name, some, number, known)
        for name, some in source.groups()
        for number in range(len(some[0].stages))
        if some[0].tasks[number]
    ]
    if source.more:
        keys = {task.key for task in source.more}
        done = len(keys & known)
        found.append(PlannedStage("all", "save", "tables", len(keys), done, 0))
    return found


def _planned_stage(
    name: str, some: Sequence[Outputs], number: int, known: set[bytes]
) -> PlannedStage:
    stage = some[0].stages[number]
    keys = {task.key for one in some for task in one.tasks[number]}
    return PlannedStage(
        name,
        stage.kind,
        " + ".join(step.function for step in stage.steps),
        len(keys),
        len(keys & known),
        max(_memory(one, one.stages[number]) for one in some),
    )


def _memory(one: Outputs, stage: Stage) -> int:
    """Return how many bytes a task of a stage takes; one of a table takes none."""
    shape = one.array.shape[-len(one.block) :]  # of one frame
    box = shape if isinstance(stage, WholeStage) else one.block
    halo = stage.halo if isinstance(stage, TilesStage) else (0,) * len(box)
    read = math.prod(
        min(size + 2 * margin, length)
        for size, margin, length in zip(box, halo, shape, strict=True)
    )
    if isinstance(stage, TilesStage | OverlappingStage | WholeStage):
        return read * max(bytes_of_step(step.function) for step in stage.steps)
    return read * _BYTES.get(type(stage), 0)


def bytes_of_step(function: str) -> int:
    """Return how many bytes for each voxel a step takes at its peak, roughly.

    Examples
    --------
    >>> bytes_of_step("segment_nuclei"), bytes_of_step("gaussian")
    (150, 12)
    """
    return _BYTES_OF_STEP.get(function, _BYTES_OF_OTHERS)

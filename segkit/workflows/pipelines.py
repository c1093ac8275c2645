"""Write a pipeline down as tasks."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.names import known_as
from segkit.pipeline.pipeline import Pipeline
from segkit.pipeline.plan import plan
from segkit.pipeline.spacings import ImageSpec
from segkit.pipeline.stage_work import loaded_path, name_of, open_options
from segkit.pipeline.stages import OverlappingStage, Stage, TilesStage
from segkit.pipeline.steps import PipelineError
from segkit.workflows import sizing
from segkit.workflows.apart import ApartBuilder
from segkit.workflows.building import Builder, Settings
from segkit.workflows.frames import open_frames
from taskgraph.extending import (
    Recording,
    current_recording,
    is_recording,
    recorded_in,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.io.plates.fields import Field
    from segkit.pipeline.steps import Step
    from segkit.workflows.frames import InputFrames, StackedArray
    from segkit.workflows.inputs import ArrayInput, FileInput, KnownBy, Readable
    from segkit.workflows.stored import StoredArray
    from taskgraph import Task


@known_as("segkit.workflows")
@dataclass(frozen=True, slots=True)
class Outputs:
    """What the tasks of a pipeline make.

    Attributes
    ----------
    array : StoredArray or StackedArray
        The last array, of all frames, to be read by box when its tasks have run; also
        an argument for tasks of your own. Of `reconstruct(colours=True)` the numbers of
        the classes: they get their colours where they are saved.
    labels : StoredArray, StackedArray or None
        The labelled objects.
    table : Task or None
        The object table: a dict of columns.
    saved : tuple of Task
        One for each file.
    stages : tuple of Stage
        The plan.
    block : tuple of int
        Voxels along each axis that one task takes.
    tasks : tuple of tuple of Task
        Those of each stage.
    files : tuple of Path
        Where `saved` writes.
    source : FileInput or ArrayInput
        The image.
    frames : tuple of tuple of int
        The place of each frame along the axes that were taken apart; one, empty, if
        none was.
    channels : tuple of str
        All channels of the image, if a step says which it reads.
    """

    array: Readable
    labels: StoredArray | StackedArray | None
    table: Task | None
    saved: tuple[Task, ...]
    stages: tuple[Stage, ...] = field(repr=False)
    block: tuple[int, ...]
    tasks: tuple[tuple[Task, ...], ...] = field(repr=False)
    files: tuple[Path, ...]
    source: FileInput | ArrayInput = field(repr=False)
    frames: tuple[tuple[int, ...], ...] = field(repr=False, default=((),))
    channels: tuple[str, ...] = field(repr=False, default=())


@known_as("segkit.workflows")
def pipeline_tasks(
    pipeline: Pipeline | str | Path,
    image: str | Path | NDArray[Any] | Field | None = None,
    *,
    out: str | Path = ".",
    tile: int | Sequence[int] | None = None,
    block: int | None = None,
    known_by: KnownBy = "stamp",
    overwrite: bool = False,
    trust: bool = False,
    unit: str | None = None,
) -> Outputs:
    """Write down the tasks of a pipeline for one image; nothing runs yet.

    Each task works on a block of tiles: array steps that were fused into one pass,
    labelling, seams, measuring, writing. So a changed last step runs the last step
    only, and what a killed worker had finished is not run again.

    Parameters
    ----------
    pipeline : Pipeline or path
        The steps.
    image : path, ndarray or field of a plate, optional
        What to work on; None takes the path that `load` names.
    out : path
        Folder for the files that `save` names by relative paths.
    tile : int or sequence of int, optional
        Tiles for a pipeline that names none.
    block : int, optional
        Voxels that a task may take at once; by default a sixteenth of the image, but
        between 4 and 16 million.
    known_by : {'stamp', 'content'}
        How a changed file is noticed: by path, size and modification time, or by a
        digest of its content, which lets it move but is read at each start.
    overwrite : bool
        Replace files that lie where `save` writes.
    trust : bool
        Whether a pipeline file may run any functions; see `Pipeline.load`.
    unit : str, optional
        In which lengths are measured; by default that of the image.

    Returns
    -------
    Outputs
        What the tasks make.

    Raises
    ------
    PipelineError
        If the pipeline cannot be planned for the image, or the image has no voxels.

    Examples
    --------
    >>> import numpy as np
    >>> import taskgraph
    >>> from segkit.pipeline import label, ndnt, regionprops
    >>> image = np.full((40, 40), 200, np.uint8)
    >>> image[10:16, 10:20] = 50
    >>> cells = Pipeline(ndnt(shape=(16, 16), threshold=0.3), label(), regionprops())
    >>> outputs = pipeline_tasks(cells, image)
    >>> taskgraph.run(outputs.table).done
    6
    >>> outputs.table.value()["area"]
    array([60.])
    """
    if not isinstance(pipeline, Pipeline):
        pipeline = Pipeline.load(pipeline, trust=trust)
    found, name = _source(pipeline.steps, image, known_by)
    source = found.frames[0].image
    shape = source.shape
    if 0 in shape or not shape:
        raise PipelineError(f"{name}: image of shape {shape} has no voxels to work on")
    size = sizing.named_tile(pipeline.steps, tile, shape)
    stages = plan(pipeline.steps, ImageSpec.of(source.image), tile=size, unit=unit)
    budget = sizing.budget_for(shape) if block is None else block
    taken = sizing.block_shape(shape, size, _largest_halo(stages, len(shape)), budget)
    channels = found.frames[0].channels
    how = Settings(source, name, Path(out), taken, overwrite, channels)
    builder = ApartBuilder(how, found) if found.taken.per else Builder(how)
    return _written(stages, how, found, builder)


def _source(
    steps: Sequence[Step], image: Any, known_by: KnownBy
) -> tuple[InputFrames, str]:
    """Return the image to work on and its name."""
    if image is None:
        image = loaded_path(steps)
    if image is None:
        raise PipelineError("no image: give one, or a path to load(...)")
    return open_frames(image, open_options(steps), known_by, steps), name_of(image)


def _largest_halo(stages: Sequence[Stage], ndim: int) -> tuple[int, ...]:
    """Return the largest margin that a task reads around its block, for each axis."""
    halos = [stage.halo for stage in stages if isinstance(stage, TilesStage)]
    halos += [stage.tile for stage in stages if isinstance(stage, OverlappingStage)]
    return tuple(max(axis) for axis in zip((0,) * ndim, *halos, strict=True))


def _written(
    stages: Sequence[Stage],
    settings: Settings,
    found: InputFrames,
    builder: Builder | ApartBuilder,
) -> Outputs:
    """Write down the tasks of all stages."""
    recording = current_recording() or Recording()
    of_stages = []
    with nullcontext() if is_recording() else recorded_in(recording):
        for stage in stages:
            before = len(recording.tasks)
            builder.add(stage)
            of_stages.append(tuple(recording.tasks[before:]))
        table = builder.table
    return Outputs(
        builder.array,
        builder.labels,
        table,
        tuple(builder.saved),
        tuple(stages),
        settings.block,
        tuple(of_stages),
        tuple(builder.files),
        found.whole,
        tuple(frame.at for frame in found.taken.frames),
        found.taken.channels,
    )

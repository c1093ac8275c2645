"""What is told of a run of a pipeline: failures, what is left over, what was empty."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from segkit.io.tables import TABLE_SUFFIXES
from segkit.pipeline.stages import (
    FilterStage,
    LabelStage,
    MeasureStage,
    OverlappingStage,
    TilesStage,
)
from segkit.pipeline.steps import numbered, place_name
from segkit.workflows.pipeline_jugfile import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.pipeline.steps import Step
    from segkit.workflows.pipeline_jugfile import PipelineJugfile
    from segkit.workflows.pipelines import Outputs
    from taskgraph import Report
    from taskgraph.extending import Loaded


def told_of(source: PipelineJugfile, left: str) -> list[str]:
    """Return what is to be told after a run: what it saved, and what was empty.

    Parameters
    ----------
    source
        What was run.
    left
        What `left_over` said before it.
    """
    saves = source.more_files or any(one.files for one in source.outputs)
    nothing = f'{source.path} saves nothing; end it with a step as run = "save"'
    told = [] if saves else [nothing]
    told += [f"{address} is there" for address in written_elsewhere(source)]
    return [*told, *source.notes(), *filter(None, (without_objects(source), left))]


def unsaved(source: PipelineJugfile) -> str:
    """Return what to say of a table that is measured and that nothing keeps.

    Empty if a step saves it, or needs it, or the tables of a plate are made of it.
    """
    steps = [*numbered(source.pipeline().steps)]
    measured = [one for one in steps if one[1].function == "regionprops"]
    if not measured or source.more_files:
        return ""
    number, step = measured[-1]
    for later, other in steps:
        path = str(other.arguments[0]) if other.function == "save" else ""
        kept = path.lower().endswith(TABLE_SUFFIXES) or other.function == "classify"
        if later > number and kept:
            return ""
    return (
        f"{source.path}: {place_name(number, step)} measures objects, and no step"
        ' saves the table; add a [[step]] of run = "save" and arguments ='
        ' ["{name}-objects.csv"]'
    )


def failures(source: PipelineJugfile, report: Report) -> list[str]:
    """Return one line for each cause of failure, with the number of its tasks.

    It has the steps of the pipeline that failed. Causes that differ in the file that
    they begin with are one; the files are named, else the images.
    """
    backend = report.store.backend
    places = _places(source)
    images = [Path(path) for one in source.outputs for path in _files_of(one)]
    known = {*_outputs_of(source), *map(str, images)}
    known.update(str(path.resolve()) for path in images)
    causes: dict[tuple[str, str], list[str]] = {}
    for key in backend.failures():
        record = report.store.record(key) if key in places else None
        if record is not None and record.failure is not None:
            message = record.failure.message
            path, _, rest = message.partition(": ")
            steps, image = places[key]
            path, message = (path, rest) if path in known else (image, message)
            cause = (f"{steps or record.name}: {record.failure.error}", message)
            causes.setdefault(cause, []).append(path)
    return [
        f"{len(paths)} x {what}: {_named(paths)}{message}"
        for (what, message), paths in causes.items()
    ]


def _places(source: PipelineJugfile) -> dict[bytes, tuple[str, str]]:
    """Return which steps, and of which image, the tasks of a run are, by their keys."""
    steps = [*numbered(source.pipeline().steps)]
    places: dict[bytes, tuple[str, str]] = {task.key: ("", "") for task in source.more}
    for one in source.outputs:
        image, left = one.source.image.path, [*steps]
        for stage, some in zip(one.stages, one.tasks, strict=True):
            told = ", ".join(dict.fromkeys(_named_step(s, left) for s in stage.steps))
            places |= {task.key: (told, image) for task in some}
    return places


def _named_step(step: Step, left: list[tuple[int, Step]]) -> str:
    """Return a step of a plan as it is called, which has got its spacing meanwhile.

    It is the next of its function among those that are left, without which it is none
    of the pipeline's own.
    """
    for place, (number, own) in enumerate(left):
        if own.function == step.function:
            del left[place]
            return place_name(number, own)
    return step.function


def _files_of(one: Outputs) -> list[str]:
    image = one.source.image
    return [image.path, *image.files]


def _outputs_of(source: PipelineJugfile) -> set[str]:
    saved = [path for one in source.outputs for path in one.files]
    return {*map(str, saved), *map(str, source.more_files)}


def _named(paths: Sequence[str]) -> str:
    """Return the names of some files as the begin of a sentence; nothing of none."""
    known = sorted(filter(None, paths))
    return f"{named(known)}: " if known else ""


def left_over(source: PipelineJugfile, loaded: Loaded) -> str:
    """Return what to say of files of the last run that this one does not write.

    Such as those of an image that is given no more, if that run wrote to the same
    folder. It is known until `keep`; empty if there are none.
    """
    from segkit.workflows.reserving import is_there
    from taskgraph.extending import files_of_last_run

    ours = _outputs_of(source)
    paths = files_of_last_run(loaded, source.path, ("-o", str(source.out)))
    left = sorted(path for path in map(str, map(Path, paths)) if path not in ours)
    left = [path for path in left if is_there(path)]
    if not left:
        return ""
    what = "a file is" if len(left) == 1 else f"{len(left)} files are"
    return (
        f"{what} left from the last run, of images or steps that this one does not"
        f" have: {named(left)}"
    )


def written_elsewhere(source: PipelineJugfile) -> list[str]:
    """Return the addresses of the images that were written elsewhere."""
    from segkit.workflows.tasks import FINISH_ELSEWHERE

    saved = [task for one in source.outputs for task in one.saved if task.can_load()]
    ours = [task for task in saved if task.generator is FINISH_ELSEWHERE]
    return [task.value().path for task in ours]


def without_objects(source: PipelineJugfile) -> str:
    """Return what to say of images in which no object was found; empty of none."""
    images = zip(source.names(), source.outputs, strict=False)
    counts = {image: _is_empty(one) for image, one in images if _is_known(one)}
    empty = [image for image, is_empty in counts.items() if is_empty]
    if not empty:
        return ""
    told = named(empty)
    if len(counts) == 1:
        return f"no objects were found in {told}"
    return f"no objects were found in {len(empty)} of {len(counts)} images: {told}"


def _is_known(one: Outputs) -> bool:
    """Return whether the objects of an image are known: a table, or all labels."""
    if one.table is not None:
        return one.table.can_load()
    every = (task for some in one.tasks for task in some)
    return one.labels is not None and all(task.can_load() for task in every)


def _is_empty(one: Outputs) -> bool:
    """Return whether an image has no objects; labels are read up to the first one."""
    if one.table is not None:
        return len(one.table.value()["label"]) == 0
    if one.labels is None:
        return False
    voxels = one.labels.reader()
    return not any(voxels.read(box).any() for box in one.labels.boxes())


def warm_up(source: PipelineJugfile) -> None:
    """Load the compiled code of what will be run, once for all workers to come.

    What they have to compile themselves is told on this process's terminal.
    """
    import numpy as np

    from segkit.compiled.waiting import WAITING
    from segkit.labelling.labels import label_tile
    from segkit.measurement.measure import measure_tile
    from segkit.pipeline.stage_work import run_steps
    from segkit.tiling.cutting import tiles
    from segkit.workflows.packing import pack, unpack

    WAITING.share()
    if not source.outputs:
        return
    stages = source.outputs[0].stages
    shape = (2,) * len(source.outputs[0].block)
    (tile,) = tiles(shape, 2)
    with suppress(Exception):  # the tasks themselves will say what is wrong
        for stage in stages:
            own = [step for step in stage.steps if step.function == "ndnt"]
            if own and isinstance(stage, (TilesStage, OverlappingStage)):
                run_steps(own, np.ones(shape, np.uint8))
        labels = np.ones(shape, np.int32)
        if any(isinstance(stage, LabelStage) for stage in stages):
            labels = label_tile(np.ones(shape, bool), tile, shape).labels
            unpack(pack(labels), np.arange(2, dtype=np.int32))
        if any(isinstance(stage, (MeasureStage, FilterStage)) for stage in stages):
            measure_tile(labels, tile, shape)

"""A pipeline file and its images, as `tg execute` takes a jugfile."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.names import known_as
from segkit.pipeline.pipeline import Pipeline
from segkit.pipeline.stage_work import image_name, save_path
from segkit.pipeline.steps import PipelineError
from segkit.workflows.pipelines import pipeline_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.pipeline.plan import Stage
    from segkit.workflows.inputs import KnownBy
    from segkit.workflows.pipelines import Outputs
    from taskgraph import Report, Results, Task
    from taskgraph.extending import Loaded

# Bytes a voxel of the block that a task holds beside what it reads: roughly.
_BYTES = {"tiles": 4, "whole": 4, "label": 9, "measure": 6, "filter": 6, "save": 9}


@known_as("segkit.workflows")
@dataclass(slots=True)
class PipelineJugfile:
    """A pipeline file and its images, loaded as a jugfile is.

    Attributes
    ----------
    path : Path
        The pipeline.
    images : sequence of str
        What to run it over; none takes the path that it loads itself.
    out : Path
        Folder for the files that it saves.
    tile, block, known_by, overwrite
        As `pipeline_tasks` takes them.
    outputs : list of Outputs
        Of each image, once it was loaded.
    """

    path: Path
    images: Sequence[str] = ()
    out: Path = Path()
    tile: tuple[int, ...] | None = None
    block: int | None = None
    known_by: KnownBy = "stamp"
    overwrite: bool = False
    outputs: list[Outputs] = field(default_factory=list)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What `segkit run` was given after the pipeline; tells runs of it apart."""
        words = [*map(str, self.images), "-o", str(self.out)]
        if self.tile is not None:
            words += ["--tile", ",".join(map(str, self.tile))]
        if self.block is not None:
            words += ["--block", str(self.block)]
        if self.known_by != "stamp":
            words += ["--known-by", self.known_by]
        return (*words, "--overwrite") if self.overwrite else tuple(words)

    def require_usable(self) -> None:
        """Look at all that is given, before a store is made for it.

        Raises
        ------
        PipelineError
            If the file is no pipeline, or its files cannot be written.
        OSError
            If an image is not there or must not be read.
        """
        from segkit.io.opening import require_readable
        from segkit.io.publishing import make_folder

        pipeline = Pipeline.load(self.path)
        images = self.images or _loaded(pipeline)
        for image in images:
            require_readable(image)
        saving = [step for step in pipeline.steps if step.function == "save"]
        names = map(image_name, images)
        _require_apart(
            [save_path(step, self.out, name) for name in names for step in saving]
        )
        if saving:
            try:
                make_folder(self.out)
            except OSError as error:
                raise PipelineError(f"-o {self.out}: {error.strerror}") from error

    def load(self, results: Results) -> Loaded:
        """Write the tasks of all images down.

        Raises
        ------
        PipelineError
            If the file is no pipeline, it does not fit an image, or two images would
            be written to one file.
        """
        from taskgraph.extending import Graph, Loaded, Recording, recorded_in

        pipeline = Pipeline.load(self.path)
        recording: Recording[Task] = Recording(results)
        with recorded_in(recording):
            self.outputs = [
                pipeline_tasks(
                    pipeline,
                    image,
                    out=self.out,
                    tile=self.tile,
                    block=self.block,
                    known_by=self.known_by,
                    overwrite=self.overwrite,
                )
                for image in (self.images or (None,))
            ]
        _require_apart([file for one in self.outputs for file in one.files])
        return Loaded(Graph(recording.tasks), {}, results)

    def keep(self, loaded: Loaded) -> None:
        """Keep the graph in the store: `tg status pipeline.toml` shows it."""
        from taskgraph.extending import keep_graph

        keep_graph(loaded, self.path, self.arguments)


def _loaded(pipeline: Pipeline) -> tuple[str]:
    """Return the path that a pipeline loads itself."""
    for step in pipeline.steps[:1]:
        if step.function == "load" and step.arguments:
            return (str(step.arguments[0]),)
    raise PipelineError("no image: give one, or a path to load(...)")


def _require_apart(files: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for file in files:
        if file in seen:
            raise PipelineError(
                f"{file} would be written twice; put {{name}} into the path of save,"
                " for the name of the image"
            )
        seen.add(file)


def failures(source: PipelineJugfile, report: Report) -> list[str]:
    """Return one line for each cause of failure, with the number of its tasks."""
    backend = report.store.backend
    keys = {task.key for one in source.outputs for some in one.tasks for task in some}
    causes: dict[str, int] = {}
    for key in backend.failures():
        record = report.store.record(key) if key in keys else None
        if record is not None and record.failure is not None:
            cause = f"{record.name}: {record.failure.error}: {record.failure.message}"
            causes[cause] = causes.get(cause, 0) + 1
    return [f"{count} x {cause}" for cause, count in causes.items()]


def warm_up(source: PipelineJugfile) -> None:
    """Load the compiled code of what will be run, once for all workers to come."""
    import numpy as np

    from segkit.labelling.labels import label_tile
    from segkit.measurement.measure import measure_tile
    from segkit.pipeline.stage_work import run_steps
    from segkit.tiling.cutting import tiles
    from segkit.workflows.packing import pack, unpack

    if not source.outputs:
        return
    one = source.outputs[0]
    shape = (2,) * len(one.array.shape)
    (tile,) = tiles(shape, 2)
    kinds = {stage.kind for stage in one.stages}
    with suppress(Exception):  # the tasks themselves will say what is wrong
        for stage in one.stages:
            own = [step for step in stage.steps if step.function == "ndnt"]
            if own and stage.kind == "tiles":
                run_steps(own, np.ones(shape, np.uint8))
        labels = np.ones(shape, np.int32)
        if "label" in kinds:
            labels = label_tile(np.ones(shape, bool), tile, shape).labels
            unpack(pack(labels), np.arange(2, dtype=np.int32))
        if kinds & {"measure", "filter"}:
            measure_tile(labels, tile, shape)


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
    """Return the stages of all images without running any."""
    from backends.errors import OpenError
    from taskgraph import open_store

    results = None
    if store is not None:
        with suppress(OpenError):
            results = open_store(store, create=False)
    if results is None:
        results = open_store("memory://")
    loaded = source.load(results)
    results.backend.poll()
    known = set(loaded.graph.keys()).intersection(results.backend.keys())
    names = [Path(path).name for path in source.images] or [""]
    return [
        _planned_stage(name, one, stage, some, known)
        for name, one in zip(names, source.outputs, strict=True)
        for stage, some in zip(one.stages, one.tasks, strict=True)
        if some
    ]


def _planned_stage(
    name: str, one: Outputs, stage: Stage, some: Sequence[Any], known: set[bytes]
) -> PlannedStage:
    keys = {task.key for task in some}
    return PlannedStage(
        name,
        stage.kind,
        " + ".join(step.function for step in stage.steps),
        len(keys),
        len(keys & known),
        _memory(one, stage),
    )


def _memory(one: Outputs, stage: Stage) -> int:
    if stage.table is not None and stage.array is None:
        return 0
    if stage.kind in ("classify", "paint"):
        return 0
    box = stage.shape if stage.kind == "whole" else one.block
    halo = stage.halo or (0,) * len(box)
    read = math.prod(
        min(size + 2 * margin, length)
        for size, margin, length in zip(box, halo, stage.shape, strict=True)
    )
    return read * _BYTES.get(stage.kind, 4)

"""A pipeline file and a plate, as a jugfile: tasks of each field, and their tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.io.errors import ImageError
from segkit.io.plates.opening import is_plate, plate_of
from segkit.io.tables import TABLE_SUFFIXES
from segkit.measurement.properties import PHYSICAL
from segkit.pipeline.parts.taken_image import per_of
from segkit.pipeline.stage_work import image_name, save_paths
from segkit.pipeline.stages import MeasureStage
from segkit.pipeline.steps import PipelineError
from segkit.workflows import tasks
from segkit.workflows.attempts import saved_by
from segkit.workflows.pipeline_jugfile import (
    PipelineJugfile,
    named,
    together,
    warned_once,
)
from segkit.workflows.pipelines import pipeline_tasks
from segkit.workflows.plates.comparing import alone, differing, require_own_names
from segkit.workflows.stored import later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.io.plates.fields import Field
    from segkit.io.plates.plate import Place, Plate
    from segkit.pipeline.pipeline import Pipeline
    from segkit.workflows.pipelines import Outputs
    from taskgraph import Report, Results, Task
    from taskgraph.extending import Loaded, Recording


def jugfile_of(
    path: Path,
    images: Sequence[str],
    *,
    pattern: str | None = None,
    layout: Path | None = None,
    by: Sequence[str] | None = None,
    **given: Any,
) -> PipelineJugfile:
    """Return a pipeline file and its images as a jugfile; a plate is one image.

    Parameters
    ----------
    path
        The pipeline.
    images
        What to run it over: images, or one plate.
    pattern
        How files of a plate are named in its folder.
    layout, by
        What was done to its wells, and which of that they are compared by; see
        `PlateJugfile`.
    given
        Further attributes of `PipelineJugfile`.

    Raises
    ------
    PipelineError
        If a plate is not alone, or something is said of wells and it is no plate.
    """
    plates = images if pattern is not None else [one for one in images if is_plate(one)]
    if not plates and pattern is None:
        if layout is not None or by:
            told = "--by" if layout is None else "--layout"
            raise PipelineError(
                f"{told} speaks of the wells of a plate, and {', '.join(images)} is"
                " none; of a folder of images say by --pattern how they are named"
            )
        return PipelineJugfile(path, images, **given)
    if len(images) != 1:
        what = "a folder of images" if pattern is not None else "a plate"
        raise PipelineError(
            f"{len(images)} images are given, and {what} is run over by itself; give"
            " one, with a folder for results (-o) of its own for each"
        )
    wells = tuple(by or ())
    return PlateJugfile(path, images, pattern=pattern, layout=layout, by=wells, **given)


@dataclass(slots=True)
class PlateJugfile(PipelineJugfile):
    """A pipeline file and a plate, loaded as a jugfile is.

    Beside what the pipeline saves of each field, tables are saved of the plate:
    ``PLATE-objects.csv`` with a row for each object, ``PLATE-wells.csv`` with one for
    each well, and ``PLATE-conditions.csv`` with one for each condition, if it has any.

    Attributes
    ----------
    pattern : str or None
        How files are named in the plate's folder; None of an OME-Zarr plate.
    layout : Path or None
        The file that says what was done to each well.
    by : tuple of str
        Which columns of that, or groups of the pattern, make a condition; empty of all
        but those that number repetitions.
    left_out : frozenset of str
        Names of fields whose tables are no part of those of the plate, as they failed.
    tables : list of Task
        Those of the plate, once it was loaded: of objects, of wells and of conditions,
        if it has any.
    """

    pattern: str | None = None
    layout: Path | None = None
    by: tuple[str, ...] = ()
    left_out: frozenset[str] = frozenset()
    tables: list[Task] = field(default_factory=list)
    _measured: list[Field] = field(default_factory=list)
    _plate: Plate | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """What `segkit run` was given after the pipeline."""
        words = PipelineJugfile.arguments.fget(self)  # type: ignore[attr-defined]
        pattern = () if self.pattern is None else ("--pattern", self.pattern)
        layout = () if self.layout is None else ("--layout", str(self.layout))
        by = ("--by", ",".join(self.by)) if self.by else ()
        return (*words, *pattern, *layout, *by)

    @property
    def plate(self) -> Plate:
        """The fields of the plate."""
        if self._plate is None:
            self._plate = plate_of(self.images[0], self.pattern, self.layout, self.by)
        return self._plate

    def names(self) -> list[str]:
        """Return what the fields are called whose tasks were written down."""
        return [one.name for one in self._measured]

    def groups(self) -> list[tuple[str, list[Outputs]]]:
        """Return the tasks of all fields as one."""
        count = len(self.outputs)
        return [(f"{count} field{'s' * (count != 1)}", self.outputs)]

    def notes(self) -> list[str]:
        """Return what is to be told of the plate, and of fields that are left out."""
        told = [*self.plate.notes]
        if self.refused:
            reasons = [f"{name}: {why}" for name, why in self.refused.items()]
            told.append(
                f"{len(reasons)} of {len(self.plate.fields)} fields cannot be taken;"
                f" left out: {named(reasons, '; ')}"
            )
        if self.outputs and all(one.table is None for one in self.outputs):
            told.append(
                f"{self.path} measures nothing, so that the plate has no table; add a"
                ' step run = "regionprops"'
            )
        return [*told, *differing(self.outputs, self._measured), *alone(self.plate)]

    def incomplete(self, report: Report) -> bool:
        """Say whether tables of the plate are yet to be made without what failed.

        Once a run has ended; then it is to be loaded and run once more.
        """
        if report.open or not report.failed:
            return False
        failed = {
            one.name
            for one, made in zip(self._measured, self.outputs, strict=True)
            if made.table is not None and not made.table.can_load()
        }
        left = frozenset(failed)
        if not left or left == self.left_out or len(left) == len(self.outputs):
            return False
        self.left_out = left
        return True

    def require_usable(self) -> None:
        """Look at all that is given; see `PipelineJugfile.require_usable`."""
        pipeline = self.pipeline()
        names = [one.name for one in self.plate.fields]
        ours = [*save_paths(pipeline.steps, self.out, names)]
        for path in self._table_paths(pipeline):
            if path in ours:
                raise PipelineError(
                    f"{path} is the plate's own table; give another path to save"
                )

    def load(self, results: Results, _pause: object = None) -> Loaded:
        """Write the tasks of all fields down, and those of the plate's tables.

        Fields that cannot be opened are left out, and told (`refused`).

        Raises
        ------
        PipelineError, ImageError
            If the file is no pipeline, or no field can be taken.
        """
        from taskgraph.extending import Graph, Loaded

        pipeline = self.pipeline()
        written = self._write_down(pipeline, results)
        unit = self._one_unit()
        if unit is not None:
            written = self._write_down(pipeline, results, unit)
        inputs = written.encoder.files
        return Loaded(Graph(written.tasks), {}, results, inputs=inputs)

    def _write_down(
        self, pipeline: Pipeline, results: Results, unit: str | None = None
    ) -> Recording[Task]:
        from taskgraph.extending import Recording, recorded_in

        recording: Recording[Task] = Recording(results)
        self.outputs, self._measured, self.refused = [], [], {}
        errors: list[Exception] = []
        with recorded_in(recording), warned_once():
            for one in self.plate.fields:
                mark = len(recording.tasks)
                try:
                    self._add(one, pipeline, unit)
                except FileExistsError:
                    raise  # -o holds another plate's: no fault of the field
                except (ImageError, PipelineError, OSError) as error:
                    del recording.tasks[mark:]
                    self.refused[one.name] = str(error)
                    errors.append(error)
            if not self.outputs:
                refused = [e for e in errors if isinstance(e, ImageError)]
                raise together(refused) if len(refused) == len(errors) else errors[0]
            apart = per_of(pipeline.steps)
            require_own_names(self.plate.names, self.outputs[0], apart)
            mark = len(recording.tasks)
            self._write_tables(pipeline)
        self.more = recording.tasks[mark:]
        return recording

    def _add(self, one: Field, pipeline: Pipeline, unit: str | None) -> None:
        """Write the tasks of a field down."""
        tile = self.tile
        made = pipeline_tasks(
            pipeline,
            one,
            out=self.out,
            tile=tile[0] if tile and len(tile) == 1 else tile,
            block=self.block,
            known_by=self.known_by,
            overwrite=self.overwrite,
            unit=unit,
        )
        if self.outputs:
            own, others = (m.source.image.axes for m in (made, self.outputs[0]))
            if own != others:
                raise PipelineError(
                    f"{one.path}: has axes {own!r}, and the fields before it"
                    f" {others!r}, so that their tables have other columns"
                )
        self.outputs.append(made)
        self._measured.append(one)

    def _one_unit(self) -> str | None:
        """Return the unit in which all fields are to be measured, if they differ."""
        units = {
            stage.unit: None
            for one in self.outputs
            for stage in one.stages
            if isinstance(stage, MeasureStage)
            and {*(stage.step.keywords.get("properties") or PHYSICAL)} & {*PHYSICAL}
        }
        known = [unit for unit in units if unit != "pixel"]
        return known[0] if len(units) > 1 else None

    def _table_paths(self, pipeline: Pipeline) -> list[Path]:
        """Return where the tables of the plate are saved."""
        own = [str(step.arguments[0]).lower() for step in pipeline.steps if step.saves]
        found = [end for path in own for end in TABLE_SUFFIXES if path.endswith(end)]
        suffix, plate = [*found, ".csv"][0], image_name(self.plate.path.absolute())
        kinds = ["objects"] + ["wells"] * bool(self.plate.of_well)
        kinds += ["conditions"] * bool(self.plate.by)
        return [self.out / f"{plate}-{kind}{suffix}" for kind in kinds]

    def _write_tables(self, pipeline: Pipeline) -> None:
        """Write the tasks of the plate's tables down."""
        self.more_files, self.tables = [], []
        both = zip(self._measured, self.outputs, strict=True)
        kept = [
            (one, made.table)
            for one, made in both
            if made.table is not None and one.name not in self.left_out
        ]
        if not kept:
            return
        plate, paths = self.plate, self._table_paths(pipeline)
        places = tuple(one.place for one, _ in kept)
        table = tasks.JOIN_TABLES(plate.names, places, later(t for _, t in kept))
        self.tables.append(table)
        self._save(table, paths[0])
        if plate.of_well:
            names = (*plate.names[: plate.of_well], *per_of(pipeline.steps))
            summary = tasks.PER_WELL(table, names, self._wells(pipeline))
            self.tables.append(summary)
            self._save(summary, paths[1])
        if plate.by:
            by = (*plate.by, *per_of(pipeline.steps))
            compared = tasks.PER_CONDITION(self.tables[1], by)
            self.tables.append(compared)
            self._save(compared, paths[2])

    def _wells(self, pipeline: Pipeline) -> tuple[tuple[Place, int, int], ...]:
        """Return how many fields are in the row of each well and frame, and are not."""
        count = self.plate.of_well
        every = Counter(one.place[:count] for one in self.plate.fields)
        apart = bool(per_of(pipeline.steps))
        frames = {((), place)[apart] for one in self.outputs for place in one.frames}
        whole = Counter(
            (*one.place[:count], *(frame if apart else ()))
            for one, made in zip(self._measured, self.outputs, strict=True)
            if made.table is not None and one.name not in self.left_out
            for frame in (made.frames if apart else ((),))
        )
        return tuple(
            ((*well, *frame), found, every[well] - found)
            for well in self.plate.wells
            for frame in sorted(frames)
            for found in (whole[*well, *frame],)
        )

    def _save(self, table: Task, path: Path) -> None:
        units = {
            stage.unit
            for stage in self.outputs[0].stages
            if isinstance(stage, MeasureStage)
        } - {"pixel"}
        options = tuple(("unit", unit) for unit in units)
        content = {"table": table, "options": options}
        where = str(path.absolute())
        self.more_files.append(Path(where))
        saved_by(tasks.SAVE_TABLE, "save_objects", content, where, self.overwrite)

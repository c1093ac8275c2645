"""A pipeline file and a plate, as a jugfile: tasks of each field, and their tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.io.errors import ImageError
from segkit.io.plates.layout import Layout, is_plate, layout_of
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
from segkit.workflows.stored import later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.io.plates.fields import Field
    from segkit.pipeline.pipeline import Pipeline
    from segkit.workflows.pipelines import Outputs
    from taskgraph import Report, Results, Task
    from taskgraph.extending import Loaded, Recording


def jugfile_of(
    path: Path, images: Sequence[str], *, pattern: str | None = None, **given: Any
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
    given
        Further attributes of `PipelineJugfile`.

    Raises
    ------
    PipelineError
        If a plate is not alone.
    """
    plates = images if pattern is not None else [one for one in images if is_plate(one)]
    if not plates and pattern is None:
        return PipelineJugfile(path, images, **given)
    if len(images) != 1:
        what = "a folder of images" if pattern is not None else "a plate"
        raise PipelineError(
            f"{len(images)} images are given, and {what} is run over by itself; give"
            " one, with a folder for results (-o) of its own for each"
        )
    return PlateJugfile(path, images, pattern=pattern, **given)


@dataclass(slots=True)
class PlateJugfile(PipelineJugfile):
    """A pipeline file and a plate, loaded as a jugfile is.

    Beside what the pipeline saves of each field, two tables are saved of the plate:
    ``PLATE-objects.csv`` with a row for each object, and ``PLATE-wells.csv`` with one
    for each well.

    Attributes
    ----------
    pattern : str or None
        How files are named in the plate's folder; None of an OME-Zarr plate.
    left_out : frozenset of str
        Names of fields whose tables are no part of those of the plate, as they failed.
    tables : list of Task
        Those of the plate, once it was loaded: of objects, and of wells if it has any.
    """

    pattern: str | None = None
    left_out: frozenset[str] = frozenset()
    tables: list[Task] = field(default_factory=list)
    _measured: list[Field] = field(default_factory=list)
    _layout: Layout | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """What `segkit run` was given after the pipeline."""
        words = PipelineJugfile.arguments.fget(self)  # type: ignore[attr-defined]
        pattern = () if self.pattern is None else ("--pattern", self.pattern)
        return (*words, *pattern)

    @property
    def plate(self) -> Layout:
        """The fields of the plate."""
        if self._layout is None:
            self._layout = layout_of(self.images[0], self.pattern)
        return self._layout

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
        types = Counter(str(one.source.image.dtype) for one in self.outputs)
        if len(types) > 1:
            counts = ", ".join(f"{n} of {name}" for name, n in types.items())
            told.append(
                f"fields have voxels of several types, {counts}: their"
                " brightness may not compare"
            )
        return told

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
        """Return where the tables of the plate are saved: of objects, and of wells."""
        own = [str(step.arguments[0]).lower() for step in pipeline.steps if step.saves]
        found = [end for path in own for end in TABLE_SUFFIXES if path.endswith(end)]
        suffix, plate = [*found, ".csv"][0], image_name(self.plate.path.absolute())
        kinds = ("objects", "wells") if self.plate.of_well else ("objects",)
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
            per, frames = per_of(pipeline.steps), self._frames(pipeline)
            wells = self._wells([one for one, _ in kept])
            names = plate.names[: plate.of_well]
            summary = tasks.PER_WELL(table, names, wells, frames, per)
            self.tables.append(summary)
            self._save(summary, paths[1])

    def _wells(
        self, kept: Sequence[Field]
    ) -> tuple[tuple[tuple[str | int, ...], int, int], ...]:
        """Return for each well how many fields are in its row, and how many are not."""
        count = self.plate.of_well
        every = Counter(one.place[:count] for one in self.plate.fields)
        whole = Counter(one.place[:count] for one in kept)
        return tuple(
            (well, whole[well], every[well] - whole[well]) for well in self.plate.wells
        )

    def _frames(self, pipeline: Pipeline) -> tuple[tuple[int, ...], ...]:
        """Return the places of all frames that any field has."""
        if not per_of(pipeline.steps):
            return ((),)
        found = {place for one in self.outputs for place in one.frames}
        return tuple(sorted(found))

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

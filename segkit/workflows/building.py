"""From the plan of a pipeline to tasks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from segkit.io.elsewhere.address import is_address
from segkit.io.formats import is_chunked
from segkit.measurement import shapes
from segkit.pipeline.contents import is_foreign
from segkit.pipeline.object_filters import filter_options
from segkit.pipeline.stage_work import (
    as_stated,
    measure_options,
    needs_intensity,
    of_channel,
    save_path,
    saved_at,
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
    Stage,
    TilesStage,
    WholeStage,
)
from segkit.tiling.boxes import Box, Tile
from segkit.tiling.cutting import tiles
from segkit.workflows import sizing, tasks
from segkit.workflows.attempts import saved_by
from segkit.workflows.grouping import combined, seams_of
from segkit.workflows.inputs import ArrayInput, FileInput, Readable
from segkit.workflows.saving import Described
from segkit.workflows.stored import Later, Part, StoredArray, later

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segkit.pipeline.steps import Step
    from segkit.workflows.saving import Options
    from taskgraph import Task

Input: TypeAlias = FileInput | ArrayInput
_HOW = ("tile", "workers")  # change no result, of functions that label and measure
_THREADS = "workers"


@dataclass(frozen=True, slots=True)
class Settings:
    """What all stages share.

    Attributes
    ----------
    source : FileInput or ArrayInput
        The image.
    name : str
        For ``{name}`` in paths.
    out : Path
        Folder for files.
    block : tuple of int
        Voxels that one task owns.
    overwrite : bool
        Replace files that lie there.
    channels : mapping of str or int to FileInput or ArrayInput
        Those that steps say.
    """

    source: Input
    name: str
    out: Path
    block: tuple[int, ...]
    overwrite: bool
    channels: Mapping[Any, Input] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Labels:
    """Labelled objects: their voxels, and by tile how they were labelled and dropped.

    Array steps give labels, too, with the ids of the image from the start.

    Attributes
    ----------
    voxels : StoredArray
        The labels.
    grid, tiles : tuple
        The tiles, and for each the task that labels it by itself; none of array steps.
    merged : Task or None
        The ids for the labels of all tiles; None for those of array steps.
    dropped : tuple of Task
        For each filter so far the lookup that drops objects.
    """

    voxels: StoredArray
    grid: tuple[Tile, ...] = ()
    tiles: tuple[Task, ...] = ()
    merged: Task | None = None
    dropped: tuple[Task, ...] = ()


class Builder:
    """Writes down the tasks of stages, one after the other.

    Attributes
    ----------
    arrays, tables : dict
        What stages make, by their numbers.
    colours : set of int
        Stages that paint classes, which are saved in their colours.
    array : Readable
        The last array.
    labels : StoredArray or None
        The labelled objects.
    table : Task or None
        The last table of objects.
    saved : list of Task
        One for each file.
    files : list of Path
        The files.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.arrays: dict[int, Readable] = {0: settings.source}
        self._labels: dict[int, _Labels] = {}
        self.tables: dict[int, Task] = {}
        self.colours: set[int] = set()
        self._sums: dict[tuple[Any, ...], Task] = {}
        self.array: Readable = settings.source
        self.labels: StoredArray | None = None
        self.table: Task | None = None
        self.saved: list[Task] = []
        self.files: list[Path] = []

    def add(self, stage: Stage) -> None:  # noqa: C901 - one case for each stage
        """Write down the tasks of a stage."""
        match stage:
            case LoadStage():
                if stage.number:  # the image is stage 0
                    channel = self._settings.channels[stage.channel]
                    self.arrays[stage.number] = channel
            case TilesStage():
                self._keep_made(stage, self._tiles(stage))
            case OverlappingStage():
                self._keep_made(stage, self._overlapping(stage))
            case WholeStage():
                self._keep_made(stage, self._whole(stage))
            case LabelStage():
                self._keep_labels(stage, self._label(stage))
            case FilterStage():
                self._keep_labels(stage, self._filter(stage))
            case MeasureStage():
                self._keep_table(stage, self._measure(stage))
            case ClassifyStage():
                table, classes = self.tables[stage.table], stage.step.arguments
                self._keep_table(stage, tasks.CLASSIFY(table, classes))
            case PaintStage():
                self._keep_array(stage, self._paint(stage))
            case SaveImageStage():
                self.saved.append(self._save_image(stage))
            case SaveOverlayStage():
                self.saved.append(self._save_overlay(stage))
            case SaveTableStage():
                self.saved.append(self._save_table(stage))
            case _:
                assert_never(stage)

    def _keep_array(self, stage: Stage, array: Readable) -> None:
        self.arrays[stage.number] = self.array = array

    def _keep_made(
        self, stage: TilesStage | OverlappingStage | WholeStage, array: StoredArray
    ) -> None:
        if stage.content == "labels":
            self._keep_labels(stage, _Labels(array))
        else:
            self._keep_array(stage, array)

    def _keep_labels(self, stage: Stage, labels: _Labels) -> None:
        self._keep_array(stage, labels.voxels)
        self._labels[stage.number] = labels
        self.labels, self.table = labels.voxels, None

    def _keep_table(self, stage: Stage, table: Task) -> None:
        self.tables[stage.number] = self.table = table

    # arrays

    def _grid(self, halo: Sequence[int] | int = 0) -> list[Tile]:
        settings = self._settings
        return tiles(settings.source.shape, settings.block, halo=halo)

    def _stored(self, grid: Sequence[Tile], made: Sequence[Task]) -> StoredArray:
        parts = [
            Part(tile.write, Later(task), number)
            for number, (tile, task) in enumerate(zip(grid, made, strict=True))
        ]
        return StoredArray(self._settings.source.shape, tuple(parts))

    def _tiles(self, stage: TilesStage) -> StoredArray:
        image, grid = self.arrays[stage.array], self._grid(stage.halo)
        steps = _keyed(stage.steps)
        made = [tasks.RUN_TILE(steps, image.cut(t.read), t) for t in grid]
        return self._stored(grid, made)

    def _overlapping(self, stage: OverlappingStage) -> StoredArray:
        image, grid = self.arrays[stage.array], self._grid()
        steps, size, stride = _keyed(stage.steps), stage.tile, stage.stride
        made = []
        for tile in grid:
            box = tile.write
            near = image.cut(_grown(box, size, stage.shape))
            made.append(tasks.RUN_OVERLAPPING(steps, near, box, size, stride))
        return self._stored(grid, made)

    def _whole(self, stage: WholeStage) -> StoredArray:
        shape = self._settings.source.shape
        made = tasks.RUN_WHOLE(_keyed(stage.steps), self.arrays[stage.array])
        box = Box((0,) * len(shape), shape)
        return StoredArray(shape, (Part(box, Later(made), 0),))

    def _label(self, stage: LabelStage) -> _Labels:
        image, grid = self.arrays[stage.array], self._grid()
        options = {k: v for k, v in stage.step.options if k not in _HOW}
        given = tuple(sorted(options.items()))
        made = [tasks.LABEL_TILE(image.cut(t.write), t, given) for t in grid]
        seams = seams_of(grid, made, options.get("connectivity", 1))
        merged = tasks.MERGE_TILES(later(made), later(seams))
        voxels = replace(self._stored(grid, made), merged=Later(merged))
        return _Labels(voxels, tuple(grid), tuple(made), merged)

    def _filter(self, stage: FilterStage) -> _Labels:
        step, labels = stage.step, self._labels[stage.labels]
        options = filter_options(step, self._settings.source.image.spacing)
        sums = self._sums_for(step, labels, options, stage.image)
        lookup = tasks.KEEP(step, sums, labels.dropped, options)
        return replace(
            labels,
            voxels=labels.voxels.looked_up(lookup),
            dropped=(*labels.dropped, lookup),
        )

    def _paint(self, stage: PaintStage) -> StoredArray:
        lookup = tasks.CLASSES(self.tables[stage.table])
        if stage.step.keywords.get("colours"):
            self.colours.add(stage.number)
        return self._labels[stage.labels].voxels.looked_up(lookup)

    # tables

    def _measure(self, stage: MeasureStage) -> Task:
        step, labels = stage.step, self._labels[stage.labels]
        options = measure_options(step, self._settings.source.image.spacing)
        options = {k: v for k, v in options.items() if k not in _HOW}

        def table(number: int, own: dict[str, Any]) -> Task:
            sums = self._sums_for(step, labels, own, number)
            task: Task = tasks.TABULATE(sums, labels.dropped, own)
            return task

        if not stage.several:
            return table(stage.image, options)
        made = [
            table(number, of_channel(options, place == 0))
            for place, (_, number) in enumerate(stage.several)
        ]
        names = tuple(name for name, _ in stage.several)
        several: Task = tasks.SIDE_BY_SIDE(names, made)
        return several

    def _sums_for(
        self, step: Step, labels: _Labels, options: dict[str, Any], number: int
    ) -> Task:
        """Return the sums that the options of a step need, of the image of a stage."""
        image = self.arrays[number] if needs_intensity(step) else None
        named = sorted({*(options.get("properties") or ())} & {*shapes.NEEDS})
        if named or labels.merged is None:
            return self._sums_by_id(labels.voxels, image, tuple(named))
        return self._sums_of(labels, labels.merged, image, number)

    def _sums_of(
        self, labels: _Labels, merged: Task, image: Readable | None, number: int
    ) -> Task:
        """Return the sums over all objects, dropped ones too; measured once."""
        key = (merged.key, None if image is None else number)
        if key not in self._sums:
            parts = [
                tasks.MEASURE_TILE(made, tile, image)
                for made, tile in zip(labels.tiles, labels.grid, strict=True)
            ]
            self._sums[key] = combined(parts, merged)
        return self._sums[key]

    def _sums_by_id(
        self, labels: StoredArray, image: Readable | None, named: tuple[str, ...]
    ) -> Task:
        """Return the sums over objects, of voxels that have the ids of the image."""
        parts = [
            tasks.MEASURE_LABELS(labels.cut(tile.read), tile, image, properties=named)
            for tile in self._grid(shapes.reach(shapes.needs(named)))
        ]
        return combined(parts, None)

    # files

    def _target(self, step: Step) -> tuple[str, bool, Options]:
        """Return where a step saves, whether it replaces what is there, and how."""
        settings = self._settings
        path = saved_at(save_path(step, settings.out.resolve(), settings.name))
        self.files.append(Path(path))
        options = {"overwrite": settings.overwrite, **step.keywords}
        overwrite = bool(options.pop("overwrite"))
        return path, overwrite, tuple(sorted(options.items()))

    def _saved(self, *saved: Any) -> Task:
        return saved_by(*saved, image=self._settings.source.image)

    def _save_table(self, stage: SaveTableStage) -> Task:
        path, overwrite, options = self._target(stage.step)
        content = {"table": self.tables[stage.table], "options": options}
        return self._saved(tasks.SAVE_TABLE, "save_objects", content, path, overwrite)

    def _save_overlay(self, stage: SaveOverlayStage) -> Task:
        path, overwrite, options = self._target(stage.step)
        image, labels = self.arrays[stage.image], self.arrays[stage.array]
        content = {"image": image, "labels": labels, "options": options}
        return self._saved(tasks.SAVE_OVERLAY, "save_overlay", content, path, overwrite)

    def _save_image(self, stage: SaveImageStage) -> Task:
        path, overwrite, options = self._target(stage.step)
        image, colours = self._settings.source.image, stage.array in self.colours
        content = {
            "image": self.arrays[stage.array],
            "described": Described.of(image, colours=colours),
            "options": as_stated(path, options, image),
        }
        if is_chunked(path):
            return self._saved(self._by_many, "_by_many", content, path, overwrite)
        return self._saved(tasks.SAVE_IMAGE, "save_image", content, path, overwrite)

    def _by_many(
        self,
        reserved: Task,
        image: Readable,
        described: Described,
        options: Options,
        of: str,
    ) -> Task:
        """Write an image by as many workers as there are, each whole chunks."""
        block, shape = self._settings.block, image.shape
        given = dict(options)
        chunks = given.pop("chunks", None) or sizing.chunks_for(block, shape)
        if len(chunks) < len(described.spacing):
            chunks = (*chunks, 3)
        options = tuple(sorted(given.items()))
        size = sizing.aligned_block(block, chunks[: len(shape)], shape)
        boxes = [tile.write for tile in tiles(shape, size)]
        first = image.cut(boxes[0])
        created = tasks.CREATE_FILE(reserved, first, described, tuple(chunks), options)
        written = [
            tasks.WRITE_TILE(created, image.cut(box), box, described.colours)
            for box in boxes
        ]
        elsewhere = is_address(reserved.args[0])
        finish = tasks.FINISH_ELSEWHERE if elsewhere else tasks.FINISH_FILE
        task: Task = finish(created, written, options, of)
        return task


def _keyed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return steps without the threads that functions of segkit are to use.

    Their results do not depend on it, and each worker has its share of the machine.
    """
    return tuple(
        step
        if is_foreign(step)
        else replace(step, options=tuple(o for o in step.options if o[0] != _THREADS))
        for step in steps
    )


def _grown(box: Box, size: tuple[int, ...], shape: tuple[int, ...]) -> Box:
    """Return a box with a margin of `size`, as far as the image reaches."""
    stops = (b + n for b, n in zip(box.stop, size, strict=True))
    return Box(
        tuple(max(0, a - n) for a, n in zip(box.start, size, strict=True)),
        tuple(map(min, stops, shape)),
    )

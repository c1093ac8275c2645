"""From the plan of a pipeline to tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from segkit.labelling.merging import adjacent_tiles
from segkit.pipeline import stage_work
from segkit.pipeline.steps import PipelineError
from segkit.tiling.boxes import Box
from segkit.tiling.cutting import tiles
from segkit.workflows import sizing, tasks
from segkit.workflows.inputs import ArrayInput, FileInput
from segkit.workflows.reserving import (
    ABSENT,
    Saved,
    file_of,
    known_by,
    mark_of,
    marks_of_ours,
)
from segkit.workflows.saving import Described, Readable, is_lost
from segkit.workflows.stored import Later, Part, StoredArray, later
from taskgraph.extending import Encoder, current_recording, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.pipeline.plan import Stage
    from segkit.pipeline.steps import Step
    from segkit.tiling.boxes import Tile
    from taskgraph import Results, Task

Input: TypeAlias = FileInput | ArrayInput
_GROUP = 64


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
    """

    source: Input
    name: str
    out: Path
    block: tuple[int, ...]
    overwrite: bool


@dataclass(frozen=True, slots=True)
class _Objects:
    """Labelled objects: their tiles, how they are labelled, and what is dropped."""

    grid: tuple[Tile, ...]
    tiles: tuple[Task, ...]
    merged: Task
    dropped: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class _Array:
    """An array in the making."""

    voxels: Readable
    objects: _Objects | None = None
    colours: bool = False


class Builder:
    """Writes down the tasks of stages, one after the other.

    Attributes
    ----------
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
        self._arrays: dict[int, _Array] = {0: _Array(settings.source)}
        self._tables: dict[int, Task] = {}
        self._sums: dict[tuple[Any, ...], Task] = {}
        self.array: Readable = settings.source
        self.labels: StoredArray | None = None
        self.table: Task | None = None
        self.saved: list[Task] = []
        self.files: list[Path] = []

    def add(self, stage: Stage) -> None:
        """Write down the tasks of a stage."""
        number = stage.number
        if stage.kind == "load":
            return
        if stage.kind == "save":
            self.saved.append(self._save(stage))
        elif stage.kind == "measure":
            self._tables[number] = self.table = self._measure(stage)
        elif stage.kind == "classify":
            assert stage.table is not None
            (step,) = stage.steps
            table = tasks.CLASSIFY(self._tables[stage.table], step.arguments)
            self._tables[number] = self.table = table
        else:
            made = self._transformed(stage)
            self._arrays[number] = made
            self.array = made.voxels
            if stage.kind in ("label", "filter"):
                assert isinstance(made.voxels, StoredArray)
                self.labels, self.table = made.voxels, None

    def _transformed(self, stage: Stage) -> _Array:
        assert stage.array is not None
        before = self._arrays[stage.array]
        if stage.kind == "label":
            return self._label(stage, before.voxels)
        if stage.kind == "filter":
            return self._filter(stage, before)
        if stage.kind == "paint":
            return self._paint(stage, before)
        if stage.kind == "whole":
            box = Box((0,) * len(stage.shape), stage.shape)
            made = tasks.RUN_WHOLE(stage.steps, before.voxels)
            return _Array(StoredArray(stage.shape, (Part(box, Later(made), 0),)))
        return _Array(self._tiled(stage, before.voxels))

    # arrays

    def _grid(self, halo: Sequence[int] | int = 0) -> list[Tile]:
        settings = self._settings
        return tiles(settings.source.shape, settings.block, halo=halo)

    def _tiled(self, stage: Stage, image: Readable) -> StoredArray:
        if stage.stride is None:
            grid = self._grid(stage.halo or 0)
            made = [tasks.RUN_TILE(stage.steps, _cut(image, t.read), t) for t in grid]
        else:
            assert stage.tile is not None
            grid = self._grid()
            made = [self._overlapping(stage, image, t.write) for t in grid]
        return _stored(stage.shape, grid, made)

    def _overlapping(self, stage: Stage, image: Readable, box: Box) -> Task:
        size = stage.tile or stage.shape
        margin = Box(
            tuple(max(0, a - n) for a, n in zip(box.start, size, strict=True)),
            tuple(
                map(
                    min,
                    (b + n for b, n in zip(box.stop, size, strict=True)),
                    stage.shape,
                )
            ),
        )
        near = _cut(image, margin)
        task: Task = tasks.RUN_OVERLAPPING(stage.steps, near, box, size, stage.stride)
        return task

    def _label(self, stage: Stage, image: Readable) -> _Array:
        options = {**stage.steps[0].keywords}
        for name in ("tile", "workers"):  # they do not change the result
            options.pop(name, None)
        given = tuple(sorted(options.items()))
        grid = self._grid()
        made = [tasks.LABEL_TILE(_cut(image, t.write), t, given) for t in grid]
        connectivity = options.get("connectivity", 1)
        seams = _seams(grid, made, connectivity)
        merged = tasks.MERGE_TILES(later(made), later(seams))
        stored = replace(_stored(stage.shape, grid, made), merged=Later(merged))
        return _Array(stored, _Objects(tuple(grid), tuple(made), merged))

    def _filter(self, stage: Stage, before: _Array) -> _Array:
        objects, voxels = _labelled(before)
        (step,) = stage.steps
        options = stage_work.filter_options(step, self._settings.source.image.spacing)
        sums = self._sums_for(step, before, options)
        lookup = tasks.KEEP(step, sums, objects.dropped, options)
        dropped = (*objects.dropped, lookup)
        return _Array(voxels.looked_up(lookup), replace(objects, dropped=dropped))

    def _paint(self, stage: Stage, before: _Array) -> _Array:
        assert stage.table is not None
        _, voxels = _labelled(before)
        lookup = tasks.CLASSES(self._tables[stage.table])
        colours = bool(stage.steps[0].keywords.get("colours"))
        return _Array(voxels.looked_up(lookup), colours=colours)

    # tables

    def _measure(self, stage: Stage) -> Task:
        assert stage.array is not None
        labels = self._arrays[stage.array]
        objects, _ = _labelled(labels)
        (step,) = stage.steps
        options = stage_work.measure_options(step, self._settings.source.image.spacing)
        for name in ("tile", "workers"):
            options.pop(name, None)
        sums = self._sums_for(step, labels, options)
        task: Task = tasks.TABULATE(sums, objects.dropped, options)
        return task

    def _sums_for(self, step: Step, labels: _Array, options: dict[str, Any]) -> Task:
        """Return the sums that the options of a step need."""
        objects, voxels = _labelled(labels)
        image = self._settings.source if stage_work.needs_intensity(step) else None
        if "surface" in (options.get("properties") or ()):
            return self._surface_sums(voxels, image)
        return self._sums_of(objects, image)

    def _sums_of(self, objects: _Objects, image: Input | None) -> Task:
        """Return the sums over all objects, dropped ones too; measured once."""
        key = (objects.merged.key, image is not None)
        if key not in self._sums:
            parts = [
                tasks.MEASURE_TILE(made, tile, image)
                for made, tile in zip(objects.tiles, objects.grid, strict=True)
            ]
            self._sums[key] = _combined(parts, objects.merged)
        return self._sums[key]

    def _surface_sums(self, labels: StoredArray, image: Input | None) -> Task:
        grid = self._grid(1)
        return _combined(
            [tasks.MEASURE_SURFACES(labels.cut(t.read), t, image) for t in grid], None
        )

    # files

    def _save(self, stage: Stage) -> Task:
        (step,) = stage.steps
        settings = self._settings
        path = str(stage_work.save_path(step, settings.out.resolve(), settings.name))
        self.files.append(Path(path))
        options = {"overwrite": settings.overwrite, **step.keywords}
        overwrite = bool(options.pop("overwrite"))
        given = tuple(sorted(options.items()))

        if stage.table is not None:
            table = self._tables[stage.table]
            save = partial(tasks.SAVE_TABLE, table=table, options=given)
            return _unless_there(path, overwrite, save)
        assert stage.array is not None
        array = self._arrays[stage.array]
        described = Described.of(settings.source.image, colours=array.colours)
        how = self._by_many if path.endswith(".zarr") else tasks.SAVE_IMAGE
        write = partial(how, image=array.voxels, described=described, options=given)
        return _unless_there(path, overwrite, write)

    def _by_many(
        self,
        reserved: Task,
        image: Readable,
        described: Described,
        options: tuple[tuple[str, Any], ...],
    ) -> Task:
        """Write a Zarr by as many workers as there are, each whole chunks."""
        block, shape = self._settings.block, image.shape
        given = dict(options)
        chunks = given.pop("chunks", None) or sizing.chunks_for(block, shape)
        if len(chunks) < len(described.axes):
            chunks = (*chunks, 3)
        options = tuple(sorted(given.items()))
        size = sizing.aligned_block(block, chunks[: len(shape)], shape)
        boxes = [tile.write for tile in tiles(shape, size)]
        first = _cut(image, boxes[0])
        created = tasks.CREATE_FILE(reserved, first, described, tuple(chunks), options)
        written = [
            tasks.WRITE_TILE(created, _cut(image, box), box, described.colours)
            for box in boxes
        ]
        task: Task = tasks.FINISH_FILE(created, written, options)
        return task


def _unless_there(path: str, overwrite: bool, write: partial[Task]) -> Task:
    """Return the task that saves a file, a new one if the last was in vain."""
    recording = current_recording()
    results = recording.results if recording else None
    content, store = _content(write), known_by(results)
    attempt = 0
    while True:
        mark = len(recording.tasks) if recording else 0
        reserved = tasks.RESERVE(path, overwrite, attempt, content, store=store)
        if recording is None or results is None:
            return write(reserved)
        if not overwrite and file_of(path).exists() and not reserved.can_load():
            recording.tasks.pop()
            ours = marks_of_ours(results, path)
            reserved = tasks.RESERVE(path, overwrite, attempt, content, ours, store)
        last = write(reserved)
        if not _in_vain(reserved, last, results):
            return last
        del recording.tasks[mark:]
        attempt += 1


def _content(write: partial[Task]) -> str:
    """Return a digest of what will be written and how."""
    encoder = Encoder()
    return digest(b"", encoder.encode((write.func.__name__, write.keywords))).hex()


def _in_vain(reserved: Task, last: Task, results: Results) -> bool:
    """Return whether what was saved is gone, or what was in the way is."""
    if last.can_load():
        saved: Saved = last.value()
        return not saved.there
    path: str = reserved.args[0]
    found = results.backend.find(reserved.key)
    if found is not None and found.failure:
        now = mark_of(file_of(path))
        return now == ABSENT or now in marks_of_ours(results, path)
    if found is not None and not reserved.value().untouched:
        # Other content of ours was written meanwhile; if it is this very content,
        # its record is there, too.
        known = marks_of_ours(results, path)
        if mark_of(file_of(path)) in known and not last.can_load():
            return True
    if last.generator is tasks.FINISH_FILE:
        created: Task = last.args[0]
        return created.can_load() and is_lost(created.value())
    return False


def _cut(image: Readable, box: Box) -> Readable:
    return image.cut(box) if isinstance(image, StoredArray) else image


def _stored(
    shape: tuple[int, ...], grid: Sequence[Tile], made: Sequence[Task]
) -> StoredArray:
    parts = [
        Part(tile.write, Later(task), number)
        for number, (tile, task) in enumerate(zip(grid, made, strict=True))
    ]
    return StoredArray(shape, tuple(parts))


def _labelled(array: _Array) -> tuple[_Objects, StoredArray]:
    if array.objects is None or not isinstance(array.voxels, StoredArray):
        raise PipelineError("needs labelled objects; put label() before it")
    return array.objects, array.voxels


def _seams(grid: Sequence[Tile], made: Sequence[Task], connectivity: Any) -> list[Task]:
    """Return one task for each tile that has later neighbours."""
    others: dict[int, list[Task]] = {}
    for a, b in adjacent_tiles(grid, connectivity=connectivity):
        others.setdefault(a, []).append(made[b])
    return [
        tasks.FIND_SEAMS(made[place], later(near), connectivity)
        for place, near in sorted(others.items())
    ]


def _combined(parts: Sequence[Task], merged: Task | None) -> Task:
    """Return the sums of all parts, by groups of a bounded number."""
    numbers = list(range(len(parts)))
    level: list[Task] = [
        tasks.COMBINE(
            later(parts[k : k + _GROUP]), tuple(numbers[k : k + _GROUP]), merged
        )
        for k in range(0, len(parts), _GROUP)
    ]
    while len(level) > 1:
        level = [
            tasks.COMBINE(later(level[k : k + _GROUP]), (), None)
            for k in range(0, len(level), _GROUP)
        ]
    return level[0]

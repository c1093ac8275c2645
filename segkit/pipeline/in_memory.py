"""Run a planned pipeline over arrays, in threads or processes of one machine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from segkit import checks, io
from segkit.io.elsewhere.address import is_address
from segkit.io.elsewhere.constructing import Construction
from segkit.io.replacing import require_no_input
from segkit.measurement import classification
from segkit.pipeline.apart import run_apart
from segkit.pipeline.contents import is_foreign
from segkit.pipeline.object_filters import filter_options, kept_ids
from segkit.pipeline.parts.taken_image import taken, taken_by
from segkit.pipeline.plan import TILE_BUDGET, plan
from segkit.pipeline.result import Result
from segkit.pipeline.spacings import ImageSpec
from segkit.pipeline.stage_work import (
    as_stated,
    as_voxels,
    foreground_value,
    loaded_path,
    measure_options,
    name_of,
    needs_intensity,
    of_channel,
    open_options,
    run_steps,
    save_path,
    save_paths,
    side_by_side,
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
from segkit.pipeline.steps import PipelineError, Step
from segkit.pipeline.tile_processes import in_processes
from segkit.tiling.cutting import join, map_tiles
from segkit.tiling.threads import at_most, pool_of, thread_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segkit.arrays import Array, Table
    from segkit.pipeline.parts.taken_image import Channel
    from segkit.tiling.boxes import Tile


@dataclass(frozen=True, slots=True)
class Settings:
    """What to run over, and how; see `Pipeline.run`."""

    image: io.Image
    name: str = "image"
    out: Path = Path()
    workers: int | None = None
    processes: bool = False
    overwrite: bool = False
    channels: Mapping[Channel, io.Image] = field(default_factory=dict)


def run(
    steps: Sequence[Step],
    image: Array | io.Image | str | Path | None,
    *,
    out: Path,
    tile: int | Sequence[int] | None,
    workers: int | None,
    processes: bool,
    overwrite: bool,
    unit: str | None = None,
) -> Result:
    """Run the steps of a pipeline over one image; see `Pipeline.run`."""
    whole, name = opened(steps, image)
    require_free(steps, out, [name], overwrite=overwrite)
    for path in save_paths(steps, out, [name]):
        require_no_input(path, whole)
    found = taken(steps, whole)
    source = found.frames[0].image
    spec = ImageSpec.of(source)
    threads = thread_count(workers)
    cut = threads > 1 and (processes or workers is not None)
    if tile is None and cut and spec.shape and 0 not in spec.shape:
        tile = (-(-spec.shape[0] // threads), *spec.shape[1:])
    # Tiles grow where that saves reading, but not so far that workers are idle.
    budget = min(TILE_BUDGET, max(1, source.size // threads))
    stages = plan(steps, spec, tile=tile, budget=budget, unit=unit)
    how = Settings(source, name, out, workers, processes, overwrite)
    runners = [
        Runner(replace(how, image=frame.image, channels=frame.channels))
        for frame in found.frames
    ]
    with at_most(workers):
        result = run_apart(
            found, stages, runners, Runner(replace(how, image=found.whole))
        )
    if isinstance(result.array, io.Image):
        result.array = result.array.read()
    return result


def open_by(steps: Sequence[Step], path: str | Path) -> io.Image:
    """Return the image of a file, opened as `load` says."""
    return io.open_image(path, **open_options(steps))


def require_free(
    steps: Sequence[Step], out: Path, names: Sequence[str], *, overwrite: bool
) -> None:
    """Raise if what will be saved is in its own way, before the work is done."""
    for path, step in save_paths(steps, out, names).items():
        replaces = step.keywords.get("overwrite", overwrite)
        if is_address(path):
            Construction.at(path).require_free(overwrite=replaces)
            continue
        if not replaces and "::" not in str(path) and path.exists():
            raise FileExistsError(f"{path} exists; pass overwrite=True to replace it")


def load_image(
    steps: Sequence[Step], image: Array | io.Image | str | Path | None
) -> tuple[io.Image, str]:
    """Return the image to work on, with the axes that steps take, and its name.

    Of several frames it is the first, of several channels that of the first step.

    Parameters
    ----------
    steps
        Of a pipeline, whose `load` says how to open a file.
    image
        What to work on; None takes the path that `load` names.

    Raises
    ------
    PipelineError
        If there is neither an image nor a path to load, or it is none.
    """
    whole, name = opened(steps, image)
    return taken_by(steps, whole), name


def opened(
    steps: Sequence[Step], image: Array | io.Image | str | Path | None
) -> tuple[io.Image, str]:
    """Return the image to work on as it lies, and its name; see `load_image`."""
    if image is None:
        image = loaded_path(steps)
    if image is None:
        raise PipelineError("no image: give one to run, or a path to load(...)")
    if isinstance(image, (str, Path)):
        return open_by(steps, image), name_of(image)
    if isinstance(image, io.Image):
        return image, name_of(image)
    return io.as_image(as_voxels(image)), name_of(image)


class Runner:
    """Runs the stages of a plan, one after the other.

    Parameters
    ----------
    settings : Settings
        The image, and how to run.

    Attributes
    ----------
    arrays, tables : dict
        What stages have made, by their numbers.
    result : Result
        What they have made so far.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.arrays: dict[int, Any] = {0: settings.image}
        self.tables: dict[int, Table] = {}
        self.result = Result(settings.image)

    def run(self, stage: Stage) -> None:  # noqa: C901 - one case for each stage
        """Run one stage; keep what it made under its number."""
        match stage:
            case LoadStage():
                self.arrays[stage.number] = self._opened(stage)
            case TilesStage():
                self._keep_made(stage, self._tiles(stage))
            case OverlappingStage():
                self._keep_made(stage, self._overlapping(stage))
            case WholeStage():
                whole = np.asarray(self.arrays[stage.array])
                self._keep_made(stage, run_steps(stage.steps, whole))
            case LabelStage():
                self._keep_labels(stage, self._labelled(stage))
            case FilterStage():
                self._keep_labels(stage, self._filtered(stage))
            case MeasureStage():
                self._keep_table(stage, self._measured(stage))
                self.result.unit = stage.unit
            case ClassifyStage():
                table = self.tables[stage.table]
                classes = stage.step.arguments
                self._keep_table(stage, classification.classify(table, *classes))
            case PaintStage():
                self._keep_array(stage, self._painted(stage))
            case SaveImageStage():
                self.result.saved.append(self._save_image(stage))
            case SaveOverlayStage():
                self.result.saved.append(self._save_overlay(stage))
            case SaveTableStage():
                self.result.saved.append(self._save_table(stage))
            case _:
                assert_never(stage)

    def _keep_made(
        self, stage: TilesStage | OverlappingStage | WholeStage, array: Array
    ) -> None:
        keep = self._keep_labels if stage.content == "labels" else self._keep_array
        keep(stage, array)

    def _keep_labels(self, stage: Stage, labels: Array) -> None:
        self._keep_array(stage, labels)
        self.result.labels, self.result.table = labels, None

    def _keep_array(self, stage: Stage, array: Array) -> None:
        self.arrays[stage.number] = self.result.array = array

    def _keep_table(self, stage: Stage, table: Table) -> None:
        self.tables[stage.number] = self.result.table = table

    def _opened(self, stage: LoadStage) -> io.Image:
        settings = self._settings
        if stage.number == 0:
            return settings.image
        if stage.channel is None or stage.channel not in settings.channels:
            raise PipelineError(
                f"reads channel {stage.channel!r}, and of {settings.image.path} one"
                " channel is open; run the pipeline over the whole image"
            )
        return settings.channels[stage.channel]

    def _tiles(self, stage: TilesStage) -> Array:
        array, settings = self.arrays[stage.array], self._settings
        if settings.processes:
            axes = settings.image.axes
            threads = thread_count(settings.workers)
            return in_processes(stage, array, axes=axes, workers=threads)
        mapped: Array = map_tiles(
            partial(run_steps, stage.steps),
            array,
            tile=stage.tile,
            halo=stage.halo,
            workers=self._threads(stage),
        )
        return mapped

    def _overlapping(self, stage: OverlappingStage) -> Array:
        """Run FLoRIN's way: tiles by themselves, joined by OR."""
        array = self.arrays[stage.array]

        def piece(tile: Tile) -> tuple[Tile, Array]:
            with checks.inside_tile():
                return tile, run_steps(stage.steps, np.asarray(array[tile.read.slices]))

        with pool_of(self._threads(stage)) as pool:
            return join(pool.map(piece, stage.tiles()), stage.shape, rule="max")

    def _threads(self, stage: TilesStage | OverlappingStage) -> int:
        """Return how many tiles are worked on at once.

        Functions of others may not be safe in threads, unless the caller says so.
        """
        if self._settings.workers is None and any(map(is_foreign, stage.steps)):
            return 1
        return thread_count(self._settings.workers)

    def _labelled(self, stage: LabelStage) -> Array:
        from segkit.labelling.labels import label

        # In memory the labels need no tiles, whatever the plan says: they are equal.
        options = stage.step.keywords
        mask = np.asarray(self.arrays[stage.array])
        foreground_value(mask, by_value=options.get("by_value", False))
        return label(mask, **options)

    def _filtered(self, stage: FilterStage) -> Array:
        from segkit.measurement.selection import keep_ids

        labels = self.arrays[stage.labels]
        if labels.size == 0:
            return np.asarray(labels)
        options = filter_options(stage.step, self._settings.image.spacing)
        return keep_ids(labels, kept_ids(stage.step, self._table(stage, options)))

    def _measured(self, stage: MeasureStage) -> Table:
        options = measure_options(stage.step, self._settings.image.spacing)
        if not stage.several:
            return self._table(stage, options)
        tables = [
            self._table(replace(stage, image=number), of_channel(options, place == 0))
            for place, (_, number) in enumerate(stage.several)
        ]
        return side_by_side([name for name, _ in stage.several], tables)

    def _table(
        self, stage: FilterStage | MeasureStage, options: dict[str, Any]
    ) -> Table:
        """Return the properties of a stage's objects."""
        from segkit.measurement.measure import region_properties

        needed = needs_intensity(stage.step)
        image = self._grey(stage.image) if needed else None
        return region_properties(self.arrays[stage.labels], image, **options)

    def _grey(self, number: int) -> Array:
        """Return the voxels of the image, or the channel, of a stage."""
        image: io.Image | Array = self.arrays[number]
        return image.read() if isinstance(image, io.Image) else image

    def _painted(self, stage: PaintStage) -> Array:
        labels, table = self.arrays[stage.labels], self.tables[stage.table]
        painted = classification.reconstruct(labels, table)
        if stage.step.keywords.get("colours"):
            return classification.paint_classes(painted)
        return painted

    def _save_table(self, stage: SaveTableStage) -> Path:
        path, options = self._target(stage.step)
        return io.save_table(path, self.tables[stage.table], **options)

    def _save_image(self, stage: SaveImageStage) -> Path:
        path, options = self._target(stage.step)
        array, image = self.arrays[stage.array], self._settings.image
        options = dict(as_stated(path, tuple(options.items()), image))
        if isinstance(array, io.Image):
            return io.save(path, array, **options)
        described = replace(image, source=io.as_image(array).source)
        if array.ndim > image.ndim:  # colours
            described = replace(
                described,
                axes=image.axes + "s",
                spacing=(*image.spacing, 1.0),
                units=(*image.units, "pixel"),
            )
        return io.save(path, described, **options)

    def _save_overlay(self, stage: SaveOverlayStage) -> Path:
        from segkit.pictures.drawing import overlay, save_png

        path, options = self._target(stage.step)
        overwrite = bool(options.pop("overwrite"))
        labels = np.asarray(self.arrays[stage.array])
        picture = overlay(self._grey(stage.image), labels, **options)
        save_png(path, picture, overwrite=overwrite)
        return path

    def _target(self, step: Step) -> tuple[Path, dict[str, Any]]:
        """Return where and how a step saves."""
        settings = self._settings
        path = save_path(step, settings.out, settings.name)
        return path, {"overwrite": settings.overwrite, **step.keywords}

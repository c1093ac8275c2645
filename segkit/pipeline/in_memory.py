"""Run a planned pipeline over arrays, in threads or processes of one machine."""

from __future__ import annotations

import tempfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks, io
from segkit.measurement import classification
from segkit.names import known_as
from segkit.pipeline.plan import TILE_BUDGET, ImageSpec, Stage, plan
from segkit.pipeline.stage_work import (
    filter_options,
    image_name,
    kept_ids,
    measure_options,
    needs_intensity,
    require_objects,
    run_steps,
    save_path,
)
from segkit.pipeline.steps import PipelineError, Step
from segkit.tiling.cutting import join, map_tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.pipeline.pipeline import Pipeline
    from segkit.tiling.boxes import Tile

Table = dict[str, "NDArray[Any]"]


@known_as("segkit.names")
@dataclass(slots=True)
class Result:
    """What a pipeline made.

    Attributes
    ----------
    array : ndarray
        The last array: a mask, labels, classes, or the image itself.
    labels : ndarray or None
        The labelled objects.
    table : dict of str to ndarray, or None
        One row per object.
    saved : list of Path
        The files that were written, in order.
    """

    array: NDArray[Any] | io.Image
    labels: NDArray[Any] | None = None
    table: Table | None = None
    saved: list[Path] = field(default_factory=list)

    def __repr__(self) -> str:
        """Tell what there is, not all of its voxels."""
        parts = [f"array={self.array.dtype}{list(self.array.shape)}"]
        if self.labels is not None:
            parts.append(f"labels={self.labels.dtype}{list(self.labels.shape)}")
        if self.table is not None:
            rows = len(next(iter(self.table.values()), ()))
            parts.append(f"table={rows} objects, {len(self.table)} columns")
        parts += [f"saved={[str(path) for path in self.saved]}"] if self.saved else []
        return f"Result({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class _Settings:
    """How to run."""

    image: io.Image
    name: str
    out: Path
    workers: int
    processes: bool
    overwrite: bool


def run(
    pipeline: Pipeline,
    image: NDArray[Any] | io.Image | str | Path | None,
    *,
    out: Path,
    tile: int | Sequence[int] | None,
    workers: int,
    processes: bool,
    overwrite: bool,
) -> Result:
    """Run a pipeline over one image; see `Pipeline.run`."""
    first = pipeline.steps[:1]
    source, name = load_image(
        first[0] if first and first[0].function == "load" else None, image
    )
    _require_free(pipeline, out, name, overwrite=overwrite)
    arrays: dict[int, Any] = {0: source}
    tables: dict[int, Table] = {}
    result = Result(source)
    spec = ImageSpec.of(source)
    workers = checks.as_integer(workers, name="workers", least=1)
    if tile is None and workers > 1 and spec.shape and 0 not in spec.shape:
        tile = (-(-spec.shape[0] // workers), *spec.shape[1:])
    # Tiles grow where that saves reading, but not so far that workers are idle.
    budget = min(TILE_BUDGET, max(1, source.size // workers))
    settings = _Settings(source, name, out, workers, processes, overwrite)
    for stage in plan(pipeline.steps, spec, tile=tile, budget=budget):
        _run_stage(stage, settings, arrays, tables, result)
    if isinstance(result.array, io.Image):
        result.array = result.array.read()
    return result


def _require_free(pipeline: Pipeline, out: Path, name: str, *, overwrite: bool) -> None:
    """Raise if what will be saved is in its own way, before the work is done."""
    seen: set[Path] = set()
    for step in pipeline.steps:
        if step.function != "save":
            continue
        path = save_path(step, out, name)
        if path in seen:
            raise PipelineError(f"two steps save {path}; give each another name")
        seen.add(path)
        replaces = step.keywords.get("overwrite", overwrite)
        if not replaces and "::" not in str(path) and path.exists():
            raise FileExistsError(f"{path} exists; pass overwrite=True to replace it")


def load_image(
    step: Step | None, image: NDArray[Any] | io.Image | str | Path | None
) -> tuple[io.Image, str]:
    """Return the image to work on, with axes of space only, and its name.

    Raises
    ------
    PipelineError
        If there is neither an image nor a path to load.
    """
    options = step.keywords if step else {}
    if image is None:
        if step is None or not step.arguments:
            raise PipelineError("no image: give one to run, or a path to load(...)")
        image = str(step.arguments[0])
    if isinstance(image, (str, Path)):
        opened = io.open_image(image, **options)
        return opened.spatial(), image_name(image)
    if isinstance(image, io.Image):
        return image.spatial(), image_name(image.path)
    return io.as_image(np.asarray(image)).spatial(), "image"


def _run_stage(
    stage: Stage,
    settings: _Settings,
    arrays: dict[int, Any],
    tables: dict[int, Table],
    result: Result,
) -> None:
    """Run one stage; keep what it made under its number."""
    array = arrays.get(stage.array) if stage.array is not None else None
    number = stage.number
    if stage.kind == "load":
        return
    if stage.kind == "save":
        table = tables.get(stage.table) if stage.table is not None else None
        result.saved.append(_save(stage, settings, array, table))
    elif stage.kind == "measure":
        tables[number] = result.table = _measure(stage, settings, array)
    elif stage.kind == "classify" and stage.table is not None:
        (step,) = stage.steps
        tables[number] = result.table = classification.classify(
            tables[stage.table], *step.arguments
        )
    elif stage.kind == "paint" and stage.table is not None:
        arrays[number] = result.array = _paint(stage, array, tables[stage.table])
    else:
        arrays[number] = result.array = _transformed(stage, settings, array)
        if stage.kind in ("label", "filter"):
            result.labels = arrays[number]
            if stage.kind == "filter":
                result.table = None


def _transformed(stage: Stage, settings: _Settings, array: Any) -> NDArray[Any]:
    """Return the array that a stage makes of an array."""
    if stage.kind == "label":
        from segkit.labelling.labels import label

        # In memory the labels need no tiles, whatever the plan says: they are equal.
        options = {"workers": settings.workers, **stage.steps[0].keywords}
        mask = np.asarray(array)
        require_objects(mask, by_value=options.get("by_value", False))
        return label(mask, **options)
    if stage.kind == "filter":
        return _filter(stage, settings, array)
    if stage.kind == "whole":
        return run_steps(stage.steps, np.asarray(array))
    if stage.stride is not None:
        return _overlapping(stage, array, settings.workers)
    if settings.processes:
        return _in_processes(stage, settings, array)
    if stage.tile is None:
        return run_steps(stage.steps, np.asarray(array))
    mapped: NDArray[Any] = map_tiles(
        partial(run_steps, stage.steps),
        array,
        tile=stage.tile,
        halo=stage.halo,
        workers=settings.workers,
    )
    return mapped


def _overlapping(stage: Stage, array: Any, workers: int) -> NDArray[Any]:
    """Run FLoRIN's way: tiles by themselves, joined by OR."""
    from segkit.checks import inside_tile

    def piece(tile: Tile) -> tuple[Tile, NDArray[Any]]:
        with inside_tile():
            return tile, run_steps(stage.steps, np.asarray(array[tile.read.slices]))

    with ThreadPoolExecutor(workers) as pool:
        return join(pool.map(piece, stage.tiles()), stage.shape, rule="max")


def _in_processes(stage: Stage, settings: _Settings, array: Any) -> NDArray[Any]:
    """Run tiles in processes that read and write files mapped into memory."""
    with tempfile.TemporaryDirectory() as scratch:
        if not isinstance(array, io.Image):
            np.save(Path(scratch, "in.npy"), array)
            array = io.open_image(Path(scratch, "in.npy"), axes=settings.image.axes)
        grid = stage.tiles()
        first = grid[0]
        dtype = _tile_result(stage, array, first).dtype
        path = Path(scratch, "out.npy")
        writer = io.create_image(path, stage.shape, dtype, axes=settings.image.axes)
        # Not fork: numba's and zarr's threads do not survive it.
        with ProcessPoolExecutor(
            settings.workers, mp_context=get_context("spawn")
        ) as pool:
            work = partial(_write_tile, stage, array, path)
            list(pool.map(work, grid))
        writer.finish(durable=False)
        return io.open_image(path, axes=settings.image.axes).read().copy()


def _tile_result(stage: Stage, image: io.Image, tile: Tile) -> NDArray[Any]:
    from segkit.checks import inside_tile

    with inside_tile():
        return run_steps(stage.steps, image.read(tile.read))[tile.inner]


def _write_tile(stage: Stage, image: io.Image, path: Path, tile: Tile) -> None:
    io.open_writer(path).write(tile.write, _tile_result(stage, image, tile))


def _filter(stage: Stage, settings: _Settings, labels: Any) -> NDArray[Any]:
    from segkit.measurement.measure import region_properties
    from segkit.measurement.selection import keep_ids

    (step,) = stage.steps
    if labels.size == 0:
        return np.asarray(labels)
    table = region_properties(
        labels,
        settings.image.read() if needs_intensity(step) else None,
        workers=settings.workers,
        **filter_options(step, settings.image.spacing),
    )
    return keep_ids(labels, kept_ids(step, table))


def _measure(stage: Stage, settings: _Settings, labels: Any) -> Table:
    from segkit.measurement.measure import region_properties

    (step,) = stage.steps
    options = measure_options(step, settings.image.spacing)
    image = settings.image if needs_intensity(step) else None
    return region_properties(
        labels,
        None if image is None else image.read(),
        workers=settings.workers,
        **options,
    )


def _paint(stage: Stage, labels: Any, table: Table) -> NDArray[Any]:
    painted = classification.reconstruct(labels, table)
    if stage.steps[0].keywords.get("colours"):
        return classification.paint_classes(painted)
    return painted


def _save(stage: Stage, settings: _Settings, array: Any, table: Table | None) -> Path:
    (step,) = stage.steps
    path = save_path(step, settings.out, settings.name)
    options = {"overwrite": settings.overwrite, **step.keywords}
    if table is not None:
        return io.save_table(path, table, **options)
    if isinstance(array, io.Image):
        return io.save(path, array, **options)
    image = settings.image
    described = replace(image, source=io.as_image(array).source)
    if array.ndim > image.ndim:  # colours
        described = replace(
            described,
            axes=image.axes + "s",
            spacing=(*image.spacing, 1.0),
            units=(*image.units, "pixel"),
        )
    return io.save(path, described, **options)

"""Array steps over tiles in processes, which share arrays by files in memory."""

from __future__ import annotations

import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segkit import io
from segkit.checks import inside_tile
from segkit.pipeline.stage_work import run_steps
from segkit.tiling.threads import limited_to, part

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.pipeline.stages import TilesStage
    from segkit.tiling.boxes import Tile


def in_processes(
    stage: TilesStage, array: Array | io.Image, *, axes: str, workers: int
) -> Array:
    """Return what the steps of a stage make of an array, by that many processes.

    They read and write files that are mapped into memory.
    """
    with tempfile.TemporaryDirectory() as scratch:
        if not isinstance(array, io.Image):
            np.save(Path(scratch, "in.npy"), array)
            array = io.open_image(Path(scratch, "in.npy"), axes=axes)
        grid = stage.tiles()
        dtype = _tile_result(stage, array, grid[0]).dtype
        path = Path(scratch, "out.npy")
        writer = io.create_image(path, stage.shape, dtype, axes=axes)
        # Not fork: numba's and zarr's threads do not survive it.
        context = get_context("spawn")
        with ProcessPoolExecutor(
            workers, context, initializer=limited_to, initargs=(part(workers),)
        ) as pool:
            list(pool.map(partial(_write_tile, stage, array, path), grid))
        writer.finish(durable=False)
        return io.open_image(path, axes=axes).read().copy()


def _tile_result(stage: TilesStage, image: io.Image, tile: Tile) -> Array:
    with inside_tile():
        return run_steps(stage.steps, image.read(tile.read))[tile.inner]


def _write_tile(stage: TilesStage, image: io.Image, path: Path, tile: Tile) -> None:
    io.open_writer(path).write(tile.write, _tile_result(stage, image, tile))

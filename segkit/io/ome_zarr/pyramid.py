"""Coarser levels of an OME-Zarr, made chunk by chunk of the finest."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from segkit.io.arranged.coarser import (
    chunk_boxes,
    coarser_levels,
    reduced,
    require_downscale,
)
from segkit.io.ome_zarr.chunks import open_array
from segkit.io.ome_zarr.levels import create_level, describe

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.image import Image
    from segkit.io.options import Downscale


def write_levels(
    path: Path, image: Image, *, levels: int, downscale: Downscale, labels: bool
) -> None:
    """Write the coarser levels of a pyramid from the written base, chunk by chunk.

    Each level halves the axes of space of the one before; memory is that of 2^d
    chunks.

    Raises
    ------
    ImageRequestError
        If `downscale` is not known.
    """
    require_downscale(path, downscale)
    for left in range(1, 64):  # by a process that died here
        shutil.rmtree(path / str(left), ignore_errors=True)
    finer = open_array(path / "0", "r")
    chunks = tuple(finer.chunks)
    factors = [(1,) * image.ndim]
    for own, shape in coarser_levels(image.axes, finer.shape, levels):
        coarser = create_level(path, str(len(factors)), image, shape, chunks)
        for box in chunk_boxes(shape, chunks):
            shapes = finer.shape, shape
            coarser[box] = reduced(finer.__getitem__, shapes, box, downscale)
        factors.append(own)
        finer = coarser
    describe(path, image, factors, labels=labels, shift=downscale != "nearest")

"""What a worker does with one tile: functions of small things, each one task.

They are plain functions; `segkit.workflows.tasks` makes task generators of them.
"""

from __future__ import annotations

import itertools
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import segkit
from segkit import checks
from segkit.arrays import lowest
from segkit.labelling.labels import label_tile
from segkit.labelling.seams import find_seam
from segkit.names import known_as
from segkit.pipeline.stage_work import foreground_value, run_steps
from segkit.tiling.boxes import Box, Tile
from segkit.workflows.packing import Packed, pack, unpack

_PACKAGE = str(Path(segkit.__file__).parent)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segkit.arrays import Array
    from segkit.labelling.summary import Seam, TileSummary
    from segkit.measurement.partial_table import PartialTable
    from segkit.pipeline.steps import Step
    from segkit.workflows.inputs import Readable
    from segkit.workflows.stored import Later


@contextmanager
def warnings_name(image: object) -> Iterator[None]:
    """Let what is warned of say which image it is of, and not where in segkit.

    Examples
    --------
    >>> class Named:
    ...     def __taskgraph_brief__(self):
    ...         return "a.tif"
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     with warnings_name(Named()):
    ...         warnings.warn("is dark", stacklevel=1)
    >>> str(told[0].message)
    'a.tif: is dark'
    """
    brief = getattr(image, "__taskgraph_brief__", None)
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as found:
            caught = found
            yield
    finally:
        for one in caught:
            message = str(one.message) if brief is None else f"{brief()}: {one.message}"
            ours = one.filename.startswith(_PACKAGE)
            where = "segkit" if ours else one.filename
            warnings.warn_explicit(message, one.category, where, one.lineno)


def run_tile(steps: Sequence[Step], image: Readable, tile: Tile) -> Packed:
    """Return what array steps make of the voxels that a tile owns.

    Parameters
    ----------
    steps
        Run one after the other on the voxels of `tile.read`.
    image
        What to read.
    tile
        Its halo is at least the sum of the steps' reaches.
    """
    with checks.inside_tile(), warnings_name(image):
        result = run_steps(steps, image.read(tile.read))
    return pack(result[tile.inner])


def run_whole(steps: Sequence[Step], image: Readable) -> Packed:
    """Return what array steps make of the whole image: their reach has no bound."""
    with warnings_name(image):
        return pack(run_steps(steps, image.read(_whole(image.shape))))


def run_overlapping(
    steps: Sequence[Step],
    image: Readable,
    box: Box,
    size: tuple[int, ...],
    stride: tuple[int, ...],
) -> Packed:
    """Return the union of what overlapping tiles make of the voxels of a box.

    Parameters
    ----------
    steps
        Run on each tile by itself, as FLoRIN does.
    image
        What to read.
    box
        What to return; tiles that reach into it are run.
    size, stride
        Of the tiles, as for `segkit.overlapping_tiles`.
    """
    reads = list(touching(box, image.shape, size, stride))
    around = Box(
        tuple(map(min, zip(*(read.start for read in reads), strict=True))),
        tuple(map(max, zip(*(read.stop for read in reads), strict=True))),
    )
    voxels = image.read(around)
    out: Array | None = None
    with checks.inside_tile(), warnings_name(image):
        for read in reads:
            result = run_steps(steps, voxels[read.within(around).slices])
            if out is None:
                out = np.full(box.shape, lowest(result.dtype), result.dtype)
            common = read.common(box)
            if common is not None:
                own = out[common.within(box).slices]
                np.maximum(own, result[common.within(read).slices], out=own)
    return pack(np.asarray(out))


def touching(
    box: Box, shape: Sequence[int], size: Sequence[int], stride: Sequence[int]
) -> Iterator[Box]:
    """Yield the read boxes of overlapping tiles that hold voxels of a box.

    Examples
    --------
    >>> [t.start + t.stop for t in touching(Box((4,), (6,)), (10,), (4,), (3,))]
    [(3, 7)]
    >>> [t.start + t.stop for t in touching(Box((0,), (10,)), (10,), (4,), (3,))]
    [(0, 4), (3, 7), (6, 10)]
    """
    axes = []
    for start, stop, length, long, step in zip(
        box.start, box.stop, shape, size, stride, strict=True
    ):
        count = 1 + max(0, -(-(length - long) // step))
        first = max(0, (start - long) // step + 1)
        last = min(count - 1, (stop - 1) // step)
        axes.append(
            [(k * step, min(k * step + long, length)) for k in range(first, last + 1)]
        )
    for spans in itertools.product(*axes):
        yield Box(tuple(a for a, _ in spans), tuple(b for _, b in spans))


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class TileObjects:
    """The labelled objects of one tile by itself.

    Attributes
    ----------
    labels : Packed
        1, 2, ... in raster order.
    summary : TileSummary
        What merging needs to know, without planes.
    faces : tuple of (Packed, Packed)
        The outermost planes of each axis.
    value : float or None
        Of the foreground that was labelled; None if that is boolean, or none.
    """

    labels: Packed
    summary: TileSummary
    faces: tuple[tuple[Packed, Packed], ...]
    value: float | None

    def with_faces(self) -> TileSummary:
        """Return the summary with its planes."""
        faces = tuple((unpack(a), unpack(b)) for a, b in self.faces)
        return replace(self.summary, faces=faces)


def label_objects(
    mask: Readable, tile: Tile, options: tuple[tuple[str, Any], ...]
) -> TileObjects:
    """Return the connected components of one tile; see `segkit.label_tile`."""
    own = mask.read(tile.write)
    value = foreground_value(own, by_value=dict(options).get("by_value", False))
    found = label_tile(own, tile, mask.shape, **dict(options))
    faces = tuple((pack(a), pack(b)) for a, b in found.summary.faces)
    summary = found.summary.without_faces()
    return TileObjects(pack(found.labels), summary, faces, value)


def find_seams(
    tile: TileObjects, others: tuple[Later, ...], connectivity: Any
) -> tuple[Seam, ...]:
    """Return which labels of a tile touch which of its neighbours'."""
    own = tile.with_faces()
    return tuple(
        find_seam(own, other.load().with_faces(), connectivity=connectivity)
        for other in others
    )


def measure_objects(
    objects: TileObjects, tile: Tile, image: Readable | None
) -> PartialTable:
    """Return the sums over the objects of one tile, under the tile's own labels."""
    from segkit.measurement.measure import measure_tile

    intensity = None if image is None else image.read(tile.write)
    own = Tile(tile.index, tile.write, tile.write)
    labels = unpack(objects.labels)
    return measure_tile(labels, own, objects.summary.shape, intensity=intensity)


def measure_labels(
    labels: Readable,
    tile: Tile,
    image: Readable | None,
    *,
    properties: tuple[str, ...],
) -> PartialTable:
    """Return the sums over the objects of one tile, under the ids of the image."""
    from segkit.measurement.measure import measure_tile

    intensity = None if image is None else image.read(tile.read)
    return measure_tile(
        labels.read(tile.read),
        tile,
        labels.shape,
        intensity=intensity,
        properties=properties,
    )


def _whole(shape: tuple[int, ...]) -> Box:
    return Box((0,) * len(shape), shape)

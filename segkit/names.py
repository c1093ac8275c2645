"""Names that last: what classes and functions are known by in keys and in stores.

The key of a task holds the names of all classes and functions among its arguments, and
a stored result those of the classes in it. So a name must stay when a file moves: what
is public is known by the package in which its users find it (`segkit.Box`), and what is
stored without being public as a name in this module, whatever file it lies in. This is
the list of the latter. To rename what is in it is to break stores; to move it is to
change the right side.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

HOMES = {
    "AddressStamp": "segkit.workflows.inputs",
    "ArrayInput": "segkit.workflows.inputs",
    "ClassifyStage": "segkit.pipeline.stages",
    "Described": "segkit.workflows.saving",
    "FileInput": "segkit.workflows.inputs",
    "FileMark": "segkit.io.mapped",
    "FilterStage": "segkit.pipeline.stages",
    "Grey": "segkit.io.sources",
    "Hdf5Dataset": "segkit.io.hdf5",
    "ImageSpec": "segkit.pipeline.spacings",
    "InMemory": "segkit.io.sources",
    "InstanceSeam": "segkit.regions.instances",
    "InstanceSummary": "segkit.regions.instances",
    "InstanceTile": "segkit.regions.instances",
    "LabelStage": "segkit.pipeline.stages",
    "Later": "segkit.workflows.stored",
    "LoadStage": "segkit.pipeline.stages",
    "Mapped": "segkit.io.mapped",
    "Measured": "segkit.io.sources",
    "MeasureStage": "segkit.pipeline.stages",
    "Merged": "segkit.workflows.stored",
    "MergedInstances": "segkit.regions.instances",
    "ObjectRuns": "segkit.evaluation.runs",
    "Ordered": "segkit.io.arranged.ordered",
    "OverlappingStage": "segkit.pipeline.stages",
    "Packed": "segkit.workflows.packing",
    "PaintStage": "segkit.pipeline.stages",
    "Part": "segkit.workflows.stored",
    "PartialTable": "segkit.measurement.partial_table",
    "PictureFolder": "segkit.io.pictures.folder",
    "Reserved": "segkit.workflows.reserving",
    "Result": "segkit.pipeline.result",
    "SaveImageStage": "segkit.pipeline.stages",
    "SaveOverlayStage": "segkit.pipeline.stages",
    "SaveTableStage": "segkit.pipeline.stages",
    "Saved": "segkit.workflows.reserving",
    "SavedElsewhere": "segkit.workflows.reserving",
    "SavedElsewhereOf": "segkit.workflows.reserving",
    "SavedOf": "segkit.workflows.reserving",
    "Seam": "segkit.labelling.summary",
    "SeamCheck": "segkit.regions.seam_report",
    "Selected": "segkit.io.sources",
    "StoredVoxels": "segkit.io.elsewhere.voxels",
    "TiffPages": "segkit.io.tiff.pages",
    "TiffSegments": "segkit.io.tiff.segments",
    "SideBySide": "segkit.io.arranged.side_by_side",
    "StackedArray": "segkit.workflows.frames",
    "TileLabels": "segkit.labelling.labels",
    "TileObjects": "segkit.workflows.tile_work",
    "TileSummary": "segkit.labelling.summary",
    "TilesStage": "segkit.pipeline.stages",
    "WholeStage": "segkit.pipeline.stages",
    "ZarrChunks": "segkit.io.ome_zarr.chunks",
    "reopen_elsewhere": "segkit.io.writing",
    "reopen_writer": "segkit.io.writing",
}
"""Where that is which is stored without being public."""


def known_as(package: str) -> Callable[[T], T]:
    """Return a decorator that lets a class or function be known by a package.

    Parameters
    ----------
    package : str
        Where its users find it; this module's name for what is not public.

    Examples
    --------
    >>> from segkit.tiling import Box
    >>> Box.__module__
    'segkit'
    """

    def name(thing: T) -> T:
        thing.__module__ = package
        return thing

    return name


def __getattr__(name: str) -> Any:
    """Return a class of the list: so are those found that a stored result holds."""
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

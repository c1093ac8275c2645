"""The steps that are more than array in, array out, in one table.

Each has a function that writes it down, what is looked at before a run, and its place
in a plan. To add one is to write its function and its entry here, the type of its
stage (`segkit.pipeline.stages`), and what the two runners do with that: `in_memory`,
and `segkit.workflows.building`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from segkit.measurement.classification import (
    bounds_classifier as bounds_classifier,  # noqa: PLC0414 - what `classify` takes
)
from segkit.names import known_as
from segkit.pipeline.draft import Draft
from segkit.pipeline.special_checks import (
    bounded_columns,
    classified_columns,
    measured_columns,
    options_of,
    require_connectivity,
    require_min_size,
    require_number,
    require_opening,
    require_picture,
    require_target,
    same_columns,
)
from segkit.pipeline.steps import Step, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from segkit.measurement.classification import BoundsClassifier


@known_as("segkit.pipeline")
def load(path: str | Path | None = None, **options: Any) -> Step:
    """Open an image: `segkit.open_image`; without a path, what `run` is given.

    ``per="t"`` takes each time point by itself (``"c"`` each channel, ``"z"`` each
    plane, ``"tz"`` each plane of each time point): tables have a column of its number,
    and what is saved has all of them.
    """
    return written("load", () if path is None else (path,), **options)


@known_as("segkit.pipeline")
def tile(
    shape: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    *,
    join: Literal["own", "or"] = "own",
) -> Step:
    """Run what follows tile by tile.

    Parameters
    ----------
    shape : int or sequence of int
        Size of a tile in voxels, one number or one per axis.
    stride : int or sequence of int, optional
        Distance of neighbouring tiles, at most `shape`.
    join : {'own', 'or'}
        ``'own'``: each tile reads the halo that its steps reach and keeps its own box,
        so that every voxel is as in the whole image, whatever `shape` and `stride`.
        ``'or'``: FLoRIN's way: tiles overlap by `shape` and `stride`, see nothing
        beyond themselves, and a voxel is foreground if any tile says so. Steps near a
        tile's border then depend on the tiling.
    """
    options: dict[str, Any] = {"shape": shape}
    if stride is not None:
        options["stride"] = stride
    if join != "own":
        options["join"] = join
    return written("tile", **options)


@known_as("segkit.pipeline")
def label(**options: Any) -> Step:
    """Label connected components across all tiles: `segkit.label`."""
    return written("label", **options)


@known_as("segkit.pipeline")
def remove_small_objects(min_size: int = 64, **options: Any) -> Step:
    """Drop objects of fewer than `min_size` voxels; labels of the others stay.

    After `label` it chooses among the labelled objects, tile by tile; before, it
    works on the components of the mask, which takes the whole image at once.
    """
    return written("remove_small_objects", min_size=min_size, **options)


@known_as("segkit.pipeline")
def clear_border() -> Step:
    """Drop objects that reach the image's border."""
    return written("clear_border")


@known_as("segkit.pipeline")
def keep_largest(number: int = 1) -> Step:
    """Keep the largest objects only, with their labels."""
    return written("keep_largest", number=number)


@known_as("segkit.pipeline")
def keep_within(**bounds: Any) -> Step:
    """Keep labelled objects whose properties lie within bounds, in physical units.

    ``area=(100, 300)``: least and largest value, None for no bound.
    """
    return written("keep_within", **bounds)


@known_as("segkit.pipeline")
def regionprops(**options: Any) -> Step:
    """Measure all objects: `segkit.region_properties`, in physical units.

    The spacing is that of the image, or what a step of the pipeline is given as
    ``spacing=``; properties that begin with ``intensity``, or are ``weighted``, are of
    the loaded image.
    """
    return written("regionprops", **options)


@known_as("segkit.pipeline")
def classify(*classifiers: BoundsClassifier) -> Step:
    """Give each object the first class whose bounds hold: `segkit.classify`."""
    return written("classify", classifiers)


@known_as("segkit.pipeline")
def reconstruct(*, colours: bool = False) -> Step:
    """Paint each object with the number of its class, or with the class's colour."""
    return written("reconstruct", colours=True) if colours else written("reconstruct")


@known_as("segkit.pipeline")
def save(path: str | Path, **options: Any) -> Step:
    """Save what the step before made; a table for ``.csv``, ``.tsv``, ``.parquet``.

    ``{name}`` in the path is the name of the image without its suffix.
    """
    return written("save", (path,), **options)


@known_as("segkit.pipeline")
def save_overlay(path: str | Path, **options: Any) -> Step:
    """Save a picture to look at: the objects over the image, by `segkit.overlay`.

    A PNG of the size of the image; of a volume one plane, the middle one or `plane`.
    Of several steps it shows the labels, or the mask, of the one before. `path` is as
    for `save`.
    """
    return written("save_overlay", (path,), **options)


def _takes_all(step: Step) -> None:
    """Accept what the signature accepts."""


@dataclass(frozen=True, slots=True)
class SpecialStep:
    """A step that is more than array in, array out.

    Attributes
    ----------
    write : callable
        Writes it down; its signature says what the step takes.
    place : callable
        Puts it into the draft of a plan.
    check : callable
        Raises `TypeError` or `ValueError` for options that it cannot have.
    columns : callable
        Returns the columns that the table of objects has after the step, given the
        step, those it had before, and which axes the image may have; raises if the
        step bounds others.
    """

    write: Callable[..., Step]
    place: Callable[[Draft, Step], None]
    check: Callable[[Step], None] = _takes_all
    columns: Callable[[Step, Sequence[str], Iterable[str]], Sequence[str]] = (
        same_columns
    )


_ALL = (
    SpecialStep(load, Draft.load, check=require_opening),
    SpecialStep(tile, Draft.tile),
    SpecialStep(label, Draft.label, check=require_connectivity),
    SpecialStep(remove_small_objects, Draft.filter, check=require_min_size),
    SpecialStep(clear_border, Draft.filter),
    SpecialStep(keep_largest, Draft.filter, check=require_number),
    SpecialStep(keep_within, Draft.filter_labels, columns=bounded_columns),
    SpecialStep(
        regionprops,
        Draft.measure,
        check=options_of("region_properties", after=2),
        columns=measured_columns,
    ),
    SpecialStep(classify, Draft.classify, columns=classified_columns),
    SpecialStep(reconstruct, Draft.paint),
    SpecialStep(save, Draft.save, check=require_target),
    SpecialStep(save_overlay, Draft.save_overlay, check=require_picture),
)
SPECIAL: Mapping[str, SpecialStep] = {
    special.write.__name__: special for special in _ALL
}
"""The special steps, by name."""

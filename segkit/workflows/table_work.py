"""What a worker does with what is known of all tiles: merging, measuring, classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.pipeline.stage_work import require_one_value
from segkit.workflows.stored import Merged, through

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from segkit.arrays import Array, Table
    from segkit.measurement.classification import BoundsClassifier
    from segkit.measurement.partial_table import PartialTable
    from segkit.pipeline.steps import Step
    from segkit.workflows.stored import Later


def merge_objects(objects: tuple[Later, ...], seams: tuple[Later, ...]) -> Merged:
    """Return the ids of the whole image for the labels of all tiles.

    Parameters
    ----------
    objects
        `TileObjects` of all tiles, in order.
    seams
        What `find_seams` found.

    Raises
    ------
    PipelineError
        If tiles have foreground of different values: together they are no mask.
    """
    from segkit.labelling.merging import merge_tiles

    summaries, values = [], set()
    for one in objects:
        tile = one.load()
        summaries.append(tile.summary)
        values.add(tile.value)
    require_one_value(values - {None}, grey=any(isinstance(v, float) for v in values))
    lookups = merge_tiles(summaries, seams=_all_seams(seams))
    ends = np.cumsum([0, *(len(lookup) for lookup in lookups)])
    return Merged(np.concatenate(lookups), ends)


def _all_seams(seams: tuple[Later, ...]) -> Iterator[Any]:
    for some in seams:
        yield from some.load()


def combine_tables(
    parts: tuple[Later, ...], numbers: tuple[int, ...], merged: Merged | None
) -> PartialTable:
    """Return the sums over the objects of several tiles together.

    Parameters
    ----------
    parts
        `PartialTable` of tiles.
    numbers
        The tiles' places, for `merged`.
    merged
        The ids to sum under; None if the parts know them already.
    """
    from segkit.measurement.partial_table import PartialTable, combine

    tables: list[PartialTable] = [part.load() for part in parts]
    if merged is not None:
        named = [
            replace(table, labels=merged.lookup(number)[table.labels])
            for number, table in zip(numbers, tables, strict=True)
        ]
        # A part without rows: what is said twice in a single one is summed too.
        empty = {name: column[:0] for name, column in tables[0].columns.items()}
        nothing = PartialTable(tables[0].shape, tables[0].labels[:0], empty)
        tables = [*named, nothing]
    return combine(tables)


def keep_objects(
    step: Step,
    sums: PartialTable,
    lookups: tuple[Array, ...],
    options: dict[str, Any],
) -> NDArray[np.int64]:
    """Return the lookup from labels to labels that drops what a filter step drops."""
    from segkit.measurement.measure import properties_table
    from segkit.pipeline.object_filters import keep_lookup

    table = properties_table(_remaining(sums, lookups), **options)
    lookup = keep_lookup(step, table)
    small = lookup.max(initial=0) <= np.iinfo(np.int32).max
    return lookup.astype(np.int32 if small else np.int64)


def tabulate(
    sums: PartialTable, lookups: tuple[Array, ...], options: dict[str, Any]
) -> Table:
    """Return the properties of the objects that filters left."""
    from segkit.measurement.measure import properties_table

    return properties_table(_remaining(sums, lookups), **options)


def join_tables(
    names: tuple[str, ...],
    places: tuple[tuple[object, ...], ...],
    tables: tuple[Later, ...],
) -> Table:
    """Return the rows of several tables, each with its place; see `joined`."""
    from segkit.pipeline.parts.tables import joined

    return joined(names, places, [table.load() for table in tables])


def classify_objects(table: Table, classifiers: tuple[BoundsClassifier, ...]) -> Table:
    """Return a table of objects with their classes; see `segkit.classify`."""
    from segkit.measurement.classification import classify

    return classify(table, *classifiers)


def look_classes_up(table: Table) -> NDArray[np.unsignedinteger[Any]]:
    """Return the lookup from labels to classes, for painting; see `reconstruct`."""
    from segkit.measurement.classification import class_lookup

    return class_lookup(table)


def _remaining(sums: PartialTable, lookups: Iterable[Array]) -> PartialTable:
    labels = sums.labels
    for lookup in lookups:
        labels = through(labels, lookup)
    kept = labels > 0
    if kept.all():
        return sums
    columns = {name: column[kept] for name, column in sums.columns.items()}
    return replace(sums, labels=sums.labels[kept], columns=columns)

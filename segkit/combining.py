"""Combine partial results of tiles: overlaps, runs, sums over objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from segkit.evaluation.runs import LabelRuns, joined_runs
from segkit.measurement import partial_table
from segkit.measurement.partial_table import PartialTable
from segkit.names import known_as
from segkit.overlaps import contingency_table
from segkit.overlaps.contingency_table import Contingency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Part = TypeVar("Part", Contingency, LabelRuns, PartialTable)

_ADDED_BY: Mapping[type, Callable[[list[Any]], Any]] = {
    Contingency: contingency_table.combine,
    LabelRuns: joined_runs,
    PartialTable: partial_table.combine,
}


@known_as("segkit")
def combine(parts: Iterable[Part]) -> Part:
    """Add up the results of disjoint boxes; exact, in any order and grouping.

    Parameters
    ----------
    parts
        All of `segkit.contingency`, of `segkit.label_runs` or of `segkit.measure_tile`;
        at least one.

    Returns
    -------
    Contingency, LabelRuns or PartialTable
        Of all boxes together.

    Raises
    ------
    ValueError
        If there is none, they are of different images, runs overlap, or there are more
        voxels together than the image has: a tile is there twice. That one is missing
        is not an error, since combinations may be combined; compare `voxels` of the
        result with the image's.
    TypeError
        If they are of different kinds.

    Examples
    --------
    >>> import segkit
    >>> tiles = [segkit.contingency([1, 1], [0, 3]), segkit.contingency([1, 0], [3, 3])]
    >>> combine(tiles).voxels.tolist()
    [1, 1, 2]
    """
    listed = list(parts)
    if not listed:
        raise ValueError("there is nothing to combine; give at least one part")
    kinds = {type(part) for part in listed}
    together = _ADDED_BY.get(kinds.pop())
    if together is None or kinds:
        names = ", ".join(sorted({type(part).__name__ for part in listed}))
        raise TypeError(
            f"parts are of {names}; give tables of contingency, runs of label_runs or "
            "sums of measure_tile, all of one kind"
        )
    added: Part = together(listed)
    return added

"""Tables of parts as one, each row with the place of its part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.pipeline.steps import PipelineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.arrays import Table


def joined(
    names: Sequence[str], places: Sequence[Sequence[object]], tables: Sequence[Table]
) -> Table:
    """Return the rows of several tables, one after the other, with columns of places.

    Parameters
    ----------
    names
        Of the columns that come first.
    places
        For each table what they hold in all its rows.
    tables
        With the same columns.

    Raises
    ------
    PipelineError
        If they have a column that is called as one of `names`.

    Examples
    --------
    >>> tables = [{"label": np.array([1, 2])}, {"label": np.array([1])}]
    >>> joined(["t"], [(0,), (1,)], tables)
    {'t': array([0, 0, 1]), 'label': array([1, 2, 1])}
    """
    twice = [name for name in names if name in tables[0]]
    if twice:
        raise called_twice(twice[0])
    counts = [len(next(iter(table.values()), ())) for table in tables]
    found: Table = {}
    for number, name in enumerate(names):
        values = np.array([place[number] for place in places])
        found[name] = np.repeat(values, counts)
    for name in tables[0]:
        found[name] = np.concatenate([table[name] for table in tables])
    return found


def called_twice(name: str) -> PipelineError:
    """Return the error that a column of places is called as one of the objects."""
    return PipelineError(
        f"{name!r} names a column of the wells and one that is measured of the objects;"
        " rename it in the layout of the plate"
    )

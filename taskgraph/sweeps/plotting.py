"""A column of a table drawn over another one, by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.displays.ordering import is_missing
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from taskgraph.sweeps.tables import Table


def plot(table: Table, x: str, y: str, *, by: str | None = None, ax: Any = None) -> Any:
    """Draw points, and a line through their means; return the axes.

    Parameters
    ----------
    table : Table
        What to draw.
    x, y : str
        Columns. Rows without a value in one of them are left out.
    by : str, optional
        A column: a line of its own for each of its values.
    ax : matplotlib.axes.Axes, optional
        Where to draw; in a new figure by default.

    Raises
    ------
    UsageError
        There is no such column, or matplotlib is not installed.
    """
    groups = _groups(table, x, y, by)
    if ax is None:
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise UsageError(
                "a plot needs matplotlib, which is not installed; install it, or draw "
                "what to_frame() returns"
            ) from error
        _, ax = pyplot.subplots()
    for name, points in groups.items():
        xs, ys = zip(*points, strict=True)
        means = _means(points)
        label = None if by is None else f"{by} = {name}"
        (line,) = ax.plot(list(means), list(means.values()), label=label)
        ax.plot(xs, ys, "o", color=line.get_color())
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if by is not None and groups:
        ax.legend()
    return ax


def _groups(
    table: Table, x: str, y: str, by: str | None
) -> dict[Any, list[tuple[Any, Any]]]:
    """Return the points of each line."""
    groups: dict[Any, list[tuple[Any, Any]]] = {}
    ordered = table.sort(x)
    names = [None] * len(ordered) if by is None else ordered[by]
    for name, one, other in zip(names, ordered[x], ordered[y], strict=True):
        if not (is_missing(one) or is_missing(other)):
            groups.setdefault(name, []).append((one, other))
    return groups


def _means(points: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return the mean of what there is at each place, in their order.

    Examples
    --------
    >>> _means([(1, 2), (1, 4), (2, 5)])
    {1: 3.0, 2: 5.0}
    """
    at: dict[Any, list[Any]] = {}
    for one, other in points:
        at.setdefault(one, []).append(other)
    return {one: sum(others) / len(others) for one, others in at.items()}

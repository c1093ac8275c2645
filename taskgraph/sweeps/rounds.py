"""Sweeps that grow as results become known, round by round.

Each round ends at a barrier (`bvalue`): a jugfile says no more until its tasks have
results, and `tg status` and `tg wait` know that more may come. All that is decided
depends on results alone, so that every worker decides the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from taskgraph.displays.cells import spread
from taskgraph.displays.ordering import is_missing
from taskgraph.errors import UsageError
from taskgraph.names import known_as
from taskgraph.sweeps.conditions import require_column
from taskgraph.sweeps.designs import require_count
from taskgraph.sweeps.points import Point, points_of
from taskgraph.sweeps.sweep import Sweep, sweep
from taskgraph.tasks.barriers import bvalue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgraph.tasks.task import Task, TaskGenerator

    Wait = Callable[[list[Task]], Sequence[Any]]


@known_as("taskgraph")
def halving(
    f: Callable[..., Any] | TaskGenerator,
    points: Any,
    /,
    *,
    budget: str,
    budgets: Sequence[Any],
    score: str,
    keep: float = 1 / 3,
    lowest: bool = False,
    wait: Wait = bvalue,
    **fixed: Any,
) -> list[Sweep]:
    """Try all points with a small budget, and only the best with more of it.

    In a jugfile each round is written down when the one before has results. A task
    that fails stops the design until it was mended, as it does at any barrier; a
    function that cannot say how good a point is returns NaN, which is never kept.

    Parameters
    ----------
    f : TaskGenerator or function
        What to call.
    points : list of dict, mapping or frame
        Where to begin, as `sweep` takes it: those of `random_points`, for example.
    budget : str
        The parameter that says how much is spent: pictures, iterations, pixels.
    budgets : sequence
        Its values, one for each round.
    score : str
        Which column of the results says how good a point is; for a function that
        returns a number that is its name.
    keep : float, optional
        Which part of the points goes on; at least one does.
    lowest : bool, optional
        Whether less is better.
    wait : callable, optional
        Takes tasks and returns their results, once they have them. In a notebook:
        ``lambda tasks: run(tasks) and value(tasks)``.
    **fixed
        What all calls get.

    Returns
    -------
    list of Sweep
        The rounds; the last one may have no results yet.

    Raises
    ------
    BarrierError
        In a jugfile, if a round has not all of its results.
    UsageError
        There are no budgets, `keep` is no part, or no point has a score.

    References
    ----------
    K. Jamieson, A. Talwalkar: Non-stochastic best arm identification and
    hyperparameter optimization. AISTATS 2016.

    Examples
    --------
    >>> from taskgraph import halving, run, value
    >>> def ready(tasks):
    ...     return run(tasks) and value(tasks)
    >>> rounds = halving(pow, {"base": [1, 2, 3, 4]}, budget="exp", budgets=[1, 2],
    ...                  score="pow", keep=0.5, wait=ready)
    >>> [[point["base"] for point in each.points] for each in rounds]
    [[1, 2, 3, 4], [4, 3]]
    """
    if isinstance(budgets, str) or not len(budgets):
        raise UsageError(f"budgets are the values of {budget!r}, one for each round")
    if not 0 < keep < 1:
        raise UsageError(
            f"keep is the part that goes on, between 0 and 1, not {keep!r}"
        )
    left = points_of(points)
    rounds: list[Sweep] = []
    for number, amount in enumerate(budgets):
        if number:
            last = rounds[-1]
            scores = scores_of(last, score, wait(last.tasks))
            count = max(1, math.ceil(len(left) * keep))
            left = _best_of(left, scores, score, lowest=lowest)[:count]
        rounds.append(sweep(f, left, **{budget: amount}, **fixed))
    return rounds


@known_as("taskgraph")
def sweep_until(
    f: Callable[..., Any] | TaskGenerator,
    points: Any,
    /,
    *,
    score: str,
    batch: int = 16,
    patience: int = 3,
    lowest: bool = False,
    wait: Wait = bvalue,
    **fixed: Any,
) -> Sweep:
    """Try points batch by batch, until some batches in a row find nothing better.

    In a jugfile each batch is written down when the one before has results.

    Parameters
    ----------
    f, score, lowest, wait, fixed
        As for `halving`.
    points : list of dict, mapping or frame
        In the order in which they are tried, all of them at most.
    batch : int, optional
        How many at a time: more than there are workers.
    patience : int, optional
        After how many batches without a better score it ends.

    Returns
    -------
    Sweep
        All that were tried.

    Raises
    ------
    BarrierError
        In a jugfile, if a batch has not all of its results.
    UsageError
        A number is none from 1 on, or there is no such score.

    Examples
    --------
    >>> from taskgraph import run, sweep_until, value
    >>> def ready(tasks):
    ...     return run(tasks) and value(tasks)
    >>> points = [{"x": x} for x in (-1, -5, -2, -3, -4, -6)]
    >>> tried = sweep_until(abs, points, score="abs", batch=1, patience=2, wait=ready)
    >>> [point["x"] for point in tried.points]
    [-1, -5, -2, -3]
    """
    require_count(batch, "batch")
    require_count(patience, "patience")
    left = points_of(points)
    tried = Sweep([], [], {})
    best, since = None, 0
    while left and since < patience:
        now = sweep(f, left[:batch], **fixed)
        left = left[batch:]
        tried = Sweep(tried.tasks + now.tasks, tried.points + now.points, now.fixed)
        if not left:
            break
        scores = scores_of(now, score, wait(now.tasks))
        found = [number for number in scores if not is_missing(number)]
        here = (min(found) if lowest else max(found)) if found else None
        if here is not None and (
            best is None or (here < best if lowest else here > best)
        ):
            best, since = here, 0
        else:
            since += 1
    return tried


def scores_of(tried: Sweep, score: str, values: Sequence[Any]) -> list[Any]:
    """Return the column of the results that says how good each point is.

    Raises
    ------
    UsageError
        There is no such column, or it holds something else than numbers.
    """
    whole = tried.tasks[0].name.rpartition(".")[2]
    columns = spread(list(values), whole)
    require_column(score, columns)
    for cell in columns[score]:
        if not (cell is None or isinstance(cell, int | float)):
            raise UsageError(f"a score is a number, but {score} is {cell!r:.40}")
    return columns[score]


def _best_of(
    points: list[Point], scores: list[Any], name: str, *, lowest: bool
) -> list[Point]:
    """Return the points that have a score, the best first, then in their order."""
    there = [n for n, number in enumerate(scores) if not is_missing(number)]
    if not there:
        raise UsageError(f"no point has a {name}: nothing can be chosen")
    there.sort(key=scores.__getitem__, reverse=not lowest)
    return [points[n] for n in there]

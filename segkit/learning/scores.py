"""How good predictions are: Q2, and what goes with it in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit import checks
from segkit.learning.recipes import as_seed
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.arrays import Table
    from segkit.learning.validation import OutOfFold


@known_as("segkit.learning")
def q2(found: OutOfFold) -> float:
    """Return Q2: which part of the variance predictions explain that were out of fold.

    It is 1 less the sum of squared residuals over that of squared deviations of the
    targets from their mean: 1 is perfect, 0 as good as to say the mean of all targets,
    and there is no least.

    References
    ----------
    Wold, "Cross-validatory estimation of the number of components in factor and
    principal components models", Technometrics 20 (1978), pp. 397-405.

    Examples
    --------
    >>> from segkit.learning import given_predictions
    >>> q2(given_predictions([1, 2, 4], [1, 2, 3], ["a", "b", "c"], method="x"))
    0.5
    """
    squares = float((found.residuals**2).sum())
    spread = float(((found.targets - found.targets.mean()) ** 2).sum())
    return 1 - squares / spread


@known_as("segkit.learning")
def q2_interval(
    found: OutOfFold, *, level: float = 0.95, seed: int = 0, times: int = 2000
) -> tuple[float, float]:
    """Return between which values Q2 is likely to lie, were other experiments taken.

    Whole experiments are drawn at random, as many as there are, each as often as
    chance has it, and Q2 is computed of their rows; of so many draws, the middle part
    is the interval. Rows of one experiment are alike, and so never drawn apart: that
    would make it too narrow. Nothing is fitted anew, and with fewer than ten
    experiments it is rough.

    Parameters
    ----------
    found : OutOfFold
        Of numbers.
    level : float
        Which part of the draws lies within: above 0 and below 1.
    seed : int
        For the draws.
    times : int
        How many.

    Returns
    -------
    low, high : float
        NaN if there is one experiment only.

    References
    ----------
    Field and Welsh, "Bootstrapping clustered data", J. R. Statist. Soc. B 69 (2007),
    pp. 369-390.

    Examples
    --------
    >>> from segkit.learning import given_predictions
    >>> wanted, groups = np.arange(40.0) % 8, np.arange(40) // 8
    >>> said = wanted + 0.5 * np.sin(np.arange(40))
    >>> found = given_predictions(said, wanted, groups, method="x")
    >>> low, high = q2_interval(found)
    >>> low < q2(found) < high
    True
    """
    level = checks.as_positive(level, name="level", below=1)
    times = checks.as_integer(times, name="times", least=1)
    residuals, which = found.residuals, np.unique(found.groups, return_inverse=True)[1]
    count = int(which.max()) + 1
    if count < 2:
        return float("nan"), float("nan")
    apart = found.targets - found.targets.mean()
    rows, squares, sums, spreads = (
        np.bincount(which.reshape(-1), values)
        for values in (np.ones(len(apart)), residuals**2, apart, apart**2)
    )
    rng = np.random.default_rng(as_seed(seed))
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=times)
    spread = drawn @ spreads - (drawn @ sums) ** 2 / (drawn @ rows)
    scores = 1 - (drawn @ squares)[spread > 0] / spread[spread > 0]
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@known_as("segkit.learning")
def pearson(found: OutOfFold) -> float:
    """Return the correlation of predictions and targets; NaN if all predict the same.

    Examples
    --------
    >>> from segkit.learning import given_predictions
    >>> pearson(given_predictions([2, 4, 8], [1, 2, 4], ["a", "b", "c"], method="x"))
    1.0
    """
    found.require_numbers()
    if np.ptp(found.predictions) == 0:
        return float("nan")
    return round(float(np.corrcoef(found.targets, found.predictions)[0, 1]), 12)


@known_as("segkit.learning")
def accuracy(found: OutOfFold) -> float:
    """Return which part of the rows has the right class.

    Raises
    ------
    TypeError
        If it is no classification.
    """
    if not found.classes:
        raise TypeError(f"{found.method} predicts numbers, which have no accuracy")
    return float((found.predictions == found.targets).mean())


@known_as("segkit.learning")
def score_table(results: Sequence[OutOfFold]) -> Table:
    """Return the scores of several methods, a row each, for a report.

    Returns
    -------
    dict of str to array
        "method"; "schedule", which says of each method how it was cross-validated;
        "rows", "experiments", "folds"; "q2", "pearson", "rmse" (the root of the mean
        squared residual), "bias" (the mean residual), and "experiment_rmse", that of
        the means of whole experiments; for classifications "accuracy". What a method
        does not have is NaN.

    Examples
    --------
    >>> from segkit.learning import given_predictions
    >>> one = given_predictions([1, 2, 4], [1, 2, 3], ["a", "b", "c"], method="x")
    >>> table = score_table([one])
    >>> table["schedule"].tolist(), table["q2"].round(2).tolist()
    (['by experiment'], [0.5])
    """
    if not results:
        raise ValueError("there are no results to score")
    rows = [_scores(one) for one in results]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _scores(found: OutOfFold) -> dict[str, str | int | float]:
    undefined = float("nan")
    row: dict[str, str | int | float] = {
        "method": found.method,
        "schedule": found.schedule,
        "rows": len(found.targets),
        "experiments": len(np.unique(found.groups)),
        "folds": len(np.unique(found.folds)),
    }
    numbers = ("q2", "pearson", "rmse", "bias", "experiment_rmse")
    if found.classes:
        return row | dict.fromkeys(numbers, undefined) | {"accuracy": accuracy(found)}
    apart = found.residuals
    means = [apart[found.groups == group].mean() for group in np.unique(found.groups)]
    return row | {
        "q2": q2(found),
        "pearson": pearson(found),
        "rmse": float(np.sqrt((apart**2).mean())),
        "bias": float(apart.mean()),
        "experiment_rmse": float(np.sqrt(np.mean(np.square(means)))),
        "accuracy": undefined,
    }

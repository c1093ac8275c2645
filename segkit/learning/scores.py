"""How good predictions are: Q2, and what goes with it in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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

"""Predictions corrected by a line, and several methods combined by one.

Both are fitted on out-of-fold predictions of the other folds, so that what comes out is
out of fold again: no row's own target was seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.learning.validation import WITHIN, OutOfFold
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@known_as("segkit.learning")
def corrected(found: OutOfFold) -> OutOfFold:
    """Return predictions corrected by a line: ``offset + slope * prediction``.

    Estimators that average, such as forests, say too little where there is much, and
    too much where there is little. Fold by fold, the line is that of least squares of
    targets on predictions of all other folds.

    Examples
    --------
    >>> from segkit.learning import given_predictions
    >>> half = given_predictions([1, 2, 3, 4], [2, 4, 6, 8], list("abcd"), method="x")
    >>> corrected(half).predictions.round(6).tolist()
    [2.0, 4.0, 6.0, 8.0]
    """
    return combined([found], method=f"{found.method}, corrected")


@known_as("segkit.learning")
def combined(results: Sequence[OutOfFold], *, method: str = "combined") -> OutOfFold:
    """Return the combination of several methods by linear regression.

    Fold by fold: least squares of the targets on the predictions of all methods, and a
    constant, over all other folds.

    Parameters
    ----------
    results : sequence of OutOfFold
        Of the same rows, targets and experiments; also of classifications of numbers.
        Folds are those of the first.
    method : str
        What to call it.

    Raises
    ------
    ValueError
        If they are of other rows.

    Notes
    -----
    A method's prediction of another fold may have learned from this one; as always in
    stacking, that makes weights, a few numbers for all rows, a little less than blind.

    References
    ----------
    Wolpert, "Stacked generalization", Neural Networks 5 (1992), pp. 241-259; Breiman,
    "Stacked regressions", Machine Learning 24 (1996), pp. 49-64.

    Examples
    --------
    >>> from segkit.learning import given_predictions, q2
    >>> wanted, groups = np.arange(8.0), np.arange(8) // 2
    >>> noise = np.array([1, -1] * 4)
    >>> one = given_predictions(wanted + noise, wanted, groups, method="one")
    >>> two = given_predictions(wanted - noise, wanted, groups, method="two")
    >>> round(q2(combined([one, two])), 6)
    1.0
    """
    first, columns = _same_rows(results)
    design = np.column_stack([np.ones(len(first.targets)), *columns])
    predictions = np.empty(len(first.targets))
    for fold in np.unique(first.folds):
        left_out = first.folds == fold
        weights = np.linalg.lstsq(
            design[~left_out], first.targets[~left_out].astype(np.float64), rcond=None
        )[0]
        predictions[left_out] = design[left_out] @ weights
    flattered = [one.schedule for one in results if one.schedule == WITHIN]
    schedule = WITHIN if flattered else first.schedule
    return replace(first, method=method, predictions=predictions, schedule=schedule)


def _same_rows(
    results: Sequence[OutOfFold],
) -> tuple[OutOfFold, list[NDArray[np.float64]]]:
    """Return the first result, and the predictions of all; raise if rows differ."""
    if not results:
        raise ValueError("there are no results to combine")
    first = results[0]
    for one in results:
        one.require_numbers()
        if not (
            _equal(one.targets, first.targets) and _equal(one.groups, first.groups)
        ):
            raise ValueError(
                f"{one.method} and {first.method} are of other rows: their targets or"
                " experiments differ; give results of one partition"
            )
    return first, [one.predictions.astype(np.float64) for one in results]


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape == other.shape and bool((one == other).all())


@known_as("segkit.learning")
def residual_correlations(results: Sequence[OutOfFold]) -> NDArray[np.float64]:
    """Return Pearson's correlation of the residuals of each two methods.

    Methods whose errors go apart gain by combination; those that err together do not.

    Returns
    -------
    float64 array, shape (methods, methods)
        1 on the diagonal; NaN beside a method whose residuals are all the same.

    Raises
    ------
    ValueError
        As `combined`.

    Examples
    --------
    >>> from segkit.learning import given_predictions
    >>> one = given_predictions([1, 2, 4], [1, 2, 3], ["a", "b", "c"], method="one")
    >>> two = given_predictions([1, 2, 2], [1, 2, 3], ["a", "b", "c"], method="two")
    >>> residual_correlations([one, two]).round(6)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    _same_rows(results)
    residuals = np.stack([one.residuals for one in results])
    apart = residuals - residuals.mean(axis=1, keepdims=True)
    lengths = np.sqrt((apart**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = (apart @ apart.T) / np.outer(lengths, lengths)
    np.fill_diagonal(found, 1.0)
    return found

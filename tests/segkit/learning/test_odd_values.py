"""What is no number of each row is told: predictions, and columns of tables."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from segkit.learning import cross_predict, stacked

X = np.random.default_rng(0).random((12, 3))
Y = X[:, 0] + X[:, 1]
GROUPS = np.repeat(["a", "b", "c"], 4)


class Odd(RegressorMixin, BaseEstimator):
    """Returns None when it is fitted, and predicts as it was told to."""

    def __init__(self, said=0.0):
        self.said = said

    def fit(self, features, targets):
        self.classes_ = np.unique(targets)

    def predict(self, features):
        return self.said if self.said is None else np.full(self.said[0], self.said[1])


class OddClassifier(ClassifierMixin, Odd):
    """As that, of classes."""


ODD = {
    "one number": ((), 1.0, r"an array of shape \(\) for 4 rows"),
    "a column": ((4, 1), 1.0, "an array of shape"),
    "a row less": (3, 1.0, "an array of shape"),
    "NaN": (4, np.nan, "NaN or infinity"),
    "texts": (4, "1", "<U1 instead of numbers"),
    "complex numbers": (4, 1j, "complex128 instead"),
}


@pytest.mark.parametrize("case", ODD)
def test_predictions_that_are_not_one_number_of_each_row_are_told(case):
    *said, message = ODD[case]
    with pytest.raises(ValueError, match=message):
        cross_predict(X, Y, GROUPS, Odd(tuple(said)), seed=0)
    found = cross_predict(X, Y, GROUPS, Odd((4, 2.0)), seed=0)
    assert found.predictions.tolist() == [2.0] * 12


def test_fractions_are_no_classes():
    classes = np.arange(12) % 2
    with pytest.raises(ValueError, match="float64 instead of classes"):
        cross_predict(X, classes, GROUPS, OddClassifier((4, 0.7)), seed=0)


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ([1, 2], ["x"], "holds <U1 and int64"),
        ([2**53 + 1], [1.5], "numbers are rounded"),
        (np.array([2**63 + 1], np.uint64), [-1], "numbers are rounded"),
        (1, [2], "is one value"),
        (np.zeros(1, "M8[D]"), [2], "convert it alike"),
        (np.zeros((2, 2)), [2], "convert it alike"),
    ],
)
def test_tables_are_stacked_only_if_their_values_stay(one, other, message):
    with pytest.raises(ValueError, match=message):
        stacked([{"a": one}, {"a": other}])


def test_a_table_without_rows_changes_no_values_of_others():
    found = stacked([{"label": []}, {"label": [2**53 + 1]}])["label"]
    assert found.tolist() == [2**53 + 1]

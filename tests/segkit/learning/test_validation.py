"""Cross-validation by experiment: nothing of an experiment is seen before its test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from segkit.learning import (
    accuracy,
    combined,
    corrected,
    cross_predict,
    feature_matrix,
    folds_of,
    given_predictions,
    pearson,
    q2,
    q2_interval,
    residual_correlations,
    residual_figure,
    score_table,
    stacked,
)

WITHIN = "WITHIN EXPERIMENTS (flattered)"


def study(experiments=5, rows=12, seed=0):
    """Return features, targets and groups; each experiment has an offset of its own."""
    random = np.random.default_rng(seed)
    groups = np.repeat([f"day {k}" for k in range(experiments)], rows)
    offset = np.repeat(random.normal(0, 2, experiments), rows)
    x = random.normal(0, 1, (experiments * rows, 3))
    x[:, 2] = offset  # by which an experiment is known again
    y = (
        x[:, 0]
        + 0.5 * x[:, 1]
        + offset
        * random.choice([-1, 1], experiments)[np.repeat(np.arange(experiments), rows)]
    )
    return x, y, groups


class Nearest(RegressorMixin, BaseEstimator):
    """Knows what it has learned by heart, and notes what that was."""

    seen: list = []  # noqa: RUF012 - of all, to be looked at

    def fit(self, x, y):
        self.x, self.y = x, y
        Nearest.seen.append(x[:, 0].tolist())
        return self

    def predict(self, x):
        return self.y[np.abs(x[:, None, 0] - self.x[None, :, 0]).argmin(axis=1)]


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=9),
    data=st.data(),
)
def test_an_experiment_is_in_one_fold_and_every_fold_has_one(sizes, data):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    groups = groups[data.draw(st.permutations(range(len(groups))))]
    count = data.draw(st.none() | st.integers(2, len(sizes)))
    folds = folds_of(groups, count)
    assert all(len(set(folds[groups == group])) == 1 for group in groups)
    assert set(folds) == set(range(count or len(sizes)))


def test_what_is_predicted_was_not_learned_from():
    groups = np.repeat(["a", "b", "c"], 4)
    numbers = np.arange(12.0)
    Nearest.seen.clear()
    found = cross_predict(numbers[:, None], numbers, groups, Nearest(), seed=0)
    for group, seen in zip("abc", Nearest.seen, strict=True):
        assert not set(numbers[groups == group]) & set(seen)
    assert (found.predictions != numbers).all()
    assert found.schedule == "by experiment"


def test_splitting_within_experiments_flatters_and_is_marked_in_every_report():
    x, y, groups = study()
    forest = RandomForestRegressor(n_estimators=20)
    honest, wrong = (
        cross_predict(x, y, groups, forest, seed=1, folds=5, within_groups=within)
        for within in (False, True)
    )
    assert q2(wrong) > q2(honest) + 0.2
    both = combined([honest, wrong])
    schedules = score_table([honest, wrong, both, corrected(wrong)])["schedule"]
    assert schedules.tolist() == ["by experiment", WITHIN, WITHIN, WITHIN]


def test_the_same_seed_gives_the_same_predictions_and_another_others():
    x, y, groups = study()
    forest = RandomForestRegressor(n_estimators=5)
    one, same, other = (
        cross_predict(x, y, groups, forest, seed=seed).predictions for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_q2_is_that_of_scikit_learn():
    from sklearn.metrics import r2_score

    x, y, groups = study()
    found = cross_predict(x, y, groups, Ridge(), seed=0)
    assert q2(found) == pytest.approx(r2_score(y, found.predictions))
    assert pearson(found) == pytest.approx(np.corrcoef(y, found.predictions)[0, 1])


def test_an_interval_of_q2_is_that_of_other_experiments_and_not_of_other_rows():
    """Of 150 studies of 20 experiments, nearly all intervals hold the true Q2."""
    random, held, few = np.random.default_rng(0), 0, []
    for _ in range(150):
        groups = np.repeat(np.arange(20), 30)
        targets = random.normal(0, 1, 600)
        shift = np.repeat(random.normal(0, 0.5, 20), 30)
        said = targets + shift + random.normal(0, 0.5, 600)
        found = given_predictions(said, targets, groups, method="x")
        low, high = q2_interval(found, times=300)
        assert low < q2(found) < high
        held += low < 0.5 < high
        alone = given_predictions(said, targets, np.arange(600), method="x")
        few.append(np.diff(q2_interval(alone, times=300))[0] / (high - low))
        if len(few) == 20:
            assert np.mean(few) < 0.7  # each row an experiment: too narrow
    assert held > 0.86 * 150


def test_an_interval_is_wider_the_surer_it_is_and_the_same_each_time():
    x, y, groups = study()
    found = cross_predict(x, y, groups, Ridge(), seed=0)
    half, most = q2_interval(found, level=0.5), q2_interval(found, level=0.99)
    assert most[0] < half[0] < half[1] < most[1]
    assert q2_interval(found, level=0.5) == half
    with pytest.raises(ValueError, match="level is 1"):
        q2_interval(found, level=1)
    classes = cross_predict(x, y > 0, groups, RandomForestClassifier(5), seed=0)
    with pytest.raises(TypeError, match="no residuals"):
        q2_interval(classes)


def test_a_line_corrects_what_shrinks_and_sees_no_target_of_its_own_fold():
    _, y, groups = study()
    shrunk = given_predictions(0.4 * y + 3, y, groups, method="shrunk")
    assert q2(shrunk) < 0 < 1 - 1e-9 < q2(corrected(shrunk))
    changed = y.copy()
    changed[groups == "day 0"] += 50
    first, second = (
        corrected(given_predictions(0.4 * y + 3, wanted, groups, method="x"))
        for wanted in (y, changed)
    )
    own = groups == "day 0"
    np.testing.assert_array_equal(first.predictions[own], second.predictions[own])
    assert (first.predictions[~own] != second.predictions[~own]).all()


def test_methods_that_err_apart_gain_by_combination():
    _, y, groups = study()
    noise = np.random.default_rng(3).normal(0, 1, (2, len(y)))
    results = [
        given_predictions(y + one, y, groups, method=f"m{k}")
        for k, one in enumerate(noise)
    ]
    assert q2(combined(results)) > max(map(q2, results))
    np.testing.assert_allclose(residual_correlations(results), np.corrcoef(noise))


def test_classes_are_told_apart_and_counted():
    x, y, groups = study()
    names = np.where(x[:, 0] > 0, "many", "few")
    forest = RandomForestClassifier(n_estimators=20)
    found = cross_predict(x, names, groups, forest, seed=0)
    assert accuracy(found) > 0.9
    table = score_table([found])
    assert table["accuracy"][0] == accuracy(found)
    assert np.isnan(table["q2"][0])
    with pytest.raises(TypeError, match="predicts classes"):
        q2(found)
    with pytest.raises(TypeError, match="predicts numbers"):
        accuracy(given_predictions(y, y, groups, method="x"))


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingRegressor(max_iter=5),
        make_pipeline(SimpleImputer(), LinearRegression()),
    ],
    ids=["boosting", "imputer"],
)
def test_nan_is_passed_on_if_that_is_said(estimator):
    x, y, groups = study()
    x[3, 1] = np.nan
    found = cross_predict(x, y, groups, estimator, seed=0, missing="pass")
    assert np.isfinite(found.predictions).all()


def test_the_residuals_of_all_methods_are_drawn_and_the_same_each_time(tmp_path):
    _, y, groups = study()
    results = [
        given_predictions(
            y + k * np.sin(np.arange(len(y)) * k), y, groups, method=str(k)
        )
        for k in (1, 2, 3)
    ]
    for name in ("a.png", "b.png"):
        residual_figure(results, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


X, Y, GROUPS = study(3, 4)
WRONG = {
    "other groups": ({"groups": GROUPS[:-1]}, "groups have shape"),
    "no groups": ({"groups": None}, "must name the experiment"),
    "one group": ({"groups": ["a"] * 12}, "all rows are of one experiment, a"),
    "too many folds": ({"folds": 4}, "3 experiments, too few for 4"),
    "no folds": ({"folds": 1}, "folds is 1"),
    "more folds than rows": ({"folds": 99, "within_groups": True}, "12 rows, too few"),
    "groups of nan": ({"groups": [np.nan] * 12}, "groups hold None, NaN"),
    "a group of none": ({"groups": [*GROUPS[1:], None]}, "groups hold None, NaN"),
    "a text group of nan": (
        {"groups": np.array([*GROUPS[1:], np.nan], object)},
        "groups hold None, NaN",
    ),
    "a day that is none": (
        {"groups": np.array([*[1, 2] * 5, 1, "NaT"], "M8[D]")},
        "groups hold None, NaN",
    ),
    "constant": ({"targets": np.ones(12)}, "all targets are 1.0"),
    "few targets": ({"targets": Y[:5]}, "targets have shape"),
    "nan target": ({"targets": np.where(Y[2] == Y, np.nan, Y)}, "in row 2"),
    "texts": ({"targets": list("abcdefghijkl")}, "takes numbers"),
    "nan feature": ({"features": np.where(X[1, 2] == X, np.nan, X)}, "column 2"),
    "infinite": (
        {"features": np.where(X[1, 2] == X, np.inf, X), "missing": "pass"},
        "NaN or infinity in",
    ),
    "no features": ({"features": {"label": np.arange(12)}}, "has no feature"),
    "a vector": ({"features": X[:, 0]}, "features have shape"),
    "a class": ({"estimator": Ridge}, "must be one of scikit-learn"),
    "fractions as classes": (
        {"estimator": RandomForestClassifier()},
        "targets are fractions",
    ),
    "texts as features": ({"features": {"a": list("abcdefghijkl")}}, "'a' holds <U1"),
    "numbers as texts": ({"features": {"a": list("123456789012")}}, "'a' holds <U1"),
    "texts among them": (
        {"features": np.array([[1.0], ["2"]] * 6, object)},
        "features holds texts",
    ),
    "complex features": ({"features": X * 1j}, "holds complex128"),
    "dates": ({"features": {"a": np.arange(12).astype("M8[D]")}}, "holds datetime64"),
    "a group of nobody knows what": (
        {"groups": pd.array([*GROUPS[1:], None], "string")},
        "groups hold None, NaN",
    ),
    "columns of other lengths": (
        {"features": {"a": X[:, 0], "b": X[:5, 0]}},
        "columns of the table have 5 to 12 rows",
    ),
    "a column of pairs": ({"features": {"a": X}}, "'a' has shape"),
    "what clusters": ({"estimator": KMeans()}, "does not learn to predict targets"),
    "what finds outliers": ({"estimator": IsolationForest()}, "does not learn to"),
    "what only scales": ({"estimator": StandardScaler()}, "does not learn to"),
    "a large seed": ({"seed": 2**32}, "at most 4294967295"),
    "missing": ({"missing": "drop"}, "unknown missing"),
    "no seed": ({"seed": None}, "seed is None"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_told(case):
    options, message = WRONG[case]
    usual = {
        "features": X,
        "targets": Y,
        "groups": GROUPS,
        "estimator": Ridge(),
        "seed": 0,
    }
    if case == "missing":
        usual["features"] = {"a": X[:, 0]}
    with pytest.raises((TypeError, ValueError), match=message):
        cross_predict(**(usual | options))


def test_a_fold_without_which_one_class_is_left_is_told():
    classes = np.where(np.arange(12) < 4, "rare", "usual")
    with pytest.raises(
        ValueError, match=r"all rows are of class usual.* take more folds"
    ):
        cross_predict(X, classes, GROUPS, RandomForestClassifier(), seed=0)


@pytest.mark.parametrize("what", ["features", "targets", "groups", "a table's"])
def test_what_is_masked_is_refused_and_never_counted(what):
    usual = {"features": X, "targets": Y, "groups": GROUPS}
    name = "features" if what == "a table's" else what
    masked = np.ma.masked_array(usual[name], mask=False)
    usual[name] = {"area": masked[:, 0]} if what == "a table's" else masked
    with pytest.raises(TypeError, match="a masked array, whose mask"):
        cross_predict(**usual, estimator=Ridge(), seed=0)
    with pytest.raises(TypeError, match="predictions are a masked array"):
        given_predictions(np.ma.masked_array(Y), Y, GROUPS, method="x")


def test_the_labels_of_a_data_frame_are_no_feature_as_those_of_a_table_are_none():
    table = {"label": np.arange(12), "a": X[:, 0], "b": X[:, 1]}
    found = [
        cross_predict(features, Y, GROUPS, Ridge(), seed=0).predictions
        for features in (X[:, :2], table, pd.DataFrame(table))
    ]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_results_of_other_rows_are_not_combined():
    one = given_predictions(Y, Y, GROUPS, method="one")
    two = given_predictions(Y[::-1], Y[::-1], GROUPS, method="two")
    with pytest.raises(ValueError, match="two and one are of other rows"):
        combined([one, two])


def test_a_table_says_which_feature_is_nan_and_where():
    table = {"label": [1, 2], "a": [1.0, 2.0], "haralick": [1.0, np.nan]}
    with pytest.raises(ValueError, match=r"'haralick' has NaN .* 1 of 2 .* row 1"):
        feature_matrix(table)
    with pytest.raises(ValueError, match="no column 'b'"):
        feature_matrix(table, ["b"])
    with pytest.raises(ValueError, match="other columns than the first: b"):
        stacked([{"a": [1]}, {"a": [1], "b": [2]}])


def test_a_table_without_rows_is_told():
    with pytest.raises(ValueError, match="features have no rows; give images in which"):
        cross_predict({"a": []}, [], [], Ridge(), seed=0)

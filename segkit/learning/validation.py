"""Cross-validation by experiment: predictions of what an estimator has not seen.

Regions of one image are alike: they share exposure, staining, a patient. An estimator
that has seen some of them is flattered by the others. So whole experiments are left out
(`groups`), and nothing else is done unless it is asked for; then every report says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.learning.recipes import Recipe, as_seed, one_thread, recipe_of
from segkit.learning.tables import as_matrix, as_numbers, require_unmasked
from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from segkit.learning.tables import Missing

BY_EXPERIMENT = "by experiment"
WITHIN = "WITHIN EXPERIMENTS (flattered)"


@known_as("segkit.learning")
@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What was predicted for each row by an estimator that had not seen its fold.

    Attributes
    ----------
    method : str
        What predicted.
    targets, predictions : array, shape (n,)
        Of each row; numbers, or classes of a classification.
    groups : array, shape (n,)
        The experiment of each row.
    folds : int array, shape (n,)
        The fold in which it was left out.
    schedule : str
        "by experiment", or "WITHIN EXPERIMENTS (flattered)" if rows of one experiment
        were learned from while others were predicted.
    classes : bool
        Whether it is a classification.
    """

    method: str
    targets: NDArray[Any]
    predictions: NDArray[Any]
    groups: NDArray[Any]
    folds: NDArray[np.intp]
    schedule: str = BY_EXPERIMENT
    classes: bool = False

    @property
    def residuals(self) -> NDArray[np.float64]:
        """Prediction minus target of each row; raise `TypeError` for classes."""
        self.require_numbers()
        return np.asarray(self.predictions - self.targets, np.float64)

    def require_numbers(self) -> None:
        """Raise `TypeError` if it is a classification."""
        if self.classes:
            raise TypeError(
                f"{self.method} predicts classes, which have no residuals; give a"
                " regression"
            )

    def renamed(self, method: str) -> OutOfFold:
        """Return the same under another name."""
        return replace(self, method=method)


@known_as("segkit.learning")
def folds_of(
    groups: ArrayLike,
    folds: int | None = None,
    *,
    within_groups: bool = False,
    seed: int = 0,
) -> NDArray[np.intp]:
    """Return the fold in which each row is left out.

    Parameters
    ----------
    groups : array, shape (n,)
        The experiment of each row: numbers or texts.
    folds : int, optional
        How many, from 2 on; each experiment is a fold by default. Experiments are dealt
        out so that folds have about the same number of rows: the largest one first, to
        the fold that has the fewest (of equals, the first).
    within_groups : bool
        Deal out single rows, at random, so that rows of one experiment are learned from
        while others are predicted. That flatters: use it to see by how much.
    seed : int
        Of the random numbers for that.

    Raises
    ------
    ValueError
        If there is one experiment only, or there are fewer than folds.

    Examples
    --------
    >>> folds_of(["a", "a", "b", "c"])
    array([0, 0, 1, 2])
    >>> folds_of(["a", "a", "b", "c"], 2)
    array([0, 0, 1, 1])
    """
    names, which = _experiments(groups)
    count = len(names) if folds is None else folds
    count = checks.as_integer(count, name="folds", least=2 if folds is not None else 1)
    if within_groups:
        count = max(2, count)
        if len(which) < count:
            raise ValueError(f"there are {len(which)} rows, too few for {count} folds")
        order = np.random.default_rng(seed).permutation(len(which))
        dealt = np.empty(len(which), np.intp)
        dealt[order] = np.arange(len(which)) % count
        return dealt
    if len(names) < 2:
        raise ValueError(
            f"all rows are of one experiment, {names[0]}: cross-validation by"
            " experiment takes two or more. Give the experiment of each row as groups;"
            " to split within the one, say within_groups=True, which flatters"
        )
    if len(names) < count:
        raise ValueError(
            f"there are {len(names)} experiments, too few for {count} folds; give a"
            " smaller number, or None for one fold each"
        )
    fold_of = _dealt(np.bincount(which), count)
    return fold_of[which]


def _dealt(sizes: NDArray[np.intp], folds: int) -> NDArray[np.intp]:
    """Return the fold of each group: large ones first, each to the smallest fold."""
    if folds == len(sizes):
        return np.arange(folds)
    totals, fold_of = np.zeros(folds, np.intp), np.empty(len(sizes), np.intp)
    for group in np.argsort(-sizes, kind="stable"):
        fold = int(np.argmin(totals))
        fold_of[group] = fold
        totals[fold] += sizes[group]
    return fold_of


def _experiments(groups: ArrayLike) -> tuple[list[str], NDArray[np.intp]]:
    """Return the names of experiments, and which of them each row is of."""
    require_unmasked(groups, name="groups")
    array = np.asarray(groups)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"groups have shape {array.shape}; give the experiment of each row"
        )
    if any(map(_is_nothing, array.tolist())) or (
        array.dtype.kind == "f" and not np.isfinite(array).all()
    ):
        raise ValueError(
            "groups hold None, NaN or infinity; name the experiment of each row"
        )
    if array.dtype.kind == "O":
        array = array.astype(str)
    names, which = np.unique(array, return_inverse=True)
    return [str(name) for name in names], which.reshape(-1)


def _is_nothing(name: Any) -> bool:
    """Return whether this is None, or as NaN and NaT not equal to itself."""
    try:
        return name is None or bool(name != name)
    except TypeError:  # pandas.NA, of which nobody knows
        return True


@known_as("segkit.learning")
def cross_predict(
    features: Any,
    targets: ArrayLike,
    groups: ArrayLike,
    estimator: Any,
    *,
    seed: int,
    folds: int | None = None,
    within_groups: bool = False,
    missing: Missing = "refuse",
    method: str | None = None,
) -> OutOfFold:
    """Predict each fold by an estimator that has learned from all others.

    Parameters
    ----------
    features : table or array of shape (n, features)
        As of `segkit.features.region_features`.
    targets : array, shape (n,)
        What to predict: numbers, or classes if it is a classifier.
    groups : array, shape (n,)
        The experiment of each row. Required: rows of one experiment are never on both
        sides, unless `within_groups` is said.
    estimator : estimator of scikit-learn, or Recipe
        Fitted anew for each fold; what it has learned before is left out.
    seed : int
        For its random numbers: the same seed gives the same predictions.
    folds, within_groups
        As for `folds_of`.
    missing
        As for `feature_matrix`.
    method : str, optional
        What to call it; the recipe by default.

    Returns
    -------
    OutOfFold

    Raises
    ------
    TypeError, ValueError
        If there is not one target and one group for each row; if targets are all the
        same, or not finite; if features are NaN; if the estimator does not learn from
        targets, as those that cluster, or does not predict a finite number or a class
        for each row; as `folds_of` and `recipe_of`.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> x = np.arange(12.0)[:, None]
    >>> groups = np.repeat(["monday", "tuesday", "friday"], 4)
    >>> found = cross_predict(x, 2 * x[:, 0], groups, LinearRegression(), seed=0)
    >>> found.schedule, bool(abs(found.residuals).max() < 1e-9)
    ('by experiment', True)
    """
    matrix = as_matrix(features, missing)
    recipe = recipe_of(estimator)
    wanted = _targets(targets, len(matrix))
    _require_rows(groups, len(matrix))
    seed = as_seed(seed)
    dealt = folds_of(groups, folds, within_groups=within_groups, seed=seed)
    classes = _is_classifier(recipe)
    _require_kind(wanted, classes=classes, recipe=recipe)
    predictions = np.empty(len(matrix), wanted.dtype if classes else np.float64)
    with one_thread():
        for fold in np.unique(dealt):
            left_out = dealt == fold
            if classes:
                _require_classes(wanted[~left_out], int(fold))
            fitted = recipe.make(seed)
            fitted.fit(matrix[~left_out], wanted[~left_out])
            said = np.asarray(fitted.predict(matrix[left_out]))
            _require_predictions(said, wanted[left_out], classes, recipe)
            predictions[left_out] = said
    return OutOfFold(
        method or str(recipe),
        wanted,
        predictions,
        np.asarray(groups),
        dealt,
        WITHIN if within_groups else BY_EXPERIMENT,
        classes,
    )


@known_as("segkit.learning")
def given_predictions(
    predictions: ArrayLike, targets: ArrayLike, groups: ArrayLike, *, method: str
) -> OutOfFold:
    """Return numbers that nothing was fitted for, as a method beside the others.

    Such as what a second observer says, or the share of a learning-free mask. Each
    experiment is a fold, for corrections and combinations.

    Examples
    --------
    >>> person = given_predictions([1, 2], [1, 3], ["a", "b"], method="observer 2")
    >>> person.residuals.tolist()
    [0.0, -1.0]
    """
    require_unmasked(predictions, name="predictions")
    said = as_numbers(predictions, name="the array of predictions")
    wanted = _targets(targets, len(said))
    _require_rows(groups, len(said))
    if said.ndim != 1 or not np.isfinite(said).all():
        raise ValueError("predictions are to be finite numbers, one for each row")
    _require_kind(wanted, classes=False, recipe=None)
    return OutOfFold(
        method, wanted, said, np.asarray(groups), folds_of(groups), BY_EXPERIMENT
    )


def _targets(targets: ArrayLike, rows: int) -> NDArray[Any]:
    require_unmasked(targets, name="targets")
    wanted = np.asarray(targets)
    if wanted.shape != (rows,):
        raise ValueError(
            f"targets have shape {wanted.shape}, but there are {rows} rows; give one"
            " for each"
        )
    if wanted.dtype.kind == "f" and not np.isfinite(wanted).all():
        place = int(np.flatnonzero(~np.isfinite(wanted))[0])
        raise ValueError(
            f"targets hold NaN or infinity (the first in row {place}); leave such rows"
            " out"
        )
    if (wanted == wanted[:1]).all():
        raise ValueError(
            f"all targets are {wanted[0]}: there is nothing to learn, and no score of"
            " it; give images of which some differ"
        )
    return wanted


def _require_rows(groups: ArrayLike, rows: int) -> None:
    if groups is None:
        raise TypeError("groups is None, but must name the experiment of each row")
    shape = np.shape(groups)
    if shape != (rows,):
        raise ValueError(
            f"groups have shape {shape}, but there are {rows} rows; give the experiment"
            " of each row"
        )


def _require_classes(learned: NDArray[Any], fold: int) -> None:
    if len(np.unique(learned)) < 2:
        raise ValueError(
            f"without the experiments of fold {fold}, all rows are of class"
            f" {learned[0]}, and nothing is left to tell apart: give each class in two"
            " experiments or more, or take more folds, so that each holds fewer back"
        )


def _require_predictions(
    said: NDArray[Any], targets: NDArray[Any], classes: bool, recipe: Recipe
) -> None:
    """Raise if an estimator has not said one number, or one class, of each row."""
    wrong = ""
    if said.shape != targets.shape:
        wrong = f"an array of shape {said.shape} for {len(targets)} rows"
    elif classes and targets.dtype.kind in "biu" and said.dtype.kind not in "biu":
        wrong = f"{said.dtype} instead of classes"
    elif not classes and said.dtype.kind not in "biuf":
        wrong = f"{said.dtype} instead of numbers"
    elif not classes and not np.isfinite(said).all():
        wrong = "NaN or infinity"
    if wrong:
        raise ValueError(f"{recipe} predicts {wrong}; give an estimator that does not")


def _is_classifier(recipe: Recipe) -> bool:
    """Return whether it predicts classes; raise if it does not learn from targets."""
    from sklearn.base import is_classifier, is_clusterer, is_outlier_detector

    made = recipe.make(0)
    if not hasattr(made, "predict") or is_clusterer(made) or is_outlier_detector(made):
        raise TypeError(
            f"{recipe} does not learn to predict targets; give a regressor or a"
            " classifier, as RandomForestRegressor()"
        )
    return bool(is_classifier(made))


def _require_kind(
    targets: NDArray[Any], *, classes: bool, recipe: Recipe | None
) -> None:
    if not classes and targets.dtype.kind not in "biuf":
        raise TypeError(
            f"targets are of dtype {targets.dtype}; a regression takes numbers"
        )
    if classes and targets.dtype.kind == "f":
        raise TypeError(
            f"{recipe} is a classifier, but targets are fractions; give classes (whole"
            " numbers or texts), or a regressor"
        )

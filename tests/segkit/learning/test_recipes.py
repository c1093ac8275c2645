"""Recipes: estimators as data, with keys that last, made anew with a seed."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor, StackingRegressor
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from segkit.learning import Recipe, recipe_of
from taskgraph import TaskGenerator

ESTIMATORS = {
    "forest": RandomForestRegressor(n_estimators=30, max_features=0.3),
    "ridge": RidgeCV(alphas=np.logspace(-2, 2, 3)),
    "pipeline": make_pipeline(StandardScaler(), SVR(C=3)),
    "stack": StackingRegressor(
        [("a", Ridge()), ("b", SVR())], final_estimator=Ridge(2)
    ),
}


@TaskGenerator
def trained(recipe):
    return recipe


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_is_made_of_a_recipe_has_the_same_recipe_and_key(name):
    recipe = recipe_of(ESTIMATORS[name])
    made = recipe.make(seed=0)
    states = {n: None for n in made.get_params() if n.endswith("random_state")}
    assert repr(recipe_of(made.set_params(**states))) == repr(recipe)
    assert trained(recipe).hash() == trained(recipe_of(ESTIMATORS[name])).hash()


def test_what_was_learned_and_defaults_that_are_said_change_no_key():
    fitted = Ridge(alpha=2).fit([[1.0], [2.0]], [1, 2])
    keys = {
        trained(recipe_of(one)).hash()
        for one in (Ridge(alpha=2), fitted, Ridge(alpha=2, tol=1e-4))
    }
    assert len(keys) == 1
    assert trained(recipe_of(Ridge(alpha=2.5))).hash() not in keys


def test_a_recipe_names_no_private_module():
    assert recipe_of(Ridge()).kind == "sklearn.linear_model.Ridge"


def test_the_seed_is_put_wherever_none_was_given():
    stack = StackingRegressor(
        [("a", RandomForestRegressor()), ("b", RandomForestRegressor(random_state=5))]
    )
    made = recipe_of(stack).make(seed=9)
    states = made.get_params()
    assert (states["a__random_state"], states["b__random_state"]) == (9, 5)


@pytest.mark.parametrize("kind", [KFold, ShuffleSplit, StratifiedKFold])
def test_the_seed_is_put_in_what_splits_rows_too(kind):
    def splits(seed):
        made = recipe_of(GridSearchCV(Ridge(), {"alpha": [1]}, cv=splitter)).make(seed)
        rows = made.cv.split(np.zeros((20, 1)), np.arange(20) % 2)
        return [test.tolist() for _, test in rows]

    more = {} if kind is ShuffleSplit else {"shuffle": True}
    splitter = kind(2, **more)
    assert splits(1) == splits(1) != splits(2)
    assert splitter.random_state is None
    splitter = kind(2, random_state=4, **more)
    assert splits(1) == splits(2)
    with pytest.raises(ValueError, match="give a whole number"):
        recipe_of(
            GridSearchCV(
                Ridge(), {}, cv=kind(2, random_state=np.random.RandomState(0), **more)
            )
        )


class Local:
    pass


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (Ridge, TypeError, "must be one of scikit-learn"),
        ("ridge", TypeError, "estimator is 'ridge'"),
        (
            RandomForestRegressor(random_state=np.random.RandomState(0)),
            ValueError,
            "give a whole number, or None",
        ),
    ],
    ids=["class", "text", "generator"],
)
def test_what_is_no_estimator_is_told(estimator, error, message):
    with pytest.raises(error, match=message):
        recipe_of(estimator)


def test_an_estimator_whose_class_has_no_name_is_told():
    class Own(Ridge):
        pass

    with pytest.raises(ValueError, match="cannot be imported by its name"):
        recipe_of(Own())


def test_a_recipe_of_what_is_not_installed_is_told():
    with pytest.raises(ValueError, match=r"nowhere.Forest cannot be imported"):
        Recipe("nowhere.Forest").make(0)

"""Estimators of scikit-learn as data: their class, and the parameters that were given.

An estimator as an object has caches, and after a fit its results; two that would do the
same may differ, and none says what it is in a way that lasts. A `Recipe` says it: so it
can be an argument of a task, stand in its key, and be made anew on any machine.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from segkit import checks
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_SEED = 2**32 - 1


@known_as("segkit.learning")
@dataclass(frozen=True, slots=True)
class Recipe:
    """How an estimator is made; `recipe_of` writes it down.

    Attributes
    ----------
    kind : str
        Module and name of its class.
    parameters : tuple of (str, value)
        Those that are not the class's defaults, by name. Estimators among the values
        are recipes.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> recipe = recipe_of(RandomForestRegressor(n_estimators=20))
    >>> recipe.parameters, recipe.make(seed=3).random_state
    ((('n_estimators', 20),), 3)
    """

    kind: str
    parameters: tuple[tuple[str, Any], ...] = ()

    def make(self, seed: int) -> Any:
        """Return a new estimator, not fitted, whose random numbers are those of a seed.

        Wherever it, or an estimator within it, or what splits rows for it, has a
        `random_state` of None, the seed is put; one that was given stays.
        """
        estimator = _made(self)
        states: dict[str, Any] = {}
        for name, value in estimator.get_params(deep=True).items():
            if name.rpartition("__")[2] == "random_state" and value is None:
                states[name] = seed
            elif _splits(value) and value.random_state is None:
                states[name] = copy(value)
                states[name].random_state = seed
        return estimator.set_params(**states)

    def __str__(self) -> str:
        given = ", ".join(f"{name}={_shown(v)}" for name, v in self.parameters)
        return f"{self.kind.rpartition('.')[2]}({given})"


@known_as("segkit.learning")
def recipe_of(estimator: Any) -> Recipe:
    """Return the recipe of an estimator of scikit-learn, or of one that is like them.

    Parameters
    ----------
    estimator : object with ``get_params``, or Recipe
        Fitted or not: what it has learned is left out.

    Raises
    ------
    TypeError
        If it is a class, or has no parameters to ask for.
    ValueError
        If one of its classes cannot be imported by name, or its `random_state` is
        neither None nor a whole number: a generator would go on where it stands.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> str(recipe_of(make_pipeline(StandardScaler(), Ridge(alpha=3))))
    'Pipeline(steps=[standardscaler: StandardScaler(), ridge: Ridge(alpha=3)])'
    """
    if isinstance(estimator, Recipe):
        return estimator
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(
            f"estimator is {estimator!r}, but must be one of scikit-learn, as"
            " RandomForestRegressor()"
        )
    kind = type(estimator)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if _found(_public(name)) is not kind:
        raise ValueError(
            f"the class {name} cannot be imported by its name; define it in a module"
        )
    defaults = inspect.signature(kind).parameters
    given = []
    for parameter, value in sorted(estimator.get_params(deep=False).items()):
        if parameter == "random_state":
            _require_lasting(value)
        default = getattr(defaults.get(parameter), "default", inspect.Parameter.empty)
        if not _same(value, default):
            given.append((parameter, _as_data(value)))
    return Recipe(_public(name), tuple(given))


def as_seed(seed: Any) -> int:
    """Return a seed, checked: scikit-learn takes whole numbers of 32 bits."""
    checked = checks.as_integer(seed, name="seed")
    if checked > _MOST_SEED:
        raise ValueError(f"seed is {checked}, but must be at most {_MOST_SEED}")
    return checked


@contextmanager
def one_thread() -> Iterator[None]:
    """Let libraries of linear algebra and OpenMP use one thread in a block.

    Sums of several threads are added in another order, so that results would depend on
    the machine; and threads that wait for each other are slow beside other workers.
    """
    # First: what is loaded within the block would have as many threads as before.
    import_module("sklearn")
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def _public(name: str) -> str:
    """Return a name without private modules: those move between releases."""
    module, _, kind = name.rpartition(".")
    short = ".".join(part for part in module.split(".") if not part.startswith("_"))
    public = f"{short}.{kind}"
    found = _found(public)
    return public if found is not None and found is _found(name) else name


def _found(name: str) -> Any:
    module, _, kind = name.rpartition(".")
    try:
        return getattr(import_module(module), kind, None)
    except (ImportError, ValueError):
        return None


def _same(value: Any, default: Any) -> bool:
    if value is default:
        return True
    plain = (bool, int, float, str)
    return (
        type(value) is type(default) and isinstance(value, plain) and value == default
    )


def _require_lasting(state: Any) -> None:
    if state is None or isinstance(state, int):
        return
    raise ValueError(
        f"random_state is {state!r}; give a whole number, or None for the seed of the"
        " task"
    )


def _splits(value: Any) -> bool:
    """Return whether it is what splits rows (`cv`) by random numbers of its own."""
    return hasattr(value, "get_n_splits") and hasattr(value, "random_state")


def _as_data(value: Any) -> Any:
    if _splits(value):
        _require_lasting(value.random_state)
    if hasattr(value, "get_params") and not isinstance(value, type):
        return recipe_of(value)
    if isinstance(value, list | tuple):
        items = [_as_data(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: _as_data(item) for key, item in value.items()}
    return value


def _made(value: Any) -> Any:
    """Return what `_as_data` wrote down."""
    if isinstance(value, Recipe):
        kind = _found(value.kind)
        if kind is None:
            raise ValueError(
                f"the class {value.kind} cannot be imported; install what it is of"
            )
        return kind(**{name: _made(item) for name, item in value.parameters})
    if isinstance(value, list | tuple):
        items = [_made(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: _made(item) for key, item in value.items()}
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Recipe):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Recipe):
        return f"{value[0]}: {value[1]}"
    return repr(value)

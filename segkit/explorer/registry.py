"""The steps that can be added, and what each begins with."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import segkit
from segkit.explorer.parameters import Facts, Parameter, parameters_of
from segkit.pipeline import array_steps
from segkit.pipeline.special_steps import SPECIAL
from segkit.pipeline.steps import Step, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_LEFT_OUT = {"load", "tile", "classify", "reconstruct", "relabel_tile"}
"""Steps that no slider moves."""
_ANY = Facts((64, 64), 0.0, 255.0)


def _between(share: float) -> Callable[[Facts], float]:
    return lambda facts: float(round(facts.low + share * (facts.high - facts.low), 3))


_LOW, _HIGH = _between(0.3), _between(0.5)

NEEDED: Mapping[str, Callable[[Facts], dict[str, Any]]] = {
    "gaussian": lambda _: {"sigma": 1.0},
    "uniform": lambda _: {"shape": 5},
    "binarize_local": lambda _: {"shape": 51},
    "local_threshold": lambda _: {"shape": 51},
    "subtract_background": lambda _: {"radius": 20},
    "ndnt": lambda _: {"shape": 64, "threshold": 0.25, "polarity": "bright"},
    "hysteresis": lambda facts: {"low": _LOW(facts), "high": _HIGH(facts)},
    "h_maxima": lambda facts: {"h": round(0.1 * (facts.high - facts.low), 3)},
    "remove_small_holes": lambda _: {"min_size": 64},
    "remove_small_objects": lambda _: {"min_size": 64},
    "keep_within": lambda _: {"area": (20.0, 1e6)},
    "keep_ids": lambda _: {"ids": (2,)},
    "drop_ids": lambda _: {"ids": (1,)},
    "watershed": lambda facts: {"markers": _levels(facts)},
    "random_walker": lambda facts: {"markers": _levels(facts)},
    "save": lambda _: {"": ("{name}-labels.tif",)},
    "save_overlay": lambda _: {"": ("{name}-overlay.png",)},
}
"""Arguments that a new step must have, by its name; '' are those that have none."""


def _levels(facts: Facts) -> dict[str, float]:
    return {"below": _LOW(facts), "above": _HIGH(facts)}


def addable() -> list[dict[str, str]]:
    """Return the name and the first line of the description of each step.

    Those that need more than an image, such as a second array, are left out.

    Examples
    --------
    >>> [one["about"] for one in addable() if one["name"] == "keep_largest"]
    ['Keep the largest objects only, with their labels.']
    """
    names = {*array_steps.__annotations__, *SPECIAL} - _LEFT_OUT
    listed = sorted(n for n in names if n.islower() and _beginning(n, _ANY) is not None)
    return [{"name": name, "about": _about(name)} for name in listed]


def _about(name: str) -> str:
    special = SPECIAL.get(name)
    function = getattr(segkit, name) if special is None else special.write
    return (function.__doc__ or "").strip().partition("\n")[0]


def new_step(name: str, facts: Facts) -> Step:
    """Return a step to begin with, of the arguments that it must have.

    Raises
    ------
    PipelineError
        If there is no such step.

    Examples
    --------
    >>> new_step("gaussian", Facts((64, 64), 0, 255)).options
    (('sigma', 1.0),)
    """
    options = _beginning(name, facts) or {}
    arguments = options.pop("", ())
    return written(name, arguments, **options)


def _beginning(name: str, facts: Facts) -> dict[str, Any] | None:
    """Return the arguments that a step must have; None if nobody knows them."""
    if name in NEEDED:
        return NEEDED[name](facts)
    if name in SPECIAL:
        return {}
    _, *others = inspect.signature(Step(name).resolve()).parameters.values()
    needed = {one.name for one in others if one.default is one.empty}
    known = {p.name: p for p in parameters_of(Step(name), facts)}
    found = {one: _middle(known[one]) for one in needed & known.keys()}
    return None if None in found.values() or len(found) < len(needed) else found


def _middle(parameter: Parameter) -> Any:
    """Return a value to begin with; None if there is no range."""
    if parameter.choices:
        return parameter.choices[0]
    low, high = parameter.low, parameter.high
    if not low < high:
        return None
    middle = math.sqrt(low * high) if parameter.log else low + 0.3 * (high - low)
    return round(middle) if parameter.kind == "integer" else float(f"{middle:.3g}")

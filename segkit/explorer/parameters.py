"""What can be set of a step, by the signature of its function and by the image."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, get_args, get_origin

import numpy as np

import segkit
from segkit.argument_kinds import hints_of
from segkit.explorer.scaling import by_name
from segkit.names import known_as
from segkit.pipeline.contents import is_foreign
from segkit.pipeline.special_steps import SPECIAL

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.pipeline.steps import Step

Kind: TypeAlias = Literal["number", "integer", "numbers", "choice", "switch", "text"]
Range: TypeAlias = tuple[float, float, bool]
"""Least and greatest value of a slider, and whether its scale is logarithmic."""

_HIDDEN = {
    "workers", "tile", "halo", "on_disagreement", "spacing", "axes", "mask", "limit",
    "channel_axis", "window", "enforce_connectivity", "truncate", "max_num_iter",
    "min_size_factor", "lines",
}  # fmt: skip
"""What changes no result, or is no matter of looking."""
_LOG_RATIO = 50
"""A scale is logarithmic if the greatest value is so many times the least."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Facts:
    """What ranges of sliders are made of.

    Attributes
    ----------
    shape : tuple of int
        Of the image.
    low, high : float
        Its least and greatest grey value.
    method : str
        A global threshold that suits it.
    """

    shape: tuple[int, ...]
    low: float
    high: float
    method: str = "otsu"

    @classmethod
    def of(cls, shape: tuple[int, ...], sample: Array) -> Facts:
        """Return the facts of an image of which some voxels are known."""
        finite = sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample
        if finite.size == 0:
            return cls(shape, 0.0, 1.0)
        low, high = float(finite.min()), float(finite.max())
        return cls(shape, low, high if high > low else low + 1)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can be set.

    Attributes
    ----------
    name : str
        What it is called.
    path : tuple of str or int
        Where it is among the options of its step.
    kind : {'number', 'integer', 'numbers', 'choice', 'switch', 'text'}
        What it takes.
    default : object
        What it is if it is not said; None if it has to be.
    choices : tuple of str
        Of a choice.
    low, high : float
        Of a slider; both 0 for a number of no range.
    log : bool
        Whether the slider's scale is logarithmic.
    grey : bool
        Whether it is a grey value of what the step is given.
    """

    name: str
    path: tuple[str | int, ...]
    kind: Kind
    default: Any = None
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    grey: bool = False

    def described(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def _longest(facts: Facts) -> float:
    return float(max(facts.shape[-2:], default=1))


def _voxels(facts: Facts) -> float:
    return float(max(4, math.prod(facts.shape) // 4))


_RANGES: Mapping[str, Callable[[Facts], tuple[float, float]]] = {
    "sigma": lambda f: (0.2, max(2.0, min(50.0, _longest(f) / 8))),
    "radius": lambda f: (1, max(2.0, min(60.0, _longest(f) / 8))),
    "shape": lambda f: (3, max(8.0, _longest(f) / 2)),
    "width": lambda f: (1, max(2.0, min(60.0, _longest(f) / 8))),
    "ndnt.threshold": lambda _: (0, 1),
    "ndnt.percent": lambda _: (-100, 100),
    "percent": lambda _: (0, 100),
    "kernel_size": lambda f: (3, max(8.0, _longest(f) / 2)),
    "connectivity": lambda f: (1, len(f.shape)),
    "min_size": lambda f: (1, _voxels(f)),
    "max_size": lambda f: (1, _voxels(f)),
    "number": lambda _: (1, 1000),
    "random_walker.beta": lambda _: (1, 10_000),
    "n_segments": lambda f: (2, max(10.0, min(1e4, _voxels(f) / 16))),
    "compactness": lambda _: (0.01, 1000),
    "sensitivity": lambda _: (0.1, 10),
    "edge": lambda _: (0, 1),
    "depth": lambda _: (0, 1),
    "min_radius": lambda _: (0, 5),
    "focus": lambda _: (0, 1),
    "strength": lambda _: (0, 1),
    "area": lambda f: (1, _voxels(f)),
    "eccentricity": lambda _: (0, 1),
}
_GREY = ("low", "high", "h", "below", "above", "offset", "threshold")
"""Parameters that are grey values."""


def parameters_of(step: Step, facts: Facts) -> list[Parameter]:
    """Return what can be set of a step.

    Parameters
    ----------
    step : Step
        Of a pipeline; of somebody else's function, what it is given.
    facts : Facts
        Of the image.

    Examples
    --------
    >>> from segkit.pipeline import binarize, gaussian
    >>> facts = Facts((512, 512), 0, 255)
    >>> [(p.name, p.kind, p.low, p.high) for p in parameters_of(gaussian(1), facts)]
    [('sigma', 'number', 0.2, 50.0)]
    >>> [p.choices for p in parameters_of(binarize(), facts)][1]
    ('dark', 'bright')
    """
    if step.function in ("watershed", "random_walker"):
        return [
            *_of_seeds(step, facts),
            *_of_signature(step, facts, leave=("markers",)),
        ]
    if step.function == "keep_within":
        return _of_bounds(step, facts)
    if is_foreign(step):
        named = [(name, value) for name, value in step.options]
        return [_plain(name, value, facts) for name, value in named if _settable(value)]
    return _of_signature(step, facts)


def _of_signature(
    step: Step, facts: Facts, *, leave: Sequence[str] = ()
) -> list[Parameter]:
    special = SPECIAL.get(step.function)
    if special is None:
        function, skip = step.resolve(), 1
    elif step.function in ("label", "remove_small_objects"):
        function, skip = getattr(segkit, step.function), 1
    else:
        function, skip = special.write, 0
    hints = hints_of(function)
    found: list[Parameter] = []
    for name, parameter in [*inspect.signature(function).parameters.items()][skip:]:
        if name in _HIDDEN or name in leave or parameter.kind in (2, 4):
            continue
        default = None if parameter.default is parameter.empty else parameter.default
        hint = hints.get(name, Any)
        one = _of_hint(f"{step.function}.{name}", hint, default, facts)
        if one is not None:
            found.append(one)
    return found


def _of_hint(full: str, hint: Any, default: Any, facts: Facts) -> Parameter | None:
    """Return what is set of a parameter, whose name follows that of its step."""
    kinds = _kinds(hint)
    name = full.rpartition(".")[2]
    path = (name,)
    if isinstance(default, tuple) or tuple in kinds or name == "ids":
        return Parameter(name, path, "numbers", default)
    if bool in kinds:
        return Parameter(name, path, "switch", default)
    words = [part for part in kinds if isinstance(part, str)]
    if words:
        return Parameter(name, path, "choice", default, choices=tuple(words))
    if name in ("path", "join"):
        return Parameter(name, path, "text", default)
    if name == "connectivity" or (int in kinds and float not in kinds):
        return _slider(full, path, "integer", default, facts)
    if float in kinds:
        return _slider(full, path, "number", default, facts)
    return Parameter(name, path, "text", default) if str in kinds else None


def _kinds(hint: Any) -> list[Any]:
    """Return the types that a hint allows, and the words of a choice."""
    origin = get_origin(hint)
    if origin is Literal:
        return list(get_args(hint))
    if origin is tuple:
        return [tuple]
    if origin is not None and origin is not type:
        name = getattr(origin, "__name__", "")
        parts = get_args(hint)
        if origin is Union or name == "UnionType":
            return [kind for part in parts for kind in _kinds(part)]
        return [kind for part in parts[:1] for kind in _kinds(part)]
    return [hint]


def _slider(
    full: str, path: tuple[str | int, ...], kind: Kind, default: Any, facts: Facts
) -> Parameter:
    name = full.rpartition(".")[2]
    rule = _RANGES.get(full) or _RANGES.get(name)
    if name in _GREY and rule is None:
        half = (facts.high - facts.low) / 2
        low, high = (-half, half) if name == "offset" else (facts.low, facts.high)
        if name in ("h", "threshold"):
            low, high = 0.0, facts.high - facts.low
        return Parameter(name, path, kind, default, (), low, high, grey=True)
    if rule is not None:
        low, high = map(float, rule(facts))
    elif isinstance(default, (int, float)) and default:
        low, high = 0.0, 4.0 * default
    else:
        low, high = 0.0, 0.0
    log = low > 0 and high / low >= _LOG_RATIO
    return Parameter(name, path, kind, default, (), low, high, log)


def _of_seeds(step: Step, facts: Facts) -> list[Parameter]:
    seeds = step.keywords.get("markers")
    given = seeds if isinstance(seeds, Mapping) else {}
    return [
        _slider(name, ("markers", name), "number", None, facts)
        for name in ("below", "above")
        if name in given or "strokes" not in given
    ]


def _of_bounds(step: Step, facts: Facts) -> list[Parameter]:
    found = []
    for name, bounds in step.options:
        if isinstance(bounds, tuple) and len(bounds) == 2:
            for place, word in enumerate(("from", "to")):
                one = _slider(name, (name, place), "number", None, facts)
                found.append(
                    Parameter(
                        f"{name} {word}",
                        one.path,
                        "number",
                        None,
                        (),
                        one.low,
                        one.high,
                        one.log,
                    )
                )
    return found


def _settable(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str))


def _plain(name: str, value: Any, facts: Facts) -> Parameter:
    if isinstance(value, bool):
        return Parameter(name, (name,), "switch", value)
    if isinstance(value, str):
        return Parameter(name, (name,), "text", value)
    kind: Kind = "integer" if isinstance(value, int) else "number"
    return _slider(name, (name,), kind, value, facts)


def named(step: Step) -> Step:
    """Return a step with its arguments by keyword, where parameters are found.

    Steps that take what has no name, such as classes, stay as they are.
    """
    if is_foreign(step):
        return step
    if step.function in SPECIAL:
        return SPECIAL[step.function].write(*step.arguments, **step.keywords)
    return by_name(step)

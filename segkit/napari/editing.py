"""The steps of a pipeline as controls set them, and what they make of a layer. Pure."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segkit.explorer.parameters import Facts, Parameter
from segkit.explorer.registry import addable
from segkit.names import known_as
from segkit.napari.layer_data import image_of
from segkit.pipeline.parts.taken_image import per_of
from segkit.pipeline.pipeline import Pipeline
from segkit.pipeline.special_steps import load
from segkit.pipeline.steps import Step, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.io import Image
    from segkit.napari.layer_data import LayerData

_WIDEST = 1_000_000_000
_SAMPLED = 4_000_000
"""Voxels of which the range of grey values is told."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Control:
    """What sets a parameter.

    Attributes
    ----------
    widget : str
        The name of a class of ``magicgui.widgets``.
    options : dict
        What it is made with.
    """

    widget: str
    options: dict[str, Any]


def control_of(parameter: Parameter, value: Any) -> Control:
    """Return what sets a parameter that has a value.

    What no slider can show, such as one number per axis, is a line of text.

    Examples
    --------
    >>> control_of(Parameter("sigma", ("sigma",), "number", low=0.2, high=8), 1.0)
    Control(widget='FloatSlider', options={'min': 0.2, 'max': 8, 'value': 1.0})
    >>> control_of(Parameter("sigma", ("sigma",), "number", low=0.2, high=8), (1, 2))
    Control(widget='LineEdit', options={'value': '(1, 2)'})
    """
    kind = parameter.kind
    if kind == "switch":
        return Control("CheckBox", {"value": bool(value)})
    if kind == "choice":
        words = list(dict.fromkeys([value, *parameter.choices]))
        return Control("ComboBox", {"choices": words, "value": value})
    whole, plain = isinstance(value, int), isinstance(value, (int, float))
    if isinstance(value, bool) or kind not in ("number", "integer") or not plain:
        return Control("LineEdit", {"value": "" if value is None else str(value)})
    if kind == "integer" and not whole:
        return Control("LineEdit", {"value": str(value)})
    low, high = parameter.low, parameter.high
    slider = low < high
    if not slider:
        low, high = -_WIDEST, _WIDEST
    bounds = {"min": min(low, value), "max": max(high, value)}
    if kind == "integer":
        bounds = {name: round(bound) for name, bound in bounds.items()}
    name = ("Slider" if slider else "SpinBox") if kind == "integer" else ""
    name = name or ("FloatSlider" if slider else "FloatSpinBox")
    return Control(name, {**bounds, "value": value})


def value_of(step: Step, parameter: Parameter) -> Any:
    """Return what a step says of a parameter, else its default.

    Examples
    --------
    >>> area = Parameter("area to", ("area", 1), "number")
    >>> value_of(Step("keep_within", (), (("area", (9, 99)),)), area)
    99
    """
    found: Any = step.keywords
    for part in parameter.path:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return parameter.default
    return found


def with_value(step: Step, parameter: Parameter, value: Any) -> Step:
    """Return a step that says a value of a parameter.

    Parameters
    ----------
    value
        As its control gives it; text is read as Python writes numbers, and the empty
        one is the default.

    Raises
    ------
    ValueError
        If the text is no number, nor several.

    Examples
    --------
    >>> area = Parameter("area to", ("area", 1), "number")
    >>> with_value(Step("keep_within", (), (("area", (9, 99)),)), area, 50).options
    (('area', (9, 50)),)
    """
    if isinstance(value, str) and parameter.kind not in ("text", "choice"):
        value = _number(parameter.name, value)
    elif value == "":
        value = None
    name, *rest = parameter.path
    if rest:
        value = _replaced(step.keywords.get(str(name)), rest[0], value)
    elif value is None and parameter.default is None:
        left = tuple(one for one in step.options if one[0] != name)
        return Step(step.function, step.arguments, left, step.reach, step.returns)
    elif value is None:
        value = parameter.default
    return step.having(**{str(name): frozen(value)})


def _number(name: str, text: str) -> Any:
    if not text.strip():
        return None
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        found = text
    parts = found if isinstance(found, (tuple, list)) else [found]
    if not all(isinstance(one, (int, float, type(None))) for one in parts):
        raise ValueError(f"{name}: {text!r} is no number, nor several as in (1, 2)")
    return found


def _replaced(container: Any, key: str | int, value: Any) -> Any:
    """Return a mapping or a tuple with one part replaced; None takes it away."""
    if isinstance(key, int):
        parts = list(container)
        parts[key] = value
        return tuple(parts)
    given = dict(container) if isinstance(container, Mapping) else {}
    given[key] = value
    return {name: one for name, one in given.items() if one is not None}


def moved(steps: Sequence[Step], number: int, by: int) -> list[Step]:
    """Return steps with one of them moved, which stays in the list.

    Examples
    --------
    >>> [one.function for one in moved([Step("a"), Step("b")], 1, -1)]
    ['b', 'a']
    """
    rest = [*steps[:number], *steps[number + 1 :]]
    place = min(max(number + by, 0), len(rest))
    return [*rest[:place], steps[number], *rest[place:]]


def offered() -> list[str]:
    """Return the names of steps that can be added; napari saves what they make.

    Examples
    --------
    >>> "gaussian" in offered(), "save" in offered()
    (True, False)
    """
    return [one["name"] for one in addable() if _makes_something(Step(one["name"]))]


def _makes_something(step: Step) -> bool:
    """Return whether a step is run on a layer, which is opened and not yet saved."""
    return not step.saves and step.function != "load"


def facts_of(data: Any, options: Mapping[str, Any]) -> Facts:
    """Return what ranges of sliders are made of, from a layer's first voxels.

    Examples
    --------
    >>> import numpy as np
    >>> facts_of(np.arange(6).reshape(2, 3), {}).high
    5.0
    """
    image = image_of(data, options)
    box, left = [], _SAMPLED
    for length in reversed(image.shape):
        taken = min(length, max(left, 1))
        box.append(slice((length - taken) // 2, (length - taken) // 2 + taken))
        left //= max(taken, 1)
    return Facts.of(image.shape, image.read(tuple(reversed(box))))


def run_on(
    data: Any, options: Mapping[str, Any], steps: Sequence[Step]
) -> list[LayerData]:
    """Return what a pipeline makes of a layer: labels with their table, or an image.

    Steps that load and save are left out, but that a pipeline takes frames apart is
    not. Of a colour the grey values are taken.

    Parameters
    ----------
    data, options
        Of the layer; see `image_of`.
    steps
        Of the pipeline.

    Raises
    ------
    PipelineError, ValueError, TypeError
        If the steps are no pipeline, or one fails on this image; it is named.

    Examples
    --------
    >>> import numpy as np
    >>> [(labels, made, kind)] = run_on(np.ones((3, 3)) > 0, {}, [Step("label")])
    >>> kind, made["name"], int(labels.max())
    ('labels', 'objects', 1)
    """
    image = image_of(data, options).to_grey()
    per = per_of(steps)
    first = [load(per=per)] if per else []
    result = Pipeline(*first, *filter(_makes_something, steps)).run(image)
    made = {**_placed(options, image), "name": "objects"}
    if result.labels is not None:
        if result.table is not None and "label" in result.table:
            made["features"] = {"index": result.table["label"], **result.table}
        return [(result.labels, made, "labels")]
    array = result.array
    if array.dtype == bool:
        return [(array[...].astype("uint8"), {**made, "name": "mask"}, "labels")]
    return [(array, {**made, "name": "result"}, "image")]


def _placed(options: Mapping[str, Any], image: Image) -> dict[str, Any]:
    """Return where a layer lies, which is where that lies which is made of it."""
    names = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    same = len(options.get("scale", image.shape)) == image.ndim
    return {n: options[n] for n in names if same and options.get(n) is not None}

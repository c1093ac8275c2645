"""What can be known to be wrong with the steps of a pipeline before any voxel is read.

A run may take hours; a misspelt suffix, option or property must not end it.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from segkit import checks
from segkit.measurement.classification import BoundsClassifier
from segkit.pipeline.argument_kinds import require_kinds
from segkit.pipeline.steps import PipelineError, Step, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# What takes the options of a step, and how many arguments it takes before them.
_BEHIND = {
    "load": ("open_image", 1),
    "label": ("label", 1),
    "regionprops": ("region_properties", 2),
    "remove_small_objects": ("remove_small_objects", 1),
}
# Images have hardly more axes than these.
_ANY_AXES = range(1, 7)


def require_options(step: Step) -> None:
    """Raise `TypeError` or `ValueError` for what a step that is special cannot take.

    Examples
    --------
    >>> from segkit.pipeline import save
    >>> require_options(save("labels.tif"))
    >>> require_options(save("labels.tif", levls=2))
    Traceback (most recent call last):
    TypeError: got an unexpected keyword argument 'levls'; it takes axes, spacing, ...
    """
    behind = _function_behind(step)
    if behind is not None:
        function, positional = behind
        _require_bound(function, positional, step.keywords)
    if step.function == "remove_small_objects":
        min_size = step.keywords["min_size"]
        checks.as_integer(min_size, name="min_size", least=0)
    elif step.function == "keep_largest":
        checks.as_integer(step.keywords["number"], name="number", least=0)


def _function_behind(step: Step) -> tuple[Callable[..., Any], int] | None:
    """Return what the options of a step are for, and how many arguments precede them.

    Raises
    ------
    ValueError
        If the suffix of what is saved means no format, or its name is to hold what is
        not known.
    """
    import segkit
    from segkit.io.formats import format_of
    from segkit.io.tables import TABLE_SUFFIXES

    if step.function == "save":
        written = str(step.arguments[0])
        for word in re.findall(r"\{.*?\}", written):
            if word != "{name}":
                raise ValueError(
                    f"{word} is not known; {{name}} stands for the image's name"
                )
        if written.lower().endswith(TABLE_SUFFIXES):
            return segkit.save_table, 2
        format_of(written.partition("::")[0])
        return segkit.save, 2
    if step.function not in _BEHIND:
        return None
    name, positional = _BEHIND[step.function]
    return getattr(segkit, name), positional


def _require_bound(
    function: Callable[..., Any], positional: int, options: dict[str, Any]
) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*[None] * positional, **options)
    except TypeError as error:
        takes = ", ".join(list(signature.parameters)[positional:])
        raise TypeError(f"{error}; it takes {takes}") from error
    require_kinds(function, options)


def require_properties(steps: Sequence[Step], *, ndim: int | None = None) -> None:
    """Raise `PipelineError` if a step bounds what the table of objects will not have.

    Parameters
    ----------
    steps
        Of a pipeline, in order.
    ndim
        Number of the image's axes, on which the columns depend; None if not known yet.

    Examples
    --------
    >>> from segkit.pipeline import bounds_classifier, classify, regionprops
    >>> cells = classify(bounds_classifier("cell", aera=(1, 2)))
    >>> require_properties([regionprops(properties=["area"]), cells])
    Traceback (most recent call last):
    segkit.pipeline.PipelineError: step 2 (classify): class 'cell' bounds 'aera' (did
    you mean area?), which the object table will not have; it has label, area
    """
    axes = _ANY_AXES if ndim is None else (ndim,)
    known: list[str] = []
    for number, step in enumerate(steps, start=1):
        try:
            if step.function == "regionprops":
                known = _measured(step, axes)
            elif step.function == "classify":
                _require_classes(step, known)
                known = [*known, "class"] if known else []
            elif step.function == "keep_within":
                _require_bounds(step, axes)
        except (TypeError, ValueError) as error:
            raise PipelineError(f"step {number} ({step.function}): {error}") from error


def _measured(step: Step, axes: Iterable[int]) -> list[str]:
    """Return the columns of the table that a step measures."""
    from segkit.measurement import properties as object_properties
    from segkit.pipeline.stage_work import measure_options, needs_intensity

    asked = measure_options(step, ()).get("properties")
    light = needs_intensity(step)
    names: dict[str, None] = {}
    for ndim in axes:
        has_surface = asked is not None and "surface" in asked
        if has_surface and ndim not in (2, 3) and axes is _ANY_AXES:
            continue
        wanted = object_properties.wanted(asked, ndim, light)
        names |= dict.fromkeys(object_properties.column_names(wanted, ndim))
    return list(names)


def _require_classes(step: Step, known: Sequence[str]) -> None:
    names: set[str] = set()
    if not step.arguments:
        raise TypeError("no class is given; give bounds_classifier(name, ...)")
    for classifier in step.arguments:
        if not isinstance(classifier, BoundsClassifier):
            raise TypeError(
                f"{classifier!r} is no class; give bounds_classifier(name, ...), in a"
                ' file { class = "name", area = [1, 2] }'
            )
        if classifier.name in names:
            raise ValueError(f"several classes are called {classifier.name}")
        names.add(classifier.name)
        for name, _, _ in classifier.bounds:
            if known and name not in known:
                measured = dict.fromkeys(column.partition("-")[0] for column in known)
                ask = f"; ask for it: regionprops(properties=[..., {name!r}])"
                raise ValueError(
                    f"class {classifier.name!r} bounds {name!r}{nearest(name, known)},"
                    " which the object table will not have; it has"
                    f" {', '.join(measured)}{ask if _can_be_measured(name) else ''}"
                )


def _can_be_measured(column: str) -> bool:
    from segkit.measurement import properties as object_properties

    return any(
        column
        in object_properties.column_names(
            object_properties.wanted(None, ndim, True), ndim
        )
        for ndim in _ANY_AXES
    )


def _require_bounds(step: Step, axes: Iterable[int]) -> None:
    from segkit.measurement import properties as object_properties
    from segkit.measurement.selection import require_limits

    known: dict[str, None] = {}
    for ndim in axes:
        every = object_properties.wanted(None, ndim, True)
        if ndim in (2, 3):
            every = [*every, "surface"]
        names = object_properties.column_names(every, ndim)
        known |= dict.fromkeys(name.replace("-", "_") for name in names)
    for name, limits in step.keywords.items():
        if name != "spacing":
            if name not in known:
                raise ValueError(
                    f"no property {name!r}{nearest(name, list(known))}; there are"
                    f" {', '.join(known)}"
                )
            require_limits(name, limits)

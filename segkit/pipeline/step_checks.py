"""Whether the steps of a pipeline can run, known before any voxel is read."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit.argument_kinds import require_kinds
from segkit.io.axes import as_first_step, require_said
from segkit.io.calibration import SPATIAL
from segkit.other_names import misfit, option_names
from segkit.pipeline.contents import (
    asks_for_axes,
    is_foreign,
    require_image_function,
    require_returns,
)
from segkit.pipeline.special_checks import (
    ANY_AXES,
    require_channel,
    require_connectivity,
)
from segkit.pipeline.special_steps import SPECIAL
from segkit.pipeline.steps import PipelineError, Step, numbered, place_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from segkit.pipeline.special_steps import SpecialStep

_SAID_BY = (
    "by load(...) or `segkit run --axes zyx`, in "
    + as_first_step('axes = "zyx"')
    + ", or spacing = [2, 1, 1]"
)


def checked(number: int, step: Step) -> Step:
    """Return a step whose arguments fit its function, special ones as we write them.

    Parameters
    ----------
    number
        Of the step, from 1.
    step
        To look at.

    Raises
    ------
    PipelineError
        If they do not fit, or there is no such function; the step is named.
    """
    try:
        require_returns(step)
        said = require_channel(step)
    except (TypeError, ValueError) as error:
        raise _wrong(number, step, error) from error
    if said is not None:
        return checked(number, step.bare).having(channel=said)
    special = SPECIAL.get(step.function)
    if special is not None:
        return _checked_special(number, step, special)
    _require_array_step(number, step)
    return step


def require_properties(steps: Sequence[Step], *, axes: str | None = None) -> None:
    """Raise `PipelineError` if a step bounds what the table of objects will not have.

    Parameters
    ----------
    steps
        Of a pipeline, in order.
    axes
        Those of the image, on which the columns depend; None if not known yet.

    Examples
    --------
    >>> from segkit.pipeline import bounds_classifier, classify, regionprops
    >>> cells = classify(bounds_classifier("cell", aera=(1, 2)))
    >>> require_properties([regionprops(properties=["area"]), cells])
    Traceback (most recent call last):
    segkit.pipeline.PipelineError: step 2 (classify): class 'cell' bounds 'aera' (did
    you mean area?), which the object table will not have; it has label, area
    """
    possible: Iterable[str] = ANY_AXES if axes is None else (axes,)
    columns: Sequence[str] = ()
    for number, step in numbered(steps):
        if step.function in SPECIAL:
            try:
                columns = SPECIAL[step.function].columns(step, columns, possible)
            except (TypeError, ValueError) as error:
                raise _wrong(number, step, error) from error


def require_axes(steps: Sequence[Step], axes: str, ndim: int) -> None:
    """Raise `PipelineError` if a step names other axes, or distances, than there are.

    What comes after a function of others, or colours, may have other axes; it is not
    looked at.

    Parameters
    ----------
    steps
        Of a pipeline, in order.
    axes
        Those of the image; empty if it does not say.
    ndim
        How many it has.

    Examples
    --------
    >>> from segkit.pipeline import save, segment_nuclei
    >>> require_axes([segment_nuclei(), save("a.tif", spacing=(1, 0.5))], "", 3)
    Traceback (most recent call last):
    segkit.pipeline.PipelineError: step 2 (save): spacing (1, 0.5) has 2 numbers, but
    the image has 3 axes; give one for each
    """
    for number, step in numbered(steps):
        if is_foreign(step) or step.function == "reconstruct":
            return
        if step.function == "load":
            continue  # opening the image has looked at them
        if step.function == "label":
            try:
                require_connectivity(step.bare, [ndim])
            except ValueError as error:
                raise _wrong(number, step, error) from error
        options = _by_name(step)
        named, spacing = options.get("axes") or axes, options.get("spacing")
        if isinstance(named, str) and named and len(named) != ndim:
            raise _wrong(
                number, step, f"axes is {named!r}, but the image has {ndim} axes"
            )
        space = sum(name in SPATIAL for name in named or "z" * ndim)
        if isinstance(spacing, tuple) and len(spacing) not in (ndim, space):
            why = (
                f"spacing {spacing} has {len(spacing)} numbers, but the image has"
                f" {ndim} axes; give one for each"
            )
            raise _wrong(number, step, why)


def require_named(
    steps: Sequence[Step], ndim: int, spacing: Sequence[float] | None
) -> None:
    """Raise `PipelineError` if nobody says what the axes of a file are.

    Every step would take three of them for a volume, and what is saved would say so.

    Parameters
    ----------
    steps
        Of a pipeline, in order.
    ndim
        How many axes the file has, of which it names none.
    spacing
        Given for axes of space, if it is.

    Examples
    --------
    >>> from segkit.pipeline import label, ndnt
    >>> require_named([ndnt(shape=8), label()], 2, None)
    >>> require_named([ndnt(shape=8), label()], 3, None)
    Traceback (most recent call last):
    segkit.pipeline.PipelineError: step 1 (ndnt): image has 3 axes: a volume, ...
    """
    asking = [
        (number, step)
        for number, step in numbered(steps)
        if step.function not in ("load", "tile")
    ]
    if not asking or any(map(_axes_given, steps)):
        return
    try:
        apart = any(map(_asks, steps))
        require_said(ndim, None, spacing, apart=apart, where=_SAID_BY)
    except ValueError as error:
        raise _wrong(*asking[0], error) from error


def axes_said(steps: Sequence[Step]) -> str:
    """Return the axes that a step says; of several, those that are not all of space.

    Examples
    --------
    >>> from segkit.pipeline import label, segment_nuclei
    >>> axes_said([segment_nuclei(axes="tyx"), label()]), axes_said([label()])
    ('tyx', '')
    """
    said = [axes for axes in map(_axes_given, steps) if axes]
    return next((axes for axes in said if {*axes} - {*SPATIAL}), [*said, ""][0])


def channel_of_others(steps: Sequence[Step]) -> str | int | None:
    """Return the channel that steps read which say none.

    If any says one: what `load` says, else what the first step says that reads the
    image; None if that says none.

    Examples
    --------
    >>> from segkit.pipeline import load, regionprops, segment_nuclei
    >>> cells = segment_nuclei().having(channel="DAPI")
    >>> channel_of_others([load(), cells, regionprops()])
    'DAPI'
    >>> channel_of_others([load(channel=0), segment_nuclei()])
    """
    if all(step.channel is None for step in steps):
        return None
    first = [step for step in steps if step.function != "tile"]
    said = first[0].keywords.get("channel")
    if first[0].function == "load" and said is None and len(first) > 1:
        said = first[1].channel
    return None if isinstance(said, tuple) else said


def _axes_given(step: Step) -> str:
    """Return the axes that a step is given that takes them; empty if it is not."""
    given = _by_name(step).get("axes") if _asks(step) else None
    return given if isinstance(given, str) else ""


def _asks(step: Step) -> bool:
    return step.function not in SPECIAL and asks_for_axes(step)


def _by_name(step: Step) -> dict[str, Any]:
    """Return the arguments of a step of segkit's by their names."""
    special = SPECIAL.get(step.function)
    if special is not None:
        return step.keywords
    bound = inspect.signature(step.resolve()).bind(
        None, *step.arguments, **step.bare.keywords
    )
    return bound.arguments


def _wrong(number: int, step: Step, why: Exception | str) -> PipelineError:
    return PipelineError(f"{place_name(number, step)}: {why}")


def _checked_special(number: int, step: Step, special: SpecialStep) -> Step:
    _require_arguments(number, step, special.write, arrays=0)
    # A file may give by keyword what the functions take by position, or the reverse.
    written = special.write(*step.arguments, **step.keywords)
    try:
        special.check(written)
    except (TypeError, ValueError) as error:
        raise _wrong(number, step, error) from error
    return replace(written, reach=step.reach, returns=step.returns)


def _require_array_step(number: int, step: Step) -> None:
    try:
        function = step.resolve()
    except PipelineError as error:
        raise PipelineError(f"step {number}: {error}") from error
    if not is_foreign(step):
        try:
            require_image_function(step.function, function)
        except TypeError as error:
            raise _wrong(number, step, error) from error
    _require_arguments(number, step, function, arrays=1)


def _require_arguments(
    number: int, step: Step, function: Callable[..., Any], *, arrays: int
) -> None:
    """Raise unless a function takes the arguments after so many arrays."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # a compiled function without a signature
        return
    try:
        bound = signature.bind(*[None] * arrays, *step.arguments, **step.keywords)
    except TypeError as error:
        why = misfit(error, option_names(signature, arrays), step.keywords)
        if {"sigma", "radius"} & {*signature.parameters} and "'spacing'" in why:
            why += "; its lengths are in voxels, one for each axis"
        raise _wrong(number, step, why) from error
    if is_foreign(step):
        return  # what others write on their functions is theirs
    try:
        _require_values(step, function, bound, arrays)
    except (TypeError, ValueError) as error:
        raise _wrong(number, step, error) from error


def _require_values(
    step: Step, function: Callable[..., Any], bound: inspect.BoundArguments, arrays: int
) -> None:
    """Raise if an argument is plainly wrong, before an image is even opened."""
    from segkit.windows.rule import fraction_of

    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    given = {
        name: value
        for name, value in list(bound.arguments.items())[arrays:]
        if bound.signature.parameters[name].kind not in several
    }
    require_kinds(function, given)
    if step.function == "ndnt":
        fraction_of(given.get("threshold", 0.25), given.get("percent"))
    if arrays:
        _require_ranges(function, given)


def _require_ranges(function: Callable[..., Any], given: dict[str, Any]) -> None:
    """Raise what a function says of a number that is right for no image.

    Each function looks at its arguments itself, and nowhere else is written what it
    takes; so it is called with small images of several kinds. A refusal counts if it is
    of a number that is given, and of all of them. The call imports libraries, which
    reading a pipeline need not: it is made if there is a number not above 0, or one
    above 1 in place of a fraction.
    """
    parameters = inspect.signature(function).parameters
    items = given.items()
    numbers = [n for n, value in items if _is_doubtful(value, parameters[n].default)]
    if not numbers:
        return
    first = next(iter(parameters))
    refusal: ValueError | None = None
    for image in _small_images(first):
        try:
            with warnings.catch_warnings(action="ignore"):
                function(image, **given)
        except ValueError as error:
            told = str(error)
            if any(told.startswith((f"{n} is ", f"{n} holds ")) for n in numbers):
                refusal = refusal or error
        except Exception:  # noqa: BLE001 - what else is wrong, running will tell
            return
        else:
            return
    if refusal is not None:
        raise refusal


def _is_doubtful(value: Any, default: Any) -> bool:
    """Return whether a number, or one of several, may well be out of its range.

    Examples
    --------
    >>> _is_doubtful(3, 1), _is_doubtful([1, -3], 1), _is_doubtful(15, 0.01)
    (False, True, True)
    """
    if isinstance(value, (tuple, list)):
        return any(_is_doubtful(one, default) for one in value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    a_fraction = isinstance(default, float) and 0 < default < 1
    return not value > 0 or (a_fraction and value > 1)


def _small_images(kind: str) -> Iterator[Any]:
    """Yield images as a parameter of that name takes them, flat and deep."""
    import numpy as np

    for shape in ((16, 16), (8, 16, 16)):
        image = (np.arange(np.prod(shape)) * 7 % 251).astype(np.uint8).reshape(shape)
        if kind == "image":
            yield image
            yield image.astype(np.float32)
        elif kind == "mask":
            yield image > 99
        else:
            yield (image > 99).astype(np.int32)

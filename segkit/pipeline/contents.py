"""What a step makes of an array: grey values, a mask or labels, of what is near.

Labels of objects that touch are one object as a mask, so a plan has to know which is
which. A function of segkit says what it takes by the name of its first parameter
(``image``, ``mask``, ``labels``) and what it gives by the type that it returns; one of
somebody else says it by `Step.returns`, or nothing is known.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, get_args

from segkit import checks
from segkit.pipeline.steps import Content
from segkit.tiling.reaches import UnknownReachError, declares_reach, reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from segkit.pipeline.steps import Step

# What the arrays are called that a step may be given.
_DATA = ("image", "mask", "labels")
_RETURNED: dict[str, Content] = {
    "Mask": "mask",
    "Labels": "labels",
    "NDArray[np.int32]": "labels",
}
# The type of functions that give masks for masks and labels for labels.
_AS_GIVEN = "MaskOrLabels"


def content_after(step: Step, before: Content | None) -> Content | None:
    """Return what the array holds that an array step makes; None if nobody knows.

    Parameters
    ----------
    step
        An array function.
    before
        What it is given holds; None if that is not known.

    Raises
    ------
    ValueError
        If the step cannot take it.

    Examples
    --------
    >>> from segkit.pipeline import fill_holes, ndnt, segment_nuclei
    >>> content_after(ndnt(), "grey"), content_after(segment_nuclei(), None)
    ('mask', 'labels')
    >>> content_after(fill_holes(), "labels")
    'labels'
    """
    if is_foreign(step):
        return step.returns
    signature = inspect.signature(step.resolve())
    _require_taken(next(iter(signature.parameters)), before)
    returned = str(signature.return_annotation)
    return before if returned == _AS_GIVEN else _RETURNED.get(returned, "grey")


def asks_for_axes(step: Step) -> bool:
    """Say whether a step of segkit asks which axes there are, and takes them apart.

    Examples
    --------
    >>> from segkit.pipeline import segment_nuclei, slic
    >>> asks_for_axes(segment_nuclei()), asks_for_axes(slic())
    (True, False)
    """
    if is_foreign(step):
        return False
    first, *others = inspect.signature(step.resolve()).parameters
    return first == "image" and {"axes", "spacing"} <= {*others}


def reach_of(step: Step, ndim: int) -> tuple[int, ...] | None:
    """Return how far an array step reaches along each of the image's axes, in voxels.

    None if that has no bound or is not known.

    Examples
    --------
    >>> from segkit.pipeline import binarize, gaussian
    >>> reach_of(gaussian(2), 2), reach_of(binarize(), 2)
    ((8, 8), None)
    """
    if step.reach is not None:
        return checks.per_axis(step.reach, ndim, name="reach", least=0)
    function = step.resolve()
    if not declares_reach(function):
        return None
    try:
        return reach(function, ndim, **arguments_of(step))
    except UnknownReachError:
        return None
    except (TypeError, ValueError):
        if is_foreign(step):  # somebody else's rule
            return None
        raise


def arguments_of(step: Step) -> dict[str, Any]:
    """Return the arguments of an array step by the names of its function.

    Examples
    --------
    >>> from segkit.pipeline import gaussian
    >>> arguments_of(gaussian(2, truncate=3))
    {'sigma': 2, 'truncate': 3}
    """
    signature = inspect.signature(step.resolve())
    bound = signature.bind(None, *step.arguments, **step.bare.keywords)
    first = next(iter(bound.arguments))
    return {name: v for name, v in bound.arguments.items() if name != first}


def is_foreign(step: Step) -> bool:
    """Say whether the function of a step is none of segkit's."""
    return ":" in step.function or step.bound is not None


def require_returns(step: Step) -> None:
    """Raise `ValueError` unless a step may say so what it returns."""
    if step.returns is None:
        return
    if step.returns not in get_args(Content):
        raise ValueError(
            f"returns is {step.returns!r}, but must be 'grey', 'mask' or 'labels'"
        )
    if not is_foreign(step):
        raise ValueError("says itself what it returns; leave returns out")


def _require_taken(taken: str, before: Content | None) -> None:
    if taken == "mask" and before == "labels":
        raise ValueError(
            "takes a mask, in which labelled objects that touch would be one; put it"
            " before the step that labels, or hysteresis(0, 0) before it if they may"
        )
    if taken == "labels" and before in ("grey", "mask"):
        raise ValueError("needs labelled objects; put label() before it")


def require_image_function(name: str, function: Callable[..., Any]) -> None:
    """Raise `TypeError` unless a function of segkit makes an array of an array.

    Parameters
    ----------
    name
        Of the function.
    function
        To look at: the name of its first parameter, and the type that it returns.

    Examples
    --------
    >>> from segkit import threshold
    >>> require_image_function("threshold", threshold)
    Traceback (most recent call last):
    TypeError: makes no image of an image (it returns float), so it is no step;
    binarize() makes the mask
    """
    signature = inspect.signature(function)
    returns = str(signature.return_annotation)
    if returns == "NDArray[np.uint8]" or not returns.startswith(
        ("Array", "Labels", "Mask", "NDArray")
    ):
        advice = {
            "threshold": "; binarize() makes the mask",
            "multi_otsu": "; binarize() makes a mask",
            "crop": "; run the pipeline on what crop() returns, all of one shape",
            "pad": "; run the pipeline on what pad() returns, all of one shape",
            "try_all": "; it is for looking at, then binarize(method=...)",
            "overlay": "; save_overlay(path) makes and saves the picture",
            "region_properties": "; regionprops() makes the table",
        }
        raise TypeError(
            f"makes no image of an image (it returns {returns}), so it is no step"
            + advice.get(name, "")
        )
    first = next(iter(signature.parameters), "nothing")
    if first not in _DATA:
        raise TypeError(
            f"makes no image of an image (it takes {first}), so it is no step"
        )

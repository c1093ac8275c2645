"""Steps for a part of an image, or for a coarser level of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit.pipeline.contents import arguments_of, reach_of
from segkit.pipeline.special_steps import SPECIAL
from segkit.regions.seeds import moved

if TYPE_CHECKING:
    from segkit.pipeline.steps import Step

LENGTHS = ("sigma", "radius", "shape", "width", "limit")
"""Parameters that are distances in voxels."""
SIZES = ("min_size", "max_size")
"""Parameters that are numbers of voxels."""
_REAL = ("sigma", "width", "limit")
_CONTEXT = 64
"""Voxels around the view for steps that look at all of the image."""


def scaled(step: Step, factors: Sequence[float], start: Sequence[float]) -> Step:
    """Return a step for a coarser level, and for a box that starts somewhere in it.

    Distances and sizes in voxels shrink, seeds drawn by hand move.

    Parameters
    ----------
    step
        As for the whole image.
    factors
        Voxels of the image that one of the level stands for, per axis.
    start
        Of the box, in voxels of full resolution.

    Examples
    --------
    >>> from segkit.pipeline import gaussian, remove_small_objects
    >>> scaled(gaussian(sigma=3), (2, 2), (0, 0)).keywords
    {'sigma': 1.5}
    >>> scaled(remove_small_objects(min_size=100), (4, 4), (0, 0)).keywords
    {'min_size': 6}
    """
    seeds = step.keywords.get("markers")
    if isinstance(seeds, Mapping) and (any(start) or max(factors) > 1):
        step = step.having(markers=moved(seeds, start, max(factors)))
    if max(factors) == 1:
        return step
    ratio = dict.fromkeys(LENGTHS, max(factors))
    ratio |= dict.fromkeys(SIZES, math.prod(factors))
    named = step if step.function in SPECIAL else by_name(step)
    options = {
        name: _smaller(value, ratio[name], whole=name not in _REAL)
        if name in ratio
        else value
        for name, value in named.options
    }
    return replace(named, options=tuple(options.items()))


def by_name(step: Step) -> Step:
    """Return an array step with all of its arguments by keyword.

    Examples
    --------
    >>> from segkit.pipeline import gaussian
    >>> by_name(gaussian(2)).options
    (('sigma', 2),)
    """
    named = replace(step, arguments=(), options=tuple(arguments_of(step).items()))
    return named if step.channel is None else named.having(channel=step.channel)


def _smaller(value: Any, ratio: float, *, whole: bool) -> Any:
    if isinstance(value, tuple):
        return tuple(_smaller(part, ratio, whole=whole) for part in value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return max(1, round(value / ratio)) if whole else value / ratio


def margins(steps: Sequence[Step], ndim: int) -> tuple[int, ...]:
    """Return how far steps reach together; some room where one reaches anywhere.

    Examples
    --------
    >>> from segkit.pipeline import binarize, gaussian
    >>> margins([gaussian(sigma=2), gaussian(sigma=1)], 2)
    (12, 12)
    >>> margins([gaussian(sigma=2), binarize()], 2)
    (72, 72)
    """
    total = [0] * ndim
    unlimited = False
    for step in steps:
        reach = None
        if step.function in ("load", "tile", "regionprops", "classify"):
            continue
        if step.function not in SPECIAL:
            reach = reach_of(step, ndim)
        if reach is None:
            unlimited = True
        else:
            total = [a + b for a, b in zip(total, reach, strict=True)]
    room = _CONTEXT if unlimited else 0
    # A volume has few planes to spare for it.
    return tuple(a + (room if ndim < 3 else room // 8) for a in total)

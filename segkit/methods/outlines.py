"""Outlines of objects at a part of each one's own brightness.

Bright objects lose their glow by that, and dim ones keep their size. What is much
brighter than the others takes in what lies beside it: it is outlined by itself first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from segkit.labelling.labels import label
from segkit.methods.background import gradient, opened
from segkit.methods.splitting import distance, filled, renumbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from segkit.methods.axes import Spacing

# Objects this many times as bright as the median one hide what is beside them.
_BLINDING, _ROUNDS = 4, 2


def outlined(
    contrast: NDArray[np.float64],
    objects: NDArray[np.int32],
    *,
    edge: float,
    spacing: Spacing,
    size: Callable[[NDArray[np.bool_]], float],
    split: Callable[..., NDArray[np.int32]],
) -> tuple[NDArray[np.int32], float]:
    """Return objects with outlines at `edge` of their own brightness, and their size.

    `size` says how large the objects of a mask are, `split` cuts those that touch.
    """
    outline = partial(
        _twice, contrast, edge=edge, spacing=spacing, size=size, split=split
    )
    first, objects = objects, outline(objects)
    typical = size(objects > 0)
    hiding = _blinding(contrast, objects)
    if hiding.any():
        within = np.isin(first, first[hiding])
        objects = _beside_bright(objects, within, typical, outline, spacing)
    return objects, typical


def _twice(
    contrast: NDArray[np.float64],
    objects: NDArray[np.int32],
    *,
    edge: float,
    spacing: Spacing,
    size: Callable[[NDArray[np.bool_]], float],
    split: Callable[..., NDArray[np.int32]],
) -> NDArray[np.int32]:
    """Move outlines to a part of each object's own brightness, and cut again; twice."""
    for _ in range(2):
        level = bright_level(contrast, objects)
        kept = (contrast > edge * level[objects]) & (objects > 0)
        mask = opened(filled(kept, contrast, spacing), spacing)
        objects = split(mask, contrast, size(mask))
    return objects


def _blinding(
    contrast: NDArray[np.float64], objects: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Return where objects are so bright that they take in what lies beside them."""
    level = bright_level(contrast, objects)
    if level.size == 1:
        return np.zeros(objects.shape, bool)
    found: NDArray[np.bool_] = (level > _BLINDING * np.median(level[1:]))[objects]
    return found


def _beside_bright(
    objects: NDArray[np.int32],
    within: NDArray[np.bool_],
    radius: float,
    outline: Callable[[NDArray[np.int32]], NDArray[np.int32]],
    spacing: Spacing,
) -> NDArray[np.int32]:
    """Outline the bright objects of a part until they are alone, then what they leave.

    Each time, an object that was bright and dim loses of the dim. What is left over is
    an object only if half of a typical one fits into it: else it is glow.
    """
    bright = np.where(within, objects, 0)
    for _ in range(_ROUNDS):
        bright = outline(bright)
    left = _wide(within & (bright == 0), radius / 2, spacing)
    dim = outline(label(left))
    both = np.where(within, bright, objects + bright.max())
    both[~within & (objects == 0)] = 0
    both[dim > 0] = dim[dim > 0] + both.max()
    return renumbered(both)


def _wide(
    mask: NDArray[np.bool_], radius: float, spacing: Spacing
) -> NDArray[np.bool_]:
    """Return the opening of a mask by a ball."""
    core = distance(mask, spacing) > radius
    if not core.any():
        return core
    wide: NDArray[np.bool_] = mask & (distance(~core, spacing) <= radius)
    return wide


def bright_level(
    contrast: NDArray[np.float64], objects: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return the upper quartile of the contrast in each object; 0 for background."""
    inside = objects > 0
    label, value = objects[inside], contrast[inside]
    order = np.lexsort((value, label))
    size = np.bincount(label, minlength=int(objects.max()) + 1)
    end = np.cumsum(size)
    level = np.zeros(size.size)
    filled = size > 0
    level[filled] = value[order][(end - 1 - size // 4)[filled]]
    return level


def edge_level(
    contrast: NDArray[np.float64], objects: NDArray[np.int32], spacing: Spacing
) -> float:
    """Return the level, as a part of an object's contrast, where outlines are drawn.

    That is a little outside of the steepest slope: the level with the largest mean
    gradient over all objects, less 0.15. Small objects, all blur, have it near 0.45,
    large ones with a round edge at 0.25.
    """
    inside = objects > 0
    if not inside.any():
        return 0.5
    level = bright_level(contrast, objects)[objects[inside]]
    # 40 bins of the level, running means over 5 of them, between 0.2 and 0.7
    bins = np.clip(contrast[inside] / level * 40, 0, 39).astype(np.int64)
    slope = np.bincount(bins, gradient(contrast, spacing)[inside] / level, minlength=40)
    voxels, window = np.bincount(bins, minlength=40), np.ones(5)
    mean = np.convolve(slope, window, "same")
    mean /= np.maximum(np.convolve(voxels, window, "same"), 1)
    steepest = (8.5 + int(np.argmax(mean[8:28]))) / 40
    return float(np.clip(steepest - 0.15, 0.15, 0.55))

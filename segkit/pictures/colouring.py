"""Colours for label images in which neighbours never share one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.names import known_as
from segkit.overlaps.contingency_table import labels as checked_labels, require_ids

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Told apart on black and on grey, also by most colour-blind readers.
PALETTE = (
    (230, 97, 1), (94, 178, 255), (253, 216, 53), (171, 99, 250), (0, 200, 140),
    (255, 105, 180), (160, 220, 60), (0, 210, 230), (255, 160, 122), (120, 130, 255),
    (200, 170, 90), (235, 235, 235),
)  # fmt: skip
_GAPS = (1, 2, 4, 8)  # voxels across which two labels are still seen side by side


@known_as("segkit")
def label_colours(labels: ArrayLike) -> NDArray[np.uint8]:
    """Paint a label image so that neighbours differ; background is black.

    Labels are neighbours if they are at most eight voxels apart along an axis. Their
    graph is coloured greedily, most neighbours first, with the least used colour that
    is free: the same labels always get the same colours, and twelve colours suffice
    unless a label has more than eleven neighbours that all differ.

    Parameters
    ----------
    labels : integer array of any number of dimensions
        0 is background; ids may be sparse.

    Returns
    -------
    uint8 array
        Of shape `labels.shape + (3,)`.

    Raises
    ------
    TypeError
        If they are not integers, or masked.
    ValueError
        If a label is negative.

    Examples
    --------
    >>> painted = label_colours([[0, 1, 1, 2, 2, 0]])
    >>> painted.shape, painted[0, 0].tolist()
    ((1, 6, 3), [0, 0, 0])
    >>> bool((painted[0, 1] != painted[0, 3]).any())
    True
    """
    array = checked_labels(labels, "labels")
    require_ids(array, "labels")
    ids, numbers = np.unique(array, return_inverse=True)
    numbers = numbers.reshape(array.shape)
    if ids.size and ids[0] != 0:  # no background: numbers start at 1
        numbers = numbers + 1
    colours = np.zeros((int(numbers.max(initial=0)) + 1, 3), np.uint8)
    chosen = _greedy(_neighbours(numbers, len(colours)))
    colours[1:] = np.array(PALETTE, np.uint8)[chosen[1:]]
    return colours[numbers]


def _neighbours(numbers: NDArray[Any], n: int) -> list[set[int]]:
    """Return the labels near each label 0..n-1."""
    near: list[set[int]] = [set() for _ in range(n)]
    for axis in range(numbers.ndim):
        along = np.moveaxis(numbers, axis, 0)
        for gap in _GAPS:
            here, there = along[:-gap], along[gap:]
            differ = (here != there) & (here > 0) & (there > 0)
            pairs = np.unique(here[differ].astype(np.int64) * n + there[differ])
            for first, second in zip(
                (pairs // n).tolist(), (pairs % n).tolist(), strict=True
            ):
                near[first].add(second)
                near[second].add(first)
    return near


def _greedy(near: list[set[int]]) -> NDArray[np.int64]:
    """Return a number of a colour per label, neighbours different where possible."""
    chosen = np.full(len(near), -1)
    used = [0] * len(PALETTE)
    for label in sorted(range(1, len(near)), key=lambda i: (-len(near[i]), i)):
        taken = {int(chosen[other]) for other in near[label]}
        free = [c for c in range(len(PALETTE)) if c not in taken] or list(
            range(len(PALETTE))
        )
        chosen[label] = min(free, key=lambda c: (used[c], c))
        used[chosen[label]] += 1
    return chosen

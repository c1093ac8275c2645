"""Colours for label images in which neighbours never share one."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from segkit.names import known_as
from segkit.overlaps.contingency_table import labels as checked_labels
from segkit.pictures import painting

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Told apart on black and on grey, also by most colour-blind readers.
PALETTE = (
    (230, 97, 1), (94, 178, 255), (253, 216, 53), (171, 99, 250), (0, 200, 140),
    (255, 105, 180), (160, 220, 60), (0, 210, 230), (255, 160, 122), (120, 130, 255),
    (200, 170, 90), (235, 235, 235),
)  # fmt: skip

_COUNT = len(PALETTE)


@known_as("segkit")
def label_colours(
    labels: ArrayLike, *, workers: int | None = None
) -> NDArray[np.uint8]:
    """Paint a label image so that neighbours differ; background is black.

    Labels are neighbours if they are at most eight voxels apart along an axis. Their
    graph is coloured greedily, most neighbours first, with the least used colour that
    is free: the same labels always get the same colours, and twelve colours suffice
    unless a label has more than eleven neighbours that all differ.

    Parameters
    ----------
    labels : integer array of any number of dimensions
        0 is background; ids may be sparse.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

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
    numbers, last = painting.numbered(array, workers)
    colours = np.array([(0, 0, 0), *PALETTE], np.uint8)
    return colours[chosen_colours(numbers, last, workers)[numbers]]


def chosen_colours(
    numbers: NDArray[np.int32], last: int, workers: int | None
) -> NDArray[np.uint8]:
    """Return a colour for 0 (which has 0) and each number up to the last.

    The colours are 1, 2, ... in the order of the palette.
    """
    around = defaultdict[int, set[int]](set)
    pairs = painting.near(numbers, last, workers)
    firsts, seconds = (part.tolist() for part in np.divmod(pairs, last + 1))
    for first, second in zip(firsts, seconds, strict=True):
        around[first].add(second)
        around[second].add(first)
    colours = _greedy(around, last) + 1
    colours[0] = 0
    return colours.astype(np.uint8)


def _greedy(near: dict[int, set[int]], last: int) -> NDArray[np.int64]:
    """Return a number of a colour per label, neighbours different where possible."""
    chosen, bits = np.zeros(last + 1, np.int64), dict.fromkeys(near, 0)
    # By how often a colour is used, the first of those used as often.
    ranks = list(range(_COUNT))
    for label in sorted(near, key=lambda one: (-len(near[one]), one)):
        taken = 0
        for other in near[label]:
            taken |= bits[other]
        chosen[label] = colour = _least_used(ranks, taken)
        bits[label] = 1 << colour
    alone = np.ones(last + 1, np.bool_)
    alone[[0, *near]] = False
    labels = np.flatnonzero(alone)
    count = 0
    while count < labels.size and ranks[-1] - ranks[0] >= _COUNT:
        chosen[labels[count]] = _least_used(ranks, 0)
        count += 1
    # From here on the colours come one after the other, over and over.
    rest = labels[count:]
    chosen[rest] = np.resize(np.array(ranks) % _COUNT, rest.size)
    return chosen


def _least_used(ranks: list[int], taken: int) -> int:
    """Return the colour that is used least of those not taken, and use it once more."""
    place = 0
    while place < _COUNT and taken >> ranks[place] % _COUNT & 1:
        place += 1
    rank = ranks.pop(place % _COUNT)  # if all are taken, the first
    insort(ranks, rank + _COUNT)
    return rank % _COUNT

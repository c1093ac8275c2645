"""Colours for the ids of a label image, so that neighbours differ.

The hues are those of Okabe and Ito (2008), which most colour-blind readers tell apart,
each light and dark, so that lightness tells them apart as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PALETTE = (
    (230, 159, 0), (0, 114, 178), (240, 228, 66), (213, 94, 0), (86, 180, 233),
    (0, 158, 115), (236, 170, 205), (150, 60, 0), (150, 215, 250), (120, 110, 20),
    (120, 225, 190), (190, 80, 140), (255, 205, 120), (60, 85, 200),
)  # fmt: skip
"""Colours one after the other, in a row that begins with the hues themselves."""
MOST_OBJECTS = 20_000
"""With more of them in one picture, neighbours may have one colour."""
_GAPS = (1, 2)
"""Pixels across which two objects are still seen side by side."""


def label_colours(labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an RGB picture of a plane of labels; 0 is black.

    An id has the colour of its number unless a neighbour with a lower one has taken
    that, so most objects keep theirs from plane to plane.

    Parameters
    ----------
    labels : (y, x) array of integers, none negative
        What to draw.

    Examples
    --------
    >>> rgb = label_colours(np.array([[0, 1, 15, 15]]))
    >>> rgb.shape, rgb[0, 0].tolist(), bool((rgb[0, 1] != rgb[0, 2]).any())
    ((1, 4, 3), [0, 0, 0], True)
    """
    ids, flat = np.unique(labels, return_inverse=True)
    numbers = flat.reshape(labels.shape)
    colours = 1 + (ids - 1) % len(PALETTE)
    colours[ids == 0] = 0
    if len(ids) <= MOST_OBJECTS:
        colours = _apart(colours.astype(np.int64), _neighbours(numbers, len(ids)))
    table = np.array([(0, 0, 0), *PALETTE], np.uint8)
    return table[colours.astype(np.int64)[numbers]]


def _neighbours(numbers: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Return pairs of numbers side by side, the higher one first, in rising order."""
    pairs = []
    for along in (numbers, numbers.T):
        for gap in _GAPS:
            here, there = along[:-gap].ravel(), along[gap:].ravel()
            differ = here != there
            high, low = np.maximum(here, there), np.minimum(here, there)
            pairs.append(np.unique(high[differ] * count + low[differ]))
    return np.stack(np.divmod(np.unique(np.concatenate(pairs)), count), axis=-1)


def _apart(
    wanted: NDArray[np.int64], neighbours: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the wanted colours, others where a lower neighbour has the same."""
    chosen: list[int] = wanted.tolist()
    lower: dict[int, set[int]] = {}
    for high, low in neighbours.tolist():
        lower.setdefault(high, set()).add(low)
    for high, others in lower.items():  # in rising order
        taken = {chosen[low] for low in others}
        if chosen[high] and chosen[high] in taken:
            turned = [*range(chosen[high], len(PALETTE) + 1), *range(1, chosen[high])]
            chosen[high] = next((c for c in turned if c not in taken), chosen[high])
    return np.array(chosen, np.int64)

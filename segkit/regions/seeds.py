"""Seeds written down: drawn by hand, or where grey values are low and high.

What a pipeline file can say of markers: plain numbers, painted when the image is there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.other_names import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array

_KEYS = ("below", "above", "strokes")
_STROKE = ("label", "radius", "points")


def painted(seeds: Mapping[str, Any], image: Array) -> NDArray[np.int32]:
    """Return the markers that are written down, as an array of the image's shape.

    Parameters
    ----------
    seeds : mapping
        ``below`` and ``above``: grey values; what is lower than the one is seed 1,
        what is higher than the other seed 2. ``strokes``: a list of lines drawn by
        hand, each with its ``label``, its ``radius`` in voxels (1 if not said) and its
        ``points``, which are joined by straight lines. Later strokes lie over earlier
        ones, and all over what the grey values say; label 0 wipes out.
    image : ndarray
        The grey values.

    Raises
    ------
    TypeError, ValueError
        If they are written otherwise.

    Examples
    --------
    >>> painted({"below": 2, "above": 7}, np.array([1, 3, 8]))
    array([1, 0, 2], dtype=int32)
    >>> line = {"label": 5, "radius": 0, "points": [[0, 1], [0, 3]]}
    >>> painted({"strokes": [line]}, np.zeros((1, 5)))
    array([[0, 5, 5, 5, 0]], dtype=int32)
    """
    _require_known(seeds, _KEYS, "markers")
    markers = np.zeros(image.shape, np.int32)
    for name, label in (("below", 1), ("above", 2)):
        if name in seeds:
            level = checks.as_number(seeds[name], name=f"markers {name}")
            markers[image < level if name == "below" else image > level] = label
    for stroke in seeds.get("strokes", ()):
        _paint(stroke, markers)
    return markers


def moved(
    seeds: Mapping[str, Any], start: Sequence[float], scale: float
) -> dict[str, Any]:
    """Return seeds for a part of the image, or for one that is coarser by `scale`.

    Examples
    --------
    >>> moved({"strokes": [{"label": 1, "points": [[8, 6]]}]}, (4, 0), 2)
    {'strokes': [{'label': 1, 'points': [[2.0, 3.0]], 'radius': 0.5}]}
    """
    strokes = [
        {
            **stroke,
            "points": [
                [(p - s) / scale for p, s in zip(point, start, strict=True)]
                for point in stroke["points"]
            ],
            "radius": stroke.get("radius", 1) / scale,
        }
        for stroke in seeds.get("strokes", ())
    ]
    return {**seeds, "strokes": strokes} if strokes else dict(seeds)


def _paint(stroke: Any, markers: NDArray[np.int32]) -> None:
    if not isinstance(stroke, Mapping):
        raise TypeError(f"a stroke of markers is {stroke!r}, but must be a table")
    _require_known(stroke, _STROKE, "a stroke of markers")
    label = checks.as_integer(stroke.get("label", 1), name="label of a stroke", least=0)
    radius = float(checks.as_number(stroke.get("radius", 1), name="radius of a stroke"))
    points = np.asarray(stroke.get("points", ()), np.float64)
    if points.ndim != 2 or points.shape[1] != markers.ndim:
        raise ValueError(
            f"points of a stroke have shape {points.shape}; give one row of"
            f" {markers.ndim} coordinates for each"
        )
    for centre in np.unique(np.floor(_along(points) + 0.5).astype(int), axis=0):
        _stamp(markers, centre, radius, label)


def _along(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points at most one voxel apart along straight lines between some."""
    parts = [points[:1]]
    for first, second in itertools.pairwise(points):
        count = max(1, int(np.ceil(np.abs(second - first).max())))
        share = np.arange(1, count + 1)[:, None] / count
        parts.append(first + share * (second - first))
    return np.concatenate(parts)


def _stamp(
    markers: NDArray[np.int32], centre: NDArray[np.int_], radius: float, label: int
) -> None:
    """Fill a ball around a voxel, as far as it lies in the image."""
    margin = int(np.floor(radius))
    low = np.maximum(centre - margin, 0)
    high = np.minimum(centre + margin + 1, markers.shape)
    if (low >= high).any():
        return
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grid = np.ogrid[box]
    squares = [(g - c) ** 2 for g, c in zip(grid, centre, strict=True)]
    markers[box][sum(squares) <= radius**2] = label


def _require_known(given: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    for name in given:
        if name not in known:
            raise ValueError(
                f"{what} has an unknown key {name!r}{nearest(str(name), known)}; it"
                f" takes {', '.join(known)}"
            )

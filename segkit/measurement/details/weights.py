"""The intensities of objects along lines: what weighted moments are computed from.

Lines are cut into stretches of 32 voxels, counted from the image's border. An object's
part of a stretch is known by the sum of its intensities, and by those of intensities
times places, squares of these and cubes; places count from the middle of the stretch.
Sums of integers of up to 16 bits are exact (they are below 2**33), whatever the tiles
are; those of other intensities are rounded. 48 bytes for each part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.labelling.runs import row_starts
from segkit.measurement.details import row_kernels, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segkit.arrays import Array
    from segkit.labelling.box import Lines

STRETCH = 32
"""Short ones keep places small, and with them what is lost if floats cancel."""


class Weights(NamedTuple):
    """The parts of objects in stretches, sorted by label, then in raster order."""

    whose: Array
    """The label of each."""
    stretches: Array
    """The number of each one's stretch in the image, in raster order."""
    weights: Array
    """Sums of intensities times powers 0 to 3 of places, shape (parts, 4)."""


def of_details(details: Mapping[str, Array]) -> Weights:
    """Return the weights among what was gathered."""
    return Weights(*(details[name] for name in Weights._fields))


def weights_of(
    intensity: Array,
    labels: Array,
    lines: Lines,
    origin: tuple[int, ...],
    shape: tuple[int, ...],
) -> Weights:
    """Return the weights of the objects in a box of an array.

    The array's first voxel lies at `origin` in an image of `shape`.
    """
    box = lines.box
    runs = rows.find_runs(labels, lines)
    order = np.argsort(runs[0], kind="stable")  # they are in raster order
    name, line, begin, length = (column[order] for column in runs)
    place = begin + (box.start[-1] + origin[-1])
    first = place // STRETCH
    parts = (place + length - 1) // STRETCH + 1 - first
    whose = np.repeat(name, parts)
    number = rows.line_numbers(line, box, origin, shape) * _per_line(shape) + first
    before = np.cumsum(parts) - parts
    stretches = np.repeat(number - before, parts) + np.arange(len(whose))
    found = np.empty((len(whose), 4))
    start = row_starts(box, labels.shape)[line] + begin
    _weigh(intensity.reshape(-1), start, place, length, STRETCH, found)
    return _added(Weights(whose, stretches, found))


def _weigh_by_python(
    intensity: Array,
    start: Array,
    place: Array,
    length: Array,
    stretch: int,
    found: Array,
) -> None:
    wide = intensity.astype(np.float64)  # small integers would overflow
    row_kernels.weigh_runs.plain(wide, start, place, length, stretch, found)


@falls_back_on(_weigh_by_python)
def _weigh(
    intensity: Array,
    start: Array,
    place: Array,
    length: Array,
    stretch: int,
    found: Array,
) -> None:
    row_kernels.weigh_runs(intensity, start, place, length, stretch, found)


def joined(parts: list[Weights]) -> Weights:
    """Return the weights of several parts of an image together."""
    whose, stretches, found = (np.concatenate(x) for x in zip(*parts, strict=True))
    order = np.lexsort((stretches, whose))
    return _added(Weights(whose[order], stretches[order], found[order]))


def _added(parts: Weights) -> Weights:
    """Return sorted parts with those of one object and stretch as one."""
    whose, stretches, found = parts
    new = np.ones(len(whose), np.bool_)
    new[1:] = (whose[1:] != whose[:-1]) | (stretches[1:] != stretches[:-1])
    (starts,) = np.nonzero(new)
    if len(starts) == len(whose):
        return parts
    return Weights(whose[starts], stretches[starts], np.add.reduceat(found, starts))


class Places(NamedTuple):
    """Where the weights of some objects are, from the starts of the objects' boxes."""

    owner: Array
    """Which object each is of, as a place among them."""
    starts: Array
    """Where the weights of each object start, and how many there are."""
    sums: Array
    """As `Weights.weights`."""
    lines: Array
    """On all axes but the last, shape (parts, axes - 1)."""
    ahead: Array
    """Of the middles of their stretches on the last axis."""


def places(
    weights: Weights, labels: Array, low: Array, shape: tuple[int, ...]
) -> Places:
    """Return where the weights of objects are, whose boxes start at `low`."""
    owner, known = rows.of_labels(weights.whose, labels)
    starts = np.searchsorted(owner, np.arange(len(labels) + 1))
    line, stretch = np.divmod(weights.stretches[known], _per_line(shape))
    lines = rows.places_of_lines(line, shape) - low[owner, :-1]
    ahead = stretch * STRETCH + STRETCH // 2 - low[owner, -1]
    return Places(owner, starts, weights.weights[known], lines, ahead)


def centres(places: Places) -> Array:
    """Return the centres of mass; NaN where all weights add up to 0."""
    starts = places.starts[:-1]
    if not len(starts):
        return np.zeros((0, places.lines.shape[1] + 1))
    n, a = places.sums[:, 0], places.sums[:, 1]
    parts = np.stack([n, *(places.lines.T * n), a + places.ahead * n])
    mass, *first = np.add.reduceat(parts, starts, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = np.stack(first, axis=1) / mass[:, None]
    return found


def moments(places: Places, centre: Array) -> Array:
    """Return moments of intensities up to order 3 on each axis, in voxels.

    They are about `centre`, counted from the start of each object's box.
    """
    shift = centre[places.owner]
    ahead = places.ahead - shift[:, -1]
    n, a, b, c = places.sums.T
    terms = np.stack(
        [
            n,
            a + ahead * n,
            b + 2 * ahead * a + ahead**2 * n,
            c + 3 * ahead * b + 3 * ahead**2 * a + ahead**3 * n,
        ]
    )
    lines = (places.lines - shift[:, :-1]).T
    return rows.products(terms, np.ascontiguousarray(lines), places.starts)


def _per_line(shape: tuple[int, ...]) -> int:
    """Return how many stretches a line has."""
    return -(-shape[-1] // STRETCH)

"""Sums over the objects of a part of an image, which add up exactly."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.labelling import box as label_box
from segkit.labelling.runs import row_starts
from segkit.measurement import by_numpy, outlines
from segkit.measurement.details import gathering
from segkit.measurement.kernels import sum_rows
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.tiling.boxes import Box


# How columns of the same object in two parts make one. Those of floats are not among
# them ("zero", "deviation" from it, "spread" about the mean: the root of the sum of its
# squares, which itself may be too large for a float): each depends on others.
_JOINED_BY: Final[Mapping[str, np.ufunc]] = {
    "count": np.add,
    "sums": np.add,
    "products": np.add,
    "low": np.minimum,
    "high": np.maximum,
    "crossings": np.add,
    "euler": np.add,
    "rims": np.add,
    "total": np.add,
    "squares": np.add,
    "least": np.minimum,
    "most": np.maximum,
}


# What is counted at outlines, by its column.
_OUTLINES: Final = {
    "crossings": outlines.crossings,
    "euler": outlines.euler_numbers,
    "rims": outlines.rims,
}
# Sums of squares beyond the range of floats, or this close to 0, are taken once more of
# intensities multiplied by a power of two, which loses nothing.
_TOO_SMALL = 2.0**-900
_SCALES = (2.0**-560, 2.0**560)
# Up to this many, labels that are not there get a row of sums too (about 150 bytes).
_FEW_LABELS = 2**16
MOST_EXPECTED = 2**8 - 1
"""The largest label for which there is a row before anybody has looked."""
_EXPECTED = np.arange(MOST_EXPECTED + 1)
_THEMSELVES = np.empty(0, np.int32)


class UnexpectedLabelError(Exception):
    """A label has no row in a table of sums."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class PartialTable:
    """Sums over the objects of a part of an image, one row for each label.

    Sums of positions, of products of positions and of small integers are kept modulo
    2**64. What is computed from them, relative to an object's own box and mean, is
    exact as long as it fits itself.
    """

    shape: tuple[int, ...]
    """Shape of the whole image."""
    labels: NDArray[np.int64]
    """Rising."""
    columns: Mapping[str, Array]
    """Arrays of one row for each label."""
    voxels: int = 0
    """How many were looked at, background included; all of them if that is
    `math.prod(shape)`."""
    details: Mapping[str, Array] = field(default_factory=dict)
    """What objects have any number of (`segkit.measurement.details`): "rows", "runs",
    and the fields of `Weights` and `Intensities`; each names its label."""

    def __len__(self) -> int:
        return len(self.labels)


def sum_box(
    labels: Array,
    intensity: Array | None,
    box: Box,
    origin: tuple[int, ...],
    shape: tuple[int, ...],
    needs: frozenset[str],
    largest: int | None,
) -> PartialTable:
    """Return the sums over the objects in a box of an array.

    `labels` and `intensity` are C-contiguous, and of `labels`, up to `largest`, a table
    fits into memory; the array's first voxel lies at `origin` in an image of `shape`.
    What else `needs` says is gathered, too (`segkit.measurement.shapes`); what lies
    beyond the array counts as background.

    Raises
    ------
    UnexpectedLabelError
        If nobody knows the largest label, so that `largest` is None, and there is one
        beyond `MOST_EXPECTED`, or a negative one.
    """
    slots, present = _slots(labels, box, largest)
    ndim = labels.ndim
    sums = np.zeros((len(present), 1 + 3 * ndim + ndim * (ndim + 1) // 2), np.int64)
    exact = is_exact(intensity)
    room = 0 if intensity is None else len(present)
    intensities = np.zeros((room, 5), np.int64 if exact else np.float64)
    found, there = _sum(labels, intensity, box, slots, sums, intensities)
    if found < 0:
        raise UnexpectedLabelError
    if largest is None:
        sums, intensities = sums[: found + 1], intensities[: found + 1]
        present = present[: found + 1]
        if needs or not exact:
            slots = present.astype(np.int32)
    columns = _position_columns(sums[1:], [*map(operator.add, origin, box.start)])
    if intensity is not None:
        columns |= _intensity_columns(intensities[1:])
        if not exact:
            spread = _spread(labels, intensity, box, slots, sums, intensities)
            columns["spread"] = spread[1:]
    details: Mapping[str, Array] = {}
    if needs:
        lines = label_box.lines_of(box, labels.shape).those(there.view(np.bool_))
        columns |= _outlines(needs, labels, lines, slots, len(present))
        given = (labels, intensity, lines, slots, origin)
        known = (present[1:], columns, shape)
        details = gathering.gathered(needs, *given, known)
    names, columns = _those_there(present[1:], columns)
    return PartialTable(shape, names, columns, box.size, details)


def _outlines(
    needs: frozenset[str],
    labels: Array,
    lines: label_box.Lines,
    slots: Array,
    rows: int,
) -> dict[str, Array]:
    """Return what is counted at outlines, from the lines that have objects."""
    return {
        name: count(labels, lines, slots, rows)[1:]
        for name, count in _OUTLINES.items()
        if name in needs
    }


def combine(partials: Iterable[PartialTable]) -> PartialTable:
    """Return the table of several parts together, in any order and grouping.

    Parameters
    ----------
    partials
        Of parts of one image that do not overlap, or combinations of such; at least
        one.

    Raises
    ------
    ValueError
        If there is none, they are of different images or columns, or of more voxels
        together than the image has: then one is there twice. That one is missing is
        not an error, but `PartialTable.voxels` tells.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.measurement import measure_tile
    >>> from segkit.tiling import tiles
    >>> labels = np.array([1, 1, 2, 2, 2, 0])
    >>> parts = [measure_tile(labels[t.read.slices], t, (6,)) for t in tiles((6,), 4)]
    >>> combine(parts).columns["count"]
    array([2, 3])
    """
    parts = list(partials)
    _require_alike(parts)
    voxels = require_room(parts[0].shape, [part.voxels for part in parts])
    if len(parts) == 1:
        return parts[0]
    labels = np.concatenate([part.labels for part in parts])
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    stacked = {
        name: np.concatenate([part.columns[name] for part in parts])[order]
        for name in parts[0].columns
    }
    columns = {
        name: how.reduceat(stacked[name], starts, axis=0)
        for name, how in _JOINED_BY.items()
        if name in stacked
    }
    if "spread" in stacked:
        columns |= _joined_floats(stacked, starts)
    details = gathering.joined([part.details for part in parts])
    return PartialTable(parts[0].shape, ordered[starts], columns, voxels, details)


def require_room(shape: tuple[int, ...], voxels: Iterable[int]) -> int:
    """Return the voxels of all parts; raise `ValueError` if the image has fewer."""
    together = sum(voxels)
    if together > math.prod(shape):
        raise ValueError(
            f"parts hold {together} voxels together, an image of shape {shape} has "
            f"{math.prod(shape)}; give each tile once, and tiles that do not overlap"
        )
    return together


def _joined_floats(stacked: Mapping[str, Array], starts: Array) -> dict[str, Array]:
    """Return joint deviations from one zero per object (Chan et al. 1979).

    Zeros are intensities of the object itself, so that deviations are small numbers
    and their means accurate, however far from 0 the intensities are.
    """
    sizes = np.diff(np.append(starts, len(stacked["count"])))
    count, zero = stacked["count"], stacked["zero"][starts]
    moved = stacked["deviation"] + count * (stacked["zero"] - np.repeat(zero, sizes))
    deviation = np.add.reduceat(moved, starts)
    mean = deviation / np.add.reduceat(count, starts)
    between = moved / count - np.repeat(mean, sizes)
    # Roots of sums of squares, whose squares a float might not hold.
    apart = np.hypot(stacked["spread"], np.sqrt(count) * between)
    spread = np.hypot.reduceat(apart, starts)
    return {"zero": zero, "deviation": deviation, "spread": spread}


def _require_alike(parts: list[PartialTable]) -> None:
    if not parts:
        raise ValueError("there is no table to combine; give at least one")
    for part in parts[1:]:
        if part.shape != parts[0].shape:
            raise ValueError(
                f"tables are of images of shape {parts[0].shape} and {part.shape}; "
                "combine those of one image"
            )
        names = [sorted({*one.columns, *one.details}) for one in (parts[0], part)]
        if names[0] != names[1]:
            raise ValueError(
                f"tables have different columns, {names[0]} and {names[1]}; measure"
                " all tiles with the same options"
            )


def _slots(
    labels: Array, box: Box, largest: int | None
) -> tuple[Array, NDArray[np.int64]]:
    """Return the row of each label in a table of sums, and the label of each row.

    Where nobody knows the largest, rows are labels.
    """
    if largest is None:
        return _THEMSELVES, _EXPECTED
    if largest > MOST_EXPECTED and box.size < labels.size:
        largest = int(labels[box.slices].max())
    if largest <= _FEW_LABELS:
        return np.arange(largest + 1, dtype=np.int32), np.arange(largest + 1)
    seen = _seen(labels, box, largest)
    return np.cumsum(seen, dtype=np.int32) - np.int32(1), np.flatnonzero(seen)


def _those_there(
    labels: Array, columns: dict[str, Array]
) -> tuple[Array, dict[str, Array]]:
    """Return labels and columns without the rows of labels that are absent."""
    (there,) = columns["count"].nonzero()
    if len(there) < len(labels):
        columns = {name: column[there] for name, column in columns.items()}
    return labels[there], columns


def _seen(labels: Array, box: Box, largest: int) -> NDArray[np.bool_]:
    """Return for each label up to the largest whether the box has it; 0 counts."""
    seen = np.zeros(largest + 1, np.bool_)
    seen[0] = True
    _mark(labels, box, seen)
    return seen


@falls_back_on(by_numpy.mark_box)
def _mark(labels: Array, box: Box, seen: Array) -> None:
    from segkit.measurement.kernels import mark_rows

    starts = row_starts(box, labels.shape)
    mark_rows(labels.reshape(-1), starts, box.shape[-1], seen)


@falls_back_on(by_numpy.sum_box)
def _sum(
    labels: Array,
    intensity: Array | None,
    box: Box,
    slots: Array,
    sums: Array,
    intensities: Array,
) -> tuple[int, Array]:
    """Add positions and intensities of the objects in a box to their sums.

    Return the largest label, -1 if one has no row, and which lines have objects.
    """
    values = np.zeros(0, np.uint8) if intensity is None else intensity.reshape(-1)
    starts = row_starts(box, labels.shape)
    relative = intensities.dtype == np.float64
    flat, shape = labels.reshape(-1), np.array(box.shape)
    there = np.zeros(starts.size, np.uint8)
    if not shape[-1]:  # no voxels in any line
        return 0, there
    scratch = np.empty(shape.size + shape[-1] + 1, np.int64)
    own = (slots, sums, intensities, relative)
    return sum_rows(flat, values, (starts, there), shape, scratch, *own), there


def _position_columns(sums: Array, start: list[int]) -> dict[str, Array]:
    """Return columns with positions counted from the image's first voxel."""
    ndim = len(start)
    sums = sums.T.copy()
    count, first, second = sums[0], sums[1 : 1 + ndim].T, sums[1 + ndim : -2 * ndim].T
    low, high = sums[-2 * ndim : -ndim].T, sums[-ndim:].T
    if any(start):
        origin = np.array(start, np.int64)
        moved = first + count[:, None] * origin
        # (p + a)(q + b) = pq + pb + a(q + b), and q + b is the moved position.
        a, b = np.triu_indices(ndim)
        second += first[:, a] * origin[b] + origin[a] * moved[:, b]
        first, low, high = moved, low + origin, high + origin
    places = {"count": count, "sums": first, "products": second}
    return places | {"low": low, "high": high}


def _intensity_columns(intensities: Array) -> dict[str, Array]:
    total, squares, least, most, zero = intensities.T.copy()
    if intensities.dtype == np.int64:
        return {"total": total, "squares": squares, "least": least, "most": most}
    return {"least": least, "most": most, "zero": zero, "deviation": total}


def _spread(
    labels: Array,
    intensity: Array,
    box: Box,
    slots: Array,
    sums: Array,
    intensities: Array,
) -> Array:
    """Return the roots of the sums of squares about the mean, however large."""
    spread = _root(sums, intensities)
    large = ~np.isfinite(intensities[:, 1])
    small = (intensities[:, 1] < _TOO_SMALL) & (intensities[:, 2] < intensities[:, 3])
    for which, scale in zip((large, small), _SCALES, strict=True):
        if which.any():
            own = np.zeros_like(sums), np.zeros_like(intensities)
            with np.errstate(over="ignore"):  # of objects for which it is not meant
                scaled = intensity * scale
            _sum(labels, scaled, box, slots, *own)
            spread[which] = _root(*own)[which] / scale
    return spread


def _root(sums: Array, intensities: Array) -> Array:
    total, squares = intensities[:, 0], intensities[:, 1]
    count = np.maximum(sums[:, 0], 1)  # rows of absent labels are dropped later
    with np.errstate(over="ignore", invalid="ignore"):
        root: Array = np.sqrt(np.maximum(squares - total * (total / count), 0))
    return root


def is_exact(intensity: Array | None) -> bool:
    """Return whether sums are those of integers, in whichever order they are added."""
    return intensity is None or (
        intensity.dtype.kind in "biu" and intensity.dtype.itemsize <= 2
    )

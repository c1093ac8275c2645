"""What is counted at the outline of objects, voxel by voxel: adds over tiles.

The Euler number is that of objects as closed cubes (connected by corners, too): each
corner, edge, face and inside of a cube counts once, for the first voxel of the object
that has it, with the sign of its dimension. The perimeter in planes is that of
scikit-image: the length of a line through the centres of the voxels at the rim, after
Benkrid, K. and Crookes, D. "Design and FPGA implementation of a perimeter estimator",
Queen's University of Belfast, 2000.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.labelling.box import Lines, lines_of
from segkit.measurement import by_numpy, crofton
from segkit.tiling.boxes import Box

if TYPE_CHECKING:
    from segkit.arrays import Array

_PADDING = 2

STEPS = (1.0, math.sqrt(2), (1 + math.sqrt(2)) / 2)
"""How long the line is at a voxel of the rim, by kind."""
_BY_FACES = ((1, 0), (-1, 0), (0, 1), (0, -1))
_BY_CORNERS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
# The kind of a voxel, by how many of its neighbours are of the rim: by faces, corners.
_KINDS = {
    (2, 0): 0,
    (3, 0): 0,
    (2, 1): 0,
    (3, 1): 0,
    (2, 2): 0,
    (3, 2): 0,
    (0, 2): 1,
    (1, 3): 1,
    (1, 1): 2,
    (1, 2): 2,
}


@functools.cache
def _euler_of_neighbours(ndim: int) -> Array:
    """Return what a voxel adds to the Euler number, by which earlier ones are there.

    The k-th bit is the k-th of the neighbours that come earlier in raster order.
    """
    moves = [tuple(move) for move in crofton.steps(ndim)]
    earlier = {move: bit for bit, move in enumerate(moves[: len(moves) // 2])}
    bits = np.arange(2 ** len(earlier))
    added = np.zeros(len(bits), np.int64)
    for cell in moves:
        sharing = itertools.product(*((0, c) if c else (0,) for c in cell))
        mine = np.ones(len(bits), bool)
        for other in sharing:
            if other in earlier:
                mine &= (bits >> earlier[other]) & 1 == 0
        added += (-1) ** cell.count(0) * mine
    return added.astype(np.int8)


def crossings(labels: Array, lines: Lines, slots: Array, rows: int) -> Array:
    """Return how many steps of the voxels of a box leave each object, by direction."""
    moves = crofton.steps(labels.ndim)
    counts = np.zeros((rows, len(moves) // 2 + 1), np.int64)
    _count_crossings(labels, lines, slots, moves, counts)
    return counts[:, :-1]


@falls_back_on(by_numpy.count_crossings)
def _count_crossings(
    labels: Array, lines: Lines, slots: Array, moves: Array, counts: Array
) -> None:
    from segkit.measurement.outline_kernels import count_crossings

    where, steps, bits = for_kernels(labels, lines, moves)
    count_crossings(labels.reshape(-1), where, slots, steps, bits, counts)


def euler_numbers(labels: Array, lines: Lines, slots: Array, rows: int) -> Array:
    """Return what the voxels of a box add to the Euler number of each object."""
    found = np.zeros(rows, np.int64)
    _add_euler(labels, lines, slots, _euler_of_neighbours(labels.ndim), found)
    return found


def _add_euler_by_numpy(
    labels: Array, lines: Lines, slots: Array, added: Array, found: Array
) -> None:
    padded, box = _around(labels, lines.box)
    own = _neighbour(padded, box, (0,) * labels.ndim)
    moves = crofton.steps(labels.ndim)
    bits = np.zeros(own.shape, np.uint16)
    for bit, move in enumerate(moves[: len(moves) // 2]):
        bits |= (_neighbour(padded, box, move) == own).astype(np.uint16) << bit
    there = own != 0
    np.add.at(found, slots[own[there]], added[bits[there]])


@falls_back_on(_add_euler_by_numpy)
def _add_euler(
    labels: Array, lines: Lines, slots: Array, added: Array, found: Array
) -> None:
    from segkit.measurement.outline_kernels import add_by_neighbours

    moves = crofton.steps(labels.ndim)[: 3**labels.ndim // 2]
    where, steps, bits = for_kernels(labels, lines, moves)
    add_by_neighbours(labels.reshape(-1), where, slots, steps, bits, added, found)


def for_kernels(labels: Array, lines: Lines, moves: Array) -> tuple[Any, Any, Array]:
    """Return what kernels know of rows of a box and of moves, and scratch.

    See `segkit.measurement.outline_kernels`.
    """
    box, numbers, starts = lines
    first, sizes, shape = map(np.array, (box.start, box.shape, labels.shape))
    where = (starts, numbers, first, sizes, shape, shape.copy())
    jumps = moves @ (np.array(labels.strides) // labels.itemsize)
    return where, (moves, jumps), np.empty(box.shape[-1], np.uint32)


def rims(labels: Array, lines: Lines, slots: Array, rows: int) -> Array:
    """Return how many voxels of each kind the rim of each object has, shape (n, 3)."""
    found = np.zeros((rows, len(STEPS)), np.int64)
    _count_rims(labels, lines, slots, found)
    return found


def _count_rims_by_numpy(
    labels: Array, lines: Lines, slots: Array, found: Array
) -> None:
    padded, box = _around(labels, lines.box)
    inner = padded[1:-1, 1:-1]
    rim = np.zeros(padded.shape, bool)
    for y, x in _BY_FACES:
        other = padded[1 + y : padded.shape[0] - 1 + y, 1 + x : padded.shape[1] - 1 + x]
        rim[1:-1, 1:-1] |= other != inner
    rim[1:-1, 1:-1] &= inner != 0
    own, edge = (_neighbour(image, box, (0, 0)) for image in (padded, rim))
    near = []
    for moves in (_BY_FACES, _BY_CORNERS):
        count = np.zeros(own.shape, np.uint8)
        for move in moves:
            count += _neighbour(rim, box, move) & (_neighbour(padded, box, move) == own)
        near.append(count[edge])
    whose = slots[own[edge]]
    for (by_faces, by_corners), kind in _KINDS.items():
        here = (near[0] == by_faces) & (near[1] == by_corners)
        found[:, kind] += np.bincount(whose[here], minlength=len(found))


@falls_back_on(_count_rims_by_numpy)
def _count_rims(labels: Array, lines: Lines, slots: Array, found: Array) -> None:
    from segkit.measurement import outline_kernels as kernels

    # Only what it takes of the array: rims are marked in as much memory.
    box, numbers, starts = lines
    first = max(box.start[0] - _PADDING, 0)
    labels = labels[first : box.stop[0] + _PADDING]
    box = box.within(Box((first, 0), (first, 0)))
    wider = Box(
        tuple(max(start - 1, 0) for start in box.start),
        tuple(min(n + 1, m) for n, m in zip(box.stop, labels.shape, strict=True)),
    )
    near = np.zeros(wider.shape[0] + 2, np.bool_)  # those rows, and those beside them
    for aside in range(3):
        near[numbers + (box.start[0] - wider.start[0] + aside)] = True
    flat, marked = labels.reshape(-1), np.zeros(labels.size, np.uint8)
    around = lines_of(wider, labels.shape).those(near[1:-1])
    where, steps, bits = for_kernels(labels, around, np.array(_BY_FACES))
    kernels.mark_rims(flat, where, steps, bits, marked)
    lines = Lines(box, numbers, starts - first * labels.shape[1])
    where, steps, _ = for_kernels(labels, lines, np.array(_BY_FACES + _BY_CORNERS))
    kernels.count_rims(flat, marked, where, slots, steps, _kinds(), found)


@functools.cache
def _kinds() -> Array:
    """Return the kind by how many neighbours are of the rim; -1 where it is none."""
    kinds = np.full((5, 5), -1)
    for near, kind in _KINDS.items():
        kinds[near] = kind
    return kinds


def _around(labels: Array, box: Box) -> tuple[Array, Box]:
    """Return the voxels around a box, background beyond the array, and their box."""
    inner = tuple(
        slice(max(start - _PADDING, 0), stop + _PADDING)
        for start, stop in zip(box.start, box.stop, strict=True)
    )
    lacking = [
        (max(_PADDING - start, 0), max(stop + _PADDING - length, 0))
        for start, stop, length in zip(box.start, box.stop, labels.shape, strict=True)
    ]
    return np.pad(labels[inner], lacking), Box((0,) * labels.ndim, box.shape)


def _neighbour(padded: Array, box: Box, move: Array | tuple[int, ...]) -> Array:
    """Return what lies a move away from each voxel of a box."""
    found: Array = padded[
        tuple(
            slice(start + m + _PADDING, stop + m + _PADDING)
            for start, stop, m in zip(box.start, box.stop, move, strict=True)
        )
    ]
    return found

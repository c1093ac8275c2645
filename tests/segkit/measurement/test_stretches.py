"""What is read many voxels at once is what there is, wherever stretches begin and end.

Compiled loops beside what they fall back on, which has no such stretches.
"""

import numpy as np
import pytest

from segkit.measurement import (
    by_numpy,
    crofton,
    outlines,
    partial_table,
    quantiles,
    rows,
)
from segkit.tiling.boxes import Box

SHAPES = [(1, 1), (3, 15), (4, 16), (9, 33), (5, 200), (3, 4, 70), (5, 6, 17)]


def scenes(shape):
    """Yield labels with runs and gaps of all lengths, and boxes of them."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        size = int(np.prod(shape))
        lengths = rng.integers(1, (3, 20, 90)[seed % 3], size)
        values = rng.integers(0, 3, size) * rng.integers(0, 2, size)
        labels = np.repeat(values, lengths)[:size].reshape(shape).astype(np.int32)
        yield labels, Box((0,) * len(shape), shape)
        start = tuple(rng.integers(0, shape))
        stop = tuple(rng.integers(start, shape) + 1)
        yield labels, Box(start, stop)


@pytest.mark.parametrize("shape", SHAPES)
def test_runs_are_those_of_the_box(shape):
    for labels, box in scenes(shape):
        found, expected = rows._runs(labels, box), rows._runs_by_numpy(labels, box)
        for column, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(column, other)


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_those_of_the_box(shape):
    slots, width = np.arange(3, dtype=np.int32), 1 + 3 * len(shape)
    width += len(shape) * (len(shape) + 1) // 2
    for labels, box in scenes(shape):
        image = np.arange(labels.size).reshape(shape).astype(np.uint16)
        found, expected = (
            (np.zeros((3, width), np.int64), np.zeros((3, 5), np.int64))
            for _ in range(2)
        )
        partial_table._sum(labels, image, box, slots, *found)
        by_numpy.sum_box(labels, image, box, slots, *expected)
        there = expected[0][:, 0] > 0
        for own, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(own[1:][there[1:]], other[1:][there[1:]])


@pytest.mark.parametrize("shape", SHAPES)
def test_outlines_are_those_of_the_box(shape):
    slots, moves = np.arange(3, dtype=np.int32), crofton.steps(len(shape))
    added = outlines._euler_of_neighbours(len(shape))
    for labels, box in scenes(shape):
        crossings, euler = np.zeros((2, 3, len(moves) // 2 + 1)), np.zeros((2, 3), int)
        crossings = crossings.astype(np.int64)
        partial_table._count_crossings(labels, box, slots, moves, crossings[0])
        by_numpy.count_crossings(labels, box, slots, moves, crossings[1])
        np.testing.assert_array_equal(*crossings)
        outlines._add_euler(labels, box, slots, added, euler[0])
        outlines._add_euler_by_numpy(labels, box, slots, added, euler[1])
        np.testing.assert_array_equal(*euler)
        if len(shape) == 2:
            rims = np.zeros((2, 3, 3), np.int64)
            outlines._count_rims(labels, box, slots, rims[0])
            outlines._count_rims_by_numpy(labels, box, slots, rims[1])
            np.testing.assert_array_equal(*rims)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
@pytest.mark.parametrize("shape", SHAPES)
def test_intensities_are_those_of_the_box(shape, dtype):
    slots = np.arange(3, dtype=np.int32)
    for labels, box in scenes(shape):
        image = (np.arange(labels.size) % 100 - 50).reshape(shape).astype(dtype)
        own = image[box.slices]
        low = int(own.min())
        counts = np.zeros((2, 3, int(own.max()) - low + 1), np.int64)
        quantiles._count(labels, image, box, slots, low, counts[0])
        quantiles._count_by_numpy(labels, image, box, slots, low, counts[1])
        np.testing.assert_array_equal(*counts[:, 1:])

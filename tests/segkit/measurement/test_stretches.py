"""What is read many voxels at once is what there is, wherever stretches begin and end.

Compiled loops beside what they fall back on, which has no such stretches. Lines of
background may be left out.
"""

import numpy as np
import pytest

from segkit.labelling.box import lines_of
from segkit.measurement import by_numpy, crofton, outlines, partial_table
from segkit.measurement.details import quantiles, rows
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


def lines_with_objects(labels, box):
    """Return the lines of a box but those of background, of which one is kept."""
    there = labels[box.slices].any(axis=-1).reshape(-1)
    there[0] = True
    return lines_of(box, labels.shape).those(there)


SOME = pytest.mark.parametrize(
    "lines", [lambda labels, box: lines_of(box, labels.shape), lines_with_objects]
)


@SOME
@pytest.mark.parametrize("shape", SHAPES)
def test_runs_are_those_of_the_box(shape, lines):
    for labels, box in scenes(shape):
        some = lines(labels, box)
        found, expected = (
            rows.find_runs(labels, some),
            rows._runs_by_numpy(labels, some),
        )
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
        given = labels, image, box
        largest, there = partial_table._sum(*given, slots, *found)
        their_largest, others = by_numpy.sum_box(*given, slots, *expected)
        assert largest == their_largest == labels[box.slices].max()
        np.testing.assert_array_equal(there, others)
        there = expected[0][:, 0] > 0
        for own, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(own[1:][there[1:]], other[1:][there[1:]])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("way", [partial_table._sum, by_numpy.sum_box])
def test_labels_without_a_row_are_told(shape, way):
    none, width = np.empty(0, np.int32), 1 + 3 * len(shape)
    width += len(shape) * (len(shape) + 1) // 2
    for labels, box in scenes(shape):
        image = np.zeros(shape, np.uint8)
        for own, most in (labels, 2), (labels, 1), (-labels, 2):
            sums = np.zeros((most + 1, width), np.int64)
            there = np.zeros((most + 1, 5), np.int64)
            found, _ = way(own, image, box, none, sums, there)
            inside = own[box.slices]
            fits = inside.min() >= 0 and inside.max() <= most
            assert found == (inside.max() if fits else -1)


@SOME
@pytest.mark.parametrize("shape", SHAPES)
def test_outlines_are_those_of_the_box(shape, lines):
    slots, moves = np.arange(3, dtype=np.int32), crofton.steps(len(shape))
    added = outlines._euler_of_neighbours(len(shape))
    for labels, box in scenes(shape):
        some = lines(labels, box)
        crossings, euler = np.zeros((2, 3, len(moves) // 2 + 1)), np.zeros((2, 3), int)
        crossings = crossings.astype(np.int64)
        outlines._count_crossings(labels, some, slots, moves, crossings[0])
        by_numpy.count_crossings(labels, some, slots, moves, crossings[1])
        np.testing.assert_array_equal(*crossings)
        outlines._add_euler(labels, some, slots, added, euler[0])
        outlines._add_euler_by_numpy(labels, some, slots, added, euler[1])
        np.testing.assert_array_equal(*euler)
        if len(shape) == 2:
            rims = np.zeros((2, 3, 3), np.int64)
            outlines._count_rims(labels, some, slots, rims[0])
            outlines._count_rims_by_numpy(labels, some, slots, rims[1])
            np.testing.assert_array_equal(*rims)


@SOME
@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
@pytest.mark.parametrize("shape", SHAPES)
def test_intensities_are_those_of_the_box(shape, dtype, lines):
    slots = np.arange(3, dtype=np.int32)
    for labels, box in scenes(shape):
        image = (np.arange(labels.size) % 100 - 50).reshape(shape).astype(dtype)
        own = image[box.slices]
        low = int(own.min())
        counts = np.zeros((2, 3, int(own.max()) - low + 1), np.int64)
        some = lines(labels, box)
        given = labels, image, some, slots, np.array([0, 7, 9]), low
        found = quantiles._counted(*given, counts[0])
        expected = quantiles._counted_by_numpy(*given, counts[1])
        for column, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(column, other, strict=True)

"""Runs of equal labels end where they end, however many voxels are read at once."""

import numpy as np
import pytest

from segkit.labelling.runs import row_starts
from segkit.measurement.kernels import next_object, run_end
from segkit.tiling.boxes import Box

LENGTHS = [1, 2, 15, 16, 17, 18, 127, 143, 144, 145, 160, 161, 288, 289, 300, 417]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("after", [0, 1, 16, 200])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_run_ends_before_the_first_other_voxel(length, after, dtype):
    line = np.concatenate([np.full(3, 7), np.zeros(length), np.full(after, 9)])
    line = line.astype(dtype)

    assert next_object(line, 3) == run_end(line, 3, line.size) == 3 + length
    assert run_end(line + dtype(1), 3, line.size) == 3 + length
    for end in range(4, line.size):
        assert run_end(line, 3, end) == min(3 + length, end)


@pytest.mark.parametrize(
    ("shape", "start", "stop"),
    [
        ((7,), (2,), (6,)),
        ((4, 5), (1, 2), (3, 4)),
        ((4, 5, 6), (0, 0, 0), (4, 5, 6)),
        ((4, 5, 6), (1, 0, 2), (3, 5, 6)),
        ((4, 5, 6), (1, 0, 2), (3, 4, 6)),
        ((4, 5, 6), (1, 2, 3), (3, 4, 5)),
        ((4, 5, 6), (2, 0, 0), (2, 5, 6)),
        ((2, 3, 4, 5), (1, 0, 0, 0), (2, 3, 4, 5)),
        ((2, 3, 4, 5), (0, 1, 0, 0), (2, 3, 4, 5)),
    ],
)
def test_rows_of_a_box_start_where_its_first_voxels_are(shape, start, stop):
    places = np.arange(np.prod(shape)).reshape(shape)
    box = Box(start, stop)

    starts = row_starts(box, shape)

    expected = places[box.slices][..., :1].reshape(-1)
    np.testing.assert_array_equal(starts, expected)
    assert starts.dtype == np.int64

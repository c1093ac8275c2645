"""Sums of parts add up, each part once."""

import numpy as np
import pytest

from segkit.measurement.measure import measure_tile
from segkit.measurement.partial_table import combine
from segkit.tiling.cutting import tiles


def test_a_tile_that_is_there_twice_is_refused():
    labels = np.array([[1, 1, 0, 2], [0, 1, 0, 2]])
    grid = tiles(labels.shape, 2)
    parts = [measure_tile(labels[t.read.slices], t, labels.shape) for t in grid]
    assert combine(parts).voxels == combine([combine(parts[:1]), parts[1]]).voxels == 8
    assert parts[0].voxels == 4
    with pytest.raises(ValueError, match=r"12 voxels together.* each tile once"):
        combine([*parts, parts[0]])


def test_tables_of_different_images_are_not_combined():
    a, b = (measure_tile(np.ones(n, int), tiles((n,), n)[0], (n,)) for n in (4, 5))
    with pytest.raises(ValueError, match="one image"):
        combine([a, b])
    with pytest.raises(ValueError, match="at least one"):
        combine([])

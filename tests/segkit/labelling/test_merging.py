"""The tiles of a grid are merged, each of them once."""

import numpy as np
import pytest

from segkit.labelling.labels import label_tile
from segkit.labelling.merging import merge_tiles
from segkit.tiling.cutting import tiles


def test_a_missing_tile_is_noticed():
    mask = np.ones(6)
    parts = [label_tile(mask[t.write.slices], t, (6,)) for t in tiles((6,), 2)]
    with pytest.raises(ValueError, match="missing"):
        merge_tiles([part.summary for part in parts[1:]])
    with pytest.raises(ValueError, match="given twice"):
        merge_tiles([part.summary for part in [*parts, parts[0]]])


def test_planes_left_out_need_seams():
    mask = np.ones(4)
    parts = [label_tile(mask[t.write.slices], t, (4,)) for t in tiles((4,), 2)]
    with pytest.raises(ValueError, match="seams"):
        merge_tiles([part.summary.without_faces() for part in parts])

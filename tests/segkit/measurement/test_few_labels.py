"""Few labels are summed before anybody has looked for the largest: to the same end."""

import sys

import numpy as np
import pytest

import segkit
from segkit.measurement.partial_table import MOST_EXPECTED

NAMES = ["label", "bbox", "moments", "surface", "euler_number", "intensity_median"]


def labelled(largest, shape=(70, 40)):
    """Return labels, the largest of them in the last row, and intensities."""
    rng = np.random.default_rng(largest)
    labels = rng.integers(0, 200, shape) * (rng.random(shape) < 0.4)
    labels[-1, 3:5] = largest
    return labels, rng.integers(40, 90, shape, np.uint8)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("kind", [np.int32, np.uint16, np.float32])
@pytest.mark.parametrize("more", [-50, 0, 1, 40_000])
def test_no_property_depends_on_how_large_labels_are_expected(more, kind, workers):
    labels, image = labelled(MOST_EXPECTED + more)
    given = {"properties": NAMES, "workers": workers}
    narrow = labels.astype(np.int32 if kind == np.float32 else kind)
    grey = image.astype(np.float32) if kind == np.float32 else image

    found = segkit.region_properties(narrow, grey, **given)

    # Of int64, nobody knows that they fit into a table before having looked.
    expected = segkit.region_properties(labels, grey, **given)
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column)
    assert found["label"][-1] == MOST_EXPECTED + more


def test_a_negative_label_is_refused_wherever_it_is():
    for place in range(0, 2800, 97):
        labels = labelled(200)[0].astype(np.int32)
        labels.reshape(-1)[place] = -5
        with pytest.raises(ValueError, match="negative"):
            segkit.region_properties(labels)


def test_a_tile_has_the_sums_of_its_labels_however_large_these_are():
    for largest in (MOST_EXPECTED, MOST_EXPECTED + 1):
        labels, image = labelled(largest)
        grid = segkit.tiles(labels.shape, 20, halo=1)
        parts = [
            segkit.measure_tile(
                labels[tile.read.slices].astype(np.int32),
                tile,
                labels.shape,
                intensity=image[tile.read.slices],
                properties=NAMES,
            )
            for tile in grid
        ]

        table = segkit.properties_table(segkit.combine(parts), properties=NAMES)

        whole = segkit.region_properties(labels, image, properties=NAMES)
        for name, column in whole.items():
            np.testing.assert_array_equal(table[name], column)


def calls_of(run):
    """Return how many functions a call runs that are not in machine code."""
    count = 0

    def note(_frame, event, _what):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    ("name", "most"), [("area", 80), ("intensity_median", 150), ("moments", 185)]
)
def test_a_few_objects_take_few_calls(name, most):
    labels = np.zeros((12, 12, 12), np.int32)
    labels[2:5, 3:6, 4:9], labels[7:9, 7:9, 7:9] = 1, 2
    image = np.arange(labels.size, dtype=np.uint8).reshape(labels.shape)

    def run():
        return segkit.region_properties(labels, image, properties=[name], workers=1)

    run()
    assert calls_of(run) <= most


@pytest.mark.parametrize("stop", [(4, 0), (0, 4), (0, 0)])
def test_a_tile_that_owns_nothing_has_no_objects(stop):
    read, write = segkit.Box((0, 0), (4, 4)), segkit.Box((0, 0), stop)
    tile = segkit.Tile((0, 0), read, write)

    table = segkit.measure_tile(np.ones((4, 4), np.int32), tile, (4, 4))

    assert (len(table), table.voxels) == (0, 0)

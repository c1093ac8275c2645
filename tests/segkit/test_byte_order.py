"""Arrays of another byte order, as files hold them, give what native ones give."""

from __future__ import annotations

import numpy as np
import pytest

from segkit.exposure.values import convert
from segkit.filters.ranks import percentile
from segkit.filters.smoothing import gaussian, median
from segkit.labelling.labels import label, relabel_tile
from segkit.measurement.measure import region_properties
from segkit.measurement.selection import (
    clear_border,
    keep_largest,
    relabel_sequential,
    remove_small_objects,
)
from segkit.overlaps.contingency_table import contingency
from segkit.regions.region_growing import random_walker, watershed
from segkit.thresholding.nearby import ndnt

FUNCTIONS = {
    "label": label,
    "label by value": lambda array: label(array, by_value=True),
    "relabel_tile": lambda array: relabel_tile(array, array.ravel()),
    "region_properties": lambda array: region_properties(array, array),
    "region_properties, tiled": lambda array: region_properties(array, array, tile=2),
    "remove_small_objects": lambda array: remove_small_objects(array, 1),
    "relabel_sequential": relabel_sequential,
    "clear_border": clear_border,
    "keep_largest": keep_largest,
    "watershed": lambda array: watershed(array, array % 3),
    "random_walker": lambda array: random_walker(array, array * (array % 5 == 0)),
    "contingency": lambda array: contingency(array, array).voxels,
    "gaussian": lambda array: gaussian(array, 1),
    "ndnt": lambda array: ndnt(array, 3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_big_endian_arrays_give_the_same_native_arrays(name):
    function = FUNCTIONS[name]
    native = np.arange(12, dtype=np.int32).reshape(3, 4)
    swapped = native.astype(native.dtype.newbyteorder("S"))
    kept = swapped.copy()

    found, expected = _arrays(function(swapped)), _arrays(function(native))

    assert [a.dtype for a in found] == [a.dtype for a in expected]
    assert all(map(np.array_equal, found, expected))
    assert np.array_equal(swapped, kept)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u2", "i4"])
@pytest.mark.parametrize(
    "function", [lambda array: percentile(array, 30), median], ids=["rank", "median"]
)
def test_big_endian_images_of_any_kind_are_filtered_alike(function, dtype):
    native = np.arange(12, dtype=dtype).reshape(3, 4) % 5
    image = native.astype(native.dtype.newbyteorder("S"))
    found = function(image)
    assert found.dtype == image.dtype  # that of the image, as it says
    assert np.array_equal(found, function(native))


@pytest.mark.parametrize(
    "dtype", [np.float32, np.dtype("f4"), np.dtype("f4").newbyteorder("S")], ids=repr
)
def test_images_are_converted_to_dtypes_of_numpy_as_to_their_names(dtype):
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    found = convert(image, dtype)
    assert found.dtype == np.dtype("f4")
    assert np.array_equal(found, convert(image, "float32"))


def _arrays(result):
    if isinstance(result, dict):
        return list(result.values())
    return list(result) if isinstance(result, tuple) else [result]

"""Kernels paint what numpy paints, whatever the labels, the image and the threads."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from segkit import pictures
from segkit.pictures import grey_values, painting
from segkit.pictures.colouring import PALETTE

DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">i2"]
LABELS = hnp.arrays(
    np.int64,
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=12),
    elements=st.sampled_from([0, 0, 1, 2, 3, 7, 2**24 + 1, 2**62]),
)


@settings(deadline=None, max_examples=60)
@given(LABELS, st.integers(1, 3))
def test_labels_are_numbered_and_neighbours_found_as_by_numpy(labels, workers):
    numbers, last = painting.numbered(labels, 2)
    ids = np.unique(labels[labels > 0])
    expected = np.searchsorted(ids, labels) + 1
    expected[labels == 0] = 0
    assert last == ids.size
    np.testing.assert_array_equal(numbers, expected)
    np.testing.assert_array_equal(
        painting.near(numbers, last, workers),
        painting._near_by_numpy(numbers, last, workers),
    )


def test_neighbours_that_do_not_fit_at_once_are_all_found(monkeypatch):
    monkeypatch.setattr(painting, "_PAIRS", 8)
    monkeypatch.setattr(painting, "_SLOTS", 3)
    numbers = np.random.default_rng(0).integers(0, 50, (9, 10, 11)).astype(np.int32)
    expected = painting._near_by_numpy(numbers, 49, 1)
    for workers in (1, 2):
        found = painting.near(numbers, 49, workers)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("contours", [True, False])
@settings(deadline=None, max_examples=15)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99), st.integers(1, 3))
def test_objects_are_painted_as_by_numpy(
    samples, contours, height, width, seed, workers
):
    rng = np.random.default_rng(seed)
    under = rng.integers(0, 256, (height, width, samples)).astype(np.uint8)
    numbers = rng.integers(0, 4, (height, width)).astype(np.int32)
    full = np.array([(0, 0, 0), *PALETTE], np.uint8)
    tints = rng.integers(0, 256, (len(full), 3, 256)).astype(np.uint8)
    chosen = np.array([0, 5, 12, 1], np.uint8)
    call = under, numbers, chosen, tints, full if contours else full[:0], workers
    np.testing.assert_array_equal(
        painting.painted(*call), painting._painted_by_numpy(*call)
    )


def by_definition(image):
    """Return the grey values that `grey_picture` promises, by plain numpy."""
    grey = image.astype(np.float64)
    finite = grey[np.isfinite(grey)]
    if finite.size == 0:
        return np.zeros(image.shape, np.uint8)
    low, high = np.percentile(finite, [0.2, 99.8])
    if low == high:
        low, high = finite.min(), finite.max()
    if low == high:
        part = np.where(np.isnan(grey), 0.0, float(low > 0))
    else:
        part = np.clip(np.nan_to_num((grey - low) / (high - low)), 0, 1)
    return (np.sqrt(part) * 255).astype(np.uint8)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(DTYPES), st.data())
def test_grey_values_are_stretched_between_percentiles(dtype, data):
    dtype = np.dtype(dtype)
    elements = None
    if dtype.kind == "f":
        odd = st.sampled_from([np.nan, np.inf, -np.inf])
        elements = st.one_of(odd, st.integers(-99, 99).map(lambda n: n / 4))
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=20))
    image = data.draw(hnp.arrays(dtype, shape, elements=elements))
    for workers in (1, 3):
        found = grey_values.stretched(image[::-1], workers)
        np.testing.assert_array_equal(found, by_definition(image[::-1]))


def test_pictures_do_not_depend_on_threads():
    rng = np.random.default_rng(0)
    labels = np.kron(rng.integers(0, 9, (30, 40)), np.ones((11, 9), int))
    for dtype in ("u1", "u2", "i4", "f4"):
        image = (rng.random(labels.shape) * 200).astype(dtype)
        one = pictures.overlay(image, labels, workers=1)
        np.testing.assert_array_equal(pictures.overlay(image, labels, workers=3), one)
    np.testing.assert_array_equal(
        pictures.label_colours(labels, workers=2),
        pictures.label_colours(labels, workers=1),
    )

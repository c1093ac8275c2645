"""What comes compiled is all that runs on images of the usual kinds."""

from __future__ import annotations

import gc
import itertools

import numpy as np
import pytest

import segkit
from segkit.compiled import making
from segkit.compiled.fallback import can_compile
from segkit.compiled.kernels import Kernel
from segkit.workflows import packing

DTYPES = ["u1", "u2", "f4", "f8"]
SHAPES = [(40, 50), (9, 30, 40)]


def blobs(shape, dtype):
    grey = segkit.gaussian(np.random.default_rng(0).random(shape), 2)
    return (200 * (grey - grey.min()) / np.ptp(grey)).astype(dtype)


def run_all(image):
    """Run what the functions of segkit compile on an image, as they are by default."""
    segkit.try_all(image)
    segkit.gaussian(image, 1)
    for radius in (1, 5):
        segkit.median(image, radius)
    mask = segkit.ndnt(image, 11, polarity="bright")
    segkit.ndnt(image, 11, workers=2)
    hot = image.copy()
    floats = image.dtype.kind == "f"
    hot.flat[image.shape[-1]] = (
        min(1e6, float(np.finfo(image.dtype).max)) if floats else 99
    )
    segkit.ndnt(hot, 11)
    labels = segkit.label(mask, connectivity=image.ndim)
    segkit.label(mask, tile=(8, 20, 20)[-image.ndim :])
    (whole,) = segkit.tiles(image.shape, image.shape)
    segkit.merge_tiles([segkit.label_tile(mask, whole, image.shape).summary])
    segkit.label(labels, by_value=True)
    segkit.distance_transform(mask)
    segkit.h_maxima(image, 5)
    segkit.region_properties(labels, image)
    segkit.watershed(image, labels)
    by_name = ["surface", "euler_number", "feret_diameter_max", "intensity_median"]
    by_name += ["moments", "area_filled", "centroid_weighted"] + ["perimeter"] * (
        image.ndim == 2
    )
    segkit.region_properties(labels, image, properties=by_name)
    segkit.remove_small_objects(labels, 5)
    segkit.clear_border(labels)
    segkit.relabel_sequential(labels)
    segkit.overlay(image, labels)
    segkit.overlay(np.zeros((9, 9, 3), np.uint8), np.eye(9, dtype=int) * 2)
    segkit.scores(labels, labels)
    segkit.slic(image, n_segments=20)
    for most in (2**8, 2**16, 2**31):
        labels.flat[0] = most - 1
        packing.unpack(packing.pack(labels))
    few = packing.pack(labels % 2)
    packing.unpack(few, np.array([0, 7], np.uint8))  # classes
    segkit.segment_nuclei(image, **({"spacing": 1} if image.ndim == 3 else {}))


def measure_below_zero(dtype):
    """Measure as `run_all` does where there are negative values, as in tomography."""
    image = blobs((30, 40), "f4").astype(dtype) // 2 - 50
    labels = segkit.label(image > 0)
    segkit.region_properties(labels, image)
    by_name = ["intensity_mean", "intensity_median", "centroid_weighted"]
    segkit.region_properties(labels, image, properties=by_name)


def compiled():
    """Return the uses of kernels of segkit by this process so far."""
    return {
        making.Use(one.full_name, types)
        for one in gc.get_objects()
        if type(one) is Kernel and one.full_name.startswith("segkit.")
        for types, function in one._functions.items()
    }


@pytest.mark.skipif(not can_compile(), reason="numba is off")
def test_what_images_of_the_usual_kinds_need_is_listed_and_nothing_else(monkeypatch):
    for one in gc.get_objects():
        if type(one) is Kernel:
            monkeypatch.setattr(one, "_functions", {})

    for dtype, shape in itertools.product(DTYPES, SHAPES):
        run_all(blobs(shape, dtype))
    measure_below_zero("i2")

    needed, listed = compiled(), set(making.uses())
    to_add, to_remove = needed - listed, listed - needed
    lines = [f"add to uses.txt: {use.kernel} {use.arguments}" for use in to_add]
    lines += [f"remove: {use.kernel} {use.arguments}" for use in to_remove]
    assert lines == []


@pytest.mark.skipif(not can_compile(), reason="numba is off")
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "u4", "i8", "u8", "f2", "?"])
def test_what_is_of_another_dtype_needs_nothing_else(dtype, monkeypatch):
    for one in gc.get_objects():
        if type(one) is Kernel:
            monkeypatch.setattr(one, "_functions", {})

    for shape in SHAPES:
        image = (blobs(shape, "f4") / 2).astype(dtype)
        run_all(image)
        if dtype[0] == "i":
            measure_below_zero(dtype)
        if dtype[0] in "iu":
            labels = image // 20
            segkit.region_properties(labels, image)
            segkit.label(labels.astype(np.int64), by_value=True)

    assert compiled() - set(making.uses()) == set()


def test_each_line_is_a_kernel_and_stands_there_once_in_order():
    uses = making.uses()
    lines = [f"{use.kernel} {use.arguments}" for use in uses]
    assert lines == sorted(set(lines))  # so that branches meet seldom
    assert all(making._kernel(use) for use in uses)

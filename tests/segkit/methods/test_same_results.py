"""What each method gives for made images, so that no change of the kit alters it.

The methods are compared with published tables. They are built from functions of the
kit, each with tests of its own; if one of these changes in a single voxel, a digest
here changes too. Then either the change is wrong, or the tables are to be made anew.
"""

from __future__ import annotations

import hashlib
from functools import partial

import numpy as np
import pytest

from segkit.methods import classic
from segkit.methods.membranes import membrane_map, segment_cells
from segkit.methods.nuclei import segment_nuclei
from segkit.methods.splitting import split_by_shape

# (centre, radius, brightness): some touch, some are cut by the border, one is dim.
DISCS = [
    ((30, 40), 18, 90),
    ((34, 72), 17, 110),
    ((90, 30), 20, 70),
    ((80, 110), 22, 120),
    ((104, 142), 19, 100),
    ((140, 70), 16, 40),
    ((2, 150), 15, 90),
    ((156, 196), 21, 80),
    ((50, 170), 3, 120),
]
# Whole numbers throughout: the same image on every machine.
FLOOR = 20


def nuclei(shape):
    """Return bright balls on a slope with noise, and a hole in the largest."""
    grid = np.indices(shape)
    image = FLOOR + grid[-1] // 8
    for centre, radius, brightness in DISCS:
        middle = (*(n // 2 for n in shape[:-2]), *centre)
        away = sum((g - c) ** 2 for g, c in zip(grid, middle, strict=True))
        image = np.maximum(image, np.where(away <= radius**2, FLOOR + brightness, 0))
        image[away <= 2] = FLOOR
    return noisy(image)


def noisy(image):
    noise = np.random.default_rng(11).integers(-6, 7, image.shape)
    return (image + noise).astype(np.uint8)


def section():
    """Return dark lines, two of them with a gap, and a dark body in a cell."""
    y, x = np.mgrid[:120, :150]
    lines = (abs(y - 40) < 3) | (abs(x + y // 3 - 70) < 3) | (abs(x - y - 60) < 2)
    body = (y - 90) ** 2 + (x - 25) ** 2 < 60
    image = np.where(lines | body, 50, 180)
    image[20:27] = image[:, 120:126] = 180
    return noisy(image)


def slanting():
    """Return a bar along a diagonal: its ridge is flat and touches by corners only."""
    y, x = np.mgrid[:60, :60]
    return (abs(x - y) < 7) & (abs(x + y - 60) < 40)


def digest(array):
    """Return what stands for a result: dtype, shape and every voxel."""
    if array.dtype.kind == "f":  # the last bits are those of a machine's own FFT
        array = np.rint(array * 1e4).astype(np.int32)
    kind = f"{array.dtype.name} {array.shape} ".encode()
    return hashlib.sha256(kind + array.tobytes()).hexdigest()[:16]


PLANE = (160, 200)
plane = partial(nuclei, PLANE)
volume = partial(nuclei, (10, *PLANE))
solid = partial(segment_nuclei, spacing=1)
sharp = partial(segment_nuclei, sensitivity=2, edge=0.3, depth=0, focus=0)
narrow = partial(segment_cells, width=3.5)
basins = partial(segment_cells, strength=0, min_size=0)
ridges = partial(split_by_shape, spacing=(1.0, 1.0), smoothing=0.5, depth=0)
parted = partial(classic.distance_watershed, sigma=3, min_distance=8, min_size=200)
RESULTS = {
    "segment_nuclei": (segment_nuclei, plane, "c72a35939bcb80f1"),
    "segment_nuclei, volume": (solid, volume, "1cada6c72b5f7558"),
    "segment_nuclei, options": (sharp, plane, "57d5907d913b516e"),
    "segment_cells": (segment_cells, section, "c9a909d555b8ad9f"),
    "segment_cells, narrow": (narrow, section, "6be9b5f33148ff05"),
    "segment_cells, basins": (basins, section, "7528eb18e4f9e5ce"),
    "split_by_shape": (ridges, slanting, "a982c8f78b41ebf3"),
    "membrane_map": (membrane_map, section, "c0bb3ab1d80886a3"),
    "mean": (partial(classic.mean, min_size=200), plane, "5853c49a94e8273e"),
    "otsu": (partial(classic.otsu, min_size=200), plane, "28f8b4a60dde286c"),
    "rc": (partial(classic.rc, min_size=200), plane, "28f8b4a60dde286c"),
    "gaussian_mean": (classic.gaussian_mean, plane, "4ff0d95b7a440989"),
    "gaussian_otsu": (classic.gaussian_otsu, plane, "4f7c6b7f61104244"),
    "distance_watershed": (parted, plane, "e5e61b53b93d8d6d"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_method_gives_what_it_gave_when_its_tables_were_made(name):
    method, image, expected = RESULTS[name]
    assert digest(method(image())) == expected


def test_a_volume_that_shrinks_to_the_shape_of_a_picture_is_none():
    """The background is smoothed on a coarse volume, here of 18 x 18 x 3 voxels."""
    grid = np.indices((162, 162, 27))
    spots = sum((g % 54 - 27) ** 2 for g in grid[:2]) + (grid[2] - 13) ** 2 <= 25
    assert segment_nuclei(100 * spots, axes="zyx").max() == 9

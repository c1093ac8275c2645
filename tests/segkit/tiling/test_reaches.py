"""Reaches are declared right, and probing finds those that are not."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import ndimage

from segkit import filters, morphology, thresholding
from segkit.tiling.reaches import (
    HaloWarning,
    check_halo,
    declare_reach,
    probe_reach,
    reach,
)

FUNCTIONS = [
    partial(thresholding.ndnt, shape=(5, 8)),
    partial(thresholding.ndnt, shape=(5, 8), window="florin"),
    partial(thresholding.local_threshold, shape=5, method="mean"),
    partial(filters.gaussian, sigma=(1.5, 0.5)),
    partial(filters.median, radius=(1, 2)),
    partial(filters.uniform, shape=(3, 6)),
    partial(filters.subtract_background, radius=2),
    partial(filters.subtract_background, radius=1, method="gaussian"),
    partial(filters.subtract_background, radius=3, method="ball"),
    partial(filters.distance_transform, limit=4, spacing=(1, 2)),
    partial(morphology.erosion, radius=(3, 1)),
    partial(morphology.opening, radius=2, shape="box"),
    partial(morphology.black_tophat, radius=(1, 2)),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_reaches_further_than_it_declares(function):
    declared = reach(function, 2)
    seen = probe_reach(function, 2, size=25)
    assert all(s <= d for s, d in zip(seen, declared, strict=True))


@pytest.mark.parametrize(
    ("function", "halo"),
    [
        (partial(morphology.erosion, radius=(3, 1)), (3, 1)),
        (partial(filters.median, radius=(1, 2)), (1, 2)),
        (partial(ndimage.uniform_filter, size=7), (3, 3)),
        (partial(ndimage.convolve1d, weights=[1, 0, 0, 0, 1], axis=1), (0, 2)),
    ],
)
def test_probing_sees_the_whole_reach(function, halo):
    assert probe_reach(function, 2) == halo


@pytest.mark.parametrize("function", [morphology.opening, morphology.closing])
@pytest.mark.parametrize("ndim", [2, 3])
def test_probing_masks_sees_as_far_as_probing_grey_images(function, ndim):
    declared = reach(function, ndim, radius=2)
    seen = probe_reach(partial(function, radius=2), ndim, dtype=bool, size=21)
    assert seen == declared


def test_nan_that_stays_nan_is_no_reach():
    def logarithm(image):
        return np.log(image, out=np.full(image.shape, np.nan), where=image > 0)

    assert probe_reach(logarithm, 2) == (0, 0)
    assert check_halo(logarithm, 0, 2) == (0, 0)


def test_nan_that_comes_or_goes_is_seen():
    def between(image):
        around = ndimage.maximum_filter(image, 5)
        return np.where(around > 128, np.nan, 1.0)

    assert probe_reach(between, 2) == (2, 2)


def test_probing_works_in_three_dimensions():
    assert probe_reach(partial(ndimage.maximum_filter, size=3), 3, size=11) == (1, 1, 1)


def test_a_halo_that_is_large_enough_does_not_warn():
    assert check_halo(partial(morphology.dilation, radius=2), 2, 2) == (2, 2)


def test_a_halo_that_is_too_small_warns():
    with pytest.warns(HaloWarning, match=r"dilation reaches \(2, 2\) voxels"):
        check_halo(partial(morphology.dilation, radius=2), (2, 1), 2)


def test_unlimited_reach_shows_as_far_as_the_probe_goes():
    with pytest.warns(HaloWarning, match="further than the halo"):
        check_halo(ndimage.binary_fill_holes, 3, 2, dtype=bool)


def test_parameters_of_a_partial_and_of_the_call_are_joined():
    bound = partial(filters.gaussian, sigma=3)
    assert reach(bound, 1) == (12,)
    assert reach(bound, 1, truncate=2) == (6,)


def test_a_window_relative_to_the_image_has_no_reach():
    with pytest.raises(ValueError, match="give its shape in voxels"):
        reach(thresholding.ndnt, 2)


@pytest.mark.parametrize(
    "function",
    [morphology.fill_holes, morphology.h_maxima, thresholding.hysteresis],
)
def test_functions_of_unlimited_reach_say_so(function):
    assert reach(function, 3) is None


def test_own_functions_declare_their_reach():
    @declare_reach(lambda ndim, *, steps: (steps,) * ndim)
    def smear(image, *, steps=2):
        return image

    assert reach(smear, 2) == (2, 2)
    assert reach(partial(smear, steps=5), 1) == (5,)


def test_probing_leaves_no_trace_in_the_image_it_made():
    seen = []

    def watch(image):
        seen.append(image.copy())
        image[:] = 0
        return image

    probe_reach(watch, 1, size=9)
    assert any(image.any() for image in seen)
    assert np.asarray(seen[0]).any()

"""Derivatives, ridges, edges, ranks and blobs: as the reference libraries have them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage
from skimage import feature, filters as peers

import segkit
from segkit.filters import derivatives

SHAPES = [(31, 42), (17, 20, 23)]


def grey(shape, dtype="float64"):
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.random(shape), 1.2)
    return ((smooth - smooth.min()) / np.ptp(smooth) * 200).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "close"), [("uint8", 1e-9), ("float32", 1e-5)])
@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_ridges_are_those_of_scikit_image(shape, dtype, close, polarity):
    image = grey(shape, dtype)
    black = polarity == "dark"
    found = segkit.sato(image, (1, 2.5), polarity=polarity)
    np.testing.assert_allclose(
        found, peers.sato(image, (1, 2.5), black_ridges=black), close, close
    )
    for gamma in (None, 15.0):
        options = {"alpha": 0.4, "beta": 0.7, "gamma": gamma}
        found = segkit.frangi(image, (1, 2.5), polarity=polarity, **options)
        expected = peers.frangi(image, (1, 2.5), black_ridges=black, **options)
        np.testing.assert_allclose(found, expected, atol=close)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("shape", SHAPES)
def test_eigenvalues_are_those_of_scikit_image(shape):
    image = grey(shape)
    elements = feature.hessian_matrix(
        image, 1.5, mode="reflect", use_gaussian_derivatives=True
    )
    expected = feature.hessian_matrix_eigvals(elements)
    found = segkit.hessian_eigenvalues(image, 1.5)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    for which in (0, -1):
        one = segkit.hessian_eigenvalues(image, 1.5, which=which)
        np.testing.assert_array_equal(one, found[which])


def ball(radius, spacing):
    """Return a bright ball of that radius in voxels of that size."""
    half = [int(3 * radius / step) for step in spacing]
    place = np.ogrid[tuple(slice(-h, h + 1) for h in half)]
    squared = sum((p * s) ** 2 for p, s in zip(place, spacing, strict=True))
    inside = 1 / (1 + np.exp((np.sqrt(squared) - radius) / 0.3))  # a soft rim
    return 100 * inside, tuple(half)


def test_scales_are_lengths_whatever_the_spacing():
    cubic, centre = ball(4, (1, 1, 1))
    flat, middle = ball(4, (2, 1, 1))
    for function in (
        lambda image, spacing: segkit.laplacian_of_gaussian(image, 2, spacing=spacing),
        lambda image, spacing: segkit.hessian_eigenvalues(image, 2, spacing=spacing)[0],
    ):
        found = function(flat, (2, 1, 1))[middle]
        assert found == pytest.approx(function(cubic, None)[centre], rel=0.02)
    (place,) = np.argwhere(segkit.blobs(flat, [1, 1.5, 2, 3], 60, spacing=(2, 1, 1)))
    assert tuple(place) == middle


@pytest.mark.parametrize("method", ["log", "dog"])
def test_blobs_have_their_place_and_size(method):
    image = np.zeros((80, 120))
    y, x = np.ogrid[:80, :120]
    discs = {(20, 25): 5, (50, 80): 9}
    for (cy, cx), radius in discs.items():
        image[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = 100
    scales = np.arange(2, 10, 0.5)
    found = segkit.blobs(image, scales, 40, method=method)
    assert {tuple(place) for place in np.argwhere(found).tolist()} == set(discs)
    for place, radius in discs.items():
        if method == "log":
            assert abs(found[place] - radius / np.sqrt(2)) <= 0.5
    dark = segkit.blobs(255 - image, scales, 40, method=method, polarity="dark")
    np.testing.assert_array_equal(dark, found)


def test_blobs_at_one_scale_are_peaks_of_the_laplacian():
    image = grey((40, 50))
    filtered = -4 * ndimage.gaussian_laplace(image, 2)
    found = segkit.blobs(image, 2, 5) > 0
    np.testing.assert_array_equal(found, segkit.peaks(filtered, threshold=5))


@pytest.mark.parametrize("method", ["sobel", "scharr", "prewitt", "roberts"])
def test_edges_are_those_of_scikit_image(method):
    image = grey((20, 30), "uint8")
    expected = getattr(peers, method)(image.astype(float))
    np.testing.assert_allclose(segkit.edges(image, method), expected)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16", "float64"])
@pytest.mark.parametrize("percent", [0, 30, 100])
def test_percentiles_are_those_of_scipy(dtype, percent):
    image = grey((15, 20)) > 90 if dtype == "bool" else grey((15, 20), dtype)
    plain = image.astype(float)
    expected = ndimage.percentile_filter(plain, percent, size=(3, 5), mode="nearest")
    found = segkit.percentile(image, percent, (1, 2))
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found, expected.astype(dtype))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: segkit.sato(i, []), "sigmas is empty"),
        (lambda i: segkit.sato(i, 0), "sigmas is 0, but must be a finite number"),
        (lambda i: segkit.sato(i, 10**30), "must be at most 100000; give it in units"),
        (lambda i: segkit.sato(i[0], 1), "is for images of 2 or 3 axes, not for 1"),
        (lambda i: segkit.sato(i, 1, polarity="up"), "unknown polarity 'up'"),
        (lambda i: segkit.frangi(i, 1, gamma=-1), "gamma is -1"),
        (lambda i: segkit.frangi(i, 1, spacing=(1, 0)), "give positive distances"),
        (lambda i: segkit.hessian_eigenvalues(i, 1, which=2), "which is 2.*give -2 to"),
        (lambda i: segkit.blobs(i, 1, float("nan")), "threshold is nan"),
        (lambda i: segkit.edges(i, "canny"), "unknown method 'canny'"),
        (lambda i: segkit.edges(i[None], "roberts"), "is for planes, not for 3 axes"),
        (lambda i: segkit.canny(i, 3, 2), "low is 3, above high, 2"),
        (lambda i: segkit.canny(i[None], 1, 2), "canny is for planes, not for 3"),
        (lambda i: segkit.percentile(i, 101), "percent is 101, but must be from 0"),
        (lambda i: segkit.percentile(i.astype(int) + 2**60, 1), "beyond 2\\*\\*53"),
        (lambda i: segkit.sato(i * np.nan, 1), "NaN or infinite"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call(grey((6, 7)))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(50,), (33, 47), (9, 20, 31), (1, 8), (3, 1, 7)])
def test_lines_filtered_in_threads_are_those_of_scipy_to_the_bit(shape, dtype):
    image = np.random.default_rng(0).normal(size=shape).astype(dtype)
    scales = [1.3] * image.ndim, [2, 1e-16, 0.7][: image.ndim], [1e-17] * image.ndim

    for orders, sigmas in itertools.product(np.ndindex(*[3] * image.ndim), scales):
        expected = ndimage.gaussian_filter(image, sigmas, order=orders, truncate=4)
        for threads in (1, 2, 3):
            found = derivatives._filtered(image, sigmas, orders, 4, threads)
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == dtype

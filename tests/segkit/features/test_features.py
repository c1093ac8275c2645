"""Features of regions: the same for any tiles, those of the libraries, NaN as said."""

from __future__ import annotations

from typing import get_args

import mahotas
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from skimage import feature

import segkit
from segkit.features import (
    BinaryPatterns,
    FilterBank,
    Haralick,
    Intensities,
    Shapes,
    ThresholdAdjacency,
    VesselMaps,
    WordCounts,
    Zernike,
    image_features,
    pixel_features,
    region_features,
    surf_descriptors,
    vocabulary,
)
from segkit.features.bank import Filter
from segkit.partitions import grid_regions, labelled_regions, window_regions

EVERY = ("gaussian", "contrast", "gradient", "laplacian", "hessian", "structure")
WORDS = vocabulary(
    [np.random.default_rng(0).normal(size=(40, 64)) for _ in range(2)], 5, seed=1
)
FAMILIES = [
    Intensities(),
    Shapes(),
    FilterBank((0.7, 1.5), (*EVERY, "gabor"), directions=3),
    VesselMaps((2, 4)),
    Haralick((1, 2), levels=8),
    BinaryPatterns(radius=1.5, points=6),
    ThresholdAdjacency(),
    Zernike(4),
    WordCounts(WORDS, spacing=4, scales=(0.5,)),
]


def image(shape=(40, 52), seed=0, dtype=np.uint8):
    random = np.random.default_rng(seed)
    smooth = segkit.gaussian(random.random(shape), 1.2)
    scaled = (smooth - smooth.min()) / max(float(np.ptp(smooth)), 1e-9)
    return (255 * scaled).astype(dtype)


def partition(kind, shape, seed=0):
    random = np.random.default_rng(seed)
    if kind == "labels":
        return labelled_regions(
            random.integers(0, 2, shape) + (np.indices(shape)[0] > 20)
        )
    if kind == "windows":
        points = random.integers(0, shape, (5, 2))
        return window_regions(points, shape, 13)
    return grid_regions(shape, 16)


@settings(max_examples=12, deadline=None)
@given(
    kind=st.sampled_from(["labels", "windows", "grid"]),
    tile=st.tuples(st.integers(5, 40), st.integers(5, 40)),
    dtype=st.sampled_from([np.uint8, np.float64]),
    seed=st.integers(0, 99),
)
def test_features_are_the_same_for_any_tiles(kind, tile, dtype, seed):
    picture = image(seed=seed, dtype=dtype)
    regions = partition(kind, picture.shape, seed)
    whole = region_features(picture, regions, FAMILIES)
    tiled = region_features(picture, regions, FAMILIES, tile=tile, workers=2)
    assert list(whole) == list(tiled)
    for name, column in whole.items():
        np.testing.assert_array_equal(tiled[name], column, err_msg=name)


@pytest.mark.parametrize("sigma", [0.1, 0.34, 0.5, 1.1])
@pytest.mark.parametrize("one", get_args(Filter))
def test_small_filters_reach_as_far_as_they_say(one, sigma):
    families = [FilterBank((sigma,), (one,))]
    regions = partition("grid", (40, 52))
    whole = region_features(image(), regions, families)
    tiled = region_features(image(), regions, families, tile=9)
    for name, column in whole.items():
        np.testing.assert_array_equal(tiled[name], column, err_msg=name)


def test_every_column_has_a_name_of_its_own_and_floats():
    table = region_features(image(), partition("grid", (40, 52)), FAMILIES)
    assert table["label"].dtype == np.int64
    assert all(c.dtype == np.float64 for n, c in table.items() if n != "label")
    assert len(table) == 1 + 9 + 7 + 40 + 4 + 26 + 8 + 54 + 9 + 5


def test_summaries_are_means_and_deviations_of_the_maps():
    bank = FilterBank((2,), ("gaussian", "hessian"))
    regions = partition("labels", (40, 52))
    table = region_features(image(), regions, [bank])
    maps = pixel_features(image(), [bank])
    for name, one in zip(bank.names(), maps, strict=True):
        for place, region in enumerate(regions.ids):
            values = one[regions.labels == region]
            assert table[f"{name}_mean"][place] == pytest.approx(values.mean())
            assert table[f"{name}_std"][place] == pytest.approx(values.std())


def test_hessian_eigenvalues_are_those_of_scikit_image():
    grey = image(dtype=np.float64)
    maps = pixel_features(grey, [FilterBank((2,), ("hessian",))])
    matrix = feature.hessian_matrix(
        grey, 2, mode="reflect", order="rc", use_gaussian_derivatives=True
    )
    theirs = np.array(feature.hessian_matrix_eigvals(matrix))
    inner = (slice(None), slice(12, -12), slice(12, -12))
    np.testing.assert_allclose(maps[inner] / 4, theirs[inner], atol=0.2)
    assert np.corrcoef(maps[inner].ravel(), theirs[inner].ravel())[0, 1] > 0.99


def test_eigenvalues_in_a_volume_are_ordered_and_have_the_trace():
    volume = image((12, 14, 16), dtype=np.float64)
    bank = FilterBank((1,), ("hessian", "laplacian"), axes=3)
    *values, trace = pixel_features(volume, [bank])
    assert (values[0] >= values[1]).all()
    assert (values[1] >= values[2]).all()
    assert np.corrcoef(sum(values).ravel(), trace.ravel())[0, 1] > 0.95


def test_a_dark_line_has_a_large_first_eigenvalue():
    grey = np.full((30, 30), 100.0)
    grey[:, 15] = 0
    first, second = pixel_features(grey, [FilterBank((2,), ("hessian",))])
    assert first[15, 15] == first[15].max() > 10
    assert abs(second[15, 15]) < 0.1


def test_haralick_of_a_box_is_that_of_mahotas():
    picture = (image() // 8).astype(np.uint8)
    picture.flat[:2] = 0, 31
    table = region_features(
        picture, grid_regions((40, 52), (40, 52)), [Haralick((2,), 32)]
    )
    levels = ((picture - 0.0) * (32 / 31)).clip(0, 31).astype(np.uint8) + 1
    theirs = mahotas.features.haralick(
        levels, ignore_zeros=True, distance=2, return_mean=True
    )
    ours = [table[name][0] for name in Haralick((2,)).names()]
    np.testing.assert_allclose(ours, theirs)


def test_binary_patterns_are_shares_of_those_of_scikit_image():
    family = BinaryPatterns(radius=2, points=8)
    table = region_features(image(), grid_regions((40, 52), (40, 52)), [family])
    codes = feature.local_binary_pattern(image(), 8, 2, method="uniform").astype(int)
    shares = np.bincount(codes.ravel(), minlength=10) / codes.size
    np.testing.assert_allclose([table[n][0] for n in family.names()], shares)


def test_zernike_moments_are_those_of_mahotas():
    picture = image((30, 30))
    found = image_features(picture, [Zernike(6)])
    low = float(picture.min())
    theirs = mahotas.features.zernike_moments(picture - low, np.hypot(30, 30) / 2, 6)
    np.testing.assert_allclose(list(found.values()), theirs)


def test_shapes_are_those_of_region_properties():
    labels = np.zeros((30, 30), int)
    labels[3:9, 4:20], labels[15:28, 10:17] = 4, 9
    table = region_features(labels, labelled_regions(labels), [Shapes()])
    theirs = segkit.region_properties(labels, properties=list(Shapes().properties))
    for name in Shapes().properties:
        np.testing.assert_allclose(table[f"shape_{name}"], theirs[name])


def test_what_is_not_defined_is_nan_and_nothing_else():
    even = np.full((24, 24), 9, np.uint8)
    even[0, 0] = 200
    corner = grid_regions((24, 24), 8).only([8])  # black, too small for words
    table = region_features(even, corner, FAMILIES)
    undefined = {name for name, column in table.items() if np.isnan(column).any()}
    assert {name.partition("_")[0] for name in undefined} == {"tas", "word", "zernike"}
    one = labelled_regions(np.pad([[1]], 5))
    single = region_features(image((11, 11)), one, [Haralick((1,))])
    assert np.isnan(single["haralick_contrast_1"]).all()


def test_words_tell_stripes_from_spots():
    y, x = np.indices((80, 80))
    stripes = (128 + 100 * np.sin(x)).astype(np.uint8)
    spots = (128 + 100 * np.sin(x) * np.sin(y)).astype(np.uint8)
    found = [surf_descriptors(one, scales=(1.0,))[0] for one in (stripes, spots)]
    words = vocabulary(found, 4, seed=0)
    np.testing.assert_array_equal(words, vocabulary(found, 4, seed=0))
    shares = [
        list(image_features(one, [WordCounts(words, scales=(1.0,))]).values())
        for one in (stripes, spots)
    ]
    assert sum(shares[0]) == pytest.approx(1)
    assert np.abs(np.subtract(*shares)).sum() > 1


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ([], "families are empty"),
        (Zernike(), "families are Zernike"),
        ([Intensities(), Intensities((0.5,))], "intensity_mean twice"),
        (["haralick"], "no family"),
        ([FilterBank((1,), axes=3)], "axes=2"),
        ([Shapes(("centroid",))], "more than one number"),
    ],
)
def test_families_that_cannot_be_are_told(families, message):
    with pytest.raises((TypeError, ValueError), match=message):
        region_features(image(), partition("grid", (40, 52)), families)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FilterBank(()), "is empty"),
        (lambda: FilterBank((0,)), "sigma is 0"),
        (lambda: FilterBank((1,), ("sobel",)), "unknown filter"),
        (lambda: FilterBank((1,), ("gabor",), axes=3), "'gabor' is for"),
        (lambda: Haralick(()), "distances are empty"),
        (lambda: Haralick((0,)), "distance is 0"),
        (lambda: Haralick(levels=256), "at most 255"),
        (lambda: BinaryPatterns(radius=0), "radius is 0"),
        (lambda: Intensities((2,)), "fraction"),
        (lambda: VesselMaps(()), "widths are empty"),
        (lambda: vocabulary([np.zeros((2, 64))], 3, seed=0), "2 descriptors for 3"),
        (lambda: pixel_features(image(), [Haralick()]), "makes no image"),
        (
            lambda: region_features(image(), grid_regions((4, 4), 2), [Zernike()]),
            "they differ",
        ),
        (
            lambda: region_features(
                np.zeros((4, 4, 4)), grid_regions((4, 4, 4), 2), [Zernike()]
            ),
            "two axes",
        ),
    ],
)
def test_what_cannot_be_is_told(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()

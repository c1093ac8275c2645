"""Properties that take more than sums: scikit-image's values, on any tiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage
from skimage.measure import regionprops_table

import segkit
from segkit import Pipeline
from segkit.compiled import fallback
from segkit.measurement import shapes
from segkit.measurement.measure import measure_tile, properties_table, region_properties
from segkit.measurement.partial_table import combine
from segkit.pipeline import label, regionprops, tile as cut
from segkit.tiling.cutting import tiles
from segkit.workflows.table_work import tabulate

QUANTILES = [f"intensity_{name}" for name in ("median", "q5", "q25", "q75", "q95")]
WEIGHTED = [
    "centroid_weighted",
    "centroid_weighted_local",
    *(f"moments_weighted{kind}" for kind in ("", "_central", "_normalized")),
]
IN_SPACE = [
    "label",
    "area_filled",
    "euler_number",
    "area_convex",
    "solidity",
    "feret_diameter_max",
    "moments",
    "moments_central",
    "moments_normalized",
    "area_bbox",
    "centroid_local",
    "inertia_tensor",
    "inertia_tensor_eigvals",
    *QUANTILES,
    *WEIGHTED,
]
IN_PLANES = [*IN_SPACE, "perimeter", "moments_hu", "moments_weighted_hu"]


def names_for(labels):
    return IN_PLANES if labels.ndim == 2 else IN_SPACE


def smooth_labels(shape, seed=0, share=0.2, sigma=1.5):
    rng = np.random.default_rng(seed)
    values = ndimage.gaussian_filter(rng.random(shape), sigma)
    return segkit.label(values > np.quantile(values, 1 - share))


@st.composite
def cases(draw):
    ndim = draw(st.integers(2, 3))
    shape = tuple(draw(st.integers(1, 14 if ndim == 2 else 7)) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    few = rng.integers(1, 4, shape)  # of several pieces, with gaps
    labels = few * (rng.random(shape) < draw(st.sampled_from([0.1, 0.5, 0.9])))
    labels *= draw(st.sampled_from([1, 9_000_000]))
    dtype = draw(st.sampled_from(["u1", "i2", "f4", "u4"]))
    # Of floats that are whole numbers, weighted sums are exact, too.
    return labels, (rng.random(shape) * 99).astype("i2").astype(dtype), rng


@settings(max_examples=30, deadline=None)
@given(case=cases(), data=st.data())
def test_tiled_equals_whole_to_the_last_bit(case, data):
    labels, image, rng = case
    names = names_for(labels)
    whole = region_properties(labels, image, properties=names, workers=1)
    size = [data.draw(st.integers(2, 9)) for _ in labels.shape]
    parts = [
        measure_tile(
            labels[t.read.slices],
            t,
            labels.shape,
            intensity=image[t.read.slices],
            properties=names,
        )
        for t in tiles(labels.shape, size, halo=2)
    ]
    parts = [parts[k] for k in rng.permutation(len(parts))]
    half = len(parts) // 2
    groups = [combine(some) for some in (parts[:half], parts[half:]) if some]
    found = properties_table(combine(groups), properties=names)
    tiled = region_properties(labels, image, properties=names, tile=size)
    for table in (found, tiled):
        assert list(table) == list(whole)
        for name, column in whole.items():
            np.testing.assert_array_equal(table[name], column, err_msg=name)


@pytest.mark.parametrize("shape", [(90, 110), (26, 30, 34)])
@pytest.mark.parametrize("kind", ["smooth", "noise"])
def test_values_are_those_of_scikit_image(shape, kind):
    labels = smooth_labels(shape)
    if kind == "noise":
        rng = np.random.default_rng(0)
        labels = segkit.label(rng.random(shape) < 0.5, connectivity=1)[:25]
    image = (np.random.default_rng(0).random(labels.shape) * 200).astype(np.uint8) + 1
    names = [name for name in names_for(labels) if not name.startswith("intensity_q")]
    found = region_properties(labels, image, properties=names)
    high = 3 * labels.ndim
    if labels.ndim == 3:  # it has no hull of what is flat
        round_ = found["area_bbox"] == 0
        for number, box in enumerate(ndimage.find_objects(labels)):
            own = np.argwhere(labels[box] == number + 1)
            round_[number] = np.linalg.matrix_rank(own - own[0]) == labels.ndim
        kept = segkit.keep_ids(labels, found["label"][round_])
        found = region_properties(kept, image, properties=names)
        labels = kept
        high = 6
    expected = regionprops_table(labels, image, properties=names)
    assert list(found) == list(expected)
    for name, column in expected.items():
        scale = float(np.nanmax(np.abs(column), initial=1))
        np.testing.assert_allclose(
            found[name], column, rtol=1e-7, atol=scale * 10.0**-high, err_msg=name
        )


def test_quantiles_are_those_of_numpy():
    labels = smooth_labels((30, 40))
    for dtype in ("u1", "f4"):
        image = np.random.default_rng(0).normal(0, 50, labels.shape)
        image = image.clip(0 if dtype[0] == "u" else -200, 200).astype(dtype)
        table = region_properties(labels, image, properties=["label", *QUANTILES])
        for name, share in zip(QUANTILES, (0.5, 0.05, 0.25, 0.75, 0.95), strict=True):
            expected = [
                np.quantile(image[labels == one].astype(float), share)
                for one in table["label"]
            ]
            np.testing.assert_allclose(table[name], expected, rtol=1e-12)


def scattered(shape, share):
    return np.uint16(np.random.default_rng(0).random(shape) < share)


def ball(radius):
    """Return labels with one object, whose hull has thousands of faces."""
    squares = (np.indices((2 * radius + 1,) * 3) - radius) ** 2
    return (squares.sum(axis=0) <= radius**2).astype(int)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (smooth_labels((12, 14, 16)), ["euler_number", "feret_diameter_max"]),
        (smooth_labels((30, 40)), ["euler_number", "area_convex"]),
        (smooth_labels((12, 14, 16)), ["moments_central", "area_convex"]),
        (scattered((9, 11, 13), 0.02), ["euler_number", "area_convex"]),
        (scattered((1, 30, 5), 0.1), ["euler_number", "area_convex"]),
        (ball(24), ["area_convex"]),
    ],
)
def test_shapes_without_compiled_code_are_the_same(labels, names, monkeypatch):
    expected = region_properties(labels, properties=names)
    monkeypatch.setattr(fallback, "can_compile", lambda: False)
    found = region_properties(labels, properties=names)
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column, err_msg=name)


def test_objects_too_long_for_whole_numbers_have_hulls():
    labels = np.ones((2, 3, 2**15 + 1), int)
    assert region_properties(labels, properties=["solidity"])["solidity"] == [1]


def test_flat_objects_in_space_have_hulls():
    labels = np.zeros((3, 9, 9), int)
    labels[1, 2:5, 3:8] = 1  # a plate
    labels[0, 7, 1] = 2  # a voxel
    labels[2, [1, 2, 3], [1, 2, 3]] = 3  # a diagonal
    table = region_properties(labels, properties=["solidity", "feret_diameter_max"])
    np.testing.assert_allclose(table["solidity"], 1)
    assert table["feret_diameter_max"][1] == 1
    assert table["feret_diameter_max"][0] == pytest.approx((25 + 4) ** 0.5)


def test_the_holes_of_objects_are_counted():
    labels = np.ones((7, 7), int)
    labels[2, 2] = labels[4, 4] = 0
    assert region_properties(labels, properties=["euler_number"])["euler_number"] == -1
    ball = np.ones((5, 5, 5), int)
    ball[2, 2, 2] = 0
    assert region_properties(ball, properties=["euler_number"])["euler_number"] == 2


def hollow(shape, seed):
    """Return objects of several pieces, with holes that others, or nothing, lie in."""
    rng = np.random.default_rng(seed)
    rims = ndimage.gaussian_filter(rng.random(shape), 1.5)
    rims = abs(rims - np.median(rims)) < (0.02 if len(shape) == 2 else 0.03)
    some = segkit.label(ndimage.gaussian_filter(rng.random(shape), 4) > 0.5)
    return np.where(rims, 1 + some % 3, 4 * (rng.random(shape) < 0.2)).astype(int)


@pytest.mark.parametrize("shape", [(80, 150), (24, 26, 40), (1, 70, 90), (60, 1)])
@pytest.mark.parametrize("seed", range(4))
def test_holes_are_filled_as_by_scipy_whatever_lies_in_them(shape, seed, monkeypatch):
    labels = hollow(shape, seed)
    names = ["label", "area_filled"]
    found = region_properties(labels, properties=names)["area_filled"]
    ids, sizes = np.unique(labels[labels > 0], return_counts=True)
    masks = [labels == one for one in ids]
    filled = [ndimage.binary_fill_holes(m, np.ones((3,) * m.ndim)) for m in masks]
    expected = np.array([mask.sum() for mask in filled])
    np.testing.assert_array_equal(found, expected)
    assert 1 in shape or (expected > sizes).any()
    tiled = region_properties(labels, properties=names, tile=7)["area_filled"]
    np.testing.assert_array_equal(tiled, found)
    monkeypatch.setattr(fallback, "can_compile", lambda: False)
    plain = region_properties(labels, properties=names, spacing=2)["area_filled"]
    np.testing.assert_array_equal(plain, found * 2 ** len(shape))


@pytest.mark.parametrize("kept", [[], [1], [2], [1, 2]])
def test_objects_that_a_filter_left_are_measured_without_the_others(kept):
    labels = np.zeros((9, 20), int)
    labels[1:6, 1:6], labels[2:5, 2:5], labels[1:6, 8:13] = 1, 0, 2
    image = labels.astype(np.uint8)
    names = names_for(labels)
    (whole,) = tiles(labels.shape, labels.shape)
    sums = measure_tile(labels, whole, labels.shape, intensity=image, properties=names)
    lookup = np.array([k if k in kept else 0 for k in range(3)])
    found = tabulate(sums, (lookup,), {"properties": names, "spacing": (1.0, 1.0)})
    every = region_properties(labels, image, properties=names)
    for name, column in found.items():
        np.testing.assert_array_equal(column, every[name][[k - 1 for k in kept]])


def test_weights_of_16_bits_are_exact_in_long_objects():
    image = np.full((2, 5000), 65_535, np.uint16)
    labels, names = np.ones(image.shape, int), ["moments_weighted"]
    found = region_properties(labels, image, properties=names, tile=999)
    for power in range(4):
        exact = sum(x**power for x in range(5000)) * 2 * 65_535
        assert found[f"moments_weighted-0-{power}"] == pytest.approx(exact, rel=1e-15)
        assert exact > 2**53 or found[f"moments_weighted-0-{power}"] == exact


def test_objects_without_weight_have_no_weighted_centre():
    labels, image = np.array([[1, 1, 2]]), np.array([[0, 0, 4]], np.uint8)
    names = ["centroid_weighted", "moments_weighted", "moments_weighted_normalized"]
    table = region_properties(labels, image, properties=names)
    np.testing.assert_array_equal(table["centroid_weighted-1"], [np.nan, 2])
    np.testing.assert_array_equal(table["moments_weighted-0-0"], [0, 4])
    assert np.isnan(table["moments_weighted_normalized-0-2"][0])


def test_weighted_places_follow_the_spacing():
    labels = smooth_labels((14, 20, 40))
    image = np.random.default_rng(0).random(labels.shape) + 1
    expected = regionprops_table(
        labels, image, properties=WEIGHTED, spacing=(3, 0.5, 0.25)
    )
    found = region_properties(
        labels, image, properties=WEIGHTED, spacing=(3, 0.5, 0.25)
    )
    for name, column in expected.items():
        scale = float(np.nanmax(np.abs(column), initial=1))
        np.testing.assert_allclose(
            found[name], column, rtol=1e-7, atol=scale * 1e-8, err_msg=name
        )


def test_lengths_follow_the_spacing():
    labels = smooth_labels((14, 20, 24))
    names = ["depth", "depth_physical", "width_physical", "feret_diameter_max"]
    plain = region_properties(labels, properties=names)
    spaced = region_properties(labels, properties=names, spacing=(3, 0.5, 0.5))
    np.testing.assert_array_equal(spaced["depth_physical"], 3 * plain["depth"])
    half = region_properties(labels, properties=names, spacing=0.5)
    np.testing.assert_allclose(
        half["feret_diameter_max"], plain["feret_diameter_max"] / 2
    )
    assert (spaced["feret_diameter_max"] >= spaced["depth_physical"]).all()


def test_a_long_object_has_exact_moments():
    labels = np.zeros((2, 60_000), int)
    labels[0, 7:] = 1
    table = region_properties(labels, properties=["moments_central"])
    n = 60_000 - 7
    assert table["moments_central-0-2"][0] == pytest.approx(n * (n * n - 1) / 12)


def test_pipelines_measure_them_on_tiles():
    values = ndimage.gaussian_filter(np.random.default_rng(0).random((60, 70)), 2)
    mask = values > np.quantile(values, 0.7)
    step = regionprops(properties=["label", *IN_PLANES[1:9], "perimeter"])
    found = Pipeline(cut(16), label(), step).run(mask).table
    expected = region_properties(
        segkit.label(mask), properties=["label", *IN_PLANES[1:9], "perimeter"]
    )
    np.testing.assert_equal(dict(found), expected)


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((4, 4, 4), {"properties": ["perimeter"]}, "planes, not for 3 axes; use 'surf"),
        ((4, 4, 4), {"properties": ["moments_hu"]}, "is for planes, not for 3 axes"),
        ((4,), {"properties": ["solidity"]}, "is for 2-D and 3-D, not for 1 axes"),
        ((4, 4), {"properties": ["intensity_median"]}, "needs an intensity image"),
        ((4, 4), {"properties": ["perimeter"], "spacing": (2, 1)}, "of equal sides"),
        ((4, 4), {"properties": ["moments_hu"], "spacing": (2, 1)}, "of equal sides"),
        ((4, 4), {"properties": ["depth_physical"]}, "an axis 'z', not for 'yx'"),
    ],
)
def test_what_is_not_defined_is_refused_in_a_sentence(shape, options, words):
    with pytest.raises(ValueError, match=words):
        region_properties(np.ones(shape, int), **options)


@pytest.mark.parametrize("name", sorted(shapes.NEEDS))
def test_what_was_not_gathered_is_not_made_up(name):
    image = np.ones((4, 4), np.uint8)
    (one,) = tiles(image.shape, 4)
    table = measure_tile(image.astype(int), one, image.shape, intensity=image)
    with pytest.raises(ValueError, match=rf"measure with properties=\['{name}'\]"):
        properties_table(table, properties=[name])


def test_a_perimeter_takes_a_halo_of_two():
    labels = np.ones((9, 9), int)
    first = tiles(labels.shape, 4, halo=1)[0]
    with pytest.raises(ValueError, match="takes a halo of 2"):
        measure_tile(labels[first.read.slices], first, (9, 9), properties=["perimeter"])

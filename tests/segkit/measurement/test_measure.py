"""Properties tile by tile are those of the whole image, and those of scikit-image."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from skimage import measure

from segkit.combining import combine as combine_any
from segkit.compiled import fallback
from segkit.evaluation.runs import label_runs
from segkit.io import as_image
from segkit.labelling.labels import label
from segkit.measurement import partial_table
from segkit.measurement.measure import measure_tile, properties_table, region_properties
from segkit.measurement.partial_table import combine
from segkit.measurement.selection import keep_within
from segkit.tiling.cutting import tiles

LONGEST = {1: 50, 2: 16, 3: 8, 4: 5}


@st.composite
def cases(draw):
    """Random labels, an intensity image, and tiles that need not divide them."""
    ndim = draw(st.integers(1, 4))
    shape = tuple(draw(st.integers(1, LONGEST[ndim])) for _ in range(ndim))
    tile = tuple(draw(st.integers(1, n + 1)) for n in shape)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = label(rng.random(shape) < 0.5, workers=1) * draw(
        st.sampled_from([1, 7, 9_000_000])
    )
    dtype = draw(st.sampled_from(["u1", "u2", "i2", "?", "f4", "f8", "u4"]))
    image = (rng.random(shape) * 1000).astype(dtype)
    return labels.astype(draw(st.sampled_from(["i4", "i8", "u8"]))), image, tile, rng


def tables_equal(found, expected):
    assert list(found) == list(expected)
    for name, column in expected.items():
        assert found[name].dtype == column.dtype, name
        if column.dtype.kind == "f":
            np.testing.assert_allclose(
                found[name], column, rtol=1e-9, atol=1e-9, err_msg=name
            )
        else:
            np.testing.assert_array_equal(found[name], column, err_msg=name)


def stable(table):
    """Leave out directions: where axes are of equal length, there is none."""
    return {n: c for n, c in table.items() if not n.startswith("orientation")}


@given(cases())
@settings(max_examples=60, deadline=None)
def test_tiled_equals_whole(case):
    labels, image, tile, _ = case
    whole = region_properties(labels, image, tile=labels.shape, workers=1)
    found = region_properties(labels, image, tile=tile, workers=1)
    tables_equal(stable(found), stable(whole))


@given(cases())
@settings(max_examples=60, deadline=None)
def test_tasks_combine_in_any_order_and_grouping(case):
    labels, image, tile, rng = case
    surface = labels.ndim in (2, 3)
    parts = [
        measure_tile(
            labels[t.read.slices],
            t,
            labels.shape,
            intensity=image[t.read.slices],
            properties=["surface"] if surface else [],
        )
        for t in tiles(labels.shape, tile, halo=1)
    ]
    parts = [parts[k] for k in rng.permutation(len(parts))]
    while len(parts) > 1:  # a random tree of combinations
        cut = int(rng.integers(2, len(parts) + 1))
        parts = [*parts[cut:], combine(parts[:cut])]
    found = properties_table(parts[0])
    names = None if not surface else [*_names(labels, image), "surface"]
    whole = region_properties(labels, image, properties=names)
    tables_equal(stable(found), stable(whole))


def _names(labels, image):
    everything = region_properties(labels, image)
    return list(dict.fromkeys(name.split("-")[0] for name in everything))


@given(cases())
@settings(max_examples=40, deadline=None)
def test_numpy_path_gives_the_same(case):
    labels, image, _, _ = case
    names = [*_names(labels, image), *(["surface"] if labels.ndim in (2, 3) else [])]
    expected = region_properties(labels, image, properties=names, workers=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fallback, "can_compile", lambda: False)
        found = region_properties(labels, image, properties=names, workers=1)
    tables_equal(stable(found), stable(expected))


@pytest.mark.parametrize("shape", [(60, 70), (20, 25, 30)])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_equal_to_scikit_image(shape, dtype):
    rng = np.random.default_rng(3)
    labels = label(rng.random(shape) < 0.35)
    image = (rng.random(shape) * 200).astype(dtype)
    spacing = (0.5, 2.0, 1.25)[: len(shape)]
    found = region_properties(labels, image, spacing=spacing)
    peer = measure.regionprops_table(
        labels,
        image,
        spacing=spacing,
        properties=[
            "label", "num_pixels", "area", "bbox", "centroid", "extent",
            "axis_major_length", "axis_minor_length", "equivalent_diameter_area",
            "intensity_min", "intensity_max", "intensity_mean", "intensity_std",
        ],
    )  # fmt: skip
    same = {"num_pixels": "count", "equivalent_diameter_area": "equivalent_diameter"}
    # Square roots of what is zero but for rounding.
    loose = {"axis_minor_length": 1e-5, "axis_major_length": 1e-5}
    for name, column in peer.items():
        atol = loose.get(name, 1e-4 if dtype == "f4" else 1e-9)
        np.testing.assert_allclose(
            found[same.get(name, name)], column, rtol=1e-6, atol=atol, err_msg=name
        )


@pytest.mark.parametrize("shape", [(90,), (30, 40), (12, 20, 25), (3, 8, 9, 10)])
def test_sides_of_boxes_are_in_voxels_whatever_the_spacing(shape):
    labels = label(np.random.default_rng(5).random(shape) < 0.3)
    table = region_properties(labels, spacing=0.25)
    sides = ["width", "height", "depth"][: len(shape)]
    for axis, name in zip(range(len(shape))[::-1], sides, strict=False):
        stop, start = table[f"bbox-{len(shape) + axis}"], table[f"bbox-{axis}"]
        np.testing.assert_array_equal(table[name], stop - start)
        assert table[name].dtype.kind == "i"
    assert set(table) & {"width", "height", "depth"} == set(sides)
    for name in {"height", "depth"} - set(sides):
        with pytest.raises(ValueError, match=f"'{name}' is for images with an axis"):
            region_properties(labels, properties=[name])


@pytest.mark.parametrize("axes", ["xyz", "yzx", "zyx", "zxy"])
def test_sides_go_by_the_names_of_axes_where_they_are_known(axes):
    labels = np.zeros((3, 4, 5), np.int32)
    labels[:2, :3, :4] = 1
    sides = dict(zip(axes, (2, 3, 4), strict=True))
    named = {"depth": sides["z"], "height": sides["y"], "width": sides["x"]}
    opened = as_image(labels, axes=axes)
    for table in (
        region_properties(labels, axes=axes, properties=[*named]),
        region_properties(opened, properties=[*named]),
        properties_table(
            measure_tile(labels, tiles((3, 4, 5), 5)[0], (3, 4, 5)),
            properties=[*named],
            axes=axes,
        ),
    ):
        assert {name: int(column[0]) for name, column in table.items()} == named
    depth = (sides["z"], sides["z"])
    assert keep_within(opened, depth=depth).any()
    assert (
        keep_within(labels, depth=(2, 2)).any()
        != keep_within(labels, depth=(2, 2), axes="xyz").any()
    )
    section = region_properties(labels[0], axes="zy")
    assert {"depth", "height"} <= set(section)
    assert "width" not in section
    for wrong in ("zy", "zzy"):
        with pytest.raises(ValueError, match=r"axes is .*; give one letter"):
            region_properties(labels, axes=wrong)


def test_ellipse_has_its_axes_and_direction():
    y, x = np.mgrid[-50:51, -50:51]
    angle = 0.4  # from axis 0 towards axis 1
    along = y * np.cos(angle) + x * np.sin(angle)
    across = -y * np.sin(angle) + x * np.cos(angle)
    labels = ((along / 40) ** 2 + (across / 20) ** 2 <= 1).astype(np.int32)
    table = region_properties(
        labels,
        properties=[
            "axis_major_length",
            "orientation",
            "axis_minor_length",
            "eccentricity",
        ],
    )
    peer = measure.regionprops(labels)[0]
    assert table["axis_major_length"] == pytest.approx(80, rel=0.01)
    assert table["axis_minor_length"] == pytest.approx(40, rel=0.01)
    assert table["eccentricity"] == pytest.approx(peer.eccentricity)
    assert table["orientation"] == pytest.approx(peer.orientation)
    assert table["orientation"] == pytest.approx(angle, abs=0.01)


def test_rod_in_space_points_along_itself():
    labels = np.zeros((30, 30, 30), np.int32)
    for k in range(20):
        labels[5 + k, 5 + k, 5] = 1
    table = region_properties(labels, properties=["orientation"], spacing=(1, 1, 9))
    direction = [table[f"orientation-{k}"][0] for k in range(3)]
    np.testing.assert_allclose(direction, [0.5**0.5, 0.5**0.5, 0], atol=1e-9)


def test_far_from_the_origin_nothing_is_lost():
    near = label(np.random.default_rng(1).random((6, 7)) < 0.5)
    grid = tiles((2**31, 2**31), 2**30, halo=1)
    parts = []
    for start in (0, 2**30, 2**31 - 10):
        tile = grid[0].__class__(
            (0, 0),
            *2 * [grid[0].read.__class__((start, start), (start + 6, start + 7))],
        )
        parts.append(properties_table(measure_tile(near, tile, (2**31, 2**31))))
    for part in parts[1:]:
        for name in ("covariance-0-0", "covariance-0-1", "axis_major_length"):
            np.testing.assert_array_equal(part[name], parts[0][name])


def test_steady_intensities_keep_their_spread():
    labels = np.ones((50, 60), np.int32)
    image = (np.arange(3000) % 3).reshape(50, 60)
    expected = image.std()
    for dtype, offset in (("u2", 60_000), ("f8", 1e9), ("f4", 1e6), ("i4", 2**30)):
        shifted = (image + offset).astype(dtype)
        table = region_properties(labels, shifted, tile=7)
        assert table["intensity_std"][0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("tile", [1, 2, 9])
@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e300, 5e-160, 1.0])
def test_spread_of_very_large_and_small_intensities_is_right(
    monkeypatch, compiled, tile, scale
):
    monkeypatch.setattr(fallback, "can_compile", lambda: compiled)
    labels = np.array([[1, 1, 1, 2, 2, 2, 3, 3]])
    image = np.array([[1, 2, 6, 1, 2, 6, 5, 5]]) * np.array(
        [[scale] * 3 + [1.0] * 3 + [scale] * 2]
    )

    table = region_properties(labels, image, tile=tile)

    plain = np.std([1, 2, 6])
    expected = [plain * scale, plain, 0]
    np.testing.assert_allclose(table["intensity_std"], expected, rtol=1e-12)
    np.testing.assert_allclose(
        table["intensity_mean"], [3 * scale, 3, 5 * scale], rtol=1e-12
    )


@pytest.mark.parametrize("extreme", [2**53 + 1, -(2**53) - 1, 2**62, -(2**63)])
def test_integers_that_floats_confound_are_refused(extreme):
    image = np.array([0, extreme])
    with pytest.raises(ValueError, match=r"beyond 2\*\*53"):
        region_properties(np.array([1, 1]), image)
    (one,) = tiles((2,), 2)
    with pytest.raises(ValueError, match=r"beyond 2\*\*53"):
        measure_tile(np.array([1, 1]), one, (2,), intensity=image)


@pytest.mark.parametrize("dtype", ["i8", "u8", "i4", "u4"])
def test_extremes_of_integers_are_exact(dtype):
    most = min(2**53, np.iinfo(dtype).max)
    image = np.array([most, most - 1, most - 2], dtype)
    table = region_properties(np.ones(3, int), image)
    assert int(table["intensity_min"][0]) == most - 2
    assert int(table["intensity_max"][0]) == most
    assert table["intensity_std"][0] == pytest.approx(np.std([0, 1, 2]))


def test_extended_floats_are_measured_as_doubles():
    image = np.array([[1, 2, 4]], np.longdouble)
    found = region_properties([[1, 1, 2]], image)
    expected = region_properties([[1, 1, 2]], image.astype(float))
    assert found["intensity_mean"].tolist() == [1.5, 4.0]
    assert found["intensity_std"].tolist() == expected["intensity_std"].tolist()
    if np.finfo(np.longdouble).max > np.finfo(float).max:
        with pytest.raises(ValueError, match="intensity has NaN or infinite"):
            region_properties([[1, 1, 2]], image * (np.finfo(np.longdouble).max / 4))


def test_masked_labels_are_refused_since_their_mask_would_be_ignored():
    labels = np.ma.masked_array([[1, 1, 0]], [[0, 1, 0]])
    with pytest.raises(TypeError, match="labels is a masked array"):
        region_properties(labels)
    (tile,) = tiles(labels.shape, 3)
    with pytest.raises(TypeError, match="labels is a masked array"):
        measure_tile(labels, tile, labels.shape)


def test_runs_of_a_tile_that_is_there_twice_are_refused():
    labels = np.array([[1, 1, 0, 2], [0, 1, 0, 2]])
    parts = [
        label_runs(labels[t.write.slices], labels[t.write.slices], t, labels.shape)
        for t in tiles(labels.shape, 2)
    ]
    assert combine_any(parts).voxels == 8
    with pytest.raises(ValueError, match=r"voxel at \(0, 3\) .* each tile once"):
        combine_any([parts[1], *parts])


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 9), (4, 1, 3)])
def test_thin_and_uniform_labels(shape):
    full = region_properties(np.ones(shape, np.int32))
    assert full["count"].tolist() == [np.prod(shape)]
    assert full["touches_border"].tolist() == [True]
    none = region_properties(np.zeros(shape, np.int32))
    assert all(len(column) == 0 for column in none.values())
    assert none["count"].dtype == np.int64


def test_touching_the_border_is_told():
    labels = np.zeros((5, 5), np.int32)
    labels[0, 1], labels[2, 2], labels[3, 4] = 1, 2, 3
    table = region_properties(labels, properties=["touches_border"], tile=2)
    assert table["touches_border"].tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("labels", "options", "error", "words"),
    [
        (np.ones((4, 4)), {}, TypeError, "integers"),
        (np.ones((4, 4), bool), {}, TypeError, "segkit.label"),
        (np.full((4, 4), -1), {}, ValueError, "negative"),
        (np.ones((0, 4), int), {}, ValueError, "empty"),
        (np.full((4, 4), 2**64 - 1, np.uint64), {}, ValueError, "int64"),
        (np.ones((4, 4), int), {"intensity": np.ones((4, 5))}, ValueError, "shape"),
        (np.ones(1, int), {"intensity": np.array([np.inf])}, ValueError, "infinite"),
        (np.ones(4, int), {"properties": ["volume"]}, ValueError, "unknown"),
        (np.ones(4, int), {"properties": ["surface"]}, ValueError, "2-D and 3-D"),
        (np.ones(4, int), {"properties": ["intensity_sum"]}, ValueError, "intensity"),
        (np.ones(4, int), {"properties": "area"}, TypeError, "list"),
        (np.ones(4, int), {"spacing": 0}, ValueError, "positive"),
        (np.ones((4, 4), int), {"spacing": (1, 2, 3)}, ValueError, "axes"),
    ],
)
def test_bad_input_is_named(labels, options, error, words):
    with pytest.raises(error, match=words):
        region_properties(labels, **options)


def test_surface_without_a_halo_is_refused():
    labels = np.ones((4, 4), int)
    first = tiles(labels.shape, 2)[0]
    with pytest.raises(ValueError, match="halo=1"):
        measure_tile(labels[first.read.slices], first, (4, 4), properties=["surface"])


def test_many_and_few_labels_give_the_same_table(monkeypatch):
    labels = label(np.random.default_rng(0).random((40, 50)) < 0.5)
    image = labels % 7
    for gaps in (1, 3):
        many = region_properties(labels * gaps, image, tile=9)
        with monkeypatch.context() as patch:
            patch.setattr(partial_table, "_FEW_LABELS", 0)
            tables_equal(region_properties(labels * gaps, image, tile=9), many)
        assert many["label"].tolist() == [gaps * k for k in range(1, labels.max() + 1)]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4", "f8"])
def test_no_column_depends_on_threads(dtype):
    rng = np.random.default_rng(0)
    labels = np.kron(rng.integers(0, 9, (21, 15)), np.ones((80, 90), int))
    image = (rng.random(labels.shape) * 200).astype(dtype)
    one = region_properties(labels, image, workers=1)
    for workers in (2, 5):
        found = region_properties(labels, image, workers=workers)
        for name, column in one.items():
            np.testing.assert_array_equal(found[name], column)


@pytest.mark.parametrize("dtype", ["<f2", ">f2", ">f4", ">u2", ">i8"])
def test_intensities_of_any_byte_order_are_measured_by_kernels(
    dtype, monkeypatch, caplog
):
    labels = np.repeat(np.arange(4), 5).reshape(4, 5)
    intensity = np.arange(20).reshape(4, 5).astype(dtype)
    monkeypatch.setattr(fallback, "_told", set())
    found = region_properties(labels, intensity)
    assert "failed" not in caplog.text
    np.testing.assert_array_equal(found["intensity_mean"], [7, 12, 17])

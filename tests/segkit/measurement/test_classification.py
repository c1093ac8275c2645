"""Objects get the first class whose bounds hold, and are painted with it."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

import segkit
from segkit.io import ImageRequestError
from segkit.measurement.classification import (
    bounds_classifier,
    class_colours,
    classify,
    paint_classes,
    reconstruct,
)

TABLE = {
    "label": np.array([1, 2, 3, 7]),
    "area": np.array([99.0, 100.0, 300.0, 301.0]),
    "solidity": np.array([0.5, 0.9, np.nan, 0.2]),
}


def names(*classifiers):
    return classify(TABLE, *classifiers)["class_name"].tolist()


def test_bounds_are_included():
    assert names(bounds_classifier("cell", area=(100, 300))) == ["", "cell", "cell", ""]


def test_first_class_wins_and_no_bounds_is_the_default():
    found = names(
        bounds_classifier("cell", area=(100, 300)),
        bounds_classifier("large", area=(300, None)),
        bounds_classifier("vasculature"),
    )
    assert found == ["vasculature", "cell", "cell", "large"]


def test_a_single_number_is_the_largest_value():
    assert names(bounds_classifier("small", area=100)) == ["small", "small", "", ""]


def test_all_bounds_must_hold_and_nan_holds_none():
    sparse = bounds_classifier("sparse", area=(99, 301), solidity=(0, 0.6))
    assert names(sparse) == ["sparse", "", "", "sparse"]


def test_the_table_is_not_changed():
    before = {name: column.copy() for name, column in TABLE.items()}
    classify(TABLE, bounds_classifier("cell"))
    assert list(TABLE) == list(before)
    for name, column in before.items():
        np.testing.assert_array_equal(TABLE[name], column)


@given(
    areas=st.lists(st.integers(0, 50), max_size=30),
    bounds=st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=4
    ),
)
def test_classes_equal_a_loop_over_objects(areas, bounds):
    intervals = [tuple(sorted(pair)) for pair in bounds]
    classifiers = [
        bounds_classifier(str(number), area=pair)
        for number, pair in enumerate(intervals)
    ]
    table = {"label": np.arange(1, len(areas) + 1), "area": np.array(areas, float)}
    expected = [
        next((n for n, (a, b) in enumerate(intervals, 1) if a <= area <= b), 0)
        for area in areas
    ]
    assert classify(table, *classifiers)["class"].tolist() == expected


def test_an_unknown_property_is_named():
    with pytest.raises(KeyError, match=r"'roundness'.*it has label, area, solidity"):
        classify(TABLE, bounds_classifier("cell", roundness=1))


@pytest.mark.parametrize("bound", [(3, 1), (1, 2, 3), (float("nan"), 1)])
def test_bounds_that_hold_for_nothing_are_refused(bound):
    with pytest.raises(ValueError, match="class 'cell': bounds"):
        bounds_classifier("cell", area=bound)


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(ValueError, match="several classes are called cell"):
        classify(TABLE, bounds_classifier("cell"), bounds_classifier("cell"))


def test_more_than_255_classes_widen_the_image():
    count = 300
    table = {"label": np.arange(1, count + 1), "area": np.arange(1, count + 1)}
    classifiers = [bounds_classifier(f"c{n}", area=n) for n in range(1, count + 1)]
    labels = np.arange(count + 1).reshape(7, 43)
    image = reconstruct(labels, classify(table, *classifiers))
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, labels)


def test_labels_outside_the_table_are_background():
    found = classify(TABLE, bounds_classifier("cell"))
    image = reconstruct(np.array([0, 1, 4, 7, 9]), found)
    assert image.tolist() == [0, 1, 0, 1, 0]


def test_reconstruct_refuses_masks_and_unclassified_tables():
    with pytest.raises(TypeError, match="give integers"):
        reconstruct(np.ones((2, 2), bool), {"label": [1], "class": [1]})
    with pytest.raises(KeyError, match=r"no column 'class'.*classify first"):
        reconstruct(np.ones((2, 2), int), TABLE)


def test_no_objects():
    empty = {"label": np.array([], int), "area": np.array([])}
    found = classify(empty, bounds_classifier("cell", area=(1, 2)))
    assert found["class"].size == 0
    assert not reconstruct(np.zeros((3, 3), np.int32), found).any()


@given(count=st.integers(1, 600))
def test_no_class_is_painted_black_or_like_the_one_before(count):
    colours = class_colours(count).astype(int)
    assert colours[1:].max(1).min() >= 190
    steps = np.abs(np.diff(colours[1:], axis=0)).sum(1)
    assert count == 1 or steps.min() > 60


def test_pictures_are_colours_of_classes():
    picture = paint_classes(np.array([[0, 1], [2, 1]], np.uint8))
    assert picture.shape == (2, 2, 3)
    assert not picture[0, 0].any()
    assert picture[0, 1].tolist() == picture[1, 1].tolist() != picture[1, 0].tolist()
    with pytest.raises(ValueError, match="1 colours for classes up to 2"):
        paint_classes(np.array([2]), colours=[(0, 0, 0)])


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_object_table_with_class_reads_back(tmp_path, suffix):
    found = classify(TABLE, bounds_classifier("cell", area=(100, 300)))
    path = segkit.save_table(tmp_path / f"objects.{suffix}", found)
    if suffix == "parquet":
        table = pq.read_table(path).to_pydict()
    else:
        with path.open(newline="") as file:
            rows = csv.reader(file, delimiter="," if suffix == "csv" else "\t")
            header, *lines = list(rows)
        table = dict(zip(header, zip(*lines, strict=True), strict=True))
    assert list(table) == ["label", "area", "solidity", "class", "class_name"]
    assert [float(x) for x in table["area"]] == TABLE["area"].tolist()
    assert list(table["class_name"]) == ["", "cell", "cell", ""]


def test_a_table_that_is_none_is_refused(tmp_path):
    with pytest.raises(ImageRequestError, match="differ in length"):
        segkit.save_table(tmp_path / "a.csv", {"a": [1], "b": [1, 2]})
    with pytest.raises(ImageRequestError, match="means no table"):
        segkit.save_table(tmp_path / "a.xls", {"a": [1]})
    segkit.save_table(tmp_path / "a.csv", {"a": [1]})
    with pytest.raises(FileExistsError, match="overwrite=True"):
        segkit.save_table(tmp_path / "a.csv", {"a": [2]})
    assert (tmp_path / "a.csv").read_text() == "a\n1\n"


@pytest.mark.parametrize("bound", ["big", ("1 um2", "9 um2"), (1, "9"), ([1, 2], 3)])
def test_bounds_that_are_no_numbers_are_refused_in_words(bound):
    with pytest.raises(ValueError, match=r"class 'a': bounds .* of 'area' are no numb"):
        bounds_classifier("a", area=bound)


@pytest.mark.parametrize(
    "bound", [np.array([1, 5]), np.array([1.0, 5.0]), [1, 5], (1, 5)]
)
def test_bounds_may_be_arrays(bound):
    assert bounds_classifier("a", area=bound).bounds == (("area", 1.0, 5.0),)
    assert bounds_classifier("a", area=np.float32(5)).bounds[0][2] == 5.0
    with pytest.raises(ValueError, match="must be"):
        bounds_classifier("a", area=np.arange(3))


def test_what_is_no_class_is_refused_before_the_table_is_read():
    with pytest.raises(TypeError, match="called by text, not 3"):
        bounds_classifier(3)
    with pytest.raises(ValueError, match="no classes; give at least one bounds_cl"):
        classify(TABLE)
    with pytest.raises(TypeError, match="'cell' is no class; give bounds_classifier"):
        classify(TABLE, "cell")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("intensity_mean", r"\(region_properties\(labels, intensity\) measures it\)"),
        ("surface", r"\(region_properties\(labels, properties=\[\.\.\., 'surface'\]"),
        ("centroid_weighted-0", r"labels, intensity, properties=\[.*_weighted'\]\) m"),
        ("moments-1-1", r"properties=\[\.\.\., 'moments'\]\) measures it\)"),
        ("aera", r"\(did you mean area\?\); it has label, area, solidity'?\"?$"),
        ("convex_area", r"\(here it is 'area_convex'\); it has label"),
        ("intensity_meen", "does not have; it has label"),
    ],
)
def test_a_property_that_was_not_measured_is_told_with_how_to(name, advice):
    with pytest.raises(KeyError, match=advice):
        classify(TABLE, bounds_classifier("a", **{name: 1}))


@pytest.mark.parametrize("wrong", [np.array([0, -5]), np.array([-1])], ids=repr)
def test_classes_below_0_are_refused(wrong):
    with pytest.raises(ValueError, match="classes holds negative numbers"):
        paint_classes(wrong)
    with pytest.raises(ValueError, match="class holds negative numbers"):
        reconstruct(np.array([1]), {"label": np.arange(wrong.size), "class": wrong})
    with pytest.raises(ValueError, match="label holds negative numbers"):
        reconstruct(np.array([1]), {"label": wrong, "class": abs(wrong)})


@pytest.mark.parametrize("wrong", [np.array([True]), np.array([0.5])], ids=repr)
def test_classes_that_are_no_integers_are_refused(wrong):
    with pytest.raises(TypeError, match="classes has dtype"):
        paint_classes(wrong)


def test_no_classes_make_an_empty_picture():
    assert paint_classes(np.zeros((0, 4), np.uint8)).shape == (0, 4, 3)

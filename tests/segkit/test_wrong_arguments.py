"""What is wrong about an argument is told in a sentence of ours, whatever it is."""

import inspect
import re
import traceback
from pathlib import Path

import numpy as np
import pytest

import segkit
from segkit.io import as_image
from segkit.methods.classic import distance_watershed
from segkit.pipeline import (
    Pipeline,
    PipelineError,
    Step,
    array_steps,
    keep_within,
    label,
    load,
    save,
)

PLANE = np.zeros((20, 24), np.uint8)
PLANE[3:9, 3:9], PLANE[12:18, 12:20] = 200, 180
LABELS = (PLANE > 0).astype(np.int32)
TABLE = segkit.region_properties(LABELS)
WRONG = {
    "text": "a",
    "slice": slice(1, 3),
    "nothing": None,
    "NaN": float("nan"),
    "negative": -1,
    "list": [1, 2, 3, 4, 5],
    "texts": ["a", "b"],
    "dict": {"a": 1},
    "large": 10**30,
    "complex": 1j,
    "array": np.zeros(3),
    "object": object(),
    "bytes": b"a",
    "function": len,
    "set": {1},
    "empty": [],
}
FILES = {
    "open_image": {"path": "a.tif"},
    "save": {"path": "b.tif", "image": PLANE, "overwrite": True},
    "save_table": {"path": "c.csv", "table": TABLE, "overwrite": True},
}
TABLES = {
    "small_ids": {"table": TABLE, "min_size": 3},
    "largest_ids": {"table": TABLE},
    "border_ids": {"table": TABLE},
    "reconstruct": {"labels": LABELS, "classes": np.array([0, 1])},
    "region_properties": {"labels": LABELS},
    "label": {"mask": LABELS > 0},
    "gaussian": {"image": PLANE, "sigma": 1},
    "segment_nuclei": {"image": PLANE},
}
CASES = [
    (name, option)
    for name in [*FILES, *TABLES]
    for option in inspect.signature(getattr(segkit, name)).parameters
    if option != "nodata"
]


@pytest.mark.parametrize(("name", "option"), CASES)
def test_an_argument_of_any_kind_is_taken_or_refused_by_us(
    tmp_path, monkeypatch, name, option
):
    monkeypatch.chdir(tmp_path)
    segkit.save("a.tif", PLANE)
    given = {**FILES, **TABLES}[name]
    others = []
    for kind, value in WRONG.items():
        try:
            getattr(segkit, name)(**{**given, option: value})
        except OSError:
            pass
        except (TypeError, ValueError, KeyError) as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            if "/segkit/" not in last.filename:
                others.append((kind, str(error), last))
    assert not others


@pytest.mark.parametrize("index", [slice(0, 2), 1.5, "0", None, [0], 1j])
def test_an_index_is_an_integer(tmp_path, index):
    movie = as_image(np.zeros((3, 8, 9)), axes="tyx")
    with pytest.raises(TypeError, match=r"index of 't' is .*must be an integer"):
        movie.select(t=index)
    path = segkit.save(tmp_path / "a.tif", movie)
    words = "select is .* table of names, each with an integer"
    with pytest.raises(TypeError, match=words):
        segkit.open_image(path, select={"t": index})
    with pytest.raises(PipelineError, match=rf"step 1 \(load\): {words}"):
        Pipeline(load(select={"t": index}))


def test_numbers_of_numpy_are_numbers(tmp_path):
    movie = as_image(np.arange(216).reshape(3, 8, 9), axes="tyx")
    path = segkit.save(tmp_path / "a.tif", movie, overwrite=np.bool_(True))
    image = segkit.open_image(path, select={"t": np.int64(1)}, level=np.uint8(0))
    assert image.read()[0, 0] == 72


CHOOSERS = (segkit.border_ids, segkit.largest_ids, segkit.ids_within)


@pytest.mark.parametrize("table", [{}, np.zeros(3), [1], None, "a"])
@pytest.mark.parametrize("choose", CHOOSERS)
def test_what_is_no_table_of_objects_is_told(table, choose):
    with pytest.raises((TypeError, ValueError), match="region_properties"):
        choose(table)


def test_save_names_the_suffixes_of_tables_too():
    with pytest.raises(PipelineError, match=r"'.xls' means no.*\.tif.*of a table .csv"):
        Pipeline(save("a.xls"))


def test_where_a_choice_is_written_is_told(tmp_path):
    for axes, words in (
        ("tyx", r"load\(\.\.\.\), in a .* with = \{ select = \{ t = 0 \} \}"),
        ("cyx", r"load\(\.\.\.\), in a .* with = \{ channel = 0 \}"),
    ):
        path = segkit.save(tmp_path / f"{axes}.tif", np.zeros((3, 8, 9)), axes=axes)
        with pytest.raises(ValueError, match=words):
            Pipeline(save("b.tif")).run(path)


ARRAYS = ("image", "mask", "labels", "segmentation", "reference", "markers")
OF_ARRAYS = [
    (name, option)
    for name in dir(segkit)
    if inspect.isfunction(getattr(segkit, name)) and name != "explore"  # takes paths
    for option, one in inspect.signature(getattr(segkit, name)).parameters.items()
    if option in ARRAYS and one.default is one.empty
]


@pytest.mark.parametrize("path", ["a.png", b"a.png", Path("a.png")], ids=repr)
@pytest.mark.parametrize(("name", "option"), OF_ARRAYS)
def test_a_path_in_the_place_of_an_array_is_to_be_opened(name, option, path):
    function = getattr(segkit, name)
    needed = {
        other: {"f": np.copy, "path": "b.tif", "tile": 8}.get(other, LABELS)
        if other in (*ARRAYS, "f", "path", "tile")
        else 3
        for other, one in inspect.signature(function).parameters.items()
        if one.default is one.empty and one.kind is not one.VAR_KEYWORD
    }
    with pytest.raises(TypeError, match=r"open it: segkit\.open_image\('a.png'\)"):
        function(**{**needed, option: path})


@pytest.mark.parametrize(
    ("option", "value"),
    [("min_radius", 6), ("min_radius", 1), ("depth", 1.5), ("focus", 2)],
)
def test_a_part_of_a_length_is_no_number_of_pixels(option, value):
    with pytest.raises(ValueError, match=rf"{option} is .* part of the .*not pixels"):
        segkit.segment_nuclei(PLANE, **{option: value})
    segkit.segment_nuclei(PLANE, **{option: 0.5})


@pytest.mark.parametrize(
    "step",
    [
        Step("segment_nuclei", (), (("sensitivity", True),)),
        Step("segment_cells", (), (("min_size", False),)),
        Step("gaussian", (True,)),
        Step("load", (), (("channel", True),)),
    ],
)
def test_a_flag_in_the_place_of_a_number_is_refused_before_a_run(step):
    with pytest.raises(PipelineError, match=r"but must be an? (number|integer)"):
        Pipeline(step)


def test_what_a_message_says_to_write_into_a_file_of_steps_works(tmp_path):
    rgb = np.dstack([PLANE] * 3)
    path = segkit.save(tmp_path / "a.png", rgb, axes="yxs")
    file = tmp_path / "a.toml"
    steps = 'format = 1\n{}\n[[step]]\nrun = "segment_nuclei"\n'
    file.write_text(steps.format(""))
    with pytest.raises(ValueError, match="grey image is expected") as caught:
        Pipeline.load(file).run(path)
    said = re.search(
        r'(\[\[step\]\]) of (run = "load") and (with = \{.*?\})', *caught.value.args
    )
    file.write_text(steps.format("\n".join(said.groups())))
    assert Pipeline.load(file).run(path).labels.max() == 2


OF_STEPS = [
    (name, option)
    for name in sorted(array_steps.__annotations__)
    if name in segkit.__all__
    for option in [*inspect.signature(getattr(segkit, name)).parameters][1:]
    if len(option) > 4
]


@pytest.mark.parametrize(("name", "option"), OF_STEPS)
def test_a_misspelt_option_of_a_step_is_told_before_a_missing_one(name, option):
    wrong = Step(name, (), ((option[:-1], 1),))
    meant = rf"unexpected .* '{option[:-1]}' \(did you mean {option}\?\); it takes"
    with pytest.raises(PipelineError, match=meant):
        Pipeline(wrong)


def test_a_misspelt_property_is_told_the_nearest_one():
    with pytest.raises(ValueError, match=r"'aera' is unknown \(did you mean area\?\)"):
        segkit.region_properties(LABELS, properties=["aera"])
    (whole,) = segkit.tiles(LABELS.shape, LABELS.shape)
    with pytest.raises(ValueError, match=r"unknown \(did you mean perimeter\?\)"):
        segkit.measure_tile(LABELS, whole, LABELS.shape, properties=["perimter"])
    with pytest.raises(TypeError, match="'surface'; give a list of names"):
        segkit.measure_tile(LABELS, whole, LABELS.shape, properties="surface")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("aera", "did you mean area"), ("HuMoments", "here it is 'moments_hu'")],
)
def test_a_bound_of_no_property_is_answered_in_few_words(name, meant):
    with pytest.raises(PipelineError, match=rf"step 2 .*'{name}' \({meant}"):
        Pipeline(label(), keep_within(**{name: (1, 2)}))
    with pytest.raises(PipelineError) as caught:
        Pipeline(label(), keep_within(nothing=(1, 2)))
    assert len(str(caught.value)) < 850
    with pytest.raises(ValueError, match=rf"'{name}' \({meant}"):
        segkit.ids_within(TABLE, **{name: (1, 2)})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sigma", -1),
        ("sigma", "2"),
        ("min_distance", 2.5),
        ("min_distance", True),
        ("min_size", -1),
        ("min_size", 0.5),
    ],
)
def test_a_published_method_names_the_option_that_is_none(option, value):
    with pytest.raises((TypeError, ValueError), match=rf"{option} is .*but must be"):
        distance_watershed(PLANE, **{option: value})

"""What is wrong about an argument is told in a sentence of ours, whatever it is."""

import inspect
import traceback

import numpy as np
import pytest

import segkit
from segkit.io import as_image
from segkit.pipeline import Pipeline, PipelineError, load, save

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

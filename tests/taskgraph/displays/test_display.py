"""Values shown as what they are."""

from __future__ import annotations

import collections
import dataclasses
import html
import io
import time
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from taskgraph.displays.display import display
from taskgraph.displays.markup import standing_alone

from .html_checks import Offences, offences

BAD = "<script>alert(1)</script>"


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def blobs(dtype: str = "int32") -> np.ndarray:
    """Return labels 1 to 64, squares that touch."""
    return np.kron(np.arange(1, 65).reshape(8, 8), np.ones((8, 8), int)).astype(dtype)


@dataclasses.dataclass
class Spot:
    x: int
    name: str


Named = collections.namedtuple("Named", "x name")

NOISE = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
KINDS = {
    "grey": (NOISE, "picture", "grey"),
    "large 16 bit": (NOISE.astype(">u2") * 7, "picture", "grey"),
    "float16": (NOISE.astype(np.float16), "picture", "grey"),
    "complex": (NOISE * 1j, "picture", "grey"),
    "mask": (NOISE > 99, "picture", "mask"),
    "mask of 255": ((NOISE > 99) * np.uint8(255), "picture", "mask"),
    "labels": (blobs(), "picture", "labels"),
    "labels of 16 bits": (blobs("uint16"), "picture", "labels"),
    "two labels": (np.kron([[1, 2]], np.ones((9, 9), int)), "picture", "labels"),
    "smooth grey": (np.mgrid[:99, :99].sum(0) // 5, "picture", "grey"),
    "masked": (np.ma.masked_less(NOISE, 9), "picture", "grey"),
    "colour": (np.stack([NOISE] * 3, -1), "picture", "RGB"),
    "volume": (np.stack([NOISE] * 5), "volume", "grey"),
    "volume in colour": (np.zeros((5, 9, 9, 4), np.uint8), "volume", "RGB"),
    "four axes": (np.zeros((2, 3, 9, 9)), "volume", "grey"),
    "curve": (np.arange(9), "curve", "9 numbers"),
    "list of numbers": ([0.5] * 9, "curve", "9 numbers"),
    "structured": (np.zeros(3, [("a", int), ("b", "U3")]), "table", "3 rows, 2"),
    "narrow array": (np.zeros((30, 3)), "table", "30 rows, 3 columns"),
    "times": (np.array(["2020-01-01"] * 9, "M8[D]"), "table", "9 rows"),
    "dict of columns": ({"a": [1, 2], "b": np.zeros(2)}, "table", "2 rows, 2"),
    "dicts": ([{"a": 1, "b": 2}, {"a": 3}], "table", "list of dict, 2 rows"),
    "dataclasses": ([Spot(1, "x")], "table", "list of Spot, 1 row, 2 columns"),
    "named tuples": ([Named(1, "x")] * 2, "table", "list of Named, 2 rows"),
    "frame": (pandas.DataFrame({"a": [1], "b": ["x"]}), "table", "data frame, 1 row"),
    "no number": (np.zeros((0, 5)), "text", "(0, 5)"),
    "one number": (np.array(3.5), "text", "()"),
    "objects": (np.array([1, None, "x"], object), "text", "object"),
    "text": ("words", "text", "5 letters"),
    "number": (3, "text", "3"),
    "dict": ({"a": 1, "b": [1, 2]}, "text", "dict"),
    "parts": ({"mask": NOISE > 9, "n": 3}, "parts", "dict"),
    "object": (SimpleNamespace(a=1), "text", "namespace"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_value_is_shown_as_what_it_is(name):
    value, kind, says = KINDS[name]
    shown = display(value)
    assert shown.kind == kind
    assert says in shown.summary
    assert offences(shown.html()) == []


def test_neighbouring_labels_differ_in_colour_and_lightness_varies():
    labels = blobs()
    rgb = display(labels).rgb().astype(int)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    assert (rgb[:, 1:] != rgb[:, :-1]).any(-1)[across].all()
    assert (rgb[1:] != rgb[:-1]).any(-1)[down].all()
    assert np.ptp(rgb @ [0.2126, 0.7152, 0.0722]) > 100


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10**9), st.randoms(use_true_random=False))
def test_any_two_touching_objects_differ(first, random):
    ids = random.sample(range(first, first + 500), 16)
    labels = np.kron(np.array(ids).reshape(4, 4), np.ones((8, 8), int))
    rgb = display(labels).rgb()
    across = labels[:, 1:] != labels[:, :-1]
    assert (rgb[:, 1:] != rgb[:, :-1]).any(-1)[across].all()


def test_grey_values_go_from_black_to_white_and_what_is_no_number_is_seen():
    image = np.linspace(0, 1, 10_000).reshape(100, 100)
    shown = display(image)
    assert "black 0.002, white 0.998 (percentiles 0.2 and 99.8)" in shown.summary
    drawn = pixels(shown.png())
    assert drawn[0, 0] == 0
    assert drawn[-1, -1] == 255
    image[50, 50], image[51, 51], image[52, 52] = np.nan, np.inf, -np.inf
    rgb = display(image).rgb()
    assert rgb[50, 50].tolist() == [150, 0, 90]
    assert rgb[51, 51].tolist() == [255, 255, 255]
    assert rgb[52, 52].tolist() == [0, 0, 0]


def test_a_volume_is_drawn_plane_by_plane_between_the_same_values():
    volume = (
        np.zeros((4, 16, 16), np.uint8) + np.arange(4, dtype=np.uint8)[:, None, None]
    )
    volume[:, 0, 0] = 0
    shown = display(volume.astype(float))
    assert shown.planes == 4
    bright = [int(pixels(shown.png(plane))[5, 5]) for plane in range(4)]
    assert bright == [0, 85, 170, 255]
    with pytest.raises(IndexError, match="no plane 4, only 0 to 3"):
        shown.png(4)


def test_a_picture_has_as_many_pixels_as_are_asked_for_at_most():
    shown = display(np.zeros((300, 1000)))
    assert pixels(shown.png(most=100)).shape == (30, 100)
    assert "one pixel for 2 x 2" in shown.html()


def test_of_what_is_huge_a_part_is_looked_at():
    huge = np.broadcast_to(np.arange(256, dtype=np.uint8), (10**6, 10**3, 256))
    begun = time.process_time()
    shown = display(huge)
    assert len(shown.html()) < 10**6
    assert "of a sample" in shown.summary
    row = display(np.broadcast_to(np.float32(1), (10**9,)))
    assert "one in 239 looked at" in row.html()
    table = display([{"a": 1}] * 200_000)
    assert "only its first 100,000 rows of 200,000" in table.html()
    assert len(display(["x" * 1000] * 10**6).html()) < 10**6
    assert time.process_time() - begun < 30


def test_a_table_is_sorted_and_has_pages_with_what_is_missing_last():
    table = display(
        {"n": np.array([2.0, np.nan, 1.0, 2.0]), "t": ["b", None, "a", "c"]}
    )
    short = [[cell.short for cell in row] for row in table.page(0, 9, by="n")]
    assert short == [["1", "a"], ["2", "b"], ["2", "c"], ["nan", ""]]
    down = [row[1].short for row in table.page(0, 9, by="n", descending=True)]
    assert down == ["b", "c", "a", ""]
    assert [row[1].short for row in table.page(1, 2, by="t")] == ["b", "c"]
    assert table.page(9, 5) == []


def test_numbers_are_short_and_whole_where_one_points():
    (cell, *_), *_ = display({"area": [1234.5678, 0.000123456]}).page(0, 2)
    assert cell == ("1235", "1234.5678")


def test_a_table_as_csv_calculates_nothing_and_reads_back(tmp_path):
    table = display({"a": list(range(25_000)), "=b": ["=1+1", 'a,"b"'] * 12_500})
    text = "".join(table.csv())
    back = pandas.read_csv(io.StringIO(text))
    assert list(back) == ["a", "'=b"]
    assert back["a"].tolist() == list(range(25_000))
    assert back["'=b"][0] == "'=1+1"
    assert back["'=b"][1] == 'a,"b"'


def test_a_frame_keeps_its_index_and_columns_of_one_name():
    frame = pandas.DataFrame([[1, 2]], columns=["a", "a"], index=["row"])
    assert list(display(frame).columns) == ["index", "a", "a (2)"]


def test_a_curve_keeps_its_peaks_and_breaks_where_numbers_lack():
    values = np.zeros(10**6)
    values[777_777] = 5
    svg = display(values).svg()
    heights = [
        float(p.split(",")[1]) for p in svg.split('points="')[1].split('"')[0].split()
    ]
    assert min(heights) == 0
    values = np.r_[np.arange(9.0), np.nan, np.arange(9.0)]
    assert display(values).svg().count("<polyline") == 2


class Hostile:
    """Says of itself what nobody should run."""

    def _repr_html_(self):
        return f"{BAD}<img src=//evil.example onerror=alert(1)></iframe>'\">{BAD}"

    def __repr__(self):
        return BAD


class Forger(Hostile):
    __module__ = "taskgraph.api"


class Raiser:
    def __getattr__(self, name):
        raise ZeroDivisionError

    def _repr_png_(self):
        raise SystemError

    def __repr__(self):
        raise RuntimeError(BAD)


class Liar:
    def _repr_png_(self):
        return BAD.encode()

    def __repr__(self):
        return BAD


class Drawn:
    def _repr_svg_(self):
        return f"<svg xmlns='http://www.w3.org/2000/svg'>{BAD}</svg>"


@pytest.mark.parametrize("kind", [Hostile, Forger, Raiser, Liar, Drawn])
def test_what_a_class_says_of_itself_runs_nothing(kind):
    assert offences(display(kind()).html()) == []
    assert offences(standing_alone(display([kind()] * 3).html())) == []


def test_html_of_others_is_in_a_frame_that_may_load_nothing():
    shown = display(Hostile())
    assert 'sandbox=""' in shown.html()
    document = html.unescape(shown.document())
    assert document.index("default-src 'none'") < document.index(BAD)
    assert display(Forger()).html().startswith("<figure")


def test_a_picture_of_its_own_class_is_taken_as_it_is():
    picture = Image.fromarray(NOISE)
    shown = display(picture)
    np.testing.assert_array_equal(pixels(shown.data), NOISE)
    assert display(shown.data).media_type == "image/png"


texts = st.text(max_size=30) | st.sampled_from(
    [BAD, '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "\x1b]0;x\x07"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary()
values = st.recursive(
    scalars
    | arrays.arrays(
        arrays.scalar_dtypes(), arrays.array_shapes(min_dims=0, max_dims=4, min_side=0)
    )
    | st.builds(lambda t: pandas.DataFrame({t: [t, t]}), texts),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=4)
        | st.tuples(inner, inner)
        | st.lists(st.dictionaries(texts, inner, min_size=1, max_size=3), max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(values)
def test_whatever_a_value_is_it_is_shown_and_runs_nothing(value):
    shown = display(value)
    page = shown.html()
    page.encode()
    assert offences(page) == []
    assert "\n" not in shown.summary or shown.kind == "text"


@settings(max_examples=60, deadline=None)
@given(texts)
def test_what_is_shown_of_text_is_all_of_it(text):
    shown = Offences(display({"v": [text, text]}).html()).text
    assert any(text.strip()[:5] in part for part in shown) or not text.isprintable()

"""Objects come back with all that they hold, though their classes pickle less."""

import collections
import dataclasses
import datetime
import decimal
import fractions
import ipaddress
import pathlib
import pickle
import random
import uuid
from xml.etree import ElementTree

import attrs
import numpy as np
import pytest

from taskgraph.errors import TaskgraphError
from taskgraph.identity.hashing import Encoder
from taskgraph.results import codec
from taskgraph.results.attributes import may_lose


class Counts(collections.Counter):
    pass


class Lists(collections.defaultdict):
    pass


class Price(decimal.Decimal):
    pass


class Part(fractions.Fraction):
    __slots__ = ("unit",)


class Day(datetime.date):
    pass


class Moment(datetime.datetime):
    pass


class Place(type(pathlib.Path())):
    pass


class Name(uuid.UUID):
    pass


class Length(np.float64):
    pass


class Area(np.float64):
    __slots__ = ("unit",)


class Word(np.str_):
    pass


class Row(np.void):
    pass


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: int


class Loose(Point):
    pass


class Tight(Point):
    __slots__ = ("unit",)


@attrs.frozen
class Spot:
    x: int


class Wide(Spot):
    pass


MADE = [
    collections.Counter("aab"),
    Counts("aab"),
    Lists(list, a=[1]),
    Price("1.50"),
    Part(1, 3),
    Day(2026, 11, 30),
    Moment(2026, 11, 30, 8, fold=1),
    Place("a/b"),
    Name(int=7),
    Length(1.5),
    Area(1.5),
    Word("text"),
    Loose(1),
    Tight(1),
    Wide(1),
]


def back(value):
    return codec.decode(codec.encode(value, str, None), None)


def assert_whole(found, value):
    assert type(found) is type(value)
    assert Encoder().encode(found) == Encoder().encode(value)


@pytest.mark.parametrize("value", MADE, ids=lambda value: type(value).__name__)
def test_what_is_set_on_an_object_comes_back_with_it(value):
    object.__setattr__(value, "unit", ["mm"])
    held = [value, value, value.unit]
    first, second, unit = back(held)
    assert_whole(first, value)
    assert first.unit == ["mm"]
    assert first is second
    assert first.unit is unit


class Dice(random.Random):
    pass


class Host(ipaddress.IPv4Address):
    pass


class Socket(ipaddress.IPv4Address):
    __slots__ = ("port",)


class Node(ElementTree.Element):
    pass


class Bits(np.random.PCG64):
    pass


class Numbers(np.random.Generator):
    pass


class Legacy(np.random.RandomState):
    pass


def dice():
    thrown = Dice(1)
    thrown.gauss()  # the next one is kept
    return thrown


@pytest.mark.parametrize(
    "value",
    [random.Random(1), dice(), Host("10.0.0.1"), Node("a", b="c"), Bits(1)],
    ids=lambda value: type(value).__name__,
)
def test_what_is_set_on_an_object_that_python_or_numpy_pickle_comes_back(value):
    before = pickle.dumps(value)
    value.unit = ["mm"]
    found = back([value, value.unit])[0]
    assert (type(found), found.unit) == (type(value), ["mm"])
    del found.unit
    assert pickle.dumps(found) == before


def test_an_attribute_in_a_slot_of_an_extended_address_comes_back():
    address = Socket("10.0.0.1")
    address.port = 80
    assert (back(address), back(address).port) == (address, 80)


@pytest.mark.parametrize("value", [Numbers(np.random.PCG64(1)), Legacy(1)])
def test_a_generator_of_a_class_that_would_be_lost_is_refused(value):
    with pytest.raises(TaskgraphError, match=type(value).__name__):
        back(value)


@pytest.mark.parametrize("kind", [Length, Word])
def test_a_number_of_a_class_of_ones_own_stays_one(kind):
    assert_whole(back(kind("2")), kind("2"))


def test_what_nobody_can_make_again_is_refused():
    row = np.zeros(1, [("a", "f8")]).view((Row, [("a", "f8")]))[0]
    assert type(row) is Row
    with pytest.raises(TaskgraphError, match="Row"):
        back(row)


@pytest.mark.parametrize("kind", [Point, Spot, dict, datetime.date, np.float64])
def test_objects_of_classes_that_keep_all_are_not_looked_into(kind):
    assert not may_lose(kind)


@pytest.mark.parametrize("value", [Point(1), Spot(1), collections.Counter("a")])
def test_what_has_nothing_more_is_pickled_as_ever(value):
    assert codec.encode(value, str, None) == b"P" + pickle.dumps(value, 5)


def test_an_index_comes_back_with_what_was_set_on_it():
    pandas = pytest.importorskip("pandas")
    for index in (pandas.Index([1, 2], name="n"), pandas.RangeIndex(3)):
        index.unit = "mm"
        found = back(index)
        assert found.equals(index)
        assert (type(found), found.unit, found.name) == (type(index), "mm", index.name)


@pytest.mark.parametrize(
    ("mode", "palette"),
    [
        ("RGB", [1, 2, 3, 4, 5, 6]),
        ("RGBA", [1, 2, 3, 255, 4, 5, 6, 0]),
        ("RGB", []),
    ],
)
def test_a_picture_comes_back_with_its_palette(mode, palette):
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.new("P", (2, 1))
    if palette:
        image.putpalette(palette, mode)
        image.putdata([0, 1])
    image.note = "of May"
    found = back(image)
    assert_whole(found, image)
    assert found.convert("RGBA").tobytes() == image.convert("RGBA").tobytes()
    assert (found.note, found.palette.mode) == ("of May", image.palette.mode)


def test_saving_a_picture_does_not_make_it_another_one(tmp_path):
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.new("L", (2, 1))
    before = Encoder().encode(image)
    image.save(tmp_path / "a.png")
    assert Encoder().encode(image) == before

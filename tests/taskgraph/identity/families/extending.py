"""Families of classes that extend known types: any two differ in what can be seen."""

import collections
import datetime as dt
import decimal
import functools
import pathlib

from .plain import with_attribute

Base = type(pathlib.Path())


class Number(int):
    pass


class Ratio(float):
    pass


class Text(str):
    __slots__ = ("lang",)


class Data(bytes):
    pass


class Bag(dict):
    pass


class Line(list):
    pass


class Group(set):
    pass


class Ordered(collections.OrderedDict):
    pass


class Where(Base):
    pass


class Day(dt.date):
    pass


class Station(dt.tzinfo):
    def __init__(self, hours=1):
        self.hours = hours

    def utcoffset(self, when):
        return dt.timedelta(hours=self.hours)


class Price(decimal.Decimal):
    pass


class Hiding(collections.deque):
    """Shows nothing of what it is."""

    maxlen = None

    def __iter__(self):
        return iter(())


class Silent(dict):
    def items(self):
        return []

    def __iter__(self):
        return iter(())


class Noon(dt.datetime):
    hour = 12


class Fixed(functools.partial):
    func = len
    keywords = {}  # noqa: RUF012 - hides those of each


class Zero(int):
    def __int__(self):
        return 0

    __index__ = __int__


class Nowhere(Base):
    def __str__(self):
        return "nowhere"


def text(value, lang):
    made = Text(value)
    made.lang = lang
    return made


def beside(value):
    """Return a value, and two copies with an attribute beside what it is."""
    kind = type(value)
    return [value, *(with_attribute(kind(value), unit=unit) for unit in ("m", "km"))]


FAMILIES = {
    "ints with attributes": lambda: [3, *beside(Number(3)), Number(4)],
    "floats with attributes": lambda: [3.0, *beside(Ratio(3.0)), Ratio("nan")],
    "texts with slots": lambda: [
        "a",
        Text("a"),
        text("a", "en"),
        text("a", "de"),
        text("b", "en"),
    ],
    "bytes with attributes": lambda: [b"a", *beside(Data(b"a")), Data(b"b")],
    "dicts with attributes": lambda: [{1: 2}, *beside(Bag({1: 2})), Bag({2: 1})],
    "lists with attributes": lambda: [[1], *beside(Line([1])), Line([2])],
    "sets with attributes": lambda: [{1}, *beside(Group({1})), Group({2})],
    "ordered dicts of one's own": lambda: [
        *beside(Ordered(a=1, b=2)),
        Ordered(b=2, a=1),
        collections.OrderedDict(a=1, b=2),
    ],
    "paths with attributes": lambda: [
        pathlib.Path("a"),
        *beside(Where("a")),
        Where("b"),
    ],
    "days with attributes": lambda: [
        dt.date(2020, 1, 1),
        Day(2020, 1, 1),
        with_attribute(Day(2020, 1, 1), a=1),
        Day(2020, 1, 2),
    ],
    "zones of one's own": lambda: [
        dt.datetime(2020, 1, 1, tzinfo=zone) for zone in (Station(), Station(2), dt.UTC)
    ],
    "decimals with attributes": lambda: [
        decimal.Decimal(1),
        *beside(Price(1)),
        Price(2),
    ],
    "what says something else": lambda: [
        Hiding([1]),
        Hiding([2]),
        Hiding([1], 1),
        Hiding([1], 2),
        Silent(a=1),
        Silent(a=2),
        Noon(2020, 1, 1, 1),
        Noon(2020, 1, 1, 2),
        Fixed(max, 1),
        Fixed(min, 1),
        Fixed(max, key=abs),
        Zero(1),
        Zero(2),
        Nowhere("a"),
        Nowhere("b"),
    ],
}

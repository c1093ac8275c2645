"""Families of values of Python itself: in each, any two differ in what can be seen."""

import array
import collections
import datetime as dt
import decimal
import enum
import fractions
import functools
import operator
import pathlib
import re
import types
import uuid
import zoneinfo


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Other(enum.Enum):
    LOW = 1


class Count(enum.IntEnum):
    LOW = 1


class State(enum.IntFlag):
    READY = 1
    BUSY = 2


class Bits(enum.Flag, boundary=enum.KEEP):
    FIRST = 1


def called(maker, name="Model"):
    """Return what a maker makes of a name, three times."""
    return [maker(name, number) for number in range(3)]


def enum_of(name, number):
    return enum.Enum(name, {"ONLY": number}).ONLY


def row_of(fields, *values):
    return collections.namedtuple("Row", fields)(*values)


def with_attribute(value, **attributes):
    vars(value).update(attributes)
    return value


def zone(hours, *name):
    return dt.timezone(dt.timedelta(hours=hours), *name)


def counter_of(text):
    return collections.Counter(text)


def halved(x):
    return x / 2


NOON = dt.datetime(2020, 7, 1, 12)  # noqa: DTZ001 - naive ones count too
BERLIN, LAGOS = (zoneinfo.ZoneInfo(n) for n in ("Europe/Berlin", "Africa/Lagos"))

FAMILIES = {
    "nothing": lambda: [
        None,
        ...,
        NotImplemented,
        False,
        0,
        "",
        b"",
        (),
        [],
        {},
        set(),
    ],
    "ints": lambda: [0, 1, -1, 10, 2**63, 2**64, -(2**64), 10**5000, 10**5001],
    "numbers": lambda: [
        1,
        1.0,
        True,
        1 + 0j,
        decimal.Decimal(1),
        fractions.Fraction(1),
    ],
    "floats": lambda: [
        0.0,
        -0.0,
        5e-324,
        1e308,
        float("inf"),
        -float("inf"),
        float("nan"),
    ],
    "complex": lambda: [
        1j,
        -1j,
        complex(0.0, -0.0),
        complex(-0.0, 0.0),
        complex("nan"),
        0j,
    ],
    "texts": lambda: [
        "",
        "a",
        "ab",
        "\ud800",
        "\udc00",
        "é",
        "e\u0301",
        "1",
        "\0",
        "a\0",
    ],
    "bytes": lambda: [
        b"a",
        bytearray(b"a"),
        "a",
        b"",
        bytearray(),
        b"a:",
        array.array("b", b"a"),
    ],
    "nesting": lambda: [
        [[1], 2],
        [[1, 2]],
        [1, [2]],
        [[], 1, 2],
        [[[1, 2]]],
        ([1], 2),
        [(1,), 2],
    ],
    "sequences": lambda: [
        [1, 2],
        (1, 2),
        {1, 2},
        frozenset([1, 2]),
        {1: 2},
        range(1, 3),
        "12",
    ],
    "sets": lambda: [
        {1},
        {1.5},
        {(1, 2)},
        {1, 2},
        {"1", "2"},
        frozenset(),
        {frozenset()},
    ],
    "dicts": lambda: [
        {1: 2},
        {2: 1},
        {"1": 2},
        {(1,): 2},
        {1: (2,)},
        {1: 2, 2: 1},
        {1: {2: {}}},
    ],
    "ranges": lambda: [
        range(3),
        range(4),
        range(0),
        range(2, 2),
        range(0, 3, 2),
        range(0, 4, 2),
    ],
    "slices": lambda: [
        slice(3),
        slice(0, 3),
        slice(3, None),
        slice(0, 3, 1),
        slice(None),
    ],
    "ordered dicts": lambda: [
        collections.OrderedDict(a=1, b=2),
        collections.OrderedDict(b=2, a=1),
        {"a": 1, "b": 2},
        with_attribute(collections.OrderedDict(a=1, b=2), unit="m"),
    ],
    "default dicts": lambda: [
        collections.defaultdict(list, a=1),
        collections.defaultdict(set, a=1),
        collections.defaultdict(None, a=1),
        {"a": 1},
    ],
    "counters": lambda: [
        counter_of("ab"),
        counter_of("a"),
        {"a": 1, "b": 1},
        with_attribute(counter_of("ab"), n=2),
    ],
    "deques": lambda: [
        collections.deque([1, 2]),
        collections.deque([2, 1]),
        [1, 2],
        collections.deque([1, 2], 2),
        collections.deque([1, 2], 3),
    ],
    "namespaces": lambda: [
        types.SimpleNamespace(a=1),
        types.SimpleNamespace(a=2),
        types.SimpleNamespace(b=1),
        types.SimpleNamespace(),
        {"a": 1},
    ],
    "arrays of Python": lambda: [
        array.array("i", [1]),
        array.array("l", [1]),
        array.array("d", [1]),
        array.array("i"),
    ],
    "partials": lambda: [
        functools.partial(int, base=2),
        functools.partial(int, base=8),
        functools.partial(int, "2"),
        functools.partial(float),
        with_attribute(functools.partial(float), unit="m"),
    ],
    "getters": lambda: [
        operator.itemgetter(1),
        operator.itemgetter(2),
        operator.itemgetter(1, 2),
        operator.itemgetter((1, 2)),
        operator.attrgetter("a"),
        operator.attrgetter("a.b"),
        operator.methodcaller("a"),
        operator.methodcaller("a", 1),
        operator.methodcaller("a", b=1),
    ],
    "patterns": lambda: [
        re.compile("a"),
        re.compile("b"),
        re.compile(b"a"),
        re.compile("a", re.IGNORECASE),
    ],
    "dates": lambda: [
        dt.date(2020, 1, 1),
        dt.date(2020, 1, 2),
        dt.datetime(2020, 1, 1),  # noqa: DTZ001 - naive ones count too
    ],
    "moments": lambda: [
        NOON,
        NOON.replace(microsecond=1),
        NOON.replace(fold=1),
        NOON.replace(tzinfo=dt.UTC),
        NOON.replace(tzinfo=zone(0, "UTC")),
        NOON.replace(tzinfo=zone(1)),
        NOON.replace(tzinfo=zone(2)),
        NOON.replace(tzinfo=BERLIN),
        NOON.replace(tzinfo=LAGOS),
    ],
    "times": lambda: [
        dt.time(1),
        dt.time(1, fold=1),
        dt.time(1, tzinfo=dt.UTC),
        dt.time(2),
    ],
    "spans": lambda: [
        dt.timedelta(1),
        dt.timedelta(0, 1),
        dt.timedelta(0, 0, 1),
        dt.timedelta(-1),
    ],
    "zones": lambda: [
        zone(1),
        zone(2),
        zone(1, "x"),
        zone(2, "x"),
        zone(1, "y"),
        dt.UTC,
        BERLIN,
    ],
    "decimals": lambda: [
        decimal.Decimal(text)
        for text in ("1", "1.0", "1.00", "-0", "0", "NaN", "sNaN", "NaN1")
    ],
    "fractions": lambda: [fractions.Fraction(1, 2), fractions.Fraction(2), (1, 2)],
    "ids": lambda: [
        uuid.UUID(int=1),
        uuid.UUID(int=2),
        uuid.UUID(int=1, is_safe=uuid.SafeUUID.safe),
    ],
    "paths": lambda: [
        pathlib.PurePosixPath("a"),
        pathlib.PurePosixPath("b"),
        pathlib.PureWindowsPath("a"),
        pathlib.Path("a"),
        pathlib.Path("/a"),
        pathlib.Path("a/.."),
        pathlib.Path(),
        "a",
    ],
    "members": lambda: [Level.LOW, Level.HIGH, Other.LOW, Count.LOW, 1, "LOW"],
    "flags": lambda: [
        State(8),
        State(16),
        State(0),
        State(1),
        State(3),
        Bits(8),
        Bits(9),
        8,
    ],
    "members made at run time": lambda: called(enum_of),
    "classes": lambda: [int, float, Level, Other, dt.date, pathlib.Path, type, object],
    "classes made at run time": lambda: called(
        lambda name, n: type(name, (), {"n": n})
    ),
    "functions": lambda: [
        len,
        print,
        halved,
        counter_of,
        operator.add,
        functools.reduce,
    ],
    "functions made at run time": lambda: called(lambda name, n: lambda: n),
    "methods": lambda: [
        str.upper,
        str.lower,
        bytes.upper,
        dict.fromkeys,
        collections.OrderedDict.fromkeys,
        dt.date.fromisoformat,
        dt.datetime.fromisoformat,
        "a".upper,
        "b".upper,
        [].append,
    ],
    "rows": lambda: [
        row_of("a b", 1, 2),
        row_of("b a", 1, 2),
        row_of("a b", 2, 1),
        (1, 2),
        collections.namedtuple("Line", "a b")(1, 2),
    ],
    "generic aliases": lambda: [list[int], list[str], set[int], list],
    "files and iterators": lambda: [
        iter([1]),
        iter([2]),
        zip([1]),
        map(len, "a"),
        object(),
        object(),
    ],
}

"""Families of objects of one's own: any two of one differ in what can be seen."""

import collections
import dataclasses
import threading
import typing

import attrs
import pydantic

from .plain import with_attribute

Point = collections.namedtuple("Point", "x y")
T = typing.TypeVar("T")


class Plain:
    def __init__(self, **held):
        vars(self).update(held)


class Same(Plain):
    pass


class Slotted:
    __slots__ = ("__hidden", "shown")

    def __init__(self, shown=None, hidden=None):
        if shown is not None:
            self.shown = shown
        self.__hidden = hidden


class Both(Slotted):
    __slots__ = ("__dict__",)


class Twice(Slotted):
    __slots__ = ("shown",)


@dataclasses.dataclass
class Grid:
    n: int
    step: dataclasses.InitVar[float] = 1.0

    def __post_init__(self, step):
        self.points = [i * step for i in range(self.n)]


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: int
    b: object = None


class Wider(Frozen):
    __slots__ = ("more",)

    def __init__(self, a, more):
        super().__init__(a)
        object.__setattr__(self, "more", more)


@dataclasses.dataclass(init=False)
class Items(list):
    name: str = "items"


@dataclasses.dataclass
class Unset:
    __slots__ = ("a", "b")
    a: int
    b: int


@attrs.define
class Defined:
    a: int


@attrs.frozen(cache_hash=True)
class Cached:
    name: str


class Model(pydantic.BaseModel, extra="allow"):
    a: int
    b: int | None = None
    _hidden: int = 0


class Pair(Point):
    pass


class Sorted(typing.NamedTuple):
    x: int
    y: int = 2

    def total(self):
        return self.x + self.y


class Box(typing.Generic[T]):
    def __init__(self, held):
        self.held = held


class Lying(Plain):
    """Says that all are equal."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1

    def __repr__(self):
        return "Lying()"


class Elsewhere:
    """Keeps what it holds where nobody looks."""

    kept = {}  # noqa: RUF012 - shared on purpose

    def __init__(self, held):
        self.kept[id(self)] = held

    def __reduce__(self):
        return Elsewhere, (self.kept[id(self)],)


class Registry:
    """A descriptor that keeps what it is given to itself."""

    def __init__(self):
        self.kept = {}

    def __get__(self, owner, kind=None):
        return self.kept.get(id(owner))

    def __set__(self, owner, value):
        self.kept[id(owner)] = value


class Checked:
    """A descriptor that keeps what it is given in the object."""

    def __get__(self, owner, kind=None):
        return vars(owner)["_size"]

    def __set__(self, owner, value):
        vars(owner)["_size"] = value


class Registered:
    size = Registry()

    def __init__(self, size):
        self.size = size


class Sized:
    size = Checked()

    def __init__(self, size):
        self.size = size


class Pickles(Plain):
    def __getstate__(self):
        return {}


class Closes(Plain):
    def __del__(self):
        pass


class Local(threading.local):
    pass


class Thread(threading.Thread):
    pass


class Hooked:
    def __init__(self, name):
        self.name = name

    def __taskgraph_hash__(self):
        return self.name


class Slot(Hooked):
    pass


def private(hidden):
    made = Model(a=1)
    made._hidden = hidden
    return made


def local(number):
    class Inner:
        n = number

    return Inner()


def both(shown, **held):
    made = Both(shown)
    vars(made).update(held)
    return made


def twice(outer, inner):
    made = Twice()
    Slotted.shown.__set__(made, inner)
    made.shown = outer
    return made


def unset(a):
    made = object.__new__(Unset)
    made.a = a
    return made


def items(values, name):
    made = Items(values)
    made.name = name
    return made


FAMILIES = {
    "attributes": lambda: [
        Plain(a=1),
        Plain(a=2),
        Plain(b=1),
        Plain(),
        Plain(a=1, b=1),
        Plain(a=[1]),
    ],
    "classes of one state": lambda: [Plain(a=1), Same(a=1), Lying(a=1), {"a": 1}],
    "what says that it is equal": lambda: [
        Lying(a=1),
        Lying(a=2),
        Lying(a=[Lying(a=1)]),
    ],
    "slots": lambda: [Slotted(), Slotted(1), Slotted(2), Slotted(1, 2), Slotted(1, 3)],
    "slots and attributes": lambda: [
        both(1),
        both(2),
        both(1, a=1),
        both(1, a=2),
        Slotted(1),
    ],
    "slots of one name": lambda: [twice(1, 2), twice(2, 1)],
    "dataclasses beside their fields": lambda: [
        Grid(3, 1.0),
        Grid(3, 2.0),
        Grid(2, 1.0),
        with_attribute(Grid(3, 1.0), note="x"),
    ],
    "frozen dataclasses": lambda: [
        Frozen(1),
        Frozen(2),
        Frozen(1, 2),
        Wider(1, 2),
        Wider(1, 3),
    ],
    "dataclasses that are lists": lambda: [
        items([1], "a"),
        items([2], "a"),
        items([1], "b"),
    ],
    "unset slots": lambda: [unset(1), unset(2), Unset(1, 2)],
    "attrs": lambda: [Defined(1), Defined(2), Cached("a"), Cached("b")],
    "pydantic models": lambda: [
        Model(a=1),
        Model(a=2),
        Model(a=1, b=2),
        Model(a=1, b=None),
        Model(a=1, c=3),
        private(1),
    ],
    "named tuples": lambda: [Point(1, 2), Point(2, 1), Pair(1, 2), *beside_pair()],
    "typed named tuples": lambda: [Sorted(1), Sorted(1, 3), Point(1, 2)],
    "generic classes": lambda: [Box(1), Box(2), Box[int](1), Box[str](1)],
    "what is kept elsewhere": lambda: [
        Elsewhere(1),
        Elsewhere(2),
        Registered(1),
        Registered(2),
    ],
    "what descriptors keep": lambda: [Sized(1), Sized(2), Sized([1])],
    "what pickles in its own way": lambda: [Pickles(a=1), Pickles(a=2)],
    "what ends in its own way": lambda: [Closes(a=1), Closes(a=2)],
    "threads": lambda: [
        Thread(),
        Thread(),
        Local(),
        threading.Lock(),
        threading.Lock(),
    ],
    "hooks": lambda: [Hooked("a"), Hooked("b"), Slot("a"), "a"],
    "objects of local classes": lambda: [local(1), local(2)],
    "objects in objects": lambda: [
        Plain(a=Plain(b=[1, {2}])),
        Plain(a=Plain(b=[1, {3}])),
        Plain(a=Plain(b=[{1}, 2])),
    ],
}


def beside_pair():
    return [with_attribute(Pair(1, 2), z=z) for z in (3, 4)]

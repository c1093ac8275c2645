"""`frozen`: values as those of frozen dataclasses, quickly defined."""

import pickle
import subprocess
import sys
from dataclasses import field, replace

import pytest

from backends.interface.frozen import frozen


@frozen
class Point:
    """Where something is."""

    x: int
    y: int = 0
    note: str = field(default="", compare=False)
    secret: str = field(default="", repr=False)


@frozen
class Other:
    """The same fields in another class."""

    x: int
    y: int = 0


@frozen
class Nothing:
    """No fields at all."""


@frozen
class Own:
    """What a class says of itself stays."""

    x: int

    def __repr__(self):
        return "mine"

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 7


def test_values_are_equal_if_their_fields_are():
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(1, 3)
    assert Point(1) != (1, 0, "", "")
    assert Point(1, 2) != Other(1, 2)
    assert Nothing() == Nothing()
    assert len({Point(1), Point(1), Point(2), Nothing(), Nothing()}) == 3


def test_fields_that_do_not_compare_do_not_count():
    assert Point(1, note="here") == Point(1, note="there")
    assert hash(Point(1, note="here")) == hash(Point(1, note="there"))


def test_what_is_shown_is_how_it_is_made_and_no_secret():
    assert repr(Point(1, note="n", secret="s")) == "Point(x=1, y=0, note='n')"
    assert repr(Nothing()) == "Nothing()"


def test_what_a_class_defines_itself_stays():
    assert (repr(Own(1)), Own(1) == 5, hash(Own(1))) == ("mine", True, 7)


def test_values_are_copied_with_changes_and_pickled():
    point = Point(1, 2, "n", "s")

    assert replace(point, y=3) == Point(1, 3, secret="s")
    assert pickle.loads(pickle.dumps(point)) == point


def test_values_have_no_room_for_more():
    with pytest.raises(AttributeError):
        Point(1).z = 1


def test_values_that_a_run_needs_are_quickly_defined():
    """Those that Python compiles six functions for took a quarter of a start."""
    script = (
        "import sys, taskgraph.cli.commands.run.execute\n"
        "import taskgraph.cli.running, taskgraph.execution.supervisor\n"
        "import backends.opening, backends.filesystem, taskgraph.report\n"
        "for name, module in list(sys.modules.items()):\n"
        "    if name.partition('.')[0] in ('taskgraph', 'backends'):\n"
        "        for one in vars(module).values():\n"
        "            about = getattr(one, '__dataclass_params__', None)\n"
        "            if about and about.frozen and about.eq: print(one)\n"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.check_output(command, text=True) == ""

"""Arrays and tables come back with what numpy and pandas themselves do not pickle."""

import pickle

import numpy as np
import pytest

from taskgraph import open_store
from taskgraph.results import codec


class Measured(np.ndarray):
    """An array with a unit, as numpy's guide to subclasses makes it."""

    def __new__(cls, values, unit=None):
        made = np.asarray(values).view(cls)
        made.unit = unit
        return made

    def __array_finalize__(self, other):
        self.unit = getattr(other, "unit", None)


class Slotted(np.ndarray):
    __slots__ = ("unit",)


class Own(Measured):
    """Pickles its unit itself, in its own way."""

    def __reduce__(self):
        return Own, (np.asarray(self), self.unit)


def back(value):
    return codec.decode(codec.encode(value, str, None), None)


@pytest.mark.parametrize("kind", [Measured, Slotted, Own])
def test_an_array_comes_back_with_its_attributes(kind):
    made = np.arange(6.0).reshape(2, 3).view(kind)
    made.unit = ["mm", made] if kind is Measured else "mm"
    found = back({"a": made})["a"]
    assert type(found) is kind
    assert np.asarray(found).tolist() == np.asarray(made).tolist()
    assert found.unit == "mm" or (found.unit[0] == "mm" and found.unit[1] is found)


def test_a_large_array_with_attributes_comes_back_in_another_layout(tmp_path):
    results, key = open_store(tmp_path / "store"), b"k" * 20
    made = Measured(np.arange(200_000.0).reshape(400, 500).T[::2], "mm")
    found = results.decode(results.encode(made, key), key)
    assert (found.unit, found.shape) == ("mm", (250, 400))
    assert (found == made).all()


def test_a_masked_array_stays_as_hard_as_it_was_and_without_a_mask():
    hard = np.ma.array([1, 2], mask=[True, False], hard_mask=True, fill_value=7)
    hard.note = "of May"
    found = back(hard)
    found[0] = 5
    assert (found[0] is np.ma.masked, found.note, found.fill_value) == (
        True,
        "of May",
        7,
    )
    assert back(np.ma.array([1.0, 2.0])).mask is np.ma.nomask
    assert back(np.ma.array([1.0], mask=[False])).mask.tolist() == [False]


def test_a_mapped_array_comes_back_without_its_file(tmp_path):
    mapped = np.memmap(tmp_path / "a.dat", dtype="i4", mode="w+", shape=(3,))
    mapped[:] = 1, 2, 3
    found = back(mapped)
    assert (type(found), found.tolist()) == (np.memmap, [1, 2, 3])


def test_tables_come_back_with_what_was_set_on_them():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1, 2]})
    table.unit = "mm"
    column = pandas.Series([1, 2], name="a")
    column.unit = "s"
    frames, columns = back([table, column])
    assert (frames.unit, columns.unit, columns.name) == ("mm", "s", "a")
    assert frames.equals(table)


def test_what_has_nothing_to_add_is_pickled_as_ever():
    for value in (np.ma.array([1], mask=[True]), np.arange(2).view(Slotted)):
        assert codec.encode(value, str, None) == b"P" + pickle.dumps(value, 5)

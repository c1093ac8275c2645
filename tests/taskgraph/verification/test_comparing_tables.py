"""Where tables of pandas differ that look alike."""

import copy

import pytest

from taskgraph.verification.comparing import Tolerance, difference

pd = pytest.importorskip("pandas")


def table(values=(1, 2), kind="int64", **names):
    return pd.DataFrame({"a": pd.array(values, dtype=kind)}).rename_axis(**names)


def categories(*names, ordered=False):
    return table(["x", "y"], pd.CategoricalDtype(names, ordered=ordered))


ALIKE = {
    "type of a column": (table(kind="Int64"), table()),
    "categories": (categories("x", "y"), table(["x", "y"], object)),
    "order of categories": (categories("x", "y"), categories("y", "x")),
    "categories in order": (categories("x", "y"), categories("x", "y", ordered=True)),
    "name of an index": (table(index="time"), table()),
    "name of the columns": (table(columns="time"), table()),
    "type of a name": (pd.DataFrame({1: [1]}), pd.DataFrame({"1": [1]})),
    "no name": (pd.Series([1]), pd.Series([1], name=0)),
    "index": (pd.Index([1, 2]), pd.Index([1, 3])),
}


@pytest.mark.parametrize("tolerance", [Tolerance(), Tolerance(1e-6)])
@pytest.mark.parametrize("what", ALIKE)
def test_tables_that_look_alike_are_told_apart(what, tolerance):
    old, new = ALIKE[what]
    assert difference(old, new, tolerance)
    assert difference([new], [old], tolerance)
    for value in (old, new):
        assert difference(value, copy.deepcopy(value), tolerance) is None

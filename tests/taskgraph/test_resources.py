"""Resources as people write them: what counts, what is the same, what is refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from taskgraph import TaskGenerator, mapreduce
from taskgraph.errors import OptionError
from taskgraph.resources import Resources, enough

names = st.sampled_from(["gpu", "mem", "GPU", "a.b-c", "_", "x1"])
counts = st.integers(1, 1 << 40) | st.floats(1e-6, 1e12)
units = st.sampled_from(["k", "M", "GB", "TiB", "B", "Pb"])
sizes = st.builds("{}{}".format, st.integers(1, 999), units)
asked = st.dictionaries(names, counts | sizes, max_size=4)


@settings(max_examples=25)
@given(asked)
def test_what_is_written_is_read_as_the_same_again(amounts):
    found = Resources.of(amounts)
    assert Resources.of(str(found)) == found
    assert bool(found) == bool(amounts)


@settings(max_examples=25)
@given(asked, st.randoms())
def test_the_order_does_not_count(amounts, random):
    pairs = list(amounts.items())
    random.shuffle(pairs)
    assert Resources.of(dict(pairs)) == Resources.of(amounts)


@settings(max_examples=25)
@given(asked, asked)
def test_nothing_lacks_exactly_if_all_is_there(some, more):
    ask, has = Resources.of(some), Resources.of(more)
    assert not ask.lacking(ask)
    there = {(x.name, x.size): x.value for x in has.amounts}
    each = [enough(x.value, there.get((x.name, x.size), 0)) for x in ask.amounts]
    assert (not ask.lacking(has)) == all(each)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gpu": -1},
        {"gpu": True},
        {"gpu": None},
        {"gpu": float("nan")},
        {"gpu": float("inf")},
        {"gpu": 1e-12},
        {"gpu": [1]},
        {"mem": ""},
        {"mem": "8X"},
        {"mem": "8 GG"},
        {"mem": "-8G"},
        {"mem": "8Gb/s"},
        {"mem": Fraction(-1)},
        {"": 1},
        {"a b": 1},
        {"a,b": 1},
        {1: 1},
        "gpu",
        "gpu=1,",
        "gpu=1,gpu=1",
        "gpu=1, gpu=2",
        "=1",
        "gpu=1=2",
        ["gpu"],
        None,
        1,
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_written(wrong):
    with pytest.raises(OptionError, match=r"resources=.*(write|there twice)"):
        TaskGenerator(abs, resources=wrong)


@pytest.mark.parametrize(
    "one", [1, 1.0, "1", np.int64(1), np.float32(1), Fraction(1)], ids=type
)
def test_numbers_of_any_kind_are_the_same(one):
    assert Resources.of({"gpu": one}) == Resources.of("gpu=1")


def test_a_size_is_no_number_and_a_number_no_size():
    has = Resources.of("mem=32G,gpu=2")
    assert Resources.of("mem=8").lacking(has) == "mem=8"
    assert Resources.of("gpu=1k").lacking(has) == "gpu=1k"
    assert not Resources.of("mem=8000M,gpu=2").lacking(has)


def test_what_a_task_asks_for_is_no_part_of_its_key():
    plain, asking = TaskGenerator(divmod), TaskGenerator(divmod, resources={"gpu": 1})
    assert plain(7, 2).key == asking(7, 2).key


def test_tasks_made_of_a_generator_ask_for_the_same():
    asking = TaskGenerator(abs, resources={"gpu": 1})
    (mapped,) = mapreduce.map(asking, [-1, -2]).dependencies()
    task = asking(-1)
    task.name = "another"
    assert mapped.generator.resources == asking.resources
    assert task.generator.resources == asking.resources

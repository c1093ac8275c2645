"""Values that differ in anything a function could see have different keys, or none.

`families` lists them; identity, aliasing, the order of sets and dicts, and where an
array has its memory do not count.
"""

import collections
import importlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from taskgraph import UnstorableError, open_store
from taskgraph.errors import UnhashableError
from taskgraph.identity.hashing import Encoder

HERE = Path(__file__).parent
REFUSED = "refused"
SEEDS = ("0", "1", "4294967295")
NOT_PINNED = ("arrays: ", "tables: ", "libraries: ")  # of others, or long doubles
LIBRARIES = ("attrs", "pandas", "pyarrow", "pydantic", "sklearn", "xarray")

# All of whose values are refused: nobody can know what is in them.
UNKNOWN = {
    "plain: members made at run time",
    "plain: classes made at run time",
    "plain: functions made at run time",
    "plain: files and iterators",
    "objects: slots of one name",
    "objects: what is kept elsewhere",
    "objects: what pickles in its own way",
    "objects: what ends in its own way",
    "objects: threads",
    "objects: objects of local classes",
    "arrays: masked arrays of one's own",
    "arrays: ufuncs of Python",
    "tables: groups",
    "libraries: estimators with trees",
    "libraries: estimators that pickle in their own way",
    "libraries: random generators of Python's own kind",
    "libraries: columns of objects",
    "libraries: plans",
}


def digests_under(seed):
    return subprocess.Popen(
        [sys.executable, "-m", "families.digests"],
        cwd=HERE,
        env={**os.environ, "PYTHONHASHSEED": seed},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def found():
    """Return the digests of all families, by family, once for each hash seed."""
    if absent := [name for name in LIBRARIES if find_spec(name) is None]:
        pytest.skip(f"{absent} are not installed")
    return [json.loads(run.communicate()[0]) for run in map(digests_under, SEEDS)]


def test_there_are_a_hundred_families(found):
    assert len(found[0]) >= 100
    assert all(len(values) >= 2 for values in found[0].values())


def test_values_that_differ_in_what_can_be_seen_have_different_keys(found):
    known = {
        family: [digest for digest in digests if digest != REFUSED]
        for family, digests in found[0].items()
    }
    assert {
        f for f, digests in known.items() if len(set(digests)) < len(digests)
    } == set()
    unknown = {family for family, digests in known.items() if not digests}
    assert unknown == UNKNOWN & known.keys()


def test_keys_are_the_same_under_every_hash_seed(found):
    assert found[1] == found[0]
    assert found[2] == found[0]


def test_keys_are_the_same_on_every_python(found):
    """The written ones were made by Python 3.11; `nox` runs this on the others."""
    pinned = json.loads((HERE / "families" / "pinned.json").read_text())
    now = {k: v for k, v in found[0].items() if not k.startswith(NOT_PINNED)}
    assert now == pinned


def encode(value):
    return Encoder().encode(value)


# Whose own pickling drops a class or attributes; what stores add is for others.
DROPPED = {"scalars", "scalars with attributes", "palettes"}


@pytest.mark.filterwarnings("ignore")  # of pandas, as families are made
@pytest.mark.parametrize("module", ["arrays", "tables"])
def test_what_comes_from_a_store_has_the_key_that_it_had(module):
    for library in ("pandas", "pyarrow", "PIL"):
        pytest.importorskip(library)
    name = f"tests.taskgraph.identity.families.{module}"
    results, key, apart = open_store("memory://"), b"k" * 20, {}
    for family, values in importlib.import_module(name).FAMILIES.items():
        for number, value in enumerate(values()):
            try:
                before, payload = encode(value), results.encode(value, key)
            except (UnhashableError, UnstorableError):
                continue
            if encode(results.decode(payload, key)) != before:
                apart.setdefault(family, []).append(number)
    assert apart.keys() <= DROPPED, apart


def mapped(tmp_path, array):
    np.save(tmp_path / "array.npy", array)
    return np.load(tmp_path / "array.npy", mmap_mode="r")


def read_only(array):
    array.flags.writeable = False
    return array


def padded(garbage):
    """Return a long double with something in its padding."""
    made = np.zeros(2, "g")
    made.view("u1").reshape(2, -1)[:, 10:] = garbage
    return made


def of_blocks(pandas):
    made = pandas.DataFrame({"a": [1, 2], "c": ["x", "y"]})
    made.insert(1, "b", [3, 4])
    return made


EQUAL = {
    "order": lambda _: (np.eye(3), np.asfortranarray(np.eye(3))),
    "strides": lambda _: (np.arange(9)[::2], np.array([0, 2, 4, 6, 8])),
    "memory": lambda path: (
        np.arange(3),
        mapped(path, np.arange(3)),
        read_only(np.arange(3)),
    ),
    "nan": lambda _: (
        np.array([np.nan]),
        np.array([-np.nan]),
        np.array([0x7FF8000000000007]).view(float),
    ),
    "complex nan": lambda _: (
        np.array([complex(np.nan, 1)]),
        np.array([complex(-np.nan, 1)]),
    ),
    "large nan": lambda _: (np.full(20_000, np.nan), np.full(20_000, -np.nan)),
    "scalar nan": lambda _: (np.longdouble("nan"), -np.longdouble("nan")),
    "padding": lambda _: (padded(0), padded(7)),
    "objects": lambda _: (
        np.array(["a", 1, np.nan], object),
        np.array(["".join("a"), 1, -np.nan], object),
    ),
    "sets": lambda _: (set("abcdef"), set("fedcba")),
    "dicts": lambda _: ({"a": 1, "b": [{1, 2}]}, {"b": [{2, 1}], "a": 1}),
    "fill values": lambda _: (np.ma.array([1.0]), looked_at(np.ma.array([1.0]))),
}


def looked_at(masked):
    assert masked.fill_value == 1e20
    return masked


@pytest.mark.parametrize("case", EQUAL)
def test_what_cannot_be_seen_does_not_count(case, tmp_path):
    assert len({encode(value) for value in EQUAL[case](tmp_path)}) == 1


def test_how_a_table_keeps_its_columns_does_not_count():
    pandas = pytest.importorskip("pandas")
    pyarrow = pytest.importorskip("pyarrow")
    whole = pandas.DataFrame({"a": [1, 2], "b": [3, 4], "c": ["x", "y"]})
    longer = pandas.concat([whole, whole], ignore_index=True)
    chunks = pyarrow.chunked_array([["x"], ["y", "z"][:1]]).combine_chunks()
    several = pyarrow.chunked_array([chunks[:1], chunks[1:]])
    kind = pandas.ArrowDtype(pyarrow.string())
    assert encode(of_blocks(pandas)) == encode(whole) == encode(longer.iloc[:2])
    assert encode(pandas.Series(several, dtype=kind)) == encode(
        pandas.Series(["x", "y"], dtype=kind)
    )
    hidden = pandas.array([1, None], dtype="Int64"), pandas.array([1, 7], dtype="Int64")
    hidden[1][1] = None
    assert encode(hidden[0]) == encode(hidden[1])


class Loose:
    """An object that may have any attributes."""


class Longer(list):
    pass


keys = st.text(max_size=2)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | keys
    | st.binary(max_size=3)
)


def loose(held):
    made = Loose()
    vars(made).update(held)
    return made


def longer(pair):
    made = Longer(pair[0])
    vars(made).update(pair[1])
    return made


def built(inner):
    attributes = st.dictionaries(keys, inner, max_size=3)
    return (
        st.lists(inner, max_size=3)
        | attributes
        | attributes.map(loose)
        | st.tuples(st.lists(inner, max_size=2), attributes).map(longer)
        | st.lists(inner, max_size=3).map(as_objects)
        | attributes.map(collections.OrderedDict)
    )


def as_objects(values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


values = st.recursive(leaves, built, max_leaves=10)


def shown(value):
    """Return a text in which two values are equal just if nothing tells them apart."""
    if isinstance(value, float):
        return "nan" if value != value else value.hex()
    parts = []
    if isinstance(value, np.ndarray):
        parts = [shown(one) for one in value]
    elif isinstance(value, collections.OrderedDict):
        parts = [shown([k, v]) for k, v in value.items()]
    elif isinstance(value, dict):
        parts = sorted(shown([k, v]) for k, v in value.items())
    elif isinstance(value, list):
        parts = [shown(one) for one in value]
    else:
        parts = [] if isinstance(value, Loose) else [repr(value)]
    held = vars(value) if isinstance(value, Loose | Longer) else {}
    return (
        f"{type(value).__name__}{parts}{sorted((k, shown(v)) for k, v in held.items())}"
    )


@settings(max_examples=300, deadline=None)
@given(values, values)
def test_keys_are_equal_just_if_nothing_tells_two_values_apart(one, other):
    assert (encode(one) == encode(other)) == (shown(one) == shown(other))


@settings(max_examples=100, deadline=None)
@given(values, st.integers(0, 3))
def test_a_copy_of_a_value_has_its_key(value, times):
    from taskgraph import value as copied

    key = encode(value)
    for _ in range(times):
        value = copied(value)
    assert encode(value) == key


@pytest.mark.parametrize("size", [3, 20_000])
def test_an_array_of_objects_that_changed_has_another_key(size):
    encoder = Encoder()
    array = as_objects([f"text {i}" for i in range(size)])
    before = encoder.encode(array)
    assert encoder.encode(array) == before
    array[1] = "other"
    after = encoder.encode(array)
    array[1] = ["a list"]
    listed = encoder.encode(array)
    array[1].append(1)
    assert len({before, after, listed, encoder.encode(array)}) == 4


def test_a_refusal_of_a_library_says_what_to_pass():
    pandas = pytest.importorskip("pandas")
    groups = pandas.DataFrame({"a": [1]}).groupby("a")
    with pytest.raises(
        UnhashableError, match=r"value\[0\]: .*DataFrameGroupBy.*pass a D"
    ):
        encode([groups])

"""Equal arrays have one key, however their memory is laid out and whatever copied them.

Pickle turns the numbers of most arrays into the machine's own order of bytes, so that
order is layout, not value; for a dtype by itself it is all there is.
"""

import copy
import pickle

import numpy as np
import pytest

from taskgraph import open_store
from taskgraph.identity.hashing import Encoder

encode = Encoder().encode

NUMBERS = ["?", "i1", "u2", "i4", "u8", "f2", "f4", "f8", "g", "c8", "c16", "G"]
OTHERS = ["S3", "U3", "V3", "M8[s]", "M8[25s]", "m8[ms]", "M8", "m8", "O", "S0", "V0"]
LAYOUT = {"names": ["a", "b"], "formats": ["i1", "i2"], "offsets": [0, 3]}
INNER = np.dtype([("x", "f4"), ("y", "M8[D]")])
STRUCTURES = {
    "packed": [("a", "i1"), ("b", "f8")],
    "padded": {**LAYOUT, "itemsize": 8},
    "backwards": {**LAYOUT, "offsets": [5, 0], "itemsize": 8},
    "overlapping": {**LAYOUT, "offsets": [0, 0]},
    "nested": [("a", INNER), ("b", INNER, (2,))],
    "subarrays": [("a", "i4", (2, 3)), ("b", "U2", 2)],
    "titled": [(("title", "a"), "i4")],
    "empty": [],
    "objects": [("a", "i2"), ("b", "O")],
    "unit": [("a", np.dtype("f8", metadata={"unit": "m"}))],
}
DTYPES = {name: np.dtype(name) for name in (*NUMBERS, *OTHERS)}
DTYPES |= {name: np.dtype(made) for name, made in STRUCTURES.items()}
DTYPES |= {
    "aligned": np.dtype([("a", "i1"), ("b", "i8")], align=True),
    "record": np.dtype((np.record, [("a", "i2"), ("b", "f4")])),
    "metadata": np.dtype("f8", metadata={"unit": "m"}),
    "text": np.dtypes.StringDType(),
    "missing text": np.dtypes.StringDType(na_object=None),
}
SHAPES = [(), (0,), (3,), (2, 0, 3), (10_000,)]


def filled(dtype, shape):
    """Return an array whose elements differ, as far as they can."""
    array = np.zeros(shape, dtype)
    if dtype.names is not None:
        for name in dtype.names:
            array[name] = filled(dtype[name].base, array[name].shape)
    elif dtype.kind in "OSUT":
        array[...] = np.arange(array.size).reshape(shape).astype(str)
    elif dtype.kind in "biufcmM":
        array[...] = np.arange(array.size).reshape(shape).astype("i1").astype(dtype)
    return array


def swapped(array):
    if array.dtype.kind == "T" or array.dtype == DTYPES["overlapping"]:
        return array.copy()  # it has no order, or other values in another one
    return array.astype(array.dtype.newbyteorder(">"))


def copies(array):
    """Yield the same array in other memory."""
    yield array.copy()
    yield copy.copy(array)
    yield copy.deepcopy(array)
    for protocol in range(2, 6):
        yield pickle.loads(pickle.dumps(array, protocol))
    buffers = []
    data = pickle.dumps(array, 5, buffer_callback=buffers.append)
    yield pickle.loads(data, buffers=buffers)
    if array.ndim:  # else these two make it an array of one dimension
        yield np.asfortranarray(array)
        yield array[::-1].copy()[::-1]
        yield np.repeat(array, 2, axis=0)[::2]


def one_key(arrays):
    return len({encode(array) for array in arrays}) == 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", DTYPES)
def test_equal_arrays_have_one_key(name, shape):
    array = filled(DTYPES[name], shape)
    assert one_key([array, *copies(array)])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", DTYPES)
def test_the_order_of_bytes_does_not_count(name, shape):
    array = filled(DTYPES[name], shape)
    other = swapped(array)
    assert one_key([array, other, *copies(other)])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", DTYPES)
def test_arrays_from_a_store_have_the_key_that_they_had(name, shape, tmp_path):
    results, key = open_store(tmp_path / "store"), b"k" * 20
    array = filled(DTYPES[name], shape)
    for kept in (array, swapped(array)):
        assert encode(results.decode(results.encode(kept, key), key)) == encode(array)


@pytest.mark.parametrize("name", DTYPES)
def test_scalars_have_the_key_that_they_had(name):
    scalar = filled(DTYPES[name], (2,))[1]
    assert one_key([scalar, copy.deepcopy(scalar), pickle.loads(pickle.dumps(scalar))])


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes_have_the_key_that_they_had(name):
    dtype = DTYPES[name]
    assert one_key([dtype, copy.copy(dtype), pickle.loads(pickle.dumps(dtype))])


@pytest.mark.parametrize("name", [x for x in (*NUMBERS, "U3") if x not in "?i1"])
def test_of_a_dtype_the_order_of_bytes_counts(name):
    assert encode(np.dtype(name)) != encode(np.dtype(name).newbyteorder(">"))


@pytest.mark.parametrize("name", DTYPES)
def test_other_elements_have_another_key(name):
    dtype = DTYPES[name]
    if dtype.itemsize and dtype.kind != "V" and dtype.str != "|V3":
        array = filled(dtype, (3,))
        assert encode(array) != encode(array[[1, 0, 2]])

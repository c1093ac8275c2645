"""Values without their large arrays: what is told of these, with no blob read."""

from dataclasses import dataclass

import numpy as np
import pandas
import pytest

from taskgraph.results import codec
from taskgraph.results.outlines import Outline

LARGE = np.arange(40_000, dtype=np.int16).reshape(200, 200)


@dataclass
class Mine:
    array: object
    score: float


class Summing:
    """Makes something of its array when it is loaded."""

    def __init__(self, array):
        self.array = array

    def __setstate__(self, state):
        self.array = state["array"]
        self.total = int(self.array.sum())


def stored(value):
    """Return a payload, its blobs, and the names of those that were read."""
    blobs, read = {}, []

    def write(name, chunks):
        blobs[name] = b"".join(map(bytes, chunks))
        return len(blobs[name])

    def open_blob(name):
        read.append(name)
        return memoryview(blobs[name])

    return codec.encode(value, lambda: "k", write), open_blob, read


OUTLINED = {
    "an array": (LARGE, Outline(LARGE.dtype, (200, 200))),
    "in a dict": (
        {"labels": LARGE, "small": [1, 2], "text": "x" * 2000},
        {
            "labels": Outline(LARGE.dtype, (200, 200)),
            "small": [1, 2],
            "text": "x" * 2000,
        },
    ),
    "of my class": (Mine(LARGE, 0.5), Mine(Outline(LARGE.dtype, (200, 200)), 0.5)),
    "times": (
        Mine(LARGE.astype("M8[s]"), 1),
        Mine(Outline(np.dtype("M8[s]"), (200, 200)), 1),
    ),
    "several": ([LARGE, LARGE + 1], [Outline(LARGE.dtype, (200, 200))] * 2),
    "turned": (Mine(LARGE[::2, ::3], 1), Mine(LARGE[::2, ::3], 1)),
    "bytes": ([b"x" * 50_000], [Outline("bytes", ())]),
}


@pytest.mark.parametrize("what", OUTLINED)
def test_a_large_array_is_told_by_type_and_shape_without_reading_it(what):
    value, expected = OUTLINED[what]
    payload, open_blob, read = stored(value)

    found = codec.outline(payload, open_blob)

    assert not read
    if what == "turned":  # so small that it is no blob
        found, expected = found.array.tolist(), expected.array.tolist()
    assert found == expected


def test_what_needs_its_arrays_comes_with_them():
    frame = pandas.DataFrame({"a": np.arange(20_000), "b": np.arange(20_000) / 2})
    for value in (frame, Mine(frame, 1), Summing(LARGE)):
        payload, open_blob, read = stored(value)
        found = codec.outline(payload, open_blob)
        assert read
        whole = codec.decode(payload, open_blob)
        if isinstance(value, Summing):
            assert found.total == whole.total == int(LARGE.sum())
        else:
            tables = [getattr(each, "array", each) for each in (found, whole)]
            pandas.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize("value", [3, "text", None, [1, (2,)], Mine(np.arange(3), 1)])
def test_what_is_small_comes_as_it_is(value):
    payload, open_blob, read = stored(value)
    assert repr(codec.outline(payload, open_blob)) == repr(value)
    assert not read

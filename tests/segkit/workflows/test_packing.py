"""Arrays of tiles are kept in few bytes, and every voxel comes back."""

import numpy as np
import scipy.ndimage
from hypothesis import given, settings, strategies as st

import segkit
from segkit.workflows.packing import pack, unpack


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(0, 9), st.integers(1, 40)),
    dtype=st.sampled_from(["bool", "uint8", "int16", "int32", "int64", "float32"]),
    run=st.integers(1, 30),
    cut=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    seed=st.integers(0, 9),
)
def test_packing_keeps_every_voxel(shape, dtype, run, cut, seed):
    size = int(np.prod(shape))
    values = np.random.default_rng(seed).integers(0, 5, size // run + 1)
    array = np.repeat(values, run)[:size].reshape(shape).astype(dtype)
    packed = pack(array)
    start, stop = sorted(min(place, shape[0]) for place in cut)
    whole, part = unpack(packed), unpack(packed, planes=(start, stop))
    assert whole.dtype == array.dtype
    np.testing.assert_array_equal(whole, array)
    np.testing.assert_array_equal(part, array[start:stop])
    if array.dtype.kind in "iu":
        lookup = np.array([0, 70, 60, 50, 400])
        np.testing.assert_array_equal(unpack(packed, lookup), lookup[array])


def test_packing_by_numpy_is_the_same(monkeypatch):
    noise = np.random.default_rng(0).normal(size=(20, 60, 70))
    labels = segkit.label(scipy.ndimage.gaussian_filter(noise, 2) > 0.05)
    packed = pack(labels)
    monkeypatch.setattr("segkit.compiled.fallback.can_compile", lambda: False)
    plain = pack(labels)
    assert packed.kind == plain.kind == "runs"
    for one, other in zip(packed.parts, plain.parts, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(unpack(plain, planes=(3, 9)), labels[3:9])

"""Tests of `segkit.pictures.grey_values`: its ends, and how they are found."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from segkit.pictures import grey_values

KINDS = {
    "noise": lambda rng, n: rng.normal(size=n) * 100,
    "half is dark": lambda rng, n: np.where(rng.random(n) < 0.5, 0, rng.random(n)),
    "few values": lambda rng, n: rng.integers(0, 3, n),
    "mask": lambda rng, n: rng.random(n) < 0.003,
    "one value": lambda _, n: np.full(n, 7),
    "long tail": lambda rng, n: np.exp(4 * rng.normal(size=n)),
    "rising": lambda _, n: np.arange(n),
    "large": lambda rng, n: rng.integers(-(2**62), 2**62, n),
}
DTYPES = ["f2", "f4", "f8", "i4", "i8", "u8"]


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(DTYPES),
    st.sampled_from([(40, 50), (3, 900), (1000, 1), (1, 1)]),
    st.floats(0, 1),
    st.integers(1, 3),
)
def test_ends_by_a_sample_are_those_of_all(kind, dtype, shape, strange, threads):
    rng = np.random.default_rng(len(kind))
    with np.errstate(all="ignore"):
        plane = KINDS[kind](rng, np.prod(shape)).astype(dtype).reshape(shape)
    if dtype[0] == "f":
        others = rng.choice([np.nan, np.inf, -np.inf], shape).astype(dtype)
        plane = np.where(rng.random(shape) < strange, others, plane)
    expected = grey_values._ends(plane, threads)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grey_values, "_MANY", 0)
        patch.setattr(grey_values, "_SAMPLE", 500)
        found = grey_values._ends(plane[:, ::-1], threads)

    np.testing.assert_array_equal(found, expected)


def test_ends_are_found_where_the_sample_shows_none_of_them(monkeypatch):
    plane = np.random.default_rng(0).random((100, 100))
    expected = np.percentile(plane, (0.2, 99.8))
    monkeypatch.setattr(grey_values, "_MANY", 0)
    assert grey_values._ends(plane, 2) == tuple(expected)

    # Only the darkest and the brightest are looked at.
    monkeypatch.setattr(grey_values, "_INNER", (0.001, 0.999))
    assert grey_values._ends_by_sample(plane, 2) is None
    assert grey_values._ends(plane, 2) == tuple(expected)


def test_large_images_are_not_put_in_order(monkeypatch):
    plane = np.random.default_rng(0).random((512, 512), np.float32)
    expected = np.percentile(plane.astype(np.float64), (0.2, 99.8))

    monkeypatch.setattr(np, "percentile", None)

    assert grey_values._ends(plane, 1) == tuple(expected)

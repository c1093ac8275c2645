"""Compiled runs of equal values: found, written down, and filled in again."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from numpy import int64

from segkit.compiled.kernels import kernel


@kernel
def count_runs(flat):
    """Return how many runs of equal values a flat array has."""
    count = 1
    before = flat[0]
    for i in range(1, flat.size):
        value = flat[i]
        count += value != before
        before = value
    return count


@kernel
def write_runs(flat, ends, values):
    """Write where each run ends and its value."""
    run = 0
    before = flat[0]
    for i in range(1, flat.size):
        value = flat[i]
        if value != before:
            ends[run] = i
            values[run] = before
            run += 1
            before = value
    ends[run] = flat.size
    values[run] = before


@kernel
def fill_runs(ends, values, start, out):
    """Write the values of runs from place `start` on.

    `ends` and `values` begin with the run that holds `start`.
    """
    place = 0
    for run in range(ends.size):
        value = values[run]
        end = min(int64(ends[run]) - start, out.size)
        out[place:end] = value
        place = end
        if place == out.size:
            break

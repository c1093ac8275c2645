"""Compiled collection of what objects have any number of: runs and intensities."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel
from segkit.measurement.kernels import next_voxel, run_end


@kernel
def count_runs(labels, starts, width):
    """Return how many runs of equal labels the rows of a box have."""
    found = 0
    row, start = next_voxel(labels, starts, width, 0, 0)
    while row < starts.size:
        found += 1
        stop = run_end(labels[starts[row] : starts[row] + width], start)
        row, start = next_voxel(labels, starts, width, row, stop)
    return found


@kernel
def write_runs(labels, starts, width, names, rows, firsts, lengths):
    """Write the label, row of the box, first place and length of each run.

    In raster order; there is room for as many as `count_runs` says.
    """
    found = 0
    row, start = next_voxel(labels, starts, width, 0, 0)
    while row < starts.size:
        line = labels[starts[row] : starts[row] + width]
        stop = run_end(line, start)
        names[found], rows[found] = line[start], row
        firsts[found], lengths[found] = start, stop - start
        found += 1
        row, start = next_voxel(labels, starts, width, row, stop)


@kernel
def count_intensities(labels, intensity, starts, width, slots, lowest, counts):
    """Count, for each object, how often it has which intensity.

    Parameters
    ----------
    labels, intensity
        The whole arrays, flat.
    starts, width
        Where each row of the box starts, and how long it is.
    slots
        For each label the row of its object in `counts`.
    lowest
        The intensity of the first column.
    counts
        Receives the counts; those of the background are of no use.
    """
    row, start = next_voxel(labels, starts, width, 0, 0)
    while row < starts.size:
        line = labels[starts[row] : starts[row] + width]
        stop = run_end(line, start)
        own = counts[slots[line[start]]]
        values = intensity[starts[row] + start : starts[row] + stop]
        for k in range(values.size):
            own[values[k] - lowest] += 1
        row, start = next_voxel(labels, starts, width, row, stop)

"""Compiled collection of what objects have any number of: runs and intensities."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel
from segkit.measurement.kernels import next_voxel, run_end


@kernel
def write_runs(labels, starts, width, runs, state):
    """Write the label, row of the box, first place and length of each run.

    Parameters
    ----------
    labels
        The whole array, flat.
    starts, width
        Where each row of the box starts, and how long it is.
    runs
        Receives the runs in raster order, shape (4, any).
    state
        Where to look on, a row and a place in it, and how many runs there are; zeros at
        first. It ends before the last row if there is no more room: call it again with
        more.
    """
    found = state[2]
    row, start = next_voxel(labels, starts, width, state[0], state[1])
    while row < starts.size and found < runs.shape[1]:
        line = labels[starts[row] : starts[row] + width]
        stop = run_end(line, start, width)
        runs[0, found], runs[1, found] = line[start], row
        runs[2, found], runs[3, found] = start, stop - start
        found += 1
        row, start = next_voxel(labels, starts, width, row, stop)
    state[0], state[1], state[2] = row, start, found


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
        stop = run_end(line, start, width)
        own = counts[slots[line[start]]]
        values = intensity[starts[row] + start : starts[row] + stop]
        for k in range(values.size):
            own[values[k] - lowest] += 1
        row, start = next_voxel(labels, starts, width, row, stop)

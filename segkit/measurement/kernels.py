"""Compiled sums over objects: one pass over runs of equal labels.

A run adds to the sums of positions what closed formulas give for it. Positions count
from the box's first voxel, which keeps the sums small.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel

# Longer runs are cut: their sums of squares would overflow 63 bits.
_LONGEST_RUN = 2**20
# Voxels that are looked at together: most of an image goes on as it is, noise does not.
_FEW, _MANY = 16, 128


@kernel
def next_voxel(labels, starts, width, row, x):
    """Return the row of a box, and the place in it, of the next voxel of an object.

    Parameters
    ----------
    labels
        The whole array, flat.
    starts, width
        Where each row of the box starts, and how long it is.
    row, x
        From where on to look. The row returned is beyond the last if there is none.
    """
    if starts[-1] - starts[0] == (starts.size - 1) * width:  # as one long row
        line = labels[starts[0] : starts[-1] + width]
        place = next_object(line, row * width + x)
        return place // width, place % width
    while row < starts.size:
        x = next_object(labels[starts[row] : starts[row] + width], x)
        if x < width:
            return row, x
        row, x = row + 1, 0
    return row, x


@kernel
def next_object(line, x):
    """Return the first place of a line from `x` on that is not 0; its length if none.

    Most of an image is background, of which many voxels are read at once.
    """
    if x < line.size and line[x] == 0:
        x = run_end(line, x)
    return x


@kernel
def run_end(line, x):
    """Return the place after the run of equal values of a line that begins at `x`."""
    name = line[x]
    x += 1
    if _few_are(name, line, x):
        x += _FEW
        while _all_are(name, line, x, _MANY):
            x += _MANY
        while _all_are(name, line, x, _FEW):
            x += _FEW
    while x < line.size and line[x] == name:
        x += 1
    return x


@kernel
def _few_are(name, line, x):
    """Return whether few more voxels have a name: of most runs, none does."""
    if x + _FEW > line.size:
        return False
    part = line[x : x + _FEW]
    found = part[0] ^ name
    for k in range(1, _FEW):
        found |= part[k] ^ name
    return found == 0


@kernel
def _all_are(name, line, x, number):
    """Return whether so many more voxels have a name; compared in vectors."""
    if x + number > line.size:
        return False
    part = line[x : x + number]
    differ = False
    for k in range(part.size):
        differ |= part[k] != name
    return not differ


@kernel
def mark_rows(labels, starts, width, seen):
    """Set `seen` for each label in the rows of a box."""
    for row in range(starts.size):
        for x in range(starts[row], starts[row] + width):
            seen[labels[x]] = True


@kernel
def sum_rows(
    labels, intensity, starts, shape, place, slots, sums, intensities, relative
):
    """Add positions and intensities of the objects of a box to their sums.

    Parameters
    ----------
    labels, intensity
        The whole arrays, flat; `intensity` may be of length 0.
    starts, shape
        Where each row of the box starts, and the box's shape (int64).
    place
        Scratch, a number for each axis.
    slots
        For each label the row of its object in `sums` and `intensities`.
    sums
        int64, zeros at first: count, sums of positions, of their products, least and
        largest position + 1, axis by axis.
    intensities
        Sum, sum of squares, least and largest intensity, and the intensity that counts
        as zero in the sums; which is an object's first one if `relative`, else 0.
    """
    width = shape[-1]
    row, start = next_voxel(labels, starts, width, 0, 0)
    while row < starts.size:
        set_row(row, shape, place)
        place[-1] = start
        line = labels[starts[row] : starts[row] + width]
        stop = run_end(line[: min(width, start + _LONGEST_RUN)], start)
        slot = slots[line[start]]
        if intensity.size:
            values = intensity[starts[row] + start : starts[row] + stop]
            if sums[slot, 0] == 0:
                intensities[slot, 2] = values[0]
                intensities[slot, 3] = values[0]
                if relative:
                    intensities[slot, 4] = values[0]
            _add_intensities(intensities[slot], values)
        _add_run(sums[slot], place, stop - start)
        row, start = next_voxel(labels, starts, width, row, stop)


@kernel
def set_row(row, shape, place):
    """Write into `place`, on all axes but the last, where a row of a box is."""
    for axis in range(place.size - 2, 0, -1):
        place[axis] = row % shape[axis]
        row //= shape[axis]
    if place.size > 1:
        place[0] = row


@kernel
def _add_run(sums, place, length):
    """Add `length` voxels from `place` on, along the last axis."""
    ndim = place.size
    last = ndim - 1
    ahead = length * (length - 1) // 2
    column = 1 + ndim
    for a in range(ndim):
        sums[1 + a] += length * place[a]
        for b in range(a, ndim):
            sums[column] += length * place[a] * place[b]
            if b == last:
                sums[column] += ahead * place[a]
            column += 1
    sums[1 + last] += ahead
    sums[column - 1] += ahead * place[last] + ahead * (2 * length - 1) // 3
    for a in range(ndim):
        end = place[a] + (length if a == last else 1)
        is_new = sums[0] == 0
        if is_new or place[a] < sums[column + a]:
            sums[column + a] = place[a]
        if is_new or end > sums[column + ndim + a]:
            sums[column + ndim + a] = end
    sums[0] += length


@kernel
def _add_intensities(sums, values):
    """Add the intensities of a run, as deviations from `sums[4]`."""
    total = sums[0]
    squares = sums[1]
    least = sums[2]
    largest = sums[3]
    zero = sums[4]
    for value in values:
        deviation = value - zero
        total += deviation
        squares += deviation * deviation
        least = min(least, value)
        largest = max(largest, value)
    sums[0] = total
    sums[1] = squares
    sums[2] = least
    sums[3] = largest

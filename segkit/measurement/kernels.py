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
_LONG = 64  # as many as a run has if most of a line goes on as it is
_SOME = 2**10  # voxels of rows that are looked at together: often none is of an object


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
    if row == starts.size:
        return row, x
    if starts[-1] - starts[0] == (starts.size - 1) * width:  # as one long row
        line = labels[starts[0] : starts[-1] + width]
        further = next_object(line, row * width + x) - row * width
        if further < width:  # a division takes as long as the rest
            return row, further
        return row + further // width, further % width
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
        x = run_end(line, x, line.size)
    return x


@kernel
def run_end(line, x, end):
    """Return the place after the run of equal values of a line that begins at `x`.

    It ends at `end`, if not before.
    """
    name = line[x]
    x += 1
    if _few_are(name, line, x, end):
        x += _FEW
        while all_are(name, line, x, end, _MANY):
            x += _MANY
        while all_are(name, line, x, end, _FEW):
            x += _FEW
    while x < end and line[x] == name:
        x += 1
    return x


@kernel
def _few_are(name, line, x, end):
    """Return whether few more voxels have a name: of most runs, none does."""
    if x + _FEW > end:
        return False
    part = line[x : x + _FEW]
    found = part[0] ^ name
    for k in range(1, _FEW):
        found |= part[k] ^ name
    return found == 0


@kernel
def all_are(name, line, x, end, number):
    """Return whether so many voxels from `x` on have a name; compared in vectors."""
    if x + number > end:
        return False
    part = line[x : x + number]
    found = part[0] ^ name
    for k in range(1, part.size):
        found |= part[k] ^ name
    return found == 0


@kernel
def mark_rows(labels, starts, width, seen):
    """Set `seen` for each label in the rows of a box."""
    for row in range(starts.size):
        for x in range(starts[row], starts[row] + width):
            seen[labels[x]] = True


@kernel
def find_runs(line, before, begins):
    """Write where runs of equal values of a line begin, 0 as well; return how many.

    Parameters
    ----------
    line
        Not empty.
    before
        How many runs the line before it has, as this one may.
    begins
        Receives the places, and behind them the line's length; of that and one more.
    """
    if before * _LONG >= line.size:
        count = _mark_begins(line, begins)
    else:
        count = x = 0
        while x < line.size:
            begins[count] = x
            count += 1
            x = run_end(line, x, line.size)
    begins[count] = line.size
    return count


@kernel
def _mark_begins(line, begins):
    """Write where runs begin, without a branch: nothing foretells where short ones end.

    It takes as long as `run_end` for runs of `_LONG` voxels.
    """
    name, count, begins[0] = line[0], 1, 0
    for x in range(1, line.size):
        begins[count] = x
        count += line[x] != name
        name = line[x]
    return count


@kernel
def _find_lines(labels, starts, width, there):
    """Write which rows of a box have voxels of objects; return whether any has."""
    voxels = starts.size * width
    whole = starts[-1] - starts[0] == voxels - width  # as one long row
    if (
        starts.size > 1
        and whole
        and all_are(0, labels, starts[0], starts[0] + voxels, voxels)
    ):
        return False
    for row in range(starts.size):
        start = starts[row]
        there[row] = not all_are(0, labels, start, start + width, width)
    return True


@kernel
def sum_rows(
    labels, intensity, lines, shape, scratch, slots, sums, intensities, relative
):
    """Add positions and intensities of the objects of a box to their sums.

    Returns the largest label, or -1 at the first one that has no row.

    Parameters
    ----------
    labels, intensity
        The whole arrays, flat; `intensity` may be of length 0.
    lines
        Where each row of the box starts; and, zeros at first, which of them have
        voxels of objects.
    shape
        The box's shape (int64).
    scratch
        A number for each axis, for each voxel of a row, and one more (int64).
    slots
        For each label the row of its object in `sums` and `intensities`; empty if that
        is the label itself.
    sums
        int64, zeros at first: count, sums of positions, of their products, least and
        largest position + 1, axis by axis.
    intensities
        Sum, sum of squares, least and largest intensity, and the intensity that counts
        as zero in the sums; which is an object's first one if `relative`, else 0.
    """
    starts, there = lines
    width, known = shape[-1], slots.size or sums.shape[0]
    place, begins = scratch[: shape.size], scratch[shape.size :]
    largest, count, some = 0, 1, max(1, _SOME // width)
    for first in range(0, starts.size, some):
        near = slice(first, min(first + some, starts.size))
        if not _find_lines(labels, starts[near], width, there[near]):
            continue
        for row in range(near.start, near.stop):
            if there[row] == 0:
                continue
            line = labels[starts[row] : starts[row] + width]
            set_row(row, shape, place)
            count = find_runs(line, count, begins)
            for run in range(count):
                begin, end, name = begins[run], begins[run + 1], line[begins[run]]
                if name == 0:
                    continue
                if not 0 < name < known:
                    return -1
                largest = max(largest, name)
                slot = slots[name] if slots.size else name
                if intensity.size:
                    values = intensity[starts[row] + begin : starts[row] + end]
                    is_new = sums[slot, 0] == 0
                    _add_intensities(intensities[slot], values, is_new, relative)
                _add_run(sums[slot], place, begin, end)
    return largest


@kernel
def _add_run(sums, place, x, end):
    """Add voxels from `x` to `end` along the last axis, elsewhere at `place`."""
    while x < end:
        length = min(end - x, _LONGEST_RUN)
        if place.size == 2:
            _add_run_of_plane(sums, place[0], x, length)
        elif place.size == 3:
            _add_run_of_volume(sums, place, x, length)
        else:
            place[-1] = x
            _add_run_of_any(sums, place, length)
        x += length


@kernel
def _add_run_of_plane(sums, y, x, length):
    """Do what `_add_run_of_any` does for two axes, in a third of the time."""
    count = sums[0]
    along, squares = _powers_of_run(x, length)
    sums[1] += length * y
    sums[2] += along
    sums[3] += length * y * y
    sums[4] += along * y
    sums[5] += squares
    if count == 0:
        sums[6], sums[7], sums[8], sums[9] = y, x, y + 1, x + length
    else:
        sums[6], sums[8] = min(sums[6], y), max(sums[8], y + 1)
        sums[7], sums[9] = min(sums[7], x), max(sums[9], x + length)
    sums[0] = count + length


@kernel
def _add_run_of_volume(sums, place, x, length):
    """Do what `_add_run_of_any` does for three axes, in a third of the time."""
    count, z, y = sums[0], place[0], place[1]
    along, squares = _powers_of_run(x, length)
    sums[1] += length * z
    sums[2] += length * y
    sums[3] += along
    sums[4] += length * z * z
    sums[5] += length * z * y
    sums[6] += along * z
    sums[7] += length * y * y
    sums[8] += along * y
    sums[9] += squares
    if count == 0:
        sums[10], sums[11], sums[12] = z, y, x
        sums[13], sums[14], sums[15] = z + 1, y + 1, x + length
    else:
        sums[10], sums[13] = min(sums[10], z), max(sums[13], z + 1)
        sums[11], sums[14] = min(sums[11], y), max(sums[14], y + 1)
        sums[12], sums[15] = min(sums[12], x), max(sums[15], x + length)
    sums[0] = count + length


@kernel
def _powers_of_run(x, length):
    """Return the sums of `length` places from `x` on, and of their squares."""
    ahead = length * (length - 1) // 2
    along = length * x + ahead
    return along, x * along + ahead * x + ahead * (2 * length - 1) // 3


@kernel
def set_row(row, shape, place):
    """Write into `place`, on all axes but the last, where a row of a box is."""
    for axis in range(place.size - 2, 0, -1):
        place[axis] = row % shape[axis]
        row //= shape[axis]
    if place.size > 1:
        place[0] = row


@kernel
def _add_run_of_any(sums, place, length):
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
def _add_intensities(sums, values, is_new, relative):
    """Add the intensities of a run, as deviations from `sums[4]`."""
    if is_new:
        sums[2] = sums[3] = values[0]
        if relative:
            sums[4] = values[0]
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

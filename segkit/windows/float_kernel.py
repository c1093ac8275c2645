"""Compiled kernel of `segkit.ndnt` for floats: fixed-point sums, then doubts.

Voxels are rounded up to multiples of a power of two, the quantum, and sums of these
slide over the image as exact whole numbers: with n voxels in a window, the sum of the
image lies less than n quanta below. What this leaves open, a voxel in a million,
is decided by the sum that defines the result (see `segkit.windows.sums`): the window's
voxels summed by doubling. If no voxel was rounded so far, nothing is open.

Windows slide along z first, or, if `turned`, along y first: sums are exact either
way, and the smaller plane of sums stays in the cache. Then z stands for y below and y
for z, but for the order in which doubled sums are made.

Each row is compared three times at most: all in the image's own precision, where that
is too coarse all in double precision, and the voxels still in doubt one by one.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel
from segkit.windows.doubling_kernel import doubled_sum
from segkit.windows.sliding_kernel import _covered, _running_sums

DECIDED, BEYOND, DOUBTFUL = 0, 1, 2
"""Each voxel is decided; a value is too large or NaN; too many are in doubt."""


@kernel
def _largest(bits, unsigned):
    most = bits.dtype.type(0)
    for x in range(bits.size):
        most = max(most, bits.dtype.type(bits[x] & unsigned))
    return most


@kernel
def largest_bits(bits, unsigned):
    """Return the largest value of a volume of bits, of `unsigned` only.

    Of floats without their sign bits this is the largest magnitude, and it is beyond
    all finite ones if there is a NaN: one pass for both questions, where a minimum and
    a maximum of floats would be two.
    """
    most = bits.dtype.type(0)
    for z in range(bits.shape[0]):
        for y in range(bits.shape[1]):
            most = max(most, _largest(bits[z, y], unsigned))
    return most


@kernel
def _enter(sums, enters, scale):
    """Add a row in quanta, rounded up."""
    for x in range(sums.size):
        sums[x] += sums.dtype.type(np.ceil(enters[x] * scale))


@kernel
def _exchange(sums, enters, leaves, scale):
    """Add a row in quanta, rounded up, and subtract another."""
    kind = sums.dtype.type
    for x in range(sums.size):
        sums[x] += kind(np.ceil(enters[x] * scale)) - kind(np.ceil(leaves[x] * scale))


@kernel
def _leave(sums, leaves, scale):
    for x in range(sums.size):
        sums[x] -= sums.dtype.type(np.ceil(leaves[x] * scale))


@kernel
def _is_rounded(row, scale, quantum):
    """Return whether a value is not a whole number of quanta."""
    rounded = np.int32(0)
    for x in range(row.size):
        whole = np.ceil(row[x] * scale) * quantum
        rounded = np.int32(rounded | np.int32(whole != row[x]))
    return rounded != 0


@kernel
def _row(volume, z, y, turned):
    """Return the row of a volume at these places of the slide."""
    if turned:
        return volume[y, z]
    return volume[z, y]


@kernel
def _advance(sums, image, bits, place, extent, grid, seen, turned):
    """Move the sums along z of one row to a plane; return what was seen of values.

    `extent` is the window's before and after, the first plane that enters, and the
    number of planes.
    Bit 0: one was rounded; bit 1: one is negative; bit 2: one is too large. `seen` is
    what has been before.
    """
    z, y = place
    before, after, first, depth = extent
    scale, quantum, most, unsigned = grid
    enters, leaves = z + after, z - before - 1
    if enters < depth:
        row = _row(bits, enters, y, turned)
        new = _row(image, enters, y, turned)
        # With its sign bit, a negative number is larger than all others.
        if _largest(row, ~bits.dtype.type(0)) > most:
            seen |= 4 if _largest(row, unsigned) > most else 2
        if not seen & 1 and _is_rounded(new, scale, quantum):
            seen |= 1
        if leaves >= first:
            _exchange(sums, new, _row(image, leaves, y, turned), scale)
        else:
            _enter(sums, new, scale)
    elif leaves >= first:
        _leave(sums, _row(image, leaves, y, turned), scale)
    return seen


@kernel
def _slide(row, plane, enters, leaves, shift):
    """Move the sums along y by a row, in units of 2**shift, each rounded up."""
    kind = row.dtype.type
    # The mask tells that 32 bits are enough to shift 32 bits.
    shift, up = shift & 31, kind((1 << shift) - 1)
    if enters < plane.shape[0] and leaves >= 0:
        new, old = plane[enters], plane[leaves]
        for x in range(row.size):
            added, taken = kind(new[x] + up), kind(old[x] + up)
            row[x] += kind(added >> shift) - kind(taken >> shift)
    elif enters < plane.shape[0]:
        new = plane[enters]
        for x in range(row.size):
            row[x] += kind(kind(new[x] + up) >> shift)
    elif leaves >= 0:
        old = plane[leaves]
        for x in range(row.size):
            row[x] -= kind(kind(old[x] + up) >> shift)


@kernel
def _compare_roughly(pixels, prefix, counts, scale, rule, doubt, out):
    """Write the mask of one row, plus 2 for voxels in doubt; return whether any are.

    Sums are differences of `prefix`, which is longer than the row by the window.
    `doubt` is the relative and the absolute error of the comparison, and the sum
    that has no error.
    """
    low, high, mode = rule
    relative, absolute, zero = doubt
    number, whole = counts.dtype.type, prefix.dtype.type
    ahead = prefix[prefix.size - pixels.size :]
    for x in range(pixels.size):
        value = pixels[x] * (scale * counts[x])
        total = number(whole(ahead[x] - prefix[x]))
        bound = total * (low if total < 0 else high)
        unsure = abs(value - bound) <= abs(value) * relative + absolute
        if mode == 0:
            found = value < bound
        elif mode == 1:
            found = value <= bound
        else:
            found = value > bound
        out[x] = np.uint8(found) | (np.uint8(unsure & (total != zero)) << np.uint8(1))
    # Not in the loop above: it would be half as fast.
    most = np.uint8(0)
    for x in range(out.size):
        most = max(most, out[x])
    return most > 1


@kernel
def _is_foreground(value, total, factors, mode):
    bound = total * (factors[0] if total < 0 else factors[1])
    if mode == 0:
        return value < bound
    if mode == 1:
        return value <= bound
    return value > bound


@kernel
def _whole_sum(plane, place, before, after):
    """Return the sum over the window of one voxel along y and x."""
    y, x = place
    left, right = max(x - before[2], 0), min(x + after[2] + 1, plane.shape[1])
    total = np.int64(0)
    for row in range(max(y - before[1], 0), min(y + after[1] + 1, plane.shape[0])):
        for column in range(left, right):
            total += plane[row, column]
    return total


@kernel
def _along_axes(along_slide, turned):
    """Return values per axis of a slide, reordered to z, y and x."""
    if turned:
        return along_slide[1], along_slide[0], along_slide[2]
    return along_slide


@kernel
def _decide(image, place, before, after, scratch, rule, doubt, out):
    """Write the mask of a row where it is in doubt; return how many sums that took.

    `place` is z, y, y among the sums along z, the count of voxels along both, and
    whether they are `turned`;
    `doubt` is the quantum, the number of quanta by which sums are off, the sum that has
    no error, the shift of sums along x, and the number of additions allowed.
    """
    z, y, here, count, turned = place
    plane, _, prefix, few = scratch
    quantum, absolute, zero, shift, allowed = doubt
    width, length = out.size, before[2] + after[2] + 1
    spent = 0
    for x in range(width):
        if out[x] < 2:
            continue
        own = count * _covered(x, before[2], after[2], width)
        value = np.float64(_row(image, z, y, turned)[x]) * np.float64(own)
        # Not rounded to the type of comparisons.
        whole = np.int64(prefix.dtype.type(prefix[x + length] - prefix[x]))
        if shift > 0:
            whole = _whole_sum(plane, (here, x), before, after)
            spent += (before[1] + after[1] + 1) * length
        total = whole * quantum
        bound = total * (rule[0] if total < 0 else rule[1])
        if abs(value - bound) <= absolute * quantum and whole != zero and absolute > 0:
            at = _along_axes((z, y, x), turned)
            reach = _along_axes(before, turned), _along_axes(after, turned)
            total = doubled_sum(image, at, reach[0], reach[1], few)
            spent += few[0].shape[0] * few[1].size
        if spent > allowed:
            break
        out[x] = _is_foreground(value, total, (rule[0], rule[1]), rule[2])
    return spent


@kernel
def _enter_planes(plane, image, bits, start, rows, extent, grid, turned):
    """Sum the planes along z before the first one of a part; return what was seen."""
    seen = 0
    plane[:] = 0
    top, bottom = rows
    for z in range(extent[2] - extent[1], start):
        for y in range(top, bottom):
            seen = _advance(
                plane[y - top], image, bits, (z, y), extent, grid, seen, turned
            )
    return seen


@kernel
def _errors(seen, grid, precision, left):
    """Return how far sums are off after what was `seen`.

    That is the relative error of the first comparison, the quanta by which sums are
    off, the sum that has no error, the binary digits that the first comparison leaves
    out, the quanta by which that makes it off, and how many additions are left.
    """
    relative, rounding, shift, coarseness, _ = precision
    error = rounding if seen & 1 else 0.0
    zero = np.nan if seen & 1 and (seen & 2 or grid[0] < 1) else 0.0
    return relative, error, zero, shift, coarseness, left


@kernel
def _threshold_row(
    image, place, before, after, counts, rule, grid, errors, scratch, out
):
    """Write the mask of a row; return how many additions its doubts took.

    `place` is that of `_decide`.
    """
    z, y, _, count, turned = place
    relative, error, zero, shift, coarseness, left = errors
    number = counts.dtype.type
    unit = np.float64(2.0) ** -shift
    scale = number(grid[0] * unit * count)
    factors = number(rule[0]), number(rule[1]), rule[2]
    doubt = relative, number(error * unit + coarseness), number(zero)
    pixels = _row(image, z, y, turned)
    if _compare_roughly(pixels, scratch[2], counts, scale, factors, doubt, out):
        exact = np.float64(grid[1]), error, zero, shift, left
        return _decide(image, place, before, after, scratch, rule, exact, out)
    return 0


@kernel
def whole_numbers(
    image, bits, box, before, after, counts, rule, grid, precision, scratch, turned, out
):
    """Threshold a part of a volume of floats; return a status.

    Parameters
    ----------
    image
        Volume (z, y, x), never `turned` itself.
    bits
        The same as unsigned integers.
    box
        First plane and row of the part, and those after its last ones.
    before, after
        Extent of the window along z, y and x before and after its voxel.
    counts
        Number of columns of the window around each x that lie inside the image.
    rule
        Factor of negative sums, factor of other sums, mode.
    grid
        Number of quanta in 1, the quantum, bits of the largest magnitude that sums
        hold, and the bits of a magnitude; of the types of `image` and `bits`.
    precision
        Relative error of the first comparison; quanta by which it and the second one
        are off if values were rounded; binary digits that the first one leaves out;
        quanta by which that makes it off; number of additions that deciding doubts
        may take.
    scratch
        Sums along z, of as many rows as the windows of the part reach; row of sums
        along y; zeros, as many as that and the window along x; rows for `doubled_sum`.
    turned
        Whether windows slide along y first; `box`, `before` and `after` are in the
        order of the slide.
    out
        The whole mask, as 0 and 1.
    """
    depth, height, _ = _along_axes(image.shape, turned)
    plane, row, prefix = scratch[:3]
    left = precision[4]
    start, stop = box
    top, bottom = max(start[1] - before[1], 0), min(stop[1] + after[1], height)
    extent = before[0], after[0], max(start[0] - before[0], 0), depth
    rows = top, bottom
    seen = _enter_planes(plane, image, bits, start[0], rows, extent, grid, turned)
    for z in range(start[0], stop[0]):
        row[:] = 0
        for y in range(top - after[1], stop[1]):
            new = y + after[1]
            if new < bottom:
                sums_z, at = plane[new - top], (z, new)
                seen = _advance(sums_z, image, bits, at, extent, grid, seen, turned)
            _slide(row, plane, new - top, y - before[1] - 1 - top, precision[2])
            if y < start[1]:
                continue
            if seen & 4:
                return BEYOND
            _running_sums(row, prefix, before[2])
            count = _covered(z, before[0], after[0], depth) * _covered(
                y, before[1], after[1], height
            )
            place, target = (z, y, y - top, count, turned), _row(out, z, y, turned)
            errors = _errors(seen, grid, precision, left)
            left -= _threshold_row(
                image, place, before, after, counts, rule, grid, errors, scratch, target
            )
            if left < 0:
                return DOUBTFUL
    return DECIDED

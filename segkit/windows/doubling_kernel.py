"""Compiled kernels of `segkit.ndnt`: sums of floats in the order that defines them.

The order is that of `segkit.windows.floats`. Rows and planes of the image as they come
are doubled in rings; the sum over one window is folded. This is slower than sliding
whole numbers (`segkit.windows.float_kernel`), so that it is the last resort.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from numpy.lib.stride_tricks import as_strided

from segkit.compiled.kernels import kernel
from segkit.windows.sliding_kernel import _add, _compare, _covered


@kernel
def _fold(rows):
    """Sum rows by doubling into the first one; all are overwritten."""
    stop, size = rows.shape[0], 1
    while stop > 0:
        if stop & size:
            start, step = stop - size, 1
            while step < size:
                for i in range(start, stop, 2 * step):
                    _add(rows[i], rows[i + step])
                step *= 2
            if stop < rows.shape[0]:
                _add(rows[start], rows[stop])
            stop = start
        size *= 2


@kernel
def _folded(row):
    """Return the sum of a row by doubling, which overwrites it."""
    stop, size = row.size, 1
    while stop > 0:
        if stop & size:
            start, step = stop - size, 1
            while step < size:
                for i in range(start, stop, 2 * step):
                    row[i] += row[i + step]
                step *= 2
            if stop < row.size:
                row[start] += row[stop]
            stop = start
        size *= 2
    return row[0]


@kernel
def doubled_sum(image, place, before, after, scratch):
    """Return the doubled sum over the window of one voxel.

    `scratch` has rows of the window's length, for its planes and for its rows.
    """
    rows, sums = scratch
    depth = rows.shape[0]
    rows[:] = 0
    sums[:] = 0
    start = place[2] - before[2]
    left, right = max(start, 0), min(place[2] + after[2] + 1, image.shape[2])
    for j in range(sums.shape[0]):
        y = place[1] - before[1] + j
        if not 0 <= y < image.shape[1]:
            continue
        for i in range(depth):
            z = place[0] - before[0] + i
            if 0 <= z < image.shape[0]:
                for x in range(left, right):
                    rows[i, x - start] = image[z, y, x]
            else:
                rows[i] = 0
        _fold(rows)
        for x in range(sums.shape[1]):
            sums[j, x] = rows[0, x]
    _fold(sums)
    return _folded(sums[0])


@kernel
def _copy(row, target):
    """Copy a row without allocating, as `target[:] = row` would: that needs numba."""
    for x in range(target.size):
        target[x] = row[x]


@kernel
def _push(ring, layout, index, length):
    """Double the sums that end at the newest row; return those over a whole window.

    Level k of the ring holds sums of 2**k rows, in `layout[1, k]` slots that begin at
    slot `layout[0, k]`; row `index` of level 0 has just been written. Slots never
    written hold the zeros before the first row.
    """
    levels = layout.shape[1]
    for k in range(levels - 1):
        start, size = layout[0, k], layout[1, k]
        newest = ring[start + index % size]
        older = ring[start + (index - (1 << k)) % size]
        target = ring[layout[0, k + 1] + index % layout[1, k + 1]]
        for x in range(target.size):
            target[x] = older[x] + newest[x]
    top = ring[layout[0, levels - 1] + index % layout[1, levels - 1]]
    if length == 1 << (levels - 1):
        return top
    total = ring[ring.shape[0] - 1]
    lag = 0
    for k in range(levels):
        if (length >> k) & 1:
            part = ring[layout[0, k] + (index - lag) % layout[1, k]]
            if lag == 0:
                _copy(part, total)
            else:
                _add(total, part)
            lag += 1 << k
    return total


@kernel
def _doubled_along_row(row, before, length, scratch, sums):
    """Sum windows of a row of floats by doubling; `scratch` has two padded rows."""
    width = row.size
    scratch[0] = 0
    _copy(row, scratch[0, before : before + width])
    lag, level, k = 0, 0, 0
    while (1 << k) <= length:
        step = 1 << k
        here = scratch[level]
        if length & step:
            part = here[length - lag - step :]
            for x in range(width):
                sums[x] = part[x] if lag == 0 else sums[x] + part[x]
            lag += step
        ahead, target = here[step:], scratch[1 - level]
        for x in range(ahead.size):
            target[x] = here[x] + ahead[x]
        level, k = 1 - level, k + 1


@kernel
def doubling_rows(
    source, pixels, first, before, after, counts, rule, layout, ring, lines, out
):
    """Threshold rows of a plane by doubled sums; parameters as `sliding_rows`.

    `ring` is scratch for the sums along y, `layout` says where its levels are; `lines`
    is scratch of three times the length of x and the window's.
    """
    height, width = source.shape
    length = before[0] + after[0] + 1
    along = before[1] + after[1] + 1
    scratch, sums = lines[:2], lines[2, :width]
    ring[:] = 0
    for index in range(out.shape[0] + length - 1):
        y = first - before[0] + index
        newest = ring[layout[0, 0] + index % layout[1, 0]]
        if 0 <= y < height:
            _copy(source[y], newest)
        else:
            newest[:] = 0
        total = _push(ring, layout, index, length)
        k = index - length + 1
        if k >= 0:
            _doubled_along_row(total, before[1], along, scratch, sums)
            scale = rule[3] * _covered(first + k, before[0], after[0], height)
            _compare(pixels[first + k], sums, counts, scale, rule[:2], rule[2], out[k])


@kernel
def doubling_planes(
    image, first, before, after, counts, rule, layouts, planes, ring, lines, out
):
    """Threshold rows of a volume (z, y, x) by doubled sums, as `doubling_rows`.

    `planes` is the ring of flattened planes for the sums along z; `layouts` are those
    of `planes` and of `ring`.
    """
    depth, height, width = image.shape
    length = before[0] + after[0] + 1
    layout = layouts[0]
    planes[:] = 0
    for index in range(depth + length - 1):
        z = index - before[0]
        newest = planes[layout[0, 0] + index % layout[1, 0]]
        if 0 <= z < depth:
            for y in range(height):
                _copy(image[z, y], newest[y * width : (y + 1) * width])
        else:
            newest[:] = 0
        total = _push(planes, layout, index, length)
        k = index - length + 1
        if k >= 0:
            here = (rule[0], rule[1], rule[2], _covered(k, before[0], after[0], depth))
            doubling_rows(
                # `reshape` would need numba, too.
                as_strided(total, (height, width), (8 * width, 8)),
                image[k],
                first,
                before[1:],
                after[1:],
                counts,
                here,
                layouts[1],
                ring,
                lines,
                out[k],
            )

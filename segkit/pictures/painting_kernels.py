"""Compiled kernels of overlays: which labels are near each other, and the painting."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel

_AT_ONCE = 256  # labels, of which most are alike


@kernel
def mark(labels, seen):
    """Set `seen` at each label.

    Only where labels change: threads that wrote all of them would wait for each other,
    as what lies together in memory is theirs by turns.
    """
    last = labels.dtype.type(-1)
    for i in range(labels.size):
        if labels[i] != last:
            last = labels[i]
            if seen[last] == 0:
                seen[last] = 1


@kernel
def look_up(values, lookup, out):
    """Write the entry in `lookup` of each value."""
    for i in range(values.size):
        out[i] = lookup[values[i]]


@kernel
def find_near(numbers, rows, steps, known, pairs, found):
    """Note which labels lie a step apart; return the row to go on with.

    `numbers` (planes, rows, columns) are labels; each step is (rows, columns). All are
    looked at from a row before the next one, as long as it is in the cache. Pairs are
    noted as ``first * n + second``, n being the last entry of `known`, in `pairs` from
    ``found[0]`` on, until one more row might not fit. `known` are pairs noted lately,
    each at a place of its own, so that few are noted twice.
    """
    height, width = numbers.shape[1:]
    count = found[0]
    for row in range(rows[0], rows[1]):
        if count + len(steps) * width > pairs.size:
            found[0] = count
            return row
        plane, y = numbers[row // height], row % height
        for k in range(len(steps)):
            down, right = steps[k]
            if y + down < height and right < width:
                here, there = plane[y, : width - right], plane[y + down, right:]
                count = _note_near(here, there, known, pairs, count)
    found[0] = count
    return rows[1]


@kernel
def _note_near(here, there, known, pairs, count):
    """Note which labels at equal places differ; return how many pairs there are."""
    slots = known.size - 1
    n = known[slots]
    for start in range(0, here.size, _AT_ONCE):
        stop = min(start + _AT_ONCE, here.size)
        firsts, seconds = here[start:stop], there[start:stop]
        if not _differ(firsts, seconds):
            continue
        for x in range(firsts.size):
            first, second = firsts[x], seconds[x]
            if first != second and first > 0 and second > 0:
                pair = first * n + second
                slot = pair % slots
                if known[slot] != pair:
                    known[slot] = pair
                    pairs[count] = pair
                    count += 1
    return count


@kernel
def _differ(firsts, seconds):
    """Return whether two labels at equal places differ; looks at all, in vectors."""
    differ = np.int32(0)
    for x in range(firsts.size):
        both = firsts[x] > 0 and seconds[x] > 0
        differ |= firsts[x] ^ seconds[x] if both else np.int32(0)
    return differ != 0


@kernel
def paint(under, numbers, rows, chosen, tints, contours, out):
    """Paint rows of a picture: tinted inside of objects, full on their contours.

    `under` is grey or RGB (y, x, 1 or 3), `chosen` the colour of each number, `tints`
    (colour, channel, value) what becomes of a value, `contours` (colour, channel) the
    contour, or empty for none.
    """
    height, width = numbers.shape
    colours = under.shape[2] - 1
    rims = contours.size > 0
    for y in range(rows[0], rows[1]):
        above, below = numbers[max(y - 1, 0)], numbers[min(y + 1, height - 1)]
        here = numbers[y]
        for x in range(width):
            number = here[x]
            colour = chosen[number]
            rim = (
                rims
                and number > 0
                and (
                    above[x] != number
                    or below[x] != number
                    or here[max(x - 1, 0)] != number
                    or here[min(x + 1, width - 1)] != number
                )
            )
            for c in range(3):
                if rim:
                    out[y, x, c] = contours[colour, c]
                else:
                    out[y, x, c] = tints[colour, c, under[y, x, min(c, colours)]]

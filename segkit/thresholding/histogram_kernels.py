"""Compiled kernels over values of integers, and over how often each occurs."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel

BLOCK = 64
"""Counts that are added up together."""


@kernel
def count_values(values, counts):
    """Add to `counts`, by value, how often each of the unsigned `values` occurs."""
    for i in range(values.size):
        counts[values[i]] += 1


@kernel
def count_words(words, counts):
    """Count the four values of 16 bits in each word: it is fetched only once."""
    low = np.uint64(2**16 - 1)
    for i in range(words.size):
        word = words[i]
        counts[word & low] += 1
        counts[word >> np.uint64(16) & low] += 1
        counts[word >> np.uint64(32) & low] += 1
        counts[word >> np.uint64(48)] += 1


@kernel
def add_up(parts, start, total, counts, occur):
    """Add up counts of parts, block by block from a value on until all are there.

    So nothing is read far from what occurs: fresh memory takes long.

    Parameters
    ----------
    parts
        Counts, shape (parts, values), as many values as fill blocks.
    start, total
        A value that occurs, and how much is counted in all.
    counts
        Receives the sums where it is looked at.
    occur
        Receives the first value that occurs, and the one after the last.
    """
    stop = (start // BLOCK + 1) * BLOCK
    first = stop - BLOCK
    total -= _add_block(parts, first, counts)
    while total > 0 and (first > 0 or stop < counts.size):
        if stop < counts.size:
            total -= _add_block(parts, stop, counts)
            stop += BLOCK
        if total > 0 and first > 0:
            first -= BLOCK
            total -= _add_block(parts, first, counts)
    while counts[first] == 0:
        first += 1
    while counts[stop - 1] == 0:
        stop -= 1
    occur[0], occur[1] = first, stop


@kernel
def _add_block(parts, first, counts):
    """Add up counts of parts in a block; return their sum."""
    total = np.int64(0)
    for i in range(first, first + BLOCK):
        here = np.int64(parts[0, i])
        for part in range(1, parts.shape[0]):
            here += np.int64(parts[part, i])
        counts[i] = here
        total += here
    return total


@kernel
def most_between(counts, first, weights, means):
    """Return for which value the variance between the classes it ends is the greatest.

    As `skimage.filters.threshold_otsu` computes it: numbers of voxels in float32.

    Parameters
    ----------
    counts, first
        How often each value occurs, from the first on; the first and the last one do.
    weights, means
        Scratch, of as many: of all from a value on, float32 and float64.
    """
    weight, total = np.float32(0.0), 0.0
    for i in range(counts.size - 1, -1, -1):
        count = np.float32(counts[i])
        weight += count
        total += np.float64(count) * np.float64(first + i)
        weights[i], means[i] = weight, total / np.float64(weight)
    best, found = -1.0, 0
    weight, total = np.float32(0.0), 0.0
    for i in range(counts.size - 1):
        count = np.float32(counts[i])
        weight += count
        total += np.float64(count) * np.float64(first + i)
        apart = total / np.float64(weight) - means[i + 1]
        between = np.float64(weight * weights[i + 1]) * (apart * apart)
        if between > best:
            best, found = between, i
    return first + found


@kernel
def furthest_from_line(counts):
    """Return which count is the furthest from the line between peak and farther end.

    As `skimage.filters.threshold_triangle` computes it, but for a histogram of two
    values, which is a triangle without a middle: it is the first one.
    """
    occur = peak = 0
    for i in range(counts.size):
        occur += counts[i] != 0
        if counts[i] > counts[peak]:
            peak = i
    if occur == 2:
        return 0
    last, height = counts.size - 1, counts[peak]
    turned = peak < last - peak
    width = last - peak if turned else peak
    norm = np.sqrt(np.float64(height * height + width * width))
    up, along = height / norm, width / norm
    most, level = -np.inf, 0
    for i in range(width):
        length = up * i - along * counts[last - i if turned else i]
        if length > most:
            most, level = length, i
    return last - level if turned else level

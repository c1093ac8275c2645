"""The counting loop behind `segkit.contingency`, compiled.

Label images are long runs of the same pair (segmentation id, reference id), so the
loop counts a run in a register and touches the hash table once a run. Open addressing
with linear probing; the table doubles at half full, so memory follows the number of
distinct pairs and never the size of the ids or of the image.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel


@kernel
def _slot(first, second, firsts, seconds, counts):
    mask = np.uint64(firsts.size - 1)
    mixed = np.uint64(first) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= np.uint64(second) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    slot = (mixed >> np.uint64(32)) & mask
    while counts[slot] != 0 and (firsts[slot] != first or seconds[slot] != second):
        slot = (slot + np.uint64(1)) & mask
    return slot


@kernel
def _doubled(firsts, seconds, counts):
    size = 2 * firsts.size
    new_firsts = np.zeros(size, np.int64)
    new_seconds = np.zeros(size, np.int64)
    new_counts = np.zeros(size, np.int64)
    for old in range(firsts.size):
        if counts[old] != 0:
            slot = _slot(firsts[old], seconds[old], new_firsts, new_seconds, new_counts)
            new_firsts[slot] = firsts[old]
            new_seconds[slot] = seconds[old]
            new_counts[slot] = counts[old]
    return new_firsts, new_seconds, new_counts


@kernel
def count_pairs(first, second, firsts, seconds, counts):
    """Add the pairs of two flat label arrays to a hash table; return the table."""
    used = 0
    for slot in range(counts.size):
        used += counts[slot] != 0
    position = 0
    while position < first.size:
        a = first[position]
        b = second[position]
        end = position + 1
        while end < first.size and first[end] == a and second[end] == b:
            end += 1
        slot = _slot(a, b, firsts, seconds, counts)
        if counts[slot] == 0:
            firsts[slot] = a
            seconds[slot] = b
            used += 1
        counts[slot] += end - position
        position = end
        if 2 * used > counts.size:
            firsts, seconds, counts = _doubled(firsts, seconds, counts)
    return firsts, seconds, counts

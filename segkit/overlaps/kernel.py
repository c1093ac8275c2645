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
def move_pairs(firsts, seconds, counts, new_firsts, new_seconds, new_counts):
    """Put what one hash table holds into another, which is empty."""
    for old in range(firsts.size):
        if counts[old] != 0:
            slot = _slot(firsts[old], seconds[old], new_firsts, new_seconds, new_counts)
            new_firsts[slot] = firsts[old]
            new_seconds[slot] = seconds[old]
            new_counts[slot] = counts[old]


@kernel
def count_pairs(first, second, firsts, seconds, counts, state):
    """Add the pairs of two flat label arrays to a hash table.

    `state` is the next place in these, and how many pairs the table holds. It ends
    when the table is more than half full: call it again with a larger one.
    """
    position, used = state[0], state[1]
    while position < first.size and 2 * used <= counts.size:
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
    state[0] = position
    state[1] = used

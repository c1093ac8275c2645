"""Compiled disjoint sets: each set is known by its smallest member, its root.

`parent[i] <= i` always holds, so a root is found by walking down, and one pass from
below flattens the forest. Sets are united by making the larger root a child of the
smaller one and paths are halved on the way, which keeps walks short in practice.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel


@kernel
def find(parent, node):
    """Return the root of a node."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@kernel
def unite(parent, first, second):
    """Unite the sets of two nodes."""
    a, b = find(parent, first), find(parent, second)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@kernel
def unite_pairs(parent, first, second):
    """Unite the sets of `first[i]` and `second[i]` for each i."""
    for i in range(first.size):
        unite(parent, first[i], second[i])


@kernel
def flatten(parent):
    """Make each node a child of its root."""
    for node in range(parent.size):
        parent[node] = parent[parent[node]]


@kernel
def number_sets(parent, counts):
    """Put the 1-based rank of its set in the place of each node's parent.

    `counts` are numbers of nodes, each no less than the one before; they become the
    numbers of sets among so many nodes. Nodes are 1 to the last of them; node 0 is
    background, of rank 0. A parent comes before its children, so that its own place
    holds the rank when they ask for it.
    """
    sets = 0
    node = 1
    for k in range(counts.size):
        while node <= counts[k]:
            root = parent[node] == node  # half of all: without a branch
            sets += root
            rank = parent[parent[node]]
            parent[node] = sets if root else rank
            node += 1
        counts[k] = sets

"""Rules that join the results of overlapping tiles (see `segkit.tiling.join`)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from segkit.arrays import Array, lowest
from segkit.tiling.boxes import Tile, require_tile

Pieces: TypeAlias = Iterable[tuple[Tile, Array]]


def by_rule(rule: str) -> Callable[[Pieces, tuple[int, ...]], Array]:
    """Return the function that joins pieces by `rule`."""
    joiners = {"own": _own, "max": _max, "mean": _mean, "vote": _vote}
    if rule not in joiners:
        raise ValueError(f"unknown rule {rule!r}; use one of {', '.join(joiners)}")
    return joiners[rule]


def require_piece(tile: Tile, piece: Array) -> None:
    """Raise unless a result has the shape of the box that its tile reads."""
    if piece.shape != tile.read.shape:
        raise ValueError(
            f"tile {tile.index} reads a box of shape {tile.read.shape}, but its result "
            f"has shape {piece.shape}; return one value per voxel that was read"
        )


def require_dtype(tile: Tile, piece: Array, first: np.dtype[Any]) -> None:
    """Raise unless a result has the dtype of the first one."""
    if piece.dtype != first:
        raise ValueError(
            f"tile {tile.index} has dtype {piece.dtype}, the first one {first}; "
            "convert the pieces to one dtype"
        )


def checked(pieces: Pieces, shape: tuple[int, ...]) -> Iterator[tuple[Tile, Array]]:
    """Pass pieces on; raise on a wrong one, and at the end on a missing one."""
    seen: set[tuple[int, ...]] = set()
    dtype = None
    covered = 0
    for tile, given in pieces:
        require_tile(tile)
        if len(tile.write.shape) != len(shape):
            raise ValueError(
                f"shape is {shape}, but tiles have {len(tile.write.shape)} axes"
            )
        piece = np.asarray(given)
        dtype = dtype or piece.dtype
        require_piece(tile, piece)
        require_dtype(tile, piece, dtype)
        if tile.index in seen:
            raise ValueError(f"tile {tile.index} is given twice")
        seen.add(tile.index)
        covered += tile.write.size
        yield tile, piece
    if covered != math.prod(shape):
        raise ValueError(
            f"the write boxes of {len(seen)} pieces hold {covered} voxels, the image "
            f"of shape {shape} {math.prod(shape)}; give each tile of the image once"
        )


def _own(pieces: Pieces, shape: tuple[int, ...]) -> Array:
    out: Array = np.empty(0)
    for k, (tile, piece) in enumerate(pieces):
        out = out if k else np.empty(shape, piece.dtype)
        out[tile.write.slices] = piece[tile.inner]
    return out.reshape(shape)


def _max(pieces: Pieces, shape: tuple[int, ...]) -> Array:
    out: Array = np.empty(0)
    for k, (tile, piece) in enumerate(pieces):
        out = out if k else np.full(shape, lowest(piece.dtype), piece.dtype)
        view = out[tile.read.slices]
        np.maximum(view, piece, out=view)
    return out.reshape(shape)


def _mean(pieces: Pieces, shape: tuple[int, ...]) -> Array:
    total = np.zeros(shape)
    count = np.zeros(shape, np.uint32)
    for tile, piece in pieces:
        total[tile.read.slices] += piece
        count[tile.read.slices] += 1
    return np.divide(total, count, out=total)


def _vote(pieces: Pieces, shape: tuple[int, ...]) -> Array:
    kept = {tile.index: (tile, piece) for tile, piece in pieces}
    out = _own(kept.values(), shape)
    near = _voters([tile for tile, _ in kept.values()])
    for tile, _ in kept.values():
        box = tile.write
        voters = [kept[index] for index in near(tile) if index in kept]
        stack = np.zeros((len(voters), *box.shape), out.dtype)
        voting = np.zeros(stack.shape, bool)
        for k, (other, piece) in enumerate(voters):
            common = box.common(other.read)
            if common is not None:
                here = common.within(box).slices
                stack[k][here] = piece[common.within(other.read).slices]
                voting[k][here] = True
        out[box.slices] = _most_frequent(stack, voting, out[box.slices])
    return out


def _voters(grid: Sequence[Tile]) -> Callable[[Tile], Iterator[tuple[int, ...]]]:
    """Return a look-up of the tiles that read any voxel of a tile's write box.

    The tiles are those of one grid, so the axes are looked up one by one: looking at
    all pairs of tiles would take longer than the votes.
    """
    ndim = len(grid[0].index) if grid else 0
    spans = [
        {t.index[axis]: (t.read.start[axis], t.read.stop[axis]) for t in grid}
        for axis in range(ndim)
    ]

    def near(tile: Tile) -> Iterator[tuple[int, ...]]:
        box = zip(spans, tile.write.start, tile.write.stop, strict=True)
        meeting = [
            [i for i, (a, b) in axis.items() if a < stop and b > start]
            for axis, start, stop in box
        ]
        return itertools.product(*meeting)

    return near


def _most_frequent(stack: Array, voting: Array, own: Array) -> Array:
    """Return the most frequent value along axis 0 among those that vote."""

    def votes_for(value: Array) -> Array:
        votes: Array = np.count_nonzero((stack == value) & voting, axis=0)
        return votes

    best, most = own.copy(), votes_for(own)
    own_votes = most.copy()
    for value, votes_here in zip(stack, voting, strict=True):
        votes = np.where(votes_here, votes_for(value), 0)
        lower = (votes == most) & (value < best) & (most > own_votes)
        better = (votes > most) | lower
        best, most = np.where(better, value, best), np.where(better, votes, most)
    return best

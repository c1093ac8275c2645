"""Arrays that tasks made, tile by tile: read by box, decoded only where needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.names import known_as
from segkit.tiling.boxes import Box
from segkit.workflows.packing import Packed, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array
    from taskgraph import Task


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Later:
    """A task's result that its user loads when it wants it, and not before."""

    task: Task

    def load(self) -> Any:
        """Return the result."""
        return self.task.value()

    def __repr__(self) -> str:
        return f"{self.task.name.rpartition('.')[2]}:{self.task.key.hex()[:8]}"

    def __taskgraph_hash__(self) -> object:
        """Return what a key knows of it: the task."""
        return self.task

    def __taskgraph_value__(self) -> Later:
        """Return itself, not the result."""
        return self


def later(tasks: Any) -> tuple[Later, ...]:
    """Return tasks as results that are loaded one by one."""
    return tuple(Later(task) for task in tasks)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Merged:
    """The ids of the whole image for the labels of all tiles.

    Attributes
    ----------
    ids : ndarray of int
        The lookups of `segkit.merge_tiles`, one after the other.
    ends : ndarray of int64
        Where each ends; the first entry is 0.
    """

    ids: Array
    ends: NDArray[np.int64]

    def lookup(self, number: int) -> Array:
        """Return the ids for the labels of tile `number`, 0 for the background."""
        return self.ids[self.ends[number] : self.ends[number + 1]]


def through(labels: Array, lookup: Array) -> Array:
    """Return `lookup[labels]`, with 0 for what lies beyond the end of `lookup`.

    Examples
    --------
    >>> through(np.array([0, 3, 1]), np.array([0, 8]))
    array([0, 0, 8])
    """
    inside = labels < len(lookup)
    return np.where(inside, lookup[np.where(inside, labels, 0)], lookup.dtype.type(0))


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Part:
    """The voxels of one tile.

    Attributes
    ----------
    box : Box
        Where.
    result : Later
        A `Packed` array, or an object with one as `labels`.
    number : int
        Its place among the tiles.
    """

    box: Box
    result: Later
    number: int

    def packed(self) -> Packed:
        """Return the stored voxels."""
        found = self.result.load()
        return found if isinstance(found, Packed) else found.labels


@known_as("segkit.workflows")
@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array that tasks made, read by box.

    Also what a task gets when it is given as an argument: the parts stay where they
    are until they are read.

    Attributes
    ----------
    shape : tuple of int
        Of the whole array.
    parts : tuple of Part
        The tiles that it may be read from.
    merged : Later or None
        For labels of tiles by themselves: the `Merged` ids.
    lookups : tuple of Later
        For labels: what replaces them, one lookup after the other.
    """

    shape: tuple[int, ...]
    parts: tuple[Part, ...]
    merged: Later | None = None
    lookups: tuple[Later, ...] = ()

    def __taskgraph_hash__(self) -> object:
        """Return what a key knows of it."""
        parts = [
            (part.box.start, part.box.stop, part.result.task, part.number)
            for part in self.parts
        ]
        return self.shape, parts, self.merged, self.lookups

    def __taskgraph_value__(self) -> StoredArray:
        """Return itself: parts are loaded when they are read."""
        return self

    def __repr__(self) -> str:
        return f"StoredArray({self.shape}, {len(self.parts)} tiles)"

    def cut(self, box: Box) -> StoredArray:
        """Return the same array with only those parts that hold voxels of a box."""
        kept = tuple(part for part in self.parts if part.box.common(box) is not None)
        return replace(self, parts=kept)

    def boxes(self) -> list[Box]:
        """Return boxes that are read one after the other: one for each tile."""
        return [part.box for part in self.parts]

    def looked_up(self, lookup: Task) -> StoredArray:
        """Return the array of labels with each replaced by its entry in a lookup."""
        return replace(self, lookups=(*self.lookups, Later(lookup)))

    def read(self, box: Box | None = None) -> Array:
        """Return the voxels of a box, all by default."""
        return self.reader().read(box or Box((0,) * len(self.shape), self.shape))

    def reader(self) -> Reader:
        """Return what reads many boxes of it, and keeps the parts it met."""
        return Reader(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        voxels = self.read()
        return voxels if dtype is None else voxels.astype(dtype)


class Reader:
    """Reads boxes of a `StoredArray` and keeps the parts it met, packed.

    Parameters
    ----------
    array : StoredArray
        What to read.
    keep : int
        Bytes of packed parts to keep.
    """

    def __init__(self, array: StoredArray, keep: int = 1 << 28) -> None:
        self._array = array
        self._merged = None if array.merged is None else array.merged.load()
        self._lookups = [lookup.load() for lookup in array.lookups]
        self._packed: dict[int, Packed] = {}
        self._kept = 0
        self._keep = keep

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the voxels."""
        lookup = self._lookup(self._array.parts[0])
        if lookup is not None:
            return lookup.dtype
        return np.dtype(self._stored(self._array.parts[0]).dtype)

    def read(self, box: Box) -> Array:
        """Return the voxels of a box."""
        out: Array | None = None
        for part in self._array.parts:
            common = part.box.common(box)
            if common is None:
                continue
            piece = self._piece(part, common)
            if common == box:
                return piece
            if out is None:
                out = np.empty(box.shape, piece.dtype)
            out[common.within(box).slices] = piece
        if out is None:
            raise ValueError(f"no tile holds voxels of {box}; it was cut away")
        return out

    def _piece(self, part: Part, common: Box) -> Array:
        inner = common.within(part.box)
        planes = (inner.start[0], inner.stop[0])
        voxels = unpack(self._stored(part), self._lookup(part), planes=planes)
        return voxels[(slice(None), *inner.slices[1:])]

    def _stored(self, part: Part) -> Packed:
        packed = self._packed.get(part.number)
        if packed is None:
            packed = part.packed()
            while self._packed and self._kept + packed.nbytes > self._keep:
                oldest = next(iter(self._packed))
                self._kept -= self._packed.pop(oldest).nbytes
            self._packed[part.number] = packed
            self._kept += packed.nbytes
        return packed

    def _lookup(self, part: Part) -> Array | None:
        """Return what stands for the labels of a part; None if it has none."""
        ids = None if self._merged is None else self._merged.lookup(part.number)
        for lookup in self._lookups:
            ids = lookup if ids is None else through(ids, lookup)
        return ids

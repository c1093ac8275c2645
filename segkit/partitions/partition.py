"""`Partition`: the regions of an image that are measured, in one form for all.

Regions are the labels of a label image, or boxes, which may overlap. Whoever measures
asks for the box of each, and for which voxels of it are meant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks, extents
from segkit.arrays import is_mask, require_background
from segkit.names import known_as
from segkit.tiling.boxes import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array, Mask
    from segkit.tiling.boxes import Tile


@known_as("segkit.partitions")
@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """The regions of an image, to be measured one by one.

    Attributes
    ----------
    shape : tuple of int
        Shape of the image.
    ids : int64 array, shape (n,)
        The number of each region, rising; of labels the label.
    starts, stops : int64 array, shape (n, axes)
        The box of each region: first voxel, and the one after the last.
    labels : integer array of that shape, or None
        Which region each voxel belongs to, 0 = none. None if regions are whole boxes.
    mask : bool array of that shape, or None
        Voxels that count at all; None is all of them.

    Examples
    --------
    >>> halves = labelled_regions(np.array([[1, 1, 2], [1, 0, 2]]))
    >>> len(halves), halves.sizes().tolist()
    (2, [3, 2])
    """

    shape: tuple[int, ...]
    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    labels: NDArray[np.integer[Any]] | None = None
    mask: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def box(self, place: int) -> Box:
        """Return the box of the region at a place of `ids`."""
        return Box(
            tuple(self.starts[place].tolist()), tuple(self.stops[place].tolist())
        )

    def inside(self, place: int) -> Mask:
        """Return which voxels of its box belong to the region at a place of `ids`."""
        slices = self.box(place).slices
        if self.labels is not None:
            return np.asarray(self.labels[slices] == self.ids[place])
        if self.mask is not None:
            return self.mask[slices]
        return np.ones(self.box(place).shape, bool)

    def sizes(self) -> NDArray[np.int64]:
        """Return how many voxels each region has."""
        return np.array(
            [np.count_nonzero(self.inside(place)) for place in range(len(self))],
            np.int64,
        )

    def within(self, mask: Any, *, least: float = 0.5) -> Partition:
        """Return the partition of a part of the image.

        Parameters
        ----------
        mask : array of the shape of the image
            What is not 0 counts; other voxels belong to no region.
        least : float
            Regions of which a smaller part than this is left are dropped, from 0 to 1.

        Raises
        ------
        ValueError
            If the mask has another shape, or nothing is left.

        Examples
        --------
        >>> seen = np.array([[1, 1, 0, 0], [1, 1, 1, 0]])
        >>> grid_regions((2, 4), 2).within(seen).ids
        array([1])
        """
        counts = foreground(mask, self.shape)
        least = checks.require_fraction(least, name="least")
        before = self.sizes()
        if self.labels is not None:
            left = replace(self, labels=np.where(counts, self.labels, 0))
        else:
            both = counts if self.mask is None else counts & self.mask
            left = replace(self, mask=both)
        after = left.sizes()
        kept = left.only((after >= least * before) & (after > 0))
        if len(kept) == 0:
            raise ValueError(
                f"no region has {least:.0%} of its voxels within the mask; give a"
                " larger mask, or a smaller `least`"
            )
        return kept

    def only(self, chosen: Any) -> Partition:
        """Return the regions at some places of `ids`: booleans, or numbers of places.

        Their ids stay.
        """
        return replace(
            self,
            ids=self.ids[chosen],
            starts=self.starts[chosen],
            stops=self.stops[chosen],
        )

    def shares(self, mask: Any) -> NDArray[np.float64]:
        """Return which part of each region is foreground: what there is to predict.

        Parameters
        ----------
        mask : array of the shape of the image
            What is not 0 is foreground.

        Examples
        --------
        >>> labelled_regions(np.array([1, 1, 2, 2])).shares([1, 0, 0, 0])
        array([0.5, 0. ])
        """
        counts = foreground(mask, self.shape)
        return np.array(
            [
                counts[self.box(place).slices][self.inside(place)].mean()
                for place in range(len(self))
            ],
            np.float64,
        )

    def owned_by(self, tile: Tile) -> NDArray[np.intp]:
        """Return the places in `ids` of the regions whose box starts in a tile."""
        start, stop = np.array(tile.write.start), np.array(tile.write.stop)
        begun = (self.starts >= start) & (self.starts < stop)
        return np.flatnonzero(begun.all(axis=1))

    def painted(self, values: Sequence[float] | Array) -> NDArray[np.float64]:
        """Return an image of a number of each region; NaN where there is none.

        Where boxes overlap, the one with the larger id is on top.
        """
        numbers = np.asarray(values, np.float64)
        if numbers.shape != (len(self),):
            raise ValueError(
                f"values have shape {numbers.shape}; give one for each of"
                f" {len(self)} regions"
            )
        image = np.full(self.shape, np.nan)
        for place, number in enumerate(numbers):
            image[self.box(place).slices][self.inside(place)] = number
        return image


def foreground(mask: Any, shape: tuple[int, ...]) -> Mask:
    """Return a mask of an image; raise `ValueError` if it is of another shape.

    Or if it has several values, none of which is 0: all would be foreground.
    """
    array = checks.as_image(mask, name="mask")
    if array.shape != shape:
        raise ValueError(
            f"mask has shape {array.shape}, the image {shape}; they differ"
        )
    require_background(array)
    return checks.as_mask(array)


@known_as("segkit.partitions")
def labelled_regions(labels: Any) -> Partition:
    """Return the objects of a label image as regions.

    Parameters
    ----------
    labels : integer array of any number of axes
        0 = background.

    Raises
    ------
    TypeError, ValueError
        If it is a mask or of floats, or holds no object.

    Examples
    --------
    >>> regions = labelled_regions(np.array([[0, 4, 4], [9, 0, 4]]))
    >>> regions.ids, regions.box(0)
    (array([4, 9]), Box(start=(0, 1), stop=(2, 3)))
    """
    array = checks.require_labels(labels)
    if is_mask(array) and array.max() == 255:
        raise ValueError(
            "labels hold 0 and 255 only, as a mask does; make labels of it by"
            " segkit.label"
        )
    ids, starts, stops = _boxes_of(array)
    if len(ids) == 0:
        raise ValueError(
            "labels hold no object, every voxel is 0: look whether the segmentation"
            " found any, or leave this image out"
        )
    return Partition(tuple(array.shape), ids, starts, stops, labels=array)


def _boxes_of(
    labels: NDArray[np.integer[Any]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return ids, and the start and stop of the box of each."""
    from segkit.measurement.measure import region_properties

    table = region_properties(labels, properties=["label", "bbox"])
    columns = [table[f"bbox-{axis}"] for axis in range(2 * labels.ndim)]
    corners = np.stack(columns, axis=1).astype(np.int64)
    ids = table["label"].astype(np.int64)
    return ids, corners[:, : labels.ndim], corners[:, labels.ndim :]


@known_as("segkit.partitions")
def grid_regions(shape: Sequence[int], size: int | Sequence[int]) -> Partition:
    """Return the cells of a regular grid.

    Parameters
    ----------
    shape
        Shape of the image.
    size
        Of a cell in voxels, one number or one per axis. The last ones of an axis are
        smaller where it does not divide the shape.

    Examples
    --------
    >>> cells = grid_regions((4, 5), 2)
    >>> len(cells), cells.box(5)
    (6, Box(start=(2, 4), stop=(4, 5)))
    """
    from segkit.tiling.cutting import tiles

    cells = [cell.write for cell in tiles(shape, size)]
    return _of_boxes(extents.as_shape(shape), cells)


@known_as("segkit.partitions")
def window_regions(
    points: Any, shape: Sequence[int], size: int | Sequence[int]
) -> Partition:
    """Return windows of one size around points; they may overlap.

    Parameters
    ----------
    points : integer array, shape (n, axes)
        The voxel in the middle of each window, as of `interest_points`.
    shape
        Shape of the image; windows end at its border.
    size
        Of a window in voxels, one number or one per axis.

    Raises
    ------
    TypeError, ValueError
        If there are no points, one lies outside of the image, or they are not integers.

    Examples
    --------
    >>> window_regions([[1, 1], [4, 4]], (6, 6), 3).box(0)
    Box(start=(0, 0), stop=(3, 3))
    """
    lengths = extents.as_shape(shape)
    middles = np.asarray(points)
    if not middles.size:
        raise ValueError(
            "there are no points, so no windows; find more of them, or take another"
            " partition, such as grid_regions"
        )
    if middles.ndim != 2 or middles.shape[1] != len(lengths):
        raise ValueError(
            f"points have shape {middles.shape}; give a row of {len(lengths)} numbers"
            " for each of one or more points"
        )
    if middles.dtype.kind not in "iu":
        raise TypeError(
            f"points are of {middles.dtype}; give whole numbers, as by"
            " np.rint(points).astype(int)"
        )
    outside = np.flatnonzero(((middles < 0) | (middles >= lengths)).any(axis=1))
    if outside.size:
        raise ValueError(
            f"point {outside[0]}, {middles[outside[0]].tolist()}, lies outside of the"
            f" image of shape {lengths}"
        )
    sizes = np.array(checks.per_axis(size, len(lengths), name="size", least=1))
    starts = middles.astype(np.int64) - sizes // 2
    stops = np.minimum(starts + sizes, lengths)
    return Partition(
        lengths, np.arange(1, len(starts) + 1), np.maximum(starts, 0), stops
    )


def _of_boxes(shape: tuple[int, ...], boxes: Sequence[Box]) -> Partition:
    starts = np.array([box.start for box in boxes], np.int64).reshape(-1, len(shape))
    stops = np.array([box.stop for box in boxes], np.int64).reshape(-1, len(shape))
    return Partition(shape, np.arange(1, len(boxes) + 1), starts, stops)

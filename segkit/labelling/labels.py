"""Label connected components, whole or tile by tile, always with the same ids.

The ids are those of `scipy.ndimage.label` on the whole image: 1, 2, ... in raster
order of each object's first voxel. Tile by tile it takes three steps, each a function
of small arrays, so that each can be a task of its own on a machine of its own:

1. `label_tile` labels one tile by itself and returns a summary: where each object first
   appears in the tile, and the labels in the tile's outermost planes.
2. `find_seam` lists which objects of two adjacent tiles touch, from their outermost
   planes; `merge_tiles` unites objects that touch and numbers the results.
3. `relabel_tile` looks the final ids up.

Only steps 1 and 3 touch voxels, one tile at a time. Step 2 sees planes only, two tiles
at a time, and takes about 15 bytes per object of each tile.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from segkit import checks, extents
from segkit.argument_kinds import require_types
from segkit.labelling import box as label_box
from segkit.labelling.connectivity import offsets, row_offsets, structure_of
from segkit.labelling.merging import merge_tiles
from segkit.labelling.runs import Source, source_of
from segkit.labelling.seams import adjacent, touching_labels
from segkit.labelling.summary import Seam, TileSummary, faces, places_in_image
from segkit.names import known_as
from segkit.tiling.boxes import Box, Tile, require_tile
from segkit.tiling.cutting import tiles
from segkit.tiling.threads import in_threads, thread_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array, Labels
    from segkit.labelling.connectivity import Offset
    from segkit.labelling.summary import Faces


@known_as("segkit.names")
class TileLabels(NamedTuple):
    """Labels of one tile by itself (1, 2, ... in raster order), and a summary."""

    labels: NDArray[np.int32]
    summary: TileSummary


@known_as("segkit")
def label(
    mask: Any,
    *,
    connectivity: Any = 1,
    tile: int | Sequence[int] | None = None,
    workers: int | None = None,
    by_value: bool = False,
) -> Array:
    """Label the connected components of a mask.

    Parameters
    ----------
    mask
        Array of 1 or more axes; 0 (False) is background, all else is foreground.
    connectivity
        How many coordinates of two touching voxels may differ by one: 1 means that
        they share a face, `mask.ndim` that a corner is enough. Or an array of shape
        (3, ..., 3) that holds the neighbours, as `scipy.ndimage.label` takes it.
    tile
        Size of the tiles that are labelled in parallel; None chooses. The result does
        not depend on it.
    workers
        Number of threads; None takes this process's share of the processors (see
        `segkit.tiling.threads`).
    by_value
        Whether only voxels of the same value touch (`mask` is then an integer image).

    Returns
    -------
    ndarray
        int32, or int64 if there are more than 2**31 - 1 objects; 0 is background, the
        objects are 1, 2, ... in raster order of their first voxel, exactly as by
        `scipy.ndimage.label`. An image without voxels has labels without voxels.

    Raises
    ------
    TypeError, ValueError
        If the mask is not real, is a colour picture, or holds NaN; if the connectivity
        or tile do not fit its axes.

    Notes
    -----
    Takes 4 bytes a voxel for the result, an eighth for the mask in bits and, unless it
    is boolean or of one byte a voxel, one more; each object takes up to 20 bytes while
    its id is found (1.5 a voxel in noise).

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.array([[1, 1, 0, 1], [0, 0, 1, 0], [1, 0, 1, 0]])
    >>> label(mask)
    array([[1, 1, 0, 2],
           [0, 0, 3, 0],
           [4, 0, 3, 0]], dtype=int32)
    >>> label(mask, connectivity=2, tile=2)
    array([[1, 1, 0, 1],
           [0, 0, 1, 0],
           [2, 0, 1, 0]], dtype=int32)
    >>> label(np.array([7, 7, 5, 5, 0, 5]), by_value=True)
    array([1, 1, 2, 2, 0, 3], dtype=int32)
    """
    image = _foreground(mask, by_value=by_value)
    structure = structure_of(image.ndim, connectivity)
    joined = row_offsets(structure)[-1]
    labels = np.empty(image.shape, np.int32)
    if image.size == 0:
        return labels
    threads = thread_count(workers, image.size // 16)  # what is cut has to be joined
    grid = tiles(image.shape, _slabs(image.shape, threads) if tile is None else tile)
    boxes = [one.write for one in grid]
    source = partial(source_of, image, joined=joined, by_value=by_value)
    parts = in_threads(partial(_label_box, source, labels, structure), boxes, threads)
    lookups = [part.numbers for part in parts]
    if len(boxes) > 1:
        by_planes = _meet_on_first_axis(boxes)
        describe = partial(_summary, source, labels, by_planes)
        summaries = in_threads(describe, parts, threads)
        pairs = adjacent(boxes, structure)
        steps = offsets(structure)
        seams = [_seam(summaries, lookups, pair, steps) for pair in pairs]
        ids = merge_tiles(summaries, seams=seams)
        lookups = [new[old] for new, old in zip(ids, lookups, strict=True)]
    dtype = lookups[0].dtype  # in place unless ids need more bytes
    result = labels if dtype == labels.dtype else np.empty(image.shape, dtype)

    def fill(place: int) -> None:
        part = parts[place]
        label_box.fill(part.source, labels, part.box, lookups[place], result)

    in_threads(fill, range(len(parts)), threads)
    return result


class _LabelledBox(NamedTuple):
    """A box of an array of provisional labels."""

    box: Box
    source: Source
    numbers: Array
    """For each provisional label its object's number within the box."""
    begun: Array
    """How many objects begin before each row of the box, and in all."""


def _label_box(
    source_for: Callable[[Box], Source],
    labels: Array,
    structure: Array,
    box: Box,
) -> _LabelledBox:
    source = source_for(box)
    return _LabelledBox(
        box, source, *label_box.label_box(source, labels, box, structure)
    )


def _meet_on_first_axis(boxes: Sequence[Box]) -> bool:
    """Return whether boxes have whole rows, and meet on the first axis only."""
    cut = boxes[0].start[1:]
    return bool(cut) and all(box.start[1:] == cut for box in boxes)


def _summary(
    source_for: Callable[[Box], Source],
    labels: Array,
    by_planes: bool,
    part: _LabelledBox,
) -> TileSummary:
    """Return the summary of a labelled box, in whose planes labels are provisional.

    Of boxes that meet `by_planes` of the first axis only, it has no others.
    """
    box, source, numbers, begun = part
    first = label_box.first_places(source, labels, box, numbers, begun)
    values = None
    if source.by_value:
        values = source.image[places_in_image(first, box, labels.shape)]
    if by_planes:
        start, end = (_plane(source_for, labels, one) for one in _ends(box))
        planes: Faces = ((start, end),)
    else:
        planes = label_box.provisional_faces(source, labels, box)
    return TileSummary(box, labels.shape, first, planes, values)


def _plane(source_for: Callable[[Box], Source], labels: Array, box: Box) -> Array:
    """Return the provisional labels of a box that is one plane of the first axis."""
    (plane, _), *_ = label_box.provisional_faces(source_for(box), labels, box)
    return plane


def _ends(box: Box) -> list[Box]:
    """Return the first and the last plane of a box on its first axis."""
    start, stop = box.start[0], box.stop[0]
    cuts = (start, start + 1), (stop - 1, stop)
    return [Box((a, *box.start[1:]), (b, *box.stop[1:])) for a, b in cuts]


def _seam(
    parts: Sequence[TileSummary],
    numbers: Sequence[Array],
    pair: tuple[int, int],
    steps: Sequence[Offset],
) -> Seam:
    """Return which objects of two boxes touch, by their numbers."""
    (a, b), lookups = [parts[k] for k in pair], [numbers[k] for k in pair]
    pairs = touching_labels(a, b, steps, lookups=(lookups[0], lookups[1]))
    return Seam(a.box, b.box, pairs)


@known_as("segkit")
def label_tile(
    mask: Any,
    tile: Tile,
    shape: Sequence[int],
    *,
    connectivity: Any = 1,
    by_value: bool = False,
) -> TileLabels:
    """Label one tile by itself.

    Parameters
    ----------
    mask
        The voxels of `tile.write`.
    tile
        Where they are.
    shape
        Shape of the whole image.
    connectivity, by_value
        As for `label`.

    Returns
    -------
    TileLabels
        The labels, and what `merge_tiles` needs to know about them.

    Raises
    ------
    ValueError
        As `label`, or if the mask does not have the shape of the tile.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.array([1, 1, 0, 1, 1, 0, 1])
    >>> grid = tiles(mask.shape, 4)
    >>> parts = [label_tile(mask[t.write.slices], t, mask.shape) for t in grid]
    >>> [part.labels.tolist() for part in parts]
    [[1, 1, 0, 2], [1, 0, 2]]
    >>> lookups = merge_tiles([part.summary for part in parts])
    >>> [relabel_tile(p.labels, t).tolist() for p, t in zip(parts, lookups)]
    [[1, 1, 0, 2], [2, 0, 3]]
    """
    with checks.inside_tile():
        image = _foreground(mask, by_value=by_value)
    require_tile(tile)
    if image.shape != tile.write.shape:
        raise ValueError(
            f"mask has shape {image.shape}, its tile {tile.write.shape}; give the "
            "voxels of tile.write"
        )
    structure = structure_of(image.ndim, connectivity)
    labels = np.empty(image.shape, np.int32)
    own = Box((0,) * image.ndim, image.shape)
    joined = row_offsets(structure)[-1]
    source = source_of(image, own, joined=joined, by_value=by_value)
    numbers, begun = label_box.label_box(source, labels, own, structure)
    label_box.fill(source, labels, own, numbers, labels)
    del numbers  # as large as the places, where there are many
    filled = label_box.FILLED
    first = label_box.first_places(source, labels, own, filled, begun)
    values = image.reshape(-1)[first] if by_value else None
    planes = tuple((a.copy(), b.copy()) for a, b in faces(labels))
    whole = extents.as_shape(shape, image.ndim)
    return TileLabels(labels, TileSummary(tile.write, whole, first, planes, values))


@known_as("segkit")
def relabel_tile(labels: Array, lookup: Array, *, out: Array | None = None) -> Labels:
    """Return the labels of one tile with each replaced by its entry in a lookup.

    Parameters
    ----------
    labels
        Integers from 0 on.
    lookup
        What to put in the place of 0, 1, 2, ..., as `merge_tiles` returns it.
    out
        Array for the result, for example `labels` itself; None makes one of the
        lookup's dtype.

    Raises
    ------
    TypeError, ValueError
        If labels are not integers, are negative, or beyond the lookup's end; if `out`
        has another shape, cannot be written, or is too narrow for the ids.

    Examples
    --------
    >>> import numpy as np
    >>> relabel_tile(np.array([0, 1, 2, 1]), np.array([0, 40, 50]))
    array([ 0, 40, 50, 40])
    """
    array = checks.require_labels(labels)
    lookup = checks.require_labels(lookup, name="lookup")
    if lookup.ndim != 1:
        raise ValueError(f"lookup has {lookup.ndim} axes, but must be a list of ids")
    largest = int(array.max())
    if largest >= len(lookup):
        raise ValueError(
            f"label {largest} is beyond the lookup, which ends at {len(lookup) - 1}; "
            "is it that of another tile?"
        )
    if out is None:
        out = np.empty(array.shape, lookup.dtype)
    else:
        _require_room(out, array.shape, lookup)
    label_box.look_up(array, lookup, out)
    return out


def _require_room(out: Array, shape: tuple[int, ...], lookup: Array) -> None:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out is of type {type(out).__name__}, but must be an array")
    if out.dtype.kind not in "iu":
        raise ValueError(f"out has dtype {out.dtype}, but must be of integers")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}, the labels {shape}")
    if not out.flags.writeable:
        raise ValueError("out is read-only; give an array that can be written")
    if np.can_cast(lookup.dtype, out.dtype):
        return
    if int(lookup.max()) > np.iinfo(out.dtype).max:
        raise ValueError(
            f"out has dtype {out.dtype}, too narrow for ids up to {lookup.max()}; give "
            f"an array of {lookup.dtype}, or none"
        )


def _foreground(mask: Any, *, by_value: bool) -> Array:
    """Return a C-contiguous array, of one byte a voxel unless values matter."""
    require_types(label, {"by_value": by_value})
    image = checks.as_array(mask, name="mask")
    checks.require_real(image, name="mask")
    checks.require_grey(image, name="mask")
    if image.ndim == 0:
        raise ValueError("mask is a single number; give an array with axes")
    if by_value and image.dtype.kind not in "biu":
        raise TypeError(
            f"mask has dtype {image.dtype}; labelling by value needs integers"
        )
    if image.size:
        checks.require_finite(image, name="mask")
    image = checks.native(image)
    if image.dtype.itemsize > 1 and not by_value:
        image = image != 0
    if image.dtype.itemsize == 1:
        image = image.view(np.uint8)
    elif np.can_cast(image.dtype, np.int64) and _is_narrow(image):
        image = image.astype(np.int32, copy=False)  # values of tiles compare right
    return np.ascontiguousarray(image).reshape(image.shape)


def _is_narrow(image: Array) -> bool:
    """Return whether int32, for which code comes compiled, holds all values."""
    low, high = image.min(initial=0), image.max(initial=0)
    return bool(low >= -(2**31) and high < 2**31)


def _slabs(shape: tuple[int, ...], threads: int) -> tuple[int, ...]:
    """Return tiles for `threads` threads: long rows, and never too large for int32."""
    tile = list(shape)
    axis = next((k for k, n in enumerate(shape) if n >= threads), 0)
    tile[axis] = -(-shape[axis] // threads)
    while math.prod(tile) > label_box.LARGEST_BOX:
        longest = tile.index(max(tile))
        tile[longest] = -(-tile[longest] // 2)
    return tuple(tile)

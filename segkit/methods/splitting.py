"""Parting touching objects by shape: one object per basin of a distance map.

A distance map has a summit in the middle of each convex part of a mask and a pass at
each neck. Flooding from every summit cuts too often, so basins are joined again where
the pass between them is nearly as high as the lower summit: a neck that is wide for
the objects it joins is no neck. The rule is relative and needs no size. Where the
image is given, a valley of brightness makes a pass lower.

The distance says how large a ball fits in: in a long or flat object of a volume it is
lower between any two bumps. A shallow pass parts two objects only if there is a waist:
slices across both are smaller where they meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.filters.smoothing import gaussian
from segkit.labelling.labels import label
from segkit.methods.axes import in_voxels
from segkit.morphology.holes import fill_holes
from segkit.morphology.operations import dilation
from segkit.regions.region_growing import watershed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.methods.axes import Spacing


# A hole is no gap if it is narrower than this part of the objects.
_GAP = 0.15
# Where two objects meet is a waist if slices are smaller than this part of those on
# both sides.
_WAIST = 0.95


def distance(mask: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.float64]:
    """Return how far each voxel of a mask is from the nearest outside."""
    # Not `segkit.distance_transform`: its float32 would round passes and summits.
    if mask.all():  # no outside to be near to: as if just beyond the image
        inner = (slice(1, -1),) * mask.ndim
        return distance(np.pad(mask, 1), spacing)[inner]
    if mask.ndim == 2 and set(spacing) == {1.0}:
        import mahotas

        squared: NDArray[np.float64] = mahotas.distance(mask)
        return np.sqrt(squared)
    from scipy import ndimage

    exact: NDArray[np.float64] = ndimage.distance_transform_edt(mask, spacing)
    return exact


def typical_radius(mask: NDArray[np.bool_], spacing: Spacing) -> float:
    """Return the radius of the component in which the median foreground voxel lies.

    A component's radius is the largest distance inside it: that of the largest member
    of a cluster, and of the widest place of glow. See `radius_of_objects`.
    """
    components = label(mask)
    n = int(components.max())
    if n == 0:
        return 1.0
    depth = maxima(distance(mask, spacing), components, n)[1:]
    volume = np.bincount(components.ravel(), minlength=n + 1)[1:]
    order = np.argsort(depth)
    filled = np.cumsum(volume[order])
    return float(depth[order][np.searchsorted(filled, filled[-1] / 2)])


def radius_of_objects(mask: NDArray[np.bool_], spacing: Spacing) -> float:
    """Return the radius of the object in which the median foreground voxel lies.

    An object is as wide as a summit of the distance map, and as large as a ball of that
    radius. Those that touch are told apart: of a cluster, the largest says nothing of
    the others.
    """
    if not mask.any():
        return 1.0
    inside = distance(mask, spacing)
    smooth = gaussian(inside, in_voxels(1, spacing))
    summits = mask & (smooth >= dilation(smooth, shape="box"))
    pieces = label(summits, connectivity=mask.ndim)
    radii = np.sort(maxima(inside, pieces, int(pieces.max()))[1:])
    filled = np.cumsum(radii**mask.ndim)
    return float(radii[np.searchsorted(filled, filled[-1] / 2)])


def filled(
    mask: NDArray[np.bool_], contrast: NDArray[np.float64], spacing: Spacing
) -> NDArray[np.bool_]:
    """Fill the holes of objects, but not the gaps between many that touch.

    Gaps are as dark as it is outside, and there are two or more in a component: a
    single one may be the middle of a ring.
    """
    full = fill_holes(mask)
    holes = label(full & ~mask)
    n = int(holes.max())
    if n < 2 or full.all():
        return full
    inside = holes > 0
    darkest = -maxima(-contrast, holes, n, least=-np.inf)
    wide = maxima(distance(inside, spacing), holes, n) > _GAP * radius_of_objects(
        mask, spacing
    )
    gaps = wide & (darkest <= np.median(contrast[~full]))
    gaps[0] = False
    components = label(full)
    around = np.zeros(n + 1, np.intp)
    around[holes[inside]] = components[inside]
    many = np.bincount(around[gaps], minlength=int(components.max()) + 1) > 1
    gaps &= many[around]
    without_gaps: NDArray[np.bool_] = full & ~gaps[holes]
    return without_gaps


def split_by_shape(
    mask: NDArray[np.bool_],
    spacing: Spacing,
    *,
    smoothing: float,
    depth: float,
    least: float = 0,
    brightness: NDArray[np.float64] | None = None,
) -> NDArray[np.int32]:
    """Label a mask, cutting components at their necks.

    Parameters
    ----------
    mask : boolean array of any number of dimensions
    spacing : tuple of float
        Distance of voxels along each axis, in units of that of the finest.
    smoothing : float
        Sigma of the Gaussian on the distance map, in voxels of the finest axis.
    depth : float
        How far below the lower summit a pass must lie for a cut, as a part of that
        summit's height: 0 cuts at every pass, 1 nowhere.
    least : float
        Summits of the distance map lower than this many voxels of the finest axis are
        no objects: they join a neighbour.
    brightness : array of the shape of the mask, optional
        What the distance map is multiplied by, so that cuts follow dark valleys, too.
        From 0 to 1.

    Returns
    -------
    int32 array
        Labels 1..n; every voxel of the mask has one.
    """
    inner, height = heights(mask, spacing, smoothing, brightness)
    summits = mask & (height >= dilation(height, shape="box"))
    markers = label(summits, connectivity=mask.ndim)
    basins = watershed(-height, markers, mask=mask)
    n = int(markers.max())
    crumbs = maxima(inner, basins, n) < least
    return merge_basins(basins, height, n, depth=depth, crumbs=crumbs)


def heights(
    mask: NDArray[np.bool_],
    spacing: Spacing,
    smoothing: float,
    brightness: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a smooth distance map, and this times the brightness."""
    inner = gaussian(distance(mask, spacing), in_voxels(smoothing, spacing))
    inner[~mask] = 0
    return inner, inner if brightness is None else inner * brightness


def merge_basins(
    basins: NDArray[Any],
    height: NDArray[np.float64],
    n: int,
    *,
    depth: float,
    crumbs: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Join neighbouring basins whose pass is at most `depth` below a summit.

    The highest passes are decided first; joined basins have the higher summit. Basins
    that are crumbs, by their number, join the first neighbour that is higher.
    """
    pairs, passes = _passes(basins, height)
    summits = maxima(height, basins, n).tolist()
    parent = list(range(n + 1))

    def root(basin: int) -> int:
        while parent[basin] != basin:
            parent[basin] = parent[parent[basin]]
            basin = parent[basin]
        return basin

    for edge in np.argsort(-passes, kind="stable").tolist():
        low, high = sorted(map(root, pairs[edge].tolist()), key=summits.__getitem__)
        shallow = passes[edge] > (1 - depth) * summits[low]
        if low != high and (shallow or crumbs[low]):
            parent[low] = high
            crumbs[high] &= crumbs[low]
    return renumbered(np.array([root(basin) for basin in range(n + 1)])[basins])


def without_waists(
    objects: NDArray[np.int32],
    height: NDArray[np.float64],
    spacing: Spacing,
    *,
    depth: float,
) -> NDArray[np.int32]:
    """Join neighbours that have no waist, if their pass is at most `depth` deep.

    The highest passes are decided first; joined objects are looked at as one.

    Parameters
    ----------
    objects : int32 array
        Labels 1..n.
    height : float array of the same shape
        What the objects were cut by, as by `heights`.
    spacing, depth
        As for `split_by_shape`.
    """
    pairs, passes = _passes(objects, height)
    normals = _normals(objects, pairs, spacing)
    n = int(objects.max())
    summits = maxima(height, objects, n).tolist()
    inside = np.argwhere(objects > 0)
    own = objects[tuple(inside.T)]
    ends = np.cumsum(np.bincount(own, minlength=n + 1))
    order = np.argsort(own, kind="stable")
    voxels = np.split((inside * np.array(spacing))[order], ends[:-1])
    root = np.arange(n + 1)
    for edge in np.argsort(-passes, kind="stable").tolist():
        low, high = sorted(root[pairs[edge]].tolist(), key=summits.__getitem__)
        if low == high or passes[edge] <= (1 - depth) * summits[low]:
            continue
        both = voxels[low], voxels[high]
        middles = both[1].mean(0) - both[0].mean(0)
        lines = middles, normals[edge]
        if min(_narrowest(*both, line, spacing) for line in lines) > _WAIST:
            voxels[high] = np.concatenate(both)
            root[root == low] = high
    return renumbered(root[objects])


def _narrowest(
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    line: NDArray[np.float64],
    spacing: Spacing,
) -> float:
    """Return the least slice between two middles, as a part of the most on a side.

    That of the thinner side; 1 if there is no waist. Slices are across a line, as thick
    as a voxel is along it, and take their share of each voxel.
    """
    line = line / max(float(np.linalg.norm(line)), np.finfo(float).tiny)
    thick = max(float(np.abs(line) @ spacing), np.finfo(float).tiny)
    along = [places @ line / thick for places in (one, other)]
    start = min(map(np.min, along))
    where, own = np.divmod(np.concatenate(along) - start, 1)
    slices = where.astype(np.intp)
    area = np.zeros(int(slices.max()) + 2)
    np.add.at(area, slices, 1 - own)
    np.add.at(area, slices + 1, own)
    area = np.convolve(area, (0.25, 0.5, 0.25), "same")
    first, last = sorted(int(part.mean() - start) for part in along)
    least = first + int(np.argmin(area[first : last + 1]))
    return float(area[least] / min(area[: least + 1].max(), area[least:].max()))


def _normals(
    objects: NDArray[np.int32], pairs: NDArray[np.int64], spacing: Spacing
) -> NDArray[np.float64]:
    """Return how the face between each pair of neighbours lies, as a line across it.

    Pairs are in rising order, as `_passes` has them.
    """
    many = int(objects.max()) + 1
    numbers = pairs @ np.array([many, 1])
    normals = np.zeros((len(pairs), objects.ndim))
    for axis, step in enumerate(spacing):
        label = np.moveaxis(objects, axis, 0).astype(np.int64)
        here, there = label[:-1], label[1:]
        touching = (here != there) & (here > 0) & (there > 0)
        here, there = here[touching], there[touching]
        number = np.minimum(here, there) * many + np.maximum(here, there)
        faces = np.where(here < there, 1 / step, -1 / step)
        np.add.at(normals[:, axis], np.searchsorted(numbers, number), faces)
    return normals


def renumbered(
    labels: NDArray[Any], keep: NDArray[np.bool_] | None = None
) -> NDArray[np.int32]:
    """Give labels the numbers 1..n in rising order, only those with `keep[label]`."""
    present = np.bincount(labels.ravel()) > 0
    if keep is not None:
        present &= keep
    present[0] = False
    numbers = np.cumsum(present, dtype=np.int32)
    numbers[~present] = 0
    return np.asarray(numbers[labels])


def maxima(
    values: NDArray[np.float64], labels: NDArray[Any], n: int, *, least: float = 0
) -> NDArray[np.float64]:
    """Return the largest value under each label 0..n; the least where there is none."""
    inside = labels > 0
    largest = np.full(n + 1, float(least))
    np.maximum.at(largest, labels[inside], values[inside])
    return largest


def _passes(
    basins: NDArray[Any], height: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the touching pairs of basins and the height of the pass between each."""
    pairs, heights = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for axis in range(basins.ndim):
        label, level = np.moveaxis(basins, axis, 0), np.moveaxis(height, axis, 0)
        here, there = label[:-1], label[1:]
        touching = (here != there) & (here > 0) & (there > 0)
        both = np.stack([here[touching], there[touching]], axis=1)
        pairs.append(np.sort(both.astype(np.int64), axis=1))
        heights.append(np.minimum(level[:-1][touching], level[1:][touching]))
    unique, inverse = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
    passes = np.full(len(unique), -np.inf)
    np.maximum.at(passes, inverse.reshape(-1), np.concatenate(heights))
    return unique, passes

"""One pass of SLIC over a tile: each voxel to its nearest cluster; and the sums.

Clusters are visited in the order of their numbers and only within their windows, as in
scikit-image; a voxel that no window covers is compared with all clusters. A voxel
depends on nothing but itself and the clusters, and all sums are of integers, so that a
pass over tiles, in any order, is exactly a pass over the whole image.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel


@kernel
def assign(values, start, clusters, windows, near, weights, scratch, labels, sums):
    """Give each voxel of a tile to its nearest cluster, plane by plane.

    `values` are (z, y, x, channel) of the tile that begins at `start`; `clusters` has
    rows (z, y, x, channels), `windows` rows of first and last voxel but one, by axis;
    `near` lists the clusters whose windows meet the tile. `weights` are those of a
    squared step on each axis, of the sum of these, and of a squared difference of
    values. `scratch` is a plane of doubles and a row of them. `labels` gets the
    clusters' places, and `sums` for each cluster the sums of coordinates and values,
    and the number of voxels.
    """
    depth, height, width, channels = values.shape
    distance, steps = scratch
    for z in range(depth):
        distance[:] = np.inf
        for k in near:
            if windows[k, 0] <= z + start[0] < windows[k, 1]:
                _claim(
                    values[z], z, start, clusters[k], windows[k], weights, k,
                    distance, steps, labels[z],
                )  # fmt: skip
        for y in range(height):
            for x in range(width):
                if distance[y, x] == np.inf:
                    labels[z, y, x] = _nearest(
                        values[z, y, x],
                        (z + start[0], y + start[1], x + start[2]),
                        clusters,
                        weights,
                    )
                k = labels[z, y, x]
                sums[k, 0] += z + start[0]
                sums[k, 1] += y + start[1]
                sums[k, 2] += x + start[2]
                for c in range(channels):
                    sums[k, 3 + c] += values[z, y, x, c]
                sums[k, 3 + channels] += 1


@kernel
def _claim(plane, z, start, cluster, window, weights, k, distance, steps, labels):
    """Give a cluster the voxels of a plane that no cluster so far is nearer to."""
    height, width, channels = plane.shape
    y0, y1 = max(window[2] - start[1], 0), min(window[3] - start[1], height)
    x0, x1 = max(window[4] - start[2], 0), min(window[5] - start[2], width)
    dx = steps[: max(x1 - x0, 0)]
    for x in range(x0, x1):
        dx[x - x0] = (cluster[2] - (x + start[2])) ** 2 * weights[2]
    dz = (cluster[0] - (z + start[0])) ** 2 * weights[0]
    for y in range(y0, y1):
        dzy = dz + (cluster[1] - (y + start[1])) ** 2 * weights[1]
        if channels == 1:
            _claim_grey(
                plane[y, x0:x1, 0], dx, dzy, cluster[3], weights[3], weights[4], k,
                distance[y, x0:x1], labels[y, x0:x1],
            )  # fmt: skip
            continue
        for x in range(x0, x1):
            alike = 0.0
            for c in range(channels):
                step = plane[y, x, c] - cluster[3 + c]
                alike += step * step
            near = (dzy + dx[x - x0]) * weights[3] + alike * weights[4]
            if near < distance[y, x]:
                distance[y, x] = near
                labels[y, x] = k


@kernel
def _claim_grey(row, dx, dzy, grey, compact, like, k, distance, labels):
    """Do the same for a row of grey values, in a form that compilers vectorise."""
    for x in range(dx.size):
        step = row[x] - grey
        near = (dzy + dx[x]) * compact + step * step * like
        nearer = near < distance[x]
        distance[x] = near if nearer else distance[x]
        labels[x] = k if nearer else labels[x]


@kernel
def _nearest(value, place, clusters, weights):
    """Return the nearest of all clusters."""
    best, least = 0, np.inf
    for k in range(clusters.shape[0]):
        away = 0.0
        for axis in range(3):
            away += (clusters[k, axis] - place[axis]) ** 2 * weights[axis]
        near = away * weights[3]
        alike = 0.0
        for c in range(value.size):
            step = value[c] - clusters[k, 3 + c]
            alike += step * step
        near += alike * weights[4]
        if near < least:
            best, least = k, near
    return best

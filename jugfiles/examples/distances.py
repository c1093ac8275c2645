"""How far contours lie from those of a reference, whole or tile by tile."""

import numpy as np

import segkit
from examples._shared import agreement, compared, painted


def hausdorff_distance(image):
    found, reference = compared(image)
    distance = segkit.hausdorff_distance(found > 0, reference > 0)
    return {f"Hausdorff distance {distance:.1f}": agreement(found, reference)}


def object_distances(image):
    found, reference = compared(image)
    measured = segkit.object_distances(found, reference)
    far = painted(found, measured.segmentation, measured.hausdorff)
    return {
        "found, reference, both": agreement(found, reference),
        f"Hausdorff, mean {measured.mean_hausdorff:.1f}": far,
        f"sum of distances, mean {measured.mean_nsd:.2f}": painted(
            found, measured.segmentation, measured.nsd
        ),
    }


def published_distances(image):
    found, reference = compared(image)
    hausdorff, nsd = segkit.published_distances(found, reference)
    title = f"Hausdorff {hausdorff:.1f}, NSD {nsd:.2f}"
    return {title: agreement(found, reference)}


def label_runs(image):
    found, reference = compared(image)
    runs = segkit.label_runs(found, reference)
    lengths = np.zeros(image.size, int)
    for first, length in zip(runs.first, runs.length, strict=True):
        lengths[first : first + length] = length
    title = f"{len(runs.first)} runs, by their lengths"
    return {title: lengths.reshape(image.shape)}


def distances_of_runs(image):
    found, reference = compared(image)
    measured = segkit.distances_of_runs(_runs_by_tiles(found, reference))
    far = painted(found, measured.segmentation, measured.hausdorff)
    return {f"Hausdorff, mean {measured.mean_hausdorff:.1f}": far}


def hausdorff_of_runs(image):
    found, reference = compared(image)
    distance = segkit.hausdorff_of_runs(_runs_by_tiles(found, reference))
    return {f"Hausdorff distance {distance:.1f}": agreement(found, reference)}


def scores_of_runs(image):
    found, reference = compared(image)
    score = segkit.scores_of_runs(_runs_by_tiles(found, reference))
    names = ("dice", "f1_50", "hausdorff")
    title = ", ".join(f"{name} {score[name]:.2f}" for name in names)
    return {title: agreement(found, reference)}


def _runs_by_tiles(found, reference):
    """Return the runs of two label images, each tile looked at by itself."""
    parts = []
    for tile in segkit.tiles(found.shape, 150):
        box = tile.write.slices
        parts.append(segkit.label_runs(found[box], reference[box], tile, found.shape))
    return segkit.combine(parts)

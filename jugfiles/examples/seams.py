"""Objects across tiles, step by step: each step can be a task of its own."""

import numpy as np
from skimage.draw import line

import segkit
from examples._shared import blobs, grid_picture, put_together


def label_tile(image):
    mask, _ = blobs(image)
    grid = segkit.tiles(mask.shape, 120)
    pieces = [
        segkit.label_tile(mask[tile.write.slices], tile, mask.shape).labels
        for tile in grid
    ]
    labels = put_together(image.shape, grid, pieces)
    return {"each tile by itself": segkit.overlay(grid_picture(image, grid), labels)}


def adjacent_tiles(image):
    grid = segkit.tiles(image.shape, 110)
    pairs = segkit.adjacent_tiles(grid, connectivity=2)
    picture = grid_picture(image, grid)
    for one, other in pairs:
        picture[line(*_centre(grid[one]), *_centre(grid[other]))] = (255, 90, 90)
    return {f"{len(pairs)} pairs of {len(grid)} tiles": picture}


def find_seam(image):
    grid, parts = _label_tiles(image)
    first, second = parts[5:7]
    seam = segkit.find_seam(first.summary, second.summary)
    title = f"labels that touch: {seam.pairs.tolist()}"
    return {title: _pairs_picture(image, grid[5:7], (first, second), seam)}


def merge_tiles(image):
    grid, parts = _label_tiles(image)
    summaries = [part.summary for part in parts]
    seams = [
        segkit.find_seam(summaries[one], summaries[other])
        for one, other in segkit.adjacent_tiles(grid)
    ]
    lookups = segkit.merge_tiles(summaries, seams=seams)
    pieces = sum(len(lookup) - 1 for lookup in lookups)
    objects = max(lookup.max() for lookup in lookups)
    labels = [
        segkit.relabel_tile(part.labels, lookup)
        for part, lookup in zip(parts, lookups, strict=True)
    ]
    merged = put_together(image.shape, grid, labels)
    return {f"{pieces} pieces, {objects} objects": segkit.overlay(image, merged)}


def relabel_tile(image):
    grid, parts = _label_tiles(image)
    lookups = segkit.merge_tiles([part.summary for part in parts])
    labels = segkit.relabel_tile(parts[5].labels, lookups[5])
    own = image[grid[5].write.slices]
    return {
        f"labels {np.unique(parts[5].labels)}": segkit.overlay(own, parts[5].labels),
        f"ids {np.unique(labels)}": segkit.overlay(own, labels),
    }


def instance_tile(image):
    tile = segkit.tiles(image.shape, 200, halo=80)[0]
    read = image[tile.read.slices]
    labels = segkit.segment_nuclei(read)
    part = segkit.instance_tile(labels, tile, image.shape)
    own = segkit.overlay(image[tile.write.slices], part.labels)
    return {"what it reads": segkit.overlay(read, labels), "what it owns": own}


def compare_tiles(image):
    grid, parts = _instance_tiles(image)
    first, second = parts[:2]
    seam, check = segkit.compare_tiles(first.summary, second.summary)
    title = f"{check.merged} pairs are one, {check.differing} pixels differ"
    return {title: _pairs_picture(image, grid[:2], (first, second), seam)}


def merge_instance_tiles(image):
    grid, parts = _instance_tiles(image)
    lookups, report = segkit.merge_instance_tiles([part.summary for part in parts])
    labels = [
        segkit.relabel_tile(part.labels, lookup)
        for part, lookup in zip(parts, lookups, strict=True)
    ]
    merged = put_together(image.shape, grid, labels)
    title = f"{report.merged} pairs are one, {report.disagreement:.1%} differ"
    return {title: segkit.overlay(image, merged)}


def _label_tiles(image):
    """Return a grid, and what `label_tile` says of each of its tiles."""
    mask, _ = blobs(image)
    grid = segkit.tiles(image.shape, 120)
    return grid, [
        segkit.label_tile(mask[own.write.slices], own, image.shape) for own in grid
    ]


def _instance_tiles(image):
    """Return a grid, and the nuclei of each tile, found with a halo."""
    grid = segkit.tiles(image.shape, 200, halo=80)
    return grid, [
        segkit.instance_tile(blobs(image[tile.read.slices])[1], tile, image.shape)
        for tile in grid
    ]


def _pairs_picture(image, grid, parts, seam):
    """Return two tiles, in them the objects that their seam makes one."""
    masks = [
        np.isin(part.labels, ids) for part, ids in zip(parts, seam.pairs.T, strict=True)
    ]
    together = put_together(image.shape, grid, masks)
    return segkit.overlay(grid_picture(image, grid), together)


def _centre(tile):
    """Return the pixel in the middle of what a tile owns."""
    return [
        (a + b) // 2 for a, b in zip(tile.write.start, tile.write.stop, strict=True)
    ]

"""Connected components, and which of them stay."""

import numpy as np

import segkit
from examples._shared import blobs, compared, labelled


def label(image):
    mask, _ = blobs(image)
    return {"mask": mask, "label": segkit.overlay(image, segkit.label(mask, tile=100))}


def remove_small_objects(image):
    _, labels = blobs(image)
    kept = segkit.remove_small_objects(labels, 2000)
    return labelled(image, labels=labels, kept=kept)


def clear_border(image):
    _, labels = blobs(image)
    return labelled(image, labels=labels, cleared=segkit.clear_border(labels))


def keep_largest(image):
    _, labels = blobs(image)
    return labelled(image, labels=labels, largest=segkit.keep_largest(labels, 3))


def keep_within(image):
    _, labels = blobs(image)
    kept = segkit.keep_within(labels, count=(3000, 8000))
    return labelled(image, labels=labels, kept=kept)


def relabel_sequential(image):
    _, labels = blobs(image)
    kept, _ = segkit.relabel_sequential(segkit.clear_border(labels))
    return labelled(image, labels=labels, relabelled=kept)


def watershed(image):
    mask, height, markers = _hills(image)
    grown = segkit.watershed(-height, markers, mask=mask)
    return labelled(image, markers=markers, watershed=grown)


def tiled_watershed(image):
    mask, height, markers = _hills(image)
    grown = segkit.tiled_watershed(-height, markers, mask=mask, tile=200, halo=80)
    return labelled(image, markers=markers, watershed=grown.labels)


def _hills(image):
    mask, _ = blobs(image)
    height = segkit.gaussian(segkit.distance_transform(mask), 6)
    return mask, height, segkit.label(segkit.h_maxima(height, 1))


def random_walker(image):
    part, seeds = _seeds(image)
    walked = segkit.random_walker(part, seeds)
    return {"image": part, "seeds": seeds, "walked": walked}


def tiled_random_walker(image):
    part, seeds = _seeds(image)
    walked = segkit.tiled_random_walker(part, seeds, tile=90, halo=20)
    return {"seeds": seeds, "walked": walked.labels}


def _seeds(image):
    mask, _ = blobs(image)
    seeds = np.where(segkit.binary_erosion(mask, 8), 2, 0)
    seeds[~segkit.binary_dilation(mask, 8)] = 1
    return image[:160, :160], seeds[:160, :160]


def merge_instances(image):
    grid = segkit.tiles(image.shape, 200, halo=80)
    pieces = [(tile, _blobs_within(image, tile)) for tile in grid]
    merged = segkit.merge_instances(pieces, image.shape, on_disagreement="ignore")
    return {"merged": segkit.overlay(image, merged.labels)}


def _blobs_within(image, tile):
    """Return the labels of what a tile reads, as a method without a reach gives."""
    return blobs(image[tile.read.slices])[1]


def slic(image):
    found = segkit.slic(segkit.gaussian(image, 1), 300, compactness=0.3, tile=150)
    means = segkit.region_properties(found, image)["intensity_mean"]
    painted = np.concatenate([[0], means])[found]
    return {"superpixels": segkit.overlay(image, found), "means": painted}


def find_boundaries(image):
    labels = segkit.segment_nuclei(image)
    lines = segkit.find_boundaries(labels)
    return {"image": image, "boundaries": segkit.binary_dilation(lines, 1)}


def expand_labels(image):
    _, labels = blobs(image)
    grown = segkit.expand_labels(labels, 12)
    return labelled(image, labels=labels, grown=grown)


def join_segmentations(image):
    labels, nuclei = compared(image)
    return labelled(image, joined=segkit.join_segmentations(labels, nuclei))

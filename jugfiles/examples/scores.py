"""How well a segmentation agrees with a reference."""

import numpy as np

import segkit
from examples._shared import beside, compared, painted


def scores(image):
    found, reference = compared(image)
    score = segkit.scores(found, reference)
    names = ("dice", "jaccard", "f1_50", "hausdorff")
    title = ", ".join(f"{name} {score[name]:.2f}" for name in names)
    return beside(image, reference, title, found)


def table_scores(image):
    found, reference = compared(image)
    score = segkit.table_scores(segkit.contingency(found, reference))
    names = ("dice", "rand_index", "f1_50", "panoptic_quality")
    title = ", ".join(f"{name} {score[name]:.2f}" for name in names)
    return beside(image, reference, title, found)


def published_scores(image):
    found, reference = compared(image)
    score = segkit.published_scores(found, reference)
    title = ", ".join(f"{name} {value:.2f}" for name, value in list(score.items())[:4])
    return beside(image, reference, title, found)


def contingency(image):
    found, reference = compared(image)
    table = segkit.contingency(found, reference)
    voxels = np.zeros((found.max() + 1, reference.max() + 1))
    voxels[table.segmentation, table.reference] = table.voxels
    title = "voxels of each object (row) in each of the reference"
    return {title: np.log1p(voxels).repeat(50, axis=0).repeat(55, axis=1)}


def match_objects(image):
    found, reference = compared(image)
    table = segkit.contingency(found, reference)
    matches = segkit.match_objects(table, threshold=0.5)
    partners = painted(found, matches.segmentation, matches.reference).astype(int)
    pairs = np.concatenate([reference, partners], axis=1)  # coloured alike
    title = f"{len(matches.iou)} matches, mean IoU {matches.iou.mean():.2f}"
    return {title: segkit.overlay(np.concatenate([image, image], axis=1), pairs)}


def average_precision(image):
    found, reference = compared(image)
    table = segkit.contingency(found, reference)
    pictures = {}
    for score in segkit.average_precision(table, [0.5, 0.7, 0.9]):
        matches = segkit.match_objects(table, score.threshold)
        hits = segkit.keep_ids(found, matches.segmentation)
        title = f"IoU > {score.threshold}: AP {score.average_precision:.2f}"
        pictures[title] = segkit.overlay(image, hits)
    return pictures


def object_counts(image):
    found, reference = compared(image)
    counts = segkit.object_counts(segkit.contingency(found, reference))
    title = ", ".join(f"{n} {mistake}" for mistake, n in counts._asdict().items())
    return beside(image, reference, title, found)


def published_object_counts(image):
    found, reference = compared(image)
    counts = segkit.published_object_counts(segkit.contingency(found, reference))
    title = ", ".join(f"{n} {mistake}" for mistake, n in counts._asdict().items())
    return beside(image, reference, title, found)

"""Properties and classes of objects."""

import numpy as np

import segkit
from examples._shared import blobs


def region_properties(image):
    _, labels = blobs(image)
    table = segkit.region_properties(labels, image)
    painted = np.concatenate([[0], table["intensity_mean"]])[labels]
    return {"labels": segkit.overlay(image, labels), "intensity_mean": painted}


def classify(image):
    return {"small, large, bright": segkit.paint_classes(_classes_of(image))}


def bounds_classifier(image):
    return {"classes": segkit.paint_classes(_classes_of(image))}


def reconstruct(image):
    return {"image": image, "classes": _classes_of(image)}


def paint_classes(image):
    return {"classes": segkit.paint_classes(_classes_of(image))}


def class_colours(image):  # noqa: ARG001 - it needs none
    colours = segkit.class_colours(24)[None]
    return {"24 classes": colours.repeat(60, axis=0).repeat(16, axis=1)}


def _classes_of(image):
    """Return the class of each pixel."""
    _, labels = blobs(image)
    table = segkit.classify(
        segkit.region_properties(labels, image),
        segkit.bounds_classifier("small", count=2500),
        segkit.bounds_classifier("bright", intensity_mean=(60, 255)),
        segkit.bounds_classifier("other"),
    )
    return segkit.reconstruct(labels, table)

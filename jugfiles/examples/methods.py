"""Whole methods, from image to labels."""

import numpy as np

import segkit


def segment_nuclei(image):
    return {
        "image": image,
        "nuclei": segkit.overlay(image, segkit.segment_nuclei(image)),
    }


def segment_cells(image):
    tissue = _mosaic(image.shape)
    cells = segkit.segment_cells(tissue)
    return {"image": tissue, "cells": segkit.overlay(tissue, cells)}


def membrane_map(image):
    tissue = _mosaic(image.shape)
    return {"image": tissue, "membranes": segkit.membrane_map(tissue)}


def _mosaic(shape):
    """Return a picture of cells with dark membranes between them."""
    from scipy.spatial import cKDTree

    random = np.random.default_rng(0)
    centres = random.uniform(0, shape, size=(60, 2))
    places = np.moveaxis(np.indices(shape), 0, -1)
    distances, _ = cKDTree(centres).query(places, k=2)
    membranes = np.exp(-((distances[..., 1] - distances[..., 0]) ** 2) / 20)
    return (190 - 130 * membranes + random.normal(0, 12, shape)).clip(0, 255)


def Pipeline(image):  # noqa: N802 - what it shows
    from segkit.pipeline import gaussian, label, ndnt, remove_small_objects

    steps = segkit.Pipeline(
        gaussian(2),
        ndnt(129, 0.0, polarity="bright"),
        label(),
        remove_small_objects(900),
    )
    return {"pipeline": segkit.overlay(image, steps.run(image, tile=128).labels)}


def florinate(image):
    from skimage.filters import sobel

    from segkit.pipeline import gaussian

    edges = segkit.florinate(sobel, reach=1)
    found = segkit.Pipeline(gaussian(2), edges()).run(image, tile=128)
    return {"image": image, "gaussian, then sobel of skimage": found.array}

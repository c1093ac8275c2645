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


def segment_vessels(image):
    retina = _retina(image.shape)
    vessels = segkit.segment_vessels(retina)
    return {"image": retina, "vessels": segkit.overlay(retina, vessels)}


def vessel_map(image):
    retina = _retina(image.shape)
    return {"image": retina, "like vessels": segkit.vessel_map(retina)}


def find_field_of_view(image):
    retina = _retina(image.shape)
    seen = segkit.find_field_of_view(retina)
    return {"image": retina, "field of view": segkit.overlay(retina, seen)}


def _retina(shape):
    """Return a picture of a bright disc with dark lines that branch."""
    random = np.random.default_rng(0)
    y, x = np.indices(shape)
    middle, radius = np.array(shape) / 2, 0.47 * min(shape)
    grey = 140 - 0.1 * np.hypot(y - middle[0], x - middle[1])
    for slope, bend in ((0.5, 0.004), (-0.7, -0.003), (0.1, 0.002), (1.6, 0.001)):
        across = y - middle[0] - slope * (x - middle[1]) - bend * (x - middle[1]) ** 2
        steep = np.hypot(1, slope + 2 * bend * (x - middle[1]))
        grey -= 45 * np.exp(-((across / steep / 2) ** 2))
    grey[np.hypot(y - middle[0], x - middle[1]) > radius] = 4
    return (grey + random.normal(0, 3, shape)).clip(0, 255)


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

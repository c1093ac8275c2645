"""Smoothing, background and distances."""

import segkit
from examples._shared import blobs


def gaussian(image):
    return {"image": image, "sigma=4": segkit.gaussian(image, 4)}


def median(image):
    return {"image": image, "radius=4": segkit.median(image, 4)}


def uniform(image):
    return {"image": image, "shape=15": segkit.uniform(image, 15)}


def subtract_background(image):
    return {"image": image, "radius=60": segkit.subtract_background(image, 60)}


def distance_transform(image):
    mask, _ = blobs(image)
    return {"mask": mask, "distance": segkit.distance_transform(mask)}

"""Erosion, dilation, and what they are made into."""

import segkit
from examples._shared import blobs, painted


def erosion(image):
    return {"image": image, "radius=5": segkit.erosion(image, 5)}


def dilation(image):
    return {"image": image, "radius=5": segkit.dilation(image, 5)}


def opening(image):
    return {"image": image, "radius=5": segkit.opening(image, 5)}


def closing(image):
    return {"image": image, "radius=5": segkit.closing(image, 5)}


def white_tophat(image):
    return {"image": image, "radius=8": segkit.white_tophat(image, 8)}


def black_tophat(image):
    return {"image": image, "radius=8": segkit.black_tophat(image, 8)}


def binary_erosion(image):
    mask, _ = blobs(image)
    return {"mask": mask, "radius=6": segkit.binary_erosion(mask, 6)}


def binary_dilation(image):
    mask, _ = blobs(image)
    return {"mask": mask, "radius=6": segkit.binary_dilation(mask, 6)}


def binary_opening(image):
    mask, _ = blobs(image)
    return {"mask": mask, "radius=6": segkit.binary_opening(mask, 6)}


def binary_closing(image):
    mask, _ = blobs(image)
    return {"mask": mask, "radius=6": segkit.binary_closing(mask, 6)}


def footprint(image):  # noqa: ARG001 - it needs none
    shapes = {shape: segkit.footprint(6, 2, shape=shape) for shape in ("ball", "box")}
    return {name: shape.repeat(20, 0).repeat(20, 1) for name, shape in shapes.items()}


def fill_holes(image):
    mask = segkit.gaussian(image, 1) > 1.6 * image.mean()
    return {
        "mask": mask,
        "filled": segkit.fill_holes(mask),
        "max_size=50": segkit.fill_holes(mask, 50),
    }


def remove_small_holes(image):
    mask = segkit.gaussian(image, 1) > 1.6 * image.mean()
    return {"mask": mask, "min_size=200": segkit.remove_small_holes(mask, 200)}


def h_maxima(image):
    smooth = segkit.gaussian(image, 6)
    peaks = segkit.h_maxima(smooth, 5)
    return {"smooth": smooth, "peaks": segkit.binary_dilation(peaks, 4)}


def peaks(image):
    smooth = segkit.gaussian(image, 6)
    found = segkit.peaks(smooth, 12, threshold=30)
    return {"smooth": smooth, "radius=12": segkit.binary_dilation(found, 4)}


def local_maxima(image):
    smooth = segkit.gaussian(image, 6)
    found = segkit.local_maxima(smooth)
    return {"smooth": smooth, "maxima": segkit.binary_dilation(found, 4)}


def skeleton(image):
    mask, _ = blobs(image)
    lines = segkit.skeleton(mask)
    return {"mask": mask, "skeleton": segkit.binary_dilation(lines, 1)}


def skeleton_length(image):
    mask, labels = blobs(image)
    lines = labels * segkit.skeleton(mask)
    table = segkit.skeleton_length(lines)
    return {"mask": mask, "length": painted(labels, table["label"], table["length"])}

"""Derivatives, ridges, edges, ranks and blobs."""

import numpy as np

import segkit


def hessian_eigenvalues(image):
    large, small = segkit.hessian_eigenvalues(image, 3)
    return {"larger": large, "smaller": small}


def laplacian_of_gaussian(image):
    return {"image": image, "sigma=8": segkit.laplacian_of_gaussian(image, 8)}


def frangi(image):
    return {"image": image, "gamma=5": segkit.frangi(image, (2, 4), gamma=5)}


def sato(image):
    return {"image": image, "sigmas=2, 4": segkit.sato(image, (2, 4))}


def edges(image):
    return {"image": image, "sobel": segkit.edges(segkit.gaussian(image, 2))}


def canny(image):
    lines = segkit.canny(image, 2, 8, sigma=3)
    return {"image": image, "lines": segkit.binary_dilation(lines, 1)}


def percentile(image):
    return {"image": image, "90 of radius 4": segkit.percentile(image, 90, 4)}


def blobs(image):
    found = segkit.blobs(image, np.arange(8, 20, 3), 8)
    return {"image": image, "centres": segkit.binary_dilation(found > 0, 4)}

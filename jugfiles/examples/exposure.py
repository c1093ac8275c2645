"""Grey values changed, images cropped and padded."""

import numpy as np

import segkit


def rescale_intensity(image):
    return {"image": image, "(20, 90)": segkit.rescale_intensity(image, (20, 90))}


def adjust_gamma(image):
    return {"image": image, "gamma=0.5": segkit.adjust_gamma(image, 0.5)}


def adjust_log(image):
    return {"image": image, "log": segkit.adjust_log(image)}


def adjust_sigmoid(image):
    return {"image": image, "cutoff=0.2": segkit.adjust_sigmoid(image, 0.2)}


def invert(image):
    return {"image": image, "inverted": segkit.invert(image)}


def convert(image):
    return {"image": image, "float64": segkit.convert(image, "float64")}


def histogram(image):
    counts, _ = segkit.histogram(image)
    heights = (120 * counts / counts.max()).astype(int)
    bars = np.arange(120)[::-1, None] < heights
    return {"image": image, "counts": bars.repeat(2, 1)}


def cumulative_distribution(image):
    shares, _ = segkit.cumulative_distribution(image)
    return {"shares": (np.arange(120)[::-1, None] < 120 * shares).repeat(2, 1)}


def equalize_hist(image):
    return {"image": image, "equalized": segkit.equalize_hist(image)}


def equalize_adapthist(image):
    return {"image": image, "CLAHE": segkit.equalize_adapthist(image)}


def crop(image):
    return {"image": image, "margins=60": segkit.crop(image, 60)}


def pad(image):
    return {"image": image, "reflected": segkit.pad(image, 60, mode="reflect")}

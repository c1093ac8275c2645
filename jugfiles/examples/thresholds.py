"""What is foreground."""

import numpy as np

import segkit


def ndnt(image):
    mask = segkit.ndnt(image, 129, 0.0, polarity="bright")
    return {"image": image, "shape=129": mask}


def threshold(image):
    return {
        "otsu": image > segkit.threshold(image, "otsu"),
        "mean": image > segkit.threshold(image, "mean"),
    }


def binarize(image):
    return {"image": image, "otsu": segkit.binarize(image)}


def binarize_local(image):
    return {"image": image, "shape=101": segkit.binarize_local(image, 101)}


def local_threshold(image):
    return {"image": image, "shape=101": image > segkit.local_threshold(image, 101)}


def hysteresis(image):
    low, high = image.mean(), 2 * image.mean()
    return {"image": image, "low, high": segkit.hysteresis(image, low, high)}


def multi_otsu(image):
    return {"image": image, "classes=3": np.digitize(image, segkit.multi_otsu(image))}


def try_all(image):
    trials = segkit.try_all(segkit.gaussian(image, 2))
    return {
        f"{name}: {trial.objects} objects": trial.mask for name, trial in trials.items()
    }

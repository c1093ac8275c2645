"""How well a segmentation agrees with a reference."""

import segkit
from examples._shared import blobs


def scores(image):
    return _compared(image)


def published_scores(image):
    return _compared(image, of=segkit.published_scores)


def _compared(image, of=segkit.scores):
    reference = segkit.segment_nuclei(image)
    _, labels = blobs(image)
    found = of(labels, reference)
    names = [f"{name} {found[name]:.2f}" for name in list(found)[:3]]
    return {
        "reference": segkit.overlay(image, reference),
        ", ".join(names): segkit.overlay(image, labels),
    }

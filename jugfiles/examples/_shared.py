"""What several topics start from."""

import segkit


def blobs(image):
    """Return the foreground and the labels that many examples start from."""
    smooth = segkit.gaussian(image, 2)
    mask = smooth > segkit.threshold(smooth, "mean")
    return mask, segkit.label(mask)


def labelled(image, **labels):
    """Return the image with each of the labels drawn onto it."""
    return {name: segkit.overlay(image, own) for name, own in labels.items()}

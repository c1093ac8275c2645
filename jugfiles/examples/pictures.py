"""What to look at."""

import segkit
from examples._shared import blobs


def overlay(image):
    return {"overlay": segkit.overlay(image, blobs(image)[1])}


def side_by_side(image):
    _, labels = blobs(image)
    pictures = {"image": image, "labels": segkit.overlay(image, labels)}
    return {"": segkit.side_by_side(pictures, zoom=segkit.Box((20, 150), (110, 240)))}


def contact_sheet(image):
    sweep = {f"sigma {s}": segkit.gaussian(image, s) for s in (1, 2, 4, 8)}
    return {"": segkit.contact_sheet(sweep, columns=4, width=160)}


def label_colours(image):
    return {"colours": segkit.label_colours(blobs(image)[1])}


def grey_picture(image):
    return {"stretched": segkit.grey_picture(image)}

"""Which objects of a table stay, and labels without the others."""

import segkit
from examples._shared import blobs, labelled


def border_ids(image):
    _, labels = blobs(image)
    ids = segkit.border_ids(segkit.region_properties(labels))
    return labelled(image, labels=labels, at_border=segkit.keep_ids(labels, ids))


def ids_within(image):
    _, labels = blobs(image)
    table = segkit.region_properties(labels, image)
    ids = segkit.ids_within(table, count=(3000, 7500), intensity_mean=(None, 33))
    return labelled(image, labels=labels, within=segkit.keep_ids(labels, ids))


def largest_ids(image):
    _, labels = blobs(image)
    ids = segkit.largest_ids(segkit.region_properties(labels), 2)
    return labelled(image, labels=labels, largest=segkit.keep_ids(labels, ids))


def small_ids(image):
    _, labels = blobs(image)
    ids = segkit.small_ids(segkit.region_properties(labels), 6000)
    return labelled(image, labels=labels, small=segkit.keep_ids(labels, ids))


def keep_ids(image):
    _, labels = blobs(image)
    return labelled(image, labels=labels, kept=segkit.keep_ids(labels, [1, 3]))


def drop_ids(image):
    _, labels = blobs(image)
    return labelled(image, labels=labels, dropped=segkit.drop_ids(labels, [1, 3]))
